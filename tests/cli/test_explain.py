"""`simkit explain`: rules, sections, and times that are computed."""

import pytest

from simkit.cli.timing import INTERVALS_S, sendings, session_table
from simkit.rulebook import RULES, SECTIONS
from simkit.units import MS, S

from .conftest import Simkit

RULE = """\
RFC4028-10-7  RECOMMENDED, other side
Performing refreshes

  The BYE of the side that does not refresh leads the expiration by 32 seconds,
  or by a third of the interval where that is shorter.

  Why: The lead belongs to the side that does not refresh. A refresher that
  applies it to itself hangs up, for intervals below 128 s, while its own
  refresh still waits for an answer.

    1800 s: BYE at 1768 s (32 s before).    90 s: BYE at 60 s (a third before).

  A capture shows it. Breaking it is worth a warning.
  https://www.rfc-editor.org/rfc/rfc4028#section-10
"""


def test_a_rule_is_explained_in_full(simkit: Simkit) -> None:
    result = simkit("explain", "RFC4028-10-7")
    assert (result.exit_code, result.stdout) == (0, RULE)


@pytest.mark.parametrize("spelling", ["rfc4028-10-7", "10-7"])
def test_rfc_4028_goes_without_saying_and_case_does_not_matter(simkit: Simkit, spelling: str) -> None:
    assert simkit("explain", spelling).stdout == RULE


def test_rules_of_other_rfcs_are_found_with_or_without_rfc(simkit: Simkit) -> None:
    assert simkit("explain", "RFC3261-14.1a").stdout == simkit("explain", "3261-14.1a").stdout
    assert "rfc3261#section-14.1\n" in simkit("explain", "3261-14.1a").stdout


def test_a_section_lists_its_rules(simkit: Simkit) -> None:
    result = simkit("explain", "RFC4028-10")
    heads = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("RFC")]
    assert heads == [id for id in RULES if id.startswith("RFC4028-10-")]


def test_alone_it_lists_the_sections(simkit: Simkit) -> None:
    lines = simkit("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["section", *SECTIONS, "timing"]


def test_several_are_explained_one_after_the_other(simkit: Simkit) -> None:
    assert simkit("explain", "10-7", "10-7").stdout == f"{RULE}\n{RULE}"


def test_every_rule_can_be_explained(simkit: Simkit) -> None:
    result = simkit("explain", *RULES)
    assert result.exit_code == 0
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    ("wanted", "likely"), [("RFC4028-7.2-77", "RFC4028-7.2-7"), ("timng", "TIMING"), ("RFC4028-12", "RFC4028-1")]
)
def test_an_unknown_rule_names_likely_ones(simkit: Simkit, wanted: str, likely: str) -> None:
    result = simkit("explain", wanted)
    assert result.exit_code == 2
    assert f"no rule '{wanted}' (did you mean " in result.stderr
    assert likely in result.stderr


def test_the_lines_follow_the_terminals_width(simkit: Simkit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, simkit("explain", "3261-17.2.1").stdout.splitlines()[:-1])) <= 40


# RFC 4028: half the interval; 32 s later timer B or F; 32 s or a third before the end.
SESSION_TIMES = {
    90: (45, 77, 60),
    96: (48, 80, 64),
    120: (60, 92, 88),
    128: (64, 96, 96),
    300: (150, 182, 268),
    600: (300, 332, 568),
    1800: (900, 932, 1768),
}


@pytest.mark.parametrize("interval_s", SESSION_TIMES)
def test_the_timing_table_has_the_times_that_follow_from_the_rules(interval_s: int) -> None:
    rows = [[int(cell) for cell in line.split()] for line in session_table() if line.split()[:1] == [str(interval_s)]]
    assert rows == [[interval_s, *SESSION_TIMES[interval_s], interval_s]]
    assert interval_s in INTERVALS_S


def test_gaps_between_retransmissions_double_up_to_their_longest() -> None:
    assert sendings(500 * MS, 32 * S, 32 * S) == [round(s * S) for s in (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert sendings(500 * MS, 4 * S, 32 * S)[5:7] == [11_500_000, 15_500_000]
    assert len(sendings(500 * MS, 4 * S, 32 * S)) == 11


def test_timing_prints_both_tables(simkit: Simkit) -> None:
    text = simkit("explain", "timing").stdout
    assert "      1800           900           932                    1768     1800" in text
    assert "INVITE             0 0.5 1.5 3.5 7.5 15.5 31.5; over at 32" in text
    assert "Over TCP and TLS each is sent once" in text
