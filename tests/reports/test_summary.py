"""What a run, or several, came to: the words on the terminal."""

from dataclasses import replace

import pytest

from simkit.flows.model import Calls
from simkit.reports.cells import cells
from simkit.reports.failure import failures
from simkit.reports.style import Style
from simkit.reports.summary import single, table, totals, verdict_line
from simkit.runs.run import Run
from simkit.runs.verdict import Verdict
from simkit.units import S

from . import building
from .golden import assert_golden


def some_runs() -> list[Run]:
    return [
        building.expiry(),
        building.run("odd", verdict=Verdict.ERROR, virtual_us=1, wall_us=12),
        building.hours(),
        building.broken(),
        building.run("wide", case="name=carol", wall_us=12_345_678),
    ]


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "colour"])
def test_one_flow_reads_as_it_did(colour: bool) -> None:
    name = "colour" if colour else "plain"
    style = Style(80, colour=colour)
    assert_golden(f"single-expiry-{name}.txt", single(building.expiry(), style) + "\n")
    assert_golden(f"single-broken-{name}.txt", single(building.broken(), style) + "\n")


def test_verbose_lists_every_expectation_and_the_whole_ladder() -> None:
    assert_golden("single-broken-verbose.txt", single(building.broken(), Style(unicode=False), verbose=True) + "\n")
    assert single(building.hours(), Style(), verbose=True).count("ACK") == 60


def test_the_verdict_line_counts_expectations_time_and_messages() -> None:
    line = verdict_line(building.expiry(), Style())
    assert line == "PASS  6 of 6 expectations   1800.000 s in 3 ms   14 messages"


def test_the_verdict_line_is_the_same_each_time_without_the_wall_clock() -> None:
    assert verdict_line(building.expiry(), Style(), wall=False).split("   ")[1] == "1800.000 s"


def test_a_run_that_did_not_pass_tells_its_seed() -> None:
    run = building.run("odd", verdict=Verdict.FAIL, seed=77, messages=1)
    assert verdict_line(run, Style()) == "FAIL  0 of 0 expectations   1800.000 s in 3 ms   1 message   seed 77"


def test_an_interrupted_run_says_so() -> None:
    run = building.run("odd", verdict=Verdict.ERROR, interrupted=True)
    assert "   interrupted   " in verdict_line(run, Style())


@pytest.mark.parametrize(
    ("wall_us", "words"),
    [(0, "under 1 ms"), (999, "under 1 ms"), (1000, "1 ms"), (999_999, "999 ms"), (S, "1.0 s"), (61_950_000, "61.9 s")],
)
def test_wall_time_has_the_unit_that_suits_it(wall_us: int, words: str) -> None:
    assert f" in {words}   " in verdict_line(building.run("odd", wall_us=wall_us), Style())


def test_the_table_has_what_failed_first_and_then_the_slowest() -> None:
    assert_golden("table.txt", table(some_runs(), Style()) + "\n" + totals(some_runs(), Style(), 140_000) + "\n")


@pytest.mark.parametrize("width", [60, 80])
def test_a_long_title_is_cut_so_that_the_table_fits(width: int) -> None:
    runs = [building.run("a" * 70, wall_us=1), building.run("b", wall_us=0)]
    lines = table(runs, Style(width)).splitlines()
    assert max(map(cells, lines)) == width
    assert "aaa…" in lines[1]


def test_totals_have_the_worst_verdict() -> None:
    assert totals(some_runs(), Style()).startswith("ERROR  3 of 5 flows   ")
    assert totals([], Style(), 0) == "PASS  0 of 0 flows   0.000 s in under 1 ms   0 messages"


def test_of_many_calls_the_ladder_is_that_of_the_first_that_failed() -> None:
    run = building.broken()
    run.flow = replace(run.flow, calls=Calls(1000))
    run.traces = {0: building.expiry().trace, 7: building.broken().trace}
    run.failures, run.failures_omitted = [building.failure(call=7)], 12
    text = single(run, Style(100))
    assert "(call 8 of 1000)" in text.splitlines()[0]
    assert "✗ line 21" in text
    assert "before this was due (call 8 of 1000)" in text
    assert "\n\n12 more calls failed\n\n" in text
    assert "1000 calls" in text.splitlines()[-1]


def test_a_rule_that_a_failure_speaks_of_is_not_told_twice() -> None:
    run = building.broken()
    violation = building.expiry().violations[0]
    run.violations = [violation, replace(violation, rule="RFC4028-9-13")]
    text = single(run, Style())
    assert text.count("RFC4028-10-6") == 1
    assert text.count("RFC4028-9-13") == 1


def test_a_failure_without_its_line_still_has_its_note() -> None:
    run = building.broken()
    run.failures = [replace(building.failure(), source=building.source("<text>", 3), rule=None)]
    assert failures(run, Style()).splitlines() == [
        "<text>:3:5: bob sent BYE at 60.000 s, before this was due",
        "seen so far: 7 messages",
        "expected at 90.000 s (up + 90s)",
    ]


def test_a_run_without_failures_has_nothing_to_say_about_them() -> None:
    assert failures(building.expiry(), Style()) == ""


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_control_characters_never_reach_the_terminal(unicode: bool) -> None:
    hostile = "\x1b]0;x\x07\n\u202e"
    run = building.run(hostile, hostile, verdict=Verdict.FAIL, case=hostile)
    run.failures = [replace(building.failure(), headline=hostile, note=hostile, details=(hostile,), rule_note=hostile)]
    run.violations = [replace(building.expiry().violations[0], text=hostile)]
    style = Style(unicode=unicode)
    text = "\n".join([single(run, style, verbose=True), table([run], style), totals([run], style)])
    assert all(line.isprintable() for line in text.split("\n"))
    assert unicode or text.isascii()
