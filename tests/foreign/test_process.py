"""Lines to a process and back, whatever their length."""

import sys
from collections.abc import Iterator

import pytest

from simkit.errors import ForeignError
from simkit.foreign.process import LINE_BYTES_MAX, ChildProcess

ECHO = "import sys\nfor line in sys.stdin: sys.stdout.write(line); sys.stdout.flush()"
CHATTY = "import sys\nsys.stderr.write('x' * 500_000); sys.stderr.flush()\n" + ECHO
DEAF = "import os, time\nos.close(0); time.sleep(60)"


class Started:
    """Starts programs, and ends them."""

    def __init__(self) -> None:
        self.processes: list[ChildProcess] = []

    def __call__(self, program: str, timeout_s: float = 5.0) -> ChildProcess:
        process = ChildProcess([sys.executable, "-c", program], whose="the child", timeout_s=timeout_s)
        self.processes.append(process)
        process.start()
        return process


@pytest.fixture
def started() -> Iterator[Started]:
    """Start programs; whatever becomes of the test, they are ended."""
    started = Started()
    yield started
    for process in started.processes:
        process.end()
        process.end()  # which is harmless


@pytest.mark.parametrize("length", [0, 1, 65_536, LINE_BYTES_MAX - 1], ids=lambda length: f"{length:,} bytes")
@pytest.mark.parametrize("program", [ECHO, CHATTY], ids=["one that reads", "one that writes to its log first"])
def test_a_line_of_any_length_is_exchanged(started: Started, program: str, length: int) -> None:
    """Even where neither pipe takes all of it at once."""
    line = b"x" * length
    process = started(program)
    assert process.exchange(line + b"\n") == line
    assert process.exchange(b"again\n") == b"again"


def test_a_line_that_is_too_long_is_not_read_to_its_end(started: Started) -> None:
    process = started("import sys\nsys.stdout.write('x' * 10_000_000)")
    with pytest.raises(ForeignError, match=r"the child wrote 1,048,576 bytes without an end of line"):
        process.read_line()


def test_a_process_that_does_not_listen_is_told_so(started: Started) -> None:
    process = started(DEAF)
    with pytest.raises(ForeignError, match="the child closed its standard input"):
        process.exchange(b"x" * 1_000_000 + b"\n")  # more than the pipe takes


def test_a_process_that_has_ended_is_gone(started: Started) -> None:
    process = started(ECHO)
    assert not process.has_ended
    process.end()
    assert process.has_ended
