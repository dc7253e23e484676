"""What the terminal can show, files that are written whole, and progress."""

import io
import os
import sys
from pathlib import Path

import pytest

from simkit.cli import progress, terminal
from simkit.cli.outputs import Output
from simkit.cli.progress import Progress, ReadingProgress
from simkit.errors import SetupError


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard output and standard error a terminal; no fixture, for pytest replaces them after those."""
    screen = Terminal()
    for name in ("NO_COLOR", "COLUMNS", "TERM", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


@pytest.mark.parametrize(
    ("variables", "asked", "colour"),
    [
        ({}, None, True),
        ({"NO_COLOR": "1"}, None, False),
        ({"NO_COLOR": ""}, None, True),
        ({"TERM": "dumb"}, None, False),
        ({"NO_COLOR": "1"}, True, True),
        ({}, False, False),
    ],
    ids=["a terminal", "NO_COLOR", "an empty NO_COLOR", "a dumb terminal", "--color", "--no-color"],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], asked: bool | None, colour: bool
) -> None:
    on_terminal(monkeypatch)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal.style(asked).colour is colour


@pytest.mark.parametrize(("columns", "width"), [("132", 132), ("", 80), ("wide", 80), ("0", 80)])
def test_the_width_is_that_of_columns_or_80(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width() == width


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_terminal(monkeypatch), "fileno", lambda: 1)
    monkeypatch.setattr(os, "get_terminal_size", lambda fileno: os.terminal_size((101, 30)))
    assert terminal.width() == 101


@pytest.mark.parametrize(
    ("encoding", "draws"),
    [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False), ("nonsense", False)],
)
def test_lines_are_drawn_where_the_encoding_has_them(
    monkeypatch: pytest.MonkeyPatch, encoding: str, draws: bool
) -> None:
    on_terminal(monkeypatch).encoding = encoding
    assert terminal.can_draw() is draws


def test_a_file_is_there_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    with Output(str(path)) as output, output.writing() as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_what_is_not_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "out"

    def write_half() -> None:
        with Output(str(path)) as output, output.writing() as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert os.listdir(tmp_path) == []


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    with Output(str(tmp_path / "link")) as output:
        output.write("text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_a_folder_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"^cannot write .*: Is a directory$"):
        Output(str(tmp_path))


def test_progress_is_one_line_that_comes_late_seldom_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_terminal(monkeypatch)
    times = iter([0.0, 0.4, 0.5, 0.55, 0.625])
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    shown = Progress()
    for done in (1, 1000, 1100, 1200):
        shown.show(done, 10000, "calls")
    shown.clear()
    shown.clear()
    line = "\r\x1b[K"
    assert screen.getvalue() == f"{line}1,000 of 10,000 calls{line}1,200 of 10,000 calls{line}"


def test_how_far_a_capture_has_been_read_is_told_in_megabytes_and_calls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    screen = on_terminal(monkeypatch)
    times = iter(range(9))
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    (tmp_path / "seen.pcap").write_bytes(bytes(2_600_000))
    file, pipe = ReadingProgress(str(tmp_path / "seen.pcap")), ReadingProgress("-")
    file.begun()
    file.begun()
    file.read(1_000_000)
    file.judged(1)
    pipe.read(1_200_000_000)
    assert screen.getvalue().split("\r\x1b[K")[1:] == [
        "1 of 3 MB, 2 calls",
        "1 of 3 MB, 2 calls, 1 judged",
        "1,200 MB, 0 calls",
    ]


def test_nothing_is_shown_where_standard_error_is_piped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Progress()
    monkeypatch.setattr(progress, "monotonic", lambda: 1e9)
    shown.show(1, 2, "calls")
    ReadingProgress("-").read(1_000_000)
    assert capsys.readouterr().err == ""
