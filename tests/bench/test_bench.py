"""bin/bench: its figures mean what they say. How large they are, no test says."""

import subprocess
from pathlib import Path

import pytest

from simkit.captures.reader import read_capture

from . import __main__ as bench
from . import capturing
from .figures import BENCHES, Figure
from .measuring import Cost, Program, in_turns, measure, middle, part

TABLE = """\
                 figure    goal    ratio  to
simkit --help    0.05 s  0.12 s      4.9  python -c pass
                                    1.23  python -c 'import click'
  most memory    150 MB
messages         12,346  50,000        2  sipmessage"""


def test_the_table_says_nothing_twice() -> None:
    figures = (
        Figure("simkit --help", 0.05, "s", 0.12, {"python -c pass": 4.9, "python -c 'import click'": 1.234}),
        Figure("  most memory", 150.2, "MB"),
        Figure("messages", 12345.6, "", 50_000, {"sipmessage": 2.0}),
    )
    assert [line.rstrip() for line in bench.table(figures).splitlines()] == TABLE.splitlines()


def test_the_middle_of_several_runs_is_their_median() -> None:
    assert middle([Cost(3.0, 10, 7), Cost(1.0, 40, 7), Cost(2.0, 20, 7)]) == Cost(2.0, 20, 7)


def test_programs_take_turns(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    programs = [Program(("-c", f"open({str(notes)!r}, 'a').write('{letter}')")) for letter in "AB"]
    assert len(in_turns(programs, 3)) == 2
    assert notes.read_text() == "ABABAB"


def test_a_program_that_fails_gives_no_figure_but_its_complaint() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        measure(Program(("-c", "raise SystemExit('no room')")))
    assert caught.value.stderr == "no room\n"


def test_memory_is_counted_in_bytes() -> None:
    less, more = (measure(Program(("-c", f"b'x' * {size}"))).peak_bytes for size in (400_000_000, 464_000_000))
    assert 60_000_000 < more - less < 70_000_000


COUNTS = [
    pytest.param(("crowd", 2), 2 * 15, id="crowd: messages"),
    pytest.param(("day",), 3 + 95 * 3 + 2, id="day: messages"),
    pytest.param(("bare", 10, 250), 250, id="bare: events"),
    pytest.param(("parse", 2), 2 * 14, id="parse: messages"),
    pytest.param(("sipmessage", 2), 2 * 14, id="sipmessage: messages"),
]


@pytest.mark.parametrize(("program", "count"), COUNTS)
def test_a_program_says_how_much_it_did(program: tuple[str, ...], count: int) -> None:
    cost = measure(part(*program))
    assert cost.count == count
    assert cost.seconds > 0


def test_events_are_counted_for_all_calls() -> None:
    one, two = (measure(part("events", "crowd", calls)).count for calls in (1, 2))
    assert one > 15
    assert one < two <= 2 * one


def test_a_capture_is_made_in_parts_that_follow_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capturing, "PART_CALLS", 2)
    with capturing.recording(5) as path:
        first = Path(path).read_bytes()
        captured = list(read_capture(path))
    with capturing.recording(5) as path:
        assert Path(path).read_bytes() == first
    assert len(captured) == 5 * 9
    assert len({each.message.call_id for each in captured}) == 5
    assert [each.at for each in captured] == sorted(each.at for each in captured)


def test_time_on_the_clock_is_counted_where_that_is_asked_for() -> None:
    words = ("-c", "import time; time.sleep(0.5)")
    assert measure(Program(words, by_the_clock=True)).seconds >= 0.5
    assert measure(Program(words)).seconds < 0.5


def test_how_late_refreshes_are_is_told_in_seconds() -> None:
    cost = measure(part("wakings", 20, 1))
    assert cost.count == 20
    assert cost.seconds >= 0


def test_an_unknown_bench_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "parsr"])
    with pytest.raises(SystemExit):
        bench.main()
    assert f"no bench 'parsr'; there are {', '.join(BENCHES)}" in capsys.readouterr().err
