"""A system under test: started, ready, watched, stopped; what goes wrong is told with the end of its log."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simkit.errors import SetupError
from simkit.sut.order import Ready, StartOrder, ready_by
from simkit.sut.system import OUTPUT_NAME, System, started

from ..leftovers import PROC, living
from .conftest import Order, is_free, open_files

ROOT = Path(__file__).parent.parent.parent

needs_proc = pytest.mark.skipif(not PROC.is_dir(), reason="only /proc shows what is left")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is private to a system is gone when it has ended."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    wait_until(lambda: not [*folder.iterdir()])


def wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


READY = [
    pytest.param({}, id="it answers OPTIONS, be it by 404"),
    pytest.param({"ready": "listening", "upon": "pass"}, id="it says so"),
    pytest.param({"ready": "ready> ", "before": "print('ready> ', end='', flush=True)"}, id="by a line without an end"),
    pytest.param({"ready": Ready.PORT, "upon": "pass"}, id="its port is open"),
]


@pytest.mark.parametrize("fields", READY)
def test_it_is_ready_when_it_shows_it(order: Order, free_port: int, fields: dict[str, Any]) -> None:
    files, threads = open_files(), threading.active_count()
    with started(order(**fields)) as system:
        assert system.is_alive
        assert system.warnings == ()
        wait_until(lambda: "listening" in [line.text.removeprefix("ready> ") for line in system.log_lines()])
    assert not system.is_alive
    assert (open_files(), threading.active_count()) == (files, threads)
    assert is_free(free_port)
    assert system.last_lines()[0] == "its log:"


@pytest.mark.parametrize(
    ("word", "meant"), [(None, Ready.PORT), ("OPTIONS", Ready.OPTIONS), ("listening", "listening")]
)
def test_a_word_says_by_what_it_is_ready(word: str | None, meant: Ready | str) -> None:
    assert ready_by(word) == meant


FAILS = [
    pytest.param(
        {"before": "print('no licence'); sys.exit(3)"},
        "ended with exit status 3\n    its log:\n    no licence",
        id="it gives up",
    ),
    pytest.param(
        {"before": "os.fork() and sys.exit(0)\ntime.sleep(60)"},
        "ended with exit status 0 (it must stay in the foreground)\n    its log is empty",
        id="it goes to the background",
    ),
    pytest.param(
        {"before": "os.kill(os.getpid(), signal.SIGKILL)"}, "was killed by SIGKILL\n    its log is empty", id="killed"
    ),
    pytest.param(
        {"upon": "pass", "within_us": 300_000},
        "is not ready after 0.3 s: {place} is open, but OPTIONS is not answered\n    its log:\n    listening",
        id="it does not answer",
    ),
    pytest.param(
        {"before": "time.sleep(60)", "within_us": 300_000},
        "is not ready after 0.3 s: nobody listens at {place}\n    its log is empty",
        id="it does not listen",
    ),
    pytest.param(
        {"before": "time.sleep(60)", "ready": Ready.PORT, "within_us": 300_000},
        "is not ready after 0.3 s: nobody listens at {place}\n    its log is empty",
        id="it does not open its port",
    ),
    pytest.param(
        {"ready": "at last", "within_us": 300_000},
        "is not ready after 0.3 s: it has not said 'at last'\n    its log:\n    listening",
        id="it does not say so",
    ),
    pytest.param(
        {"before": "for n in range(99): print('\\x1b[2J', n)\nsys.exit(1)"},
        "ended with exit status 1\n    the last 10 lines of its log:\n"
        + "\n".join(f"     {number}" for number in range(89, 99)),
        id="it has said much",
    ),
]


@pytest.mark.parametrize(("fields", "text"), FAILS)
def test_what_does_not_start_is_told_with_its_last_lines(
    order: Order, free_port: int, fields: dict[str, Any], text: str
) -> None:
    files = open_files()
    wanted = order(**fields)
    with pytest.raises(SetupError) as error, started(wanted):
        pass
    assert str(error.value) == (
        f"the system under test ('{' '.join(wanted.command)}') {text.format(place=f'127.0.0.1:{free_port}')}"
    )
    assert error.value.exit_code == 3
    assert open_files() == files


COMMANDS = [
    pytest.param("simkit-has-no-such-command", "there is no such command", id="not there"),
    pytest.param("./no such file", "there is no such command", id="no such file"),
    pytest.param(str(ROOT / "README.md"), "it may not be executed", id="not a program"),
    pytest.param("nul", "there is no such command", id="nothing"),
]


@pytest.mark.parametrize(("command", "reason"), COMMANDS)
def test_a_command_that_cannot_be_run_is_told(free_port: int, command: str, reason: str) -> None:
    with pytest.raises(SetupError, match=f"cannot be started: {reason}$"):
        System(StartOrder((command,), ("127.0.0.1", free_port))).start()


def test_a_program_in_a_foreign_format_is_told(tmp_path: Path, free_port: int) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    wanted = StartOrder((str(program),), ("127.0.0.1", free_port))
    with pytest.raises(SetupError, match="cannot be started: Exec format error"), started(wanted):
        pass


def test_a_port_that_is_taken_is_told_before_the_start(order: Order, free_port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", free_port))
        system = System(order())
        with pytest.raises(SetupError, match=rf"cannot have 127\.0\.0\.1:{free_port}: .* holds the port already$"):
            system.start()
        system.end()


def test_one_that_ends_in_between_is_told(order: Order) -> None:
    with started(order(upon="data == b'END' and sys.exit(7)", ready="listening")) as system:
        system.check_alive()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.sendto(b"END", system.order.address)
        wait_until(lambda: not system.is_alive)
        with pytest.raises(SetupError, match="ended with exit status 7\n    its log:\n    listening"):
            system.check_alive()


def test_it_can_be_killed_and_restarted(order: Order) -> None:
    with started(order()) as system:
        system.kill()
        assert not system.is_alive
        system.check_alive()  # that was our doing
        system.restart()
        assert system.is_alive
        system.restart()
        wait_until(lambda: [line.text for line in system.log_lines()] == ["listening"] * 3)


@needs_proc
def test_it_can_be_frozen_and_thawed(order: Order, nothing_is_left_behind: str) -> None:
    def states() -> set[str]:
        numbers = [each.split()[0] for each in living(nothing_is_left_behind) if "stack.py" in each]
        return {(PROC / number / "stat").read_text().rpartition(")")[2].split()[0] for number in numbers}

    with started(order("os.fork()", ready="listening")) as system:  # the other one cannot have the port, and ends
        wait_until(lambda: len(states()) == 1)
        system.freeze()
        wait_until(lambda: "T" in states())
        system.thaw()
        wait_until(lambda: "T" not in states())
        system.freeze()  # and so it is ended


def test_it_is_asked_to_end_and_may_say_good_bye(order: Order, tmp_path: Path) -> None:
    before = "signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))"
    with started(order(before, folder=str(tmp_path / "kept"))) as system:
        pass
    assert [line.text for line in system.log_lines()] == ["listening", "bye"]
    assert (tmp_path / "kept" / OUTPUT_NAME).read_text() == "listening\nbye\n"


@needs_proc
def test_one_that_does_not_want_to_end_is_ended_with_its_children(
    order: Order, monkeypatch: pytest.MonkeyPatch, nothing_is_left_behind: str
) -> None:
    monkeypatch.setattr("simkit.sut.system.GRACE_S", 0.1)
    before = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nif not os.fork(): time.sleep(60)"
    with started(order(before)):
        assert len(living(nothing_is_left_behind)) >= 3  # it, its child, and the watchdog
    wait_until(lambda: living(nothing_is_left_behind) == [])


def test_its_environment_is_ours_and_more(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "a")
    with started(
        order("print(os.environ['OURS'] + os.environ['MORE'], flush=True)", environment={"MORE": "b"})
    ) as system:
        assert system.log_lines()[0].text == "ab"


def test_its_input_stays_open(order: Order) -> None:
    """Some stacks end when nobody can type any more."""
    before = "import select\nprint(select.select([0], [], [], 0.05)[0], flush=True)"
    with started(order(before)) as system:
        assert system.log_lines()[0].text == "[]"


OURS = """
import sys, time
from simkit.sut.order import StartOrder
from simkit.sut.system import started
with started(StartOrder(tuple(sys.argv[2:]), ("127.0.0.1", int(sys.argv[1])))) as system:
    print("started", flush=True)
    time.sleep(60)
"""
ENDS = [
    pytest.param(signal.SIGINT, id="Ctrl-C"),
    pytest.param(signal.SIGTERM, id="SIGTERM"),
    pytest.param(signal.SIGHUP, id="SIGHUP: the terminal is closed"),
    pytest.param(signal.SIGKILL, id="SIGKILL"),
    pytest.param(signal.SIGSEGV, id="a crash"),
]


@needs_proc
@pytest.mark.parametrize("number", ENDS)
def test_however_we_end_it_ends_too(
    order: Order, free_port: int, number: signal.Signals, nothing_is_left_behind: str
) -> None:
    wanted = order("if not os.fork(): time.sleep(60)")
    program = [sys.executable, "-c", OURS, str(free_port), *wanted.command]
    with subprocess.Popen(
        program, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        os.kill(process.pid, number)
        process.wait(20)
    assert process.returncode in (-number, 1)
    wait_until(lambda: living(nothing_is_left_behind) == [])
    assert is_free(free_port)


@pytest.mark.skipif(shutil.which("sipp") is None, reason="no sipp")
def test_sipp_is_a_stack_that_takes_no_options(free_port: int) -> None:
    command = ("sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(free_port), "-nostdin")
    with started(StartOrder(command, ("127.0.0.1", free_port), Ready.PORT)) as system:
        assert system.is_alive
