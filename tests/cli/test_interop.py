"""`bin/interop`: stacks beside each other, and what is missing."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from simkit.checklist import running
from simkit.cli import interop
from simkit.cli.main import exit_by
from simkit.sut.peer import Peer

from ..leftovers import nothing_is_left_behind as nothing_is_left_behind
from ..sut.conftest import STACK

Interop = Callable[..., Result]

REFUSES = """
    head, *lines = data.decode().split("\\r\\n")
    kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    status = "200 OK" if head.startswith("OPTIONS") else "486 Busy Here"
    answer = "\\r\\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0", "", ""])
    head.startswith("ACK") or ours.sendto(answer.replace("@127.0.0.1>", "@127.0.0.1>;tag=1").encode(), peer)
"""


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that refuses every call, and two that are not installed."""
    program = tmp_path / "stack.py"
    program.write_text(STACK.format(before="", upon=REFUSES.strip()))
    version = (sys.executable, "-c", "print('1.2.3')")
    command = (sys.executable, "-S", "-E", str(program), "@{port}")
    absent = (("simkit-has-no-such",),)
    known = (
        Peer("sipp", "SIPp", command, (), version, "sip-tester"),
        Peer("baresip", "baresip", ("baresip",), absent, version, "baresip-core"),
        Peer("pjsua", "PJSUA", ("pjsua",), absent, version, ""),
    )
    monkeypatch.setattr(interop, "PEERS", known)
    monkeypatch.setattr(interop, "README", tmp_path / "README.md")


@pytest.fixture
def run_interop(folder: Path, peers: None, monkeypatch: pytest.MonkeyPatch) -> Interop:
    """Call it with these words, in real time."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(running, "APART_S", 0)

    def call(*words: str) -> Result:
        def as_on_the_command_line() -> None:
            exit_by(lambda: interop.command.main(["--warp", "1", *words], "interop", standalone_mode=False))

        return CliRunner().invoke(click.Command("interop", callback=as_on_the_command_line))

    return call


def test_each_stack_has_a_column_and_each_cross_its_reason(run_interop: Interop) -> None:
    done = run_interop()
    assert done.exit_code == 0
    lines = re.sub(r"[0-9]+\.[0-9] s", "N s", done.output).splitlines()
    assert lines[:4] == [
        "not installed: baresip, PJSUA (apt install baresip-core)",
        "SIPp 1.2.3: FAIL  0 of 8 checks   in N s",
        "",
        "                            SIPp",
    ]
    assert lines[4:6] == ["negotiated                  ✗", "refreshed at half           ✗"]
    assert lines[-1] == "SIPp: 422 for a small interval: rejected by 486"


def test_reports_are_kept_where_one_wants_them(run_interop: Interop, folder: Path) -> None:
    assert run_interop("sipp", "--save", "kept").exit_code == 0
    assert (folder / "kept/sipp/report.txt").read_text("utf-8").startswith("SIPp 1.2.3, in real time")


def test_the_matrix_is_written_into_the_readme(run_interop: Interop, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Us\n\n{interop.BEGIN}old\n{interop.END}\nmore\n")
    assert run_interop("--write", "sipp").exit_code == 0
    text = readme.read_text("utf-8")
    assert text.startswith(f"# Us\n\n{interop.BEGIN}\n| | SIPp |\n|---|---|\n| negotiated | ✗ |\n")
    assert text.endswith(f"Seen of SIPp 1.2.3.\n\n{interop.END}\nmore\n")
    assert "\n  * 422 for a small interval: rejected by 486\n" in text


def test_a_readme_without_a_place_for_it_is_told(run_interop: Interop, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Us\n")
    done = run_interop("--write", "sipp")
    assert done.exit_code == 3
    assert "has no place for the matrix" in done.output
    assert (tmp_path / "README.md").read_text() == "# Us\n"


MISSING = [
    pytest.param(["baresip"], "", id="the one that was named"),
    pytest.param([], "true", id="one that Debian ships, in continuous integration"),
]


@pytest.mark.parametrize(("words", "ci"), MISSING)
def test_what_must_be_there_and_is_not_is_a_failure(
    run_interop: Interop, monkeypatch: pytest.MonkeyPatch, words: list[str], ci: str
) -> None:
    monkeypatch.setenv("CI", ci)
    done = run_interop(*words)
    assert done.exit_code == 3
    assert done.output.splitlines()[0].endswith("(apt install baresip-core)")


def test_an_unknown_stack_is_a_usage_error(run_interop: Interop) -> None:
    assert run_interop("asterisk").exit_code == 2
