"""What a system writes is followed line by line, with when it came, in bounded memory."""

from pathlib import Path
from time import monotonic_ns

import pytest

from simkit.sut import log as log_module
from simkit.sut.log import LINE_BYTES_MAX, Log


def texts(log: Log) -> list[str]:
    return [line.text for line in log.lines()]


def test_lines_come_with_their_time(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log([str(path)])
    assert texts(log) == []  # there is no file yet
    before_ns = monotonic_ns()
    path.write_bytes(b"one\r\ntw")
    assert texts(log) == ["one"]
    between_ns = monotonic_ns()
    with path.open("ab") as stream:
        stream.write(b"o\n\nthr\xff")
    assert texts(log) == ["one", "two", ""]
    first, second, third = (line.at_ns for line in log.lines())
    assert before_ns <= first <= between_ns <= second == third <= monotonic_ns()
    log.end()
    assert texts(log) == ["one", "two", "", "thr\N{REPLACEMENT CHARACTER}"]


def test_what_was_there_before_is_not_its(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("yesterday\n")
    log = Log([str(path)])
    with path.open("a") as stream:
        stream.write("today\n")
    assert texts(log) == ["today"]


def test_a_file_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a long line that was there\n")
    log = Log([str(path)])
    path.write_text("anew\n")
    assert texts(log) == ["anew"]


def test_several_files_are_followed(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("output", "log")]
    log = Log([str(path) for path in paths])
    paths[1].write_text("in the log\n")
    assert texts(log) == ["in the log"]
    paths[0].write_text("said\n")
    assert texts(log) == ["in the log", "said"]


def test_files_are_followed_by_themselves(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log([str(path)])
    log.begin()
    path.write_text("line\n")
    log.end()
    assert texts(log) == ["line"]


@pytest.mark.parametrize("rest", ["", "un", "unfinished\n"])
def test_a_text_is_found_once_it_is_there(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "log"
    log = Log([str(path)])
    path.write_text("ready\n" + rest)
    assert log.holds("ead")
    assert log.holds("un") == bool(rest)
    assert not log.holds("ready", since_ns=monotonic_ns())


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LINES_MAX", 3)
    path = tmp_path / "log"
    log = Log([str(path)])
    path.write_text("x" * 1_000_000 + "\n" + "a\nb\nc\nd\n")
    assert texts(log) == ["b", "c", "d"]


def test_a_line_without_end_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log([str(path)])
    path.write_text("x" * 1_000_000)
    assert log.holds("xxx")
    with path.open("a") as stream:
        stream.write("\nnext\n")
    assert texts(log) == ["x" * LINE_BYTES_MAX, "next"]
