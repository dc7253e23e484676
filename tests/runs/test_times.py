"""Marks, and when something is due."""

import pytest

from simkit.errors import Source
from simkit.flows.model import Instant, Repeat, Window
from simkit.flows.times import parse_window
from simkit.runs.times import Beginning, Due, Marks
from simkit.sip.message import Request
from simkit.trace import Transit
from simkit.units import S

HERE = Source("test.yaml", 1)


def window(text: str) -> Window:
    earliest, latest = parse_window(text)
    return Window(HERE, earliest, latest, text)


def transit(number: int, sent_at: int) -> Transit:
    return Transit(number, sent_at, "alice", "bob", Request("BYE", "sip:bob@192.0.2.2", ()))


def marks() -> Marks:
    found = Marks(0)
    found.set("up", transit(1, 10 * S))
    return found


DUE = [
    ("60s", 0, 60, 60, "at 60.000 s"),
    ("up", 0, 10, 10, "at 10.000 s (up)"),
    ("up + 60s", 0, 70, 70, "at 70.000 s (up + 60s)"),
    ("up - 5s", 0, 5, 5, "at 5.000 s (up - 5s)"),
    ("up + 55s..65s", 0, 65, 75, "from 65.000 s to 75.000 s (up + 55s..65s)"),
    ("up + 60s", 2 * S, 68, 72, "at 70.000 s (up + 60s), give or take 2s"),
    ("up + 50s..60s", 1 * S, 59, 71, "from 60.000 s to 70.000 s (up + 50s..60s), give or take 1s"),
]


@pytest.mark.parametrize(("text", "within_us", "earliest_s", "latest_s", "said"), DUE)
def test_a_window_is_counted_from_its_mark(
    text: str, within_us: int, earliest_s: int, latest_s: int, said: str
) -> None:
    due = marks().due(window(text), within_us)
    assert due is not None
    assert (due.earliest, due.latest) == (earliest_s * S, latest_s * S)
    assert str(due) == said


def test_a_call_that_begins_later_counts_from_its_own_start() -> None:
    due = Marks(7 * S).due(window("60s"))
    assert str(due) == "at 67.000 s (60s)"


def test_a_mark_that_was_never_set_makes_no_time() -> None:
    assert marks().due(window("down + 5s")) is None
    assert marks().due(window("up + 5s..up.received")) is None


def test_the_arrival_of_a_marked_message_is_known_once_it_has_arrived() -> None:
    known, sent = Marks(0), transit(1, 10 * S)
    known.set("up", sent)
    assert known.due(window("up.received")) is None
    sent.received_at = 11 * S
    known.arrived(sent)
    assert known.due(window("up.received")) == Due(11 * S, 11 * S, "up.received")


def test_a_lost_message_never_arrives() -> None:
    known, sent = Marks(0), transit(1, 10 * S)
    known.set("up", sent)
    known.arrived(sent)
    assert known.due(window("up.received")) is None


def test_a_mark_set_anew_forgets_the_message_that_set_it_before() -> None:
    known, first, second = Marks(0), transit(1, 10 * S), transit(2, 20 * S)
    known.set("up", first)
    known.set("up", second)
    first.received_at = 30 * S
    known.arrived(first)
    assert known.due(window("up.received")) is None
    assert known.resolve(Instant("up", False, 0, "up")) == 20 * S


def test_a_repeat_counts_its_turns_from_where_it_began_although_the_mark_moves() -> None:
    since = Instant("up", False, 0, "up")
    beginning, known = Beginning(Repeat(HERE, "", 3, 900 * S, since, ()), "15m"), marks()
    assert str(beginning.due(1, known, within_us=0, now=10 * S)) == "at 910.000 s (up + 1 * 15m)"
    known.set("up", transit(2, 910 * S))
    assert str(beginning.due(2, known, within_us=0, now=910 * S)) == "at 1810.000 s (up + 2 * 15m)"


def test_a_repeat_that_names_no_mark_counts_from_its_turn() -> None:
    beginning = Beginning(Repeat(HERE, "", 3, 45 * S, None, ()), "45s")
    assert beginning.due(1, marks(), within_us=0, now=5 * S) == Due(50 * S, 50 * S, "repeat + 1 * 45s")
    assert beginning.due(2, marks(), within_us=0, now=60 * S) == Due(95 * S, 95 * S, "repeat + 2 * 45s")


def test_a_repeat_waits_for_a_mark_that_is_not_known_yet() -> None:
    beginning = Beginning(Repeat(HERE, "", 3, 45 * S, Instant("down", False, 0, "down"), ()), "45s")
    known = marks()
    assert beginning.due(1, known, within_us=0, now=5 * S) is None
    known.set("down", transit(2, 6 * S))
    assert beginning.due(1, known, within_us=0, now=6 * S) == Due(51 * S, 51 * S, "down + 1 * 45s")
