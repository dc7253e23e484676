"""`bin/run_local_test`: what is tested, what is said, what is kept."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.checklist import running
from simkit.checklist.checks import CALLS
from simkit.cli.local_test import command
from simkit.cli.main import exit_by
from simkit.sip.message import Request

from ..leftovers import living
from ..leftovers import nothing_is_left_behind as nothing_is_left_behind
from ..runs.stack import Stack
from ..sut.conftest import ANSWERS, Order, is_free
from ..sut.conftest import free_port as free_port
from ..sut.conftest import order as order

ROOT = Path(__file__).parent.parent.parent

LocalTest = Callable[..., Result]


@pytest.fixture
def run_local_test(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LocalTest:
    """Call it with these words; errors become exit codes as they do on the command line."""
    monkeypatch.setattr(running, "APART_S", 0)

    def call(*words: str) -> Result:
        def as_on_the_command_line() -> None:
            exit_by(lambda: command.main(list(words), "run_local_test", standalone_mode=False))

        return CliRunner().invoke(click.Command("run_local_test", callback=as_on_the_command_line))

    return call


def refuses(stack: Stack, request: Request) -> None:
    if request.method != "ACK":
        stack.answer(request, 486)


def test_a_stack_that_runs_is_tested_and_everything_is_kept(run_local_test: LocalTest, folder: Path) -> None:
    with Stack(refuses) as stack:
        place = f"127.0.0.1:{stack.address[1]}"
        done = run_local_test("--target", place, "--warp", "20", "--save", "kept")
    assert done.exit_code == 1
    said = re.sub(r" +[0-9]+\.[0-9]+ ", " N ", done.output)
    assert said.splitlines()[:4] == [
        f"the stack at {place}, in 20-fold time; its callers ask for 120 s",
        "",
        "  ✗ negotiated N   the call got 486",
        "  ✗ refreshed at half N   the call got 486",
    ]
    assert said.splitlines()[-2:] == [
        "FAIL  0 of 8 checks   in N s   kept in kept",
        "in 20-fold time a busy machine may be to blame: --warp 5 takes longer",
    ]
    kept = {path.name for path in (folder / "kept").iterdir()}
    assert kept == {"report.txt", *(f"{call}.pcap" for call in CALLS)}
    report = (folder / "kept/report.txt").read_text("utf-8")
    for part in (
        "✗ negotiated",
        "=== caller-dies ===",
        "── INVITE",
        "rejected (486), by stack",
        "=== the log of the stack",
    ):
        assert part in report
    with read_capture(str(folder / "kept/negotiated.pcap")) as reader:
        ((first, *_),) = (list(call.trace.messages()) for call in captured_calls(reader))
    assert first.message.header("Session-Expires") == "120"


def test_without_a_folder_one_is_made(run_local_test: LocalTest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with Stack(refuses) as stack:
        done = run_local_test("--target", f"127.0.0.1:{stack.address[1]}", "--warp", "20")
    kept = done.output.splitlines()[-2].rpartition("kept in ")[2]
    assert os.path.exists(os.path.join(kept, "report.txt"))
    assert not (set(os.listdir(folder)) - {"flows", "values.yaml", os.path.basename(kept)})


def test_a_configuration_says_where_and_how(run_local_test: LocalTest, folder: Path) -> None:
    with Stack(refuses) as stack:
        port = stack.address[1]
        (folder / "c.yaml").write_text(f"session_timer: {{default_expires: 60, min_se: 30}}\nsip_port: {port}\n")
        done = run_local_test("--config", "c.yaml", "--start", "sleep 60", "--ready", "x", "--warp", "1")
    assert done.exit_code == 3
    assert "c.yaml:1:34: warning: default_expires is 60 s, below RFC 4028's floor of 90 s" in done.output.replace(
        "1:34", "1:34"
    )
    assert f"cannot have 127.0.0.1:{port}: " in done.output


WRONG = [
    pytest.param(["--config", "values.yaml"], 2, "values.yaml:", id="no configuration"),
    pytest.param(["--config", "nowhere.yaml"], 2, "nowhere.yaml:1:1: cannot be read", id="no file"),
    pytest.param(["--target", "here"], 2, "'here' is not HOST:PORT", id="no address"),
    pytest.param(["--ready", "x"], 2, "--ready is about a system that is started", id="nothing to be ready"),
    pytest.param(["--start", "'"], 2, "cannot be split into words", id="no command"),
    pytest.param(["--start", "simkit-has-no-such"], 3, "there is no such command", id="no such command"),
    pytest.param(["--target", "127.0.0.1:1"], 3, "nobody is at 127.0.0.1:1", id="nobody there"),
    pytest.param(["--save", "values.yaml/x"], 3, "cannot write values.yaml/x: Not a directory", id="no folder"),
    pytest.param(["more"], 2, "unexpected extra argument", id="a word too many"),
]


@pytest.mark.parametrize(("words", "code", "text"), WRONG)
def test_what_is_wrong_is_told(
    run_local_test: LocalTest, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, text: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    done = run_local_test(*words)
    assert (done.exit_code, text in done.output) == (code, True), done.output
    assert set(os.listdir(folder)) == {"flows", "values.yaml"}


def test_without_sipp_one_is_told_what_to_do(
    run_local_test: LocalTest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("simkit.sut.peer._succeeds", lambda command: False)
    done = run_local_test("--save", "kept")
    assert done.exit_code == 3
    assert done.output.startswith(
        "there is no SIPp to be the stack: apt install sip-tester, brew install sipp, or name"
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interruption_ends_the_stack_too(
    order: Order, free_port: int, tmp_path: Path, nothing_is_left_behind: str, number: signal.Signals, status: int
) -> None:
    called = f"{ANSWERS}; data.startswith(b'INVITE') and print('called', flush=True)"
    start = shlex.join(order(upon=called).command).replace(str(free_port), "${stack.port}")
    words = ["--start", start, "--target", f"127.0.0.1:{free_port}", "--warp", "1", "--save", "x"]
    program = [sys.executable, "-m", "simkit.cli.local_test", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        log, give_up_at = tmp_path / "x/output.log", time.monotonic() + 20
        while not (log.exists() and "called" in log.read_text()):
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == status
    assert ("interrupted" in output) == (number is signal.SIGINT)
    assert living(nothing_is_left_behind) == []
    assert is_free(free_port)
