"""`simkit museum`: what there is, what each is, and who catches it."""

import json
from pathlib import Path

import pytest

from simkit.museum import ABSENT, PIECES

from .conftest import Simkit

SUITE = Path(__file__).parent.parent.parent / "flows" / "rfc4028"

M44 = """\
M44
  Symptom  One crossing of two re-INVITEs costs the call.
  Cause    A refresh that met 491 is not tried again.
  Breaks   3261-14.1c
  Seen in  livekit/sip, pull request 494; pjproject 1169 and 3886; resiprocate
           35
  Audit    A capture of the call shows it.
  Try      simkit simulate flows/ --logic bob=museum:M44
"""


def test_all_pieces_are_listed_and_what_is_missing_too(simkit: Simkit) -> None:
    lines = simkit("museum").stdout.splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("  M")}
    assert listed == PIECES.keys() | {absent.id for absent in ABSENT}


@pytest.mark.parametrize("spelling", ["M44", "m44"])
def test_a_piece_has_a_label(simkit: Simkit, spelling: str) -> None:
    result = simkit("museum", spelling)
    assert (result.exit_code, result.stdout) == (0, M44)


def test_the_score_tells_who_caught_a_piece_and_how(simkit: Simkit) -> None:
    result = simkit("museum", "M44", "M43", "--score", "--flows", str(SUITE))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "  M44   caught  audit: 3261-14.1c      2 of 80 runs: glare-callee, subject sent…",
        "  M43   caught  audit: not visible     1 of 80 runs: interval-too-small[asked=1…",
        "PASS  2 of 2 caught by a flow; 1 of 1 named by the auditor alone",
        "      no false alarms on healthy machines",
    ]


def test_a_piece_that_no_flow_catches_is_missed(simkit: Simkit) -> None:
    result = simkit("museum", "M44", "--score", "--flows", str(SUITE / "hold.yaml"))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "  M44   MISSED  audit: nothing         none of 1 runs"


def test_the_score_as_json(simkit: Simkit) -> None:
    words = ("museum", "M44", "--score", "--flows", str(SUITE / "glare-caller.yaml"), "--json", "-")
    report = json.loads(simkit(*words).stdout)
    (piece,) = report["pieces"]
    assert (piece["id"], piece["verdict"], piece["runs"]) == ("M44", "pass", 1)
    assert [(catch["flow"], catch["actor"]) for catch in piece["caught"]] == [("glare-caller", "subject")]
    assert [catch["rule"] for catch in piece["named"]] == ["3261-14.1c"]
    assert report["false_alarms"] == []


WRONG = [
    pytest.param(("M4",), "no museum piece 'M4'", id="no piece"),
    pytest.param(("--json", "-"), "--json goes with --score", id="json of a list"),
    pytest.param(("--flows", "flows"), "--flows goes with --score", id="flows without a score"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_usage_is_told(simkit: Simkit, words: tuple[str, ...], message: str) -> None:
    result = simkit("museum", *words)
    assert result.exit_code == 2
    assert message in result.stderr
