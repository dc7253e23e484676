"""`simkit export`."""

from pathlib import Path

import pytest

from .conftest import Simkit

FAILING = """\
simkit: 1
actors: {alice: {role: uac}, bob: {role: uas}}
flow:
  - alice: call bob
  - alice -> bob: BYE
"""
DRIFTING = """\
simkit: 1
actors: {alice: {role: uac, clock: {skew: 1s}}, bob: {role: uas}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: crash
  - bob: crash
"""


def test_each_case_becomes_two_scenarios(simkit: Simkit, folder: Path) -> None:
    result = simkit("export", "flows/short.yaml", "--to", "sipp", "-o", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    files = sorted(path.name for path in (folder / "out").iterdir())
    assert files
    assert len(files) % 2 == 0
    assert result.stdout.startswith(
        f"wrote {len(files)} scenarios into out; start the first of each pair first:\n\n  sipp "
    )
    assert all(f"  sipp -sf {name} " in result.stdout for name in files)


def test_scenarios_become_a_flow_again(simkit: Simkit, folder: Path) -> None:
    (folder / "drift.yaml").write_text(DRIFTING)
    assert simkit("export", "drift.yaml", "--to", "sipp", "-q").exit_code == 0
    assert simkit("import", "drift.alice.xml", "drift.bob.xml", "-o", "again.yaml").exit_code == 0
    assert simkit("compare", "drift.yaml", "again.yaml").exit_code == 0


def test_what_cannot_be_exported_is_told_and_the_rest_is_written(simkit: Simkit, folder: Path) -> None:
    (folder / "drift.yaml").write_text(DRIFTING)
    result = simkit("export", "drift.yaml", "--to", "sipp", "-q")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "drift.yaml:2:10: SIPp's clock is true: it sends when 'alice' does in the simulation" in result.stderr


def test_a_flow_that_fails_is_not_exported(simkit: Simkit, folder: Path) -> None:
    (folder / "failing.yaml").write_text(FAILING)
    result = simkit("export", "failing.yaml", "--to", "sipp", "-o", "out")
    assert (result.exit_code, (folder / "out").exists()) == (1, False)
    assert "failing.yaml:5:5: failing fails when it is simulated: alice sent INVITE" in result.stderr


def test_what_is_there_is_left_alone_unless_forced(simkit: Simkit, folder: Path) -> None:
    (folder / "drift.yaml").write_text(DRIFTING)
    (folder / "drift.bob.xml").write_text("mine")
    result = simkit("export", "drift.yaml", "--to", "sipp")
    assert (result.exit_code, (folder / "drift.bob.xml").read_text()) == (2, "mine")
    assert "drift.bob.xml is there already: name another folder by -o, or say --force" in result.stderr
    assert not (folder / "drift.alice.xml").exists()
    assert simkit("export", "drift.yaml", "--to", "sipp", "--force").exit_code == 0


REFUSED = [
    pytest.param(("export", "flows/short.yaml"), 2, "Missing option '--to'", id="to what"),
    pytest.param(("export", "flows/short.yaml", "--to", "pdf"), 2, "'pdf' is not 'sipp'", id="to something else"),
    pytest.param(("export", "none.yaml", "--to", "sipp"), 2, "none.yaml:1:1: no such file", id="no flow"),
    pytest.param(
        ("export", "flows/short.yaml", "--to", "sipp", "--case", "x=1"), 5, "no flow has --case x=1", id="case"
    ),
    pytest.param(("export", "flows/short.yaml", "--to", "sipp", "-o", "values.yaml/x"), 3, "cannot make", id="folder"),
]


@pytest.mark.parametrize(("words", "code", "told"), REFUSED)
def test_wrong_usage_is_told(simkit: Simkit, words: tuple[str, ...], code: int, told: str) -> None:
    result = simkit(*words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
