"""What a person reads when a line of a flow did not hold: where, what, when, and what was due instead.

One function for each way to fail. A failure points at the nearest line: the one that the message would have met at
another time, or else the one that was waited for.
"""

from ..errors import ForeignError, Source
from ..flows.model import Observation, Saving, Stimulus
from ..trace import Transit
from ..units import format_duration, format_time
from .course import Course
from .fates import Fate
from .matching import Mismatch, kind_of
from .plan import Line, Turn
from .times import Due
from .verdict import Failure


def broken(error: ForeignError, *, at: int) -> Failure:
    """Somebody else's code failed."""
    assert error.place is not None
    return Failure(error.place, error.what, error.note, tuple(f"    {line}" for line in error.log), at=at)


def unexpected(course: Course, transit: Transit) -> Failure:
    """A message came that no line waits for."""
    waiting = course.cursor.waiting()
    came = _came(course, transit)
    later = next((turn for turn in course.cursor.ahead() if _means(turn.line, transit)), None)
    if later is not None:
        return _early(course, transit, later)
    met = [line for line in course.met if _means(line, transit)]
    if met and not (waiting and _is_about(waiting.line, transit)):
        at = course.met[met[-1]].at
        came = _came(course, transit, again=True)
        return _failure(transit, met[-1].source, came, f"was met at {format_time(at)} s", _waited(course))
    if waiting is None:
        last = next(reversed(course.met), None)
        source = last.source if last else course.plan.flow.source
        return _failure(transit, source, f"{came}, after the last line", "nothing more was expected")
    return _early(course, transit, waiting)


def overtook(course: Course, transit: Transit, owed: Turn) -> Failure:
    """A message came before its turn, and what it overtook did not come at the same instant."""
    return _early(course, transit, owed)


def _early(course: Course, transit: Transit, nearest: Turn) -> Failure:
    """A message came before its turn; the nearest line is one that is still ahead."""
    came, due = _came(course, transit), course.due(nearest, now=transit.sent_at)
    observation, waits = nearest.line.observation, nearest is course.cursor.waiting()
    is_due = waits and (due is None or due.earliest <= transit.sent_at)
    if not is_due:
        headline = f"{came}, before this was due"
    elif observation is not None and observation.sender == transit.sender:
        headline = f"{came} instead of {_wanted(course, nearest)}"
    else:
        headline = f"{came}, while this was waited for"
    note = f"{_verb(nearest)} {due or ('next' if waits else 'in its turn')}"
    details = () if waits else _waited(course)
    return _failure(transit, nearest.line.source, headline, note, (*_turn(nearest), *details))


def wrong_time(course: Course, turn: Turn, transit: Transit, due: Due | None) -> Failure | None:
    """The message of a line came, but not when it should."""
    now = transit.sent_at
    if due is not None and due.earliest <= now <= due.latest:
        return None
    came = _came(course, transit)
    if due is None:
        unknown = f"the time is counted from a mark that is not known yet ({_when(turn)})"
        return _failure(transit, _place_of_time(turn), came, unknown, _turn(turn))
    early = now < due.earliest
    off = f"{format_time(due.earliest - now if early else now - due.latest)} s too {'early' if early else 'late'}"
    return _failure(transit, turn.line.source, f"{came}, {off}", f"expected {due}", _turn(turn))


def wrong_content(course: Course, turn: Turn, transit: Transit, mismatch: Mismatch) -> Failure:
    """The message of a line came, but a header or the body is not as it should be."""
    headline = f"{_came(course, transit)} {mismatch.found}"
    return _failure(transit, mismatch.matcher.source, headline, mismatch.expected, _turn(turn))


def nothing_to_save(course: Course, turn: Turn, transit: Transit, saving: Saving) -> Failure:
    """The message of a line came, but has not what the line saves of it."""
    what = f"{saving.header}.{saving.part}" if saving.part else saving.header
    if saving.pattern is not None:
        what = f"/{saving.pattern}/ in {what}"
    return _failure(
        transit, turn.line.source, f"{_came(course, transit)} without {what}", "expected to save it", _turn(turn)
    )


def forbidden(course: Course, transit: Transit) -> Failure:
    """A message came that `never` rules out."""
    flow, pattern = course.plan.flow, course.plan.forbidden.find(transit.message)
    sources = flow.sources if pattern in flow.never else flow.expect.sources
    source = sources.get("never", flow.source)
    return _failure(transit, source, f"{_came(course, transit)}, which must never be seen", f"never: {pattern}")


def missing(course: Course, turn: Turn, due: Due) -> Failure:
    """The time of a line has passed without its message."""
    headline = f"{_sender(turn)} sent no {_wanted(course, turn)} {due.span}"
    note = f"expected {due}"
    return Failure(turn.line.source, headline, note, (*_turn(turn), *_seen_last(course)), at=due.latest)


def turn_too_late(course: Course, turn: Turn, due: Due, *, now: int) -> Failure:
    """A line's time had passed when its turn came."""
    headline = f"the turn of '{turn.line.step.text}' came at {format_time(now)} s, when its time had passed"
    return Failure(turn.line.source, headline, f"{_verb(turn)} {due}", (*_turn(turn), *_seen_last(course)), at=now)


def never_came(course: Course, turn: Turn, *, last_at: int, limit_at: int | None, waited_us: int = 0) -> Failure:
    """The run is over, and a line is still waited for; `limit_at` is None where nothing is left that could happen.

    Where others might have done something, they were waited for so long.
    """
    if limit_at is None and waited_us:
        why = f"nothing came in the {format_duration(waited_us)} after {format_time(last_at)} s"
    elif limit_at is None:
        why = f"nothing more will happen after {format_time(last_at)} s"
    else:
        why = f"the run ended at its limit of {format_time(limit_at)} s"
    if turn.line.is_awaited:
        headline = f"{_wanted(course, turn)} from {_sender(turn)} never came; {why}"
    else:
        headline = f"the turn of '{turn.line.step.text}' never came; {why}"
    due = course.due(turn, now=last_at)
    if due is None and turn.is_timed:
        note = f"the time is counted from a mark that was never set ({_when(turn)})"
    else:
        note = f"{_verb(turn)} {due or 'next'}"
    return Failure(turn.line.source, headline, note, (*_turn(turn), *_seen_last(course)), at=limit_at or last_at)


def refused(course: Course, turn: Turn, why: str, *, now: int) -> Failure:
    """An action cannot be done."""
    step = turn.line.step
    what, _, reason = why.rpartition(": ")
    actor = step.actor if isinstance(step, Stimulus) else _sender(turn)
    what = f"{actor} {what}" if what.startswith("cannot ") else f"'{step.text}' cannot be done"
    headline = f"{what} at {format_time(now)} s: {reason}"
    return Failure(step.source, headline, "", (*_turn(turn), *_seen_last(course)), at=now)


def wrong_fate(fate: Fate) -> Failure | None:
    """A message arrived that should not have, or the other way round, or was sent again too seldom."""
    observation, transit = fate.turn.line.observation, fate.transit
    assert observation is not None
    headline, note = "", ""
    if observation.lost is True and transit.received_at is not None:
        headline, note = f"arrived at {format_time(transit.received_at)} s", "expected to be lost"
    elif observation.lost is False and transit.received_at is None:
        headline = f"was lost: {transit.lost}" if transit.lost else "was still on its way at the end"
        note = "expected to arrive"
    elif observation.retransmits not in (None, fate.retransmissions):
        headline, note = f"was sent again {_times(fate.retransmissions)}", _wish(observation)
    if not headline:
        return None
    what = f"{kind_of(transit.message)}, sent by {transit.sender} at {format_time(transit.sent_at)} s,"
    return _failure(transit, fate.turn.line.source, f"{what} {headline}", note, _turn(fate.turn))


def too_many(course: Course, fate: Fate, transit: Transit) -> Failure | None:
    """A message was sent again more often than its line allows."""
    observation = fate.turn.line.observation
    assert observation is not None
    if observation.retransmits is None or fate.retransmissions <= observation.retransmits:
        return None
    headline = _came(course, transit, again=True)
    return _failure(transit, fate.turn.line.source, headline, _wish(observation), _turn(fate.turn))


# --- words -----------------------------------------------------------------------------------------------------------


def _failure(transit: Transit, source: Source, headline: str, note: str, details: tuple[str, ...] = ()) -> Failure:
    return Failure(source, headline, note, details, at=transit.sent_at, frame=transit.number)


def _came(course: Course, transit: Transit, *, again: bool = False) -> str:
    to = f" to {transit.receiver}" if len(course.plan.flow.actors) > 2 else ""
    what = f"{kind_of(transit.message)}{to}{' again' if again else ''}"
    return f"{transit.sender} sent {what} at {format_time(transit.sent_at)} s"


def _means(line: Line, transit: Transit) -> bool:
    return line.is_awaited and line.means(transit.sender, transit.receiver, transit.message)


def _is_about(line: Line, transit: Transit) -> bool:
    """Whether a line waits for something of this sender to this receiver."""
    return line.is_awaited and (line.sender, line.receiver) == (transit.sender, transit.receiver)


def _when(turn: Turn) -> str:
    step = turn.line.step
    if step.at is not None:
        return step.at.text
    return turn.beginning.text if turn.beginning else ""


def _place_of_time(turn: Turn) -> Source:
    return turn.line.step.at.source if turn.line.step.at else turn.line.source


def _verb(turn: Turn) -> str:
    return "expected" if turn.line.is_awaited else "due"


def _sender(turn: Turn) -> str:
    observation = turn.line.observation
    return observation.sender if observation else ""


def _wanted(course: Course, turn: Turn) -> str:
    observation = turn.line.observation
    assert isinstance(observation, Observation)
    to = f" to {observation.receiver}" if len(course.plan.flow.actors) > 2 else ""
    return f"{observation.pattern}{to}"


def _turn(turn: Turn) -> tuple[str, ...]:
    if turn.beginning is None or turn.beginning.times == 1:
        return ()
    return (f"in turn {turn.number} of {turn.beginning.times}",)


def _waited(course: Course) -> tuple[str, ...]:
    waiting = course.cursor.waiting()
    return (f"waiting for line {waiting.line.source.line}: {waiting.line.step.text}",) if waiting else ()


def _seen_last(course: Course) -> tuple[str, ...]:
    last = max(reversed(course.met.items()), key=lambda item: item[1].at, default=None)  # of one instant, the last
    if last is None:
        return ("nothing had been seen before",)
    return (f"seen last: {last[0].step.text}, at {format_time(last[1].at)} s",)


def _times(count: int) -> str:
    return {0: "not once", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _wish(observation: Observation) -> str:
    wanted = observation.retransmits
    return f"expected to be sent again {_times(wanted)}" if wanted else "expected not to be sent again"
