"""A trace as the rows of a ladder: what is drawn, in which order, with which remarks; not yet how.

A message sent again joins the row of its first sending unless it fared differently. What follows from the messages
themselves (the call is up, a BYE ended it) gets no remark.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from ..runs.verdict import Failure
from ..sip.message import Message
from ..trace import Happening, TimerChange, TimerRecord, Trace, Transit, What
from ..units import S, format_time
from .labels import label
from .style import Colour, Style


class Note(NamedTuple):
    """A remark at the margin of a row."""

    text: str
    colour: Colour = Colour.PLAIN


@dataclass(slots=True)
class Row:
    """One instant of the ladder; by itself, one that only has remarks."""

    at: int
    notes: list[Note] = field(default_factory=list)

    def likeness(self) -> tuple[object, ...]:
        """Return what makes two rows look the same, their times apart."""
        return (type(self), tuple(self.notes))


class Fate(Enum):
    """What became of a message."""

    ARRIVED = "arrived"
    LOST = "lost"  # on its way
    UNHEARD = "unheard"  # it reached a party that was no more


@dataclass(slots=True)
class Arrow(Row):
    """A message from one party to another."""

    sender: str = ""
    receiver: str = ""
    label: str = ""
    fate: Fate = Fate.ARRIVED
    received_at: int | None = None
    retransmissions: int = 0
    broken: bool = False
    """A failure points at it."""

    def again(self) -> str:
        """Return "+ 10 retransmissions"; "" where there was none."""
        count = self.retransmissions
        return f"+ {count} retransmission{'s' if count > 1 else ''}" if count else ""

    def likeness(self) -> tuple[object, ...]:
        """Return what makes two arrows look the same, their times apart."""
        arrow = (self.sender, self.receiver, self.label, self.fate, self.retransmissions)
        return (type(self), tuple(self.notes), *arrow)


class SpotKind(Enum):
    """What happened to one party."""

    STIMULUS = "stimulus"
    TIMER = "timer"
    CRASH = "crash"
    RESTART = "restart"
    FREEZE = "freeze"
    THAW = "thaw"


@dataclass(slots=True)
class Spot(Row):
    """Something that happened to one party, written at its lifeline."""

    party: str = ""
    kind: SpotKind = SpotKind.STIMULUS
    text: str = ""

    def likeness(self) -> tuple[object, ...]:
        """Return what makes two spots look the same, their times apart."""
        return (type(self), tuple(self.notes), self.party, self.kind, self.text)


_TROUBLE = {
    What.CRASHED: SpotKind.CRASH,
    What.RESTARTED: SpotKind.RESTART,
    What.FROZEN: SpotKind.FREEZE,
    What.THAWED: SpotKind.THAW,
}
_SHOWN_AS_TROUBLE = tuple(kind.value for kind in _TROUBLE.values())
_SHOWN_AS_MESSAGE = ("call", "ring", "answer", "reject", "cancel", "options")
"""Stimuli that the message they cause explains."""
_NETWORK_LOSS = "lost by the network"  # an arrow that stops short says as much
_REASONS = {  # why a call ended, where the messages do not say it
    "no-answer": "no answer",
    "no-ack": "no ACK came",
    "no-response": "no response came",
}


def rows(trace: Trace, style: Style, *, failures: Iterable[Failure] = (), timers: bool = False) -> list[Row]:
    """Return the rows of one call's ladder, in the order of time, printable; `failures` are those of this call."""
    reader = _Reader(style)
    for record in trace.records:
        if isinstance(record, Transit):
            reader.message(record)
        elif isinstance(record, Happening):
            reader.happening(record)
        elif timers:
            reader.timer(record)
    reader.place_remarks()
    for failure in failures:
        reader.point_at(failure)
    return reader.rows


class _Remark(NamedTuple):
    """A remark that looks for the arrow it explains; `place` is where a row of its own would go."""

    place: int
    at: int
    party: str
    what: What
    note: Note


class _Reader:
    """Turns records into rows: messages, timers and trouble as they come, remarks once all arrows are known."""

    def __init__(self, style: Style) -> None:
        self.rows: list[Row] = []
        self._style = style
        self._down: set[str] = set()
        self._expires_at: dict[str, int | None] = {}
        self._first: dict[tuple[str, str, Message], Arrow] = {}
        self._numbered: dict[int, Arrow] = {}
        self._sent: dict[tuple[str, int], list[tuple[int, Arrow]]] = {}
        self._received: dict[tuple[str, int], list[tuple[int, Arrow]]] = {}
        self._remarks: list[_Remark] = []

    def message(self, transit: Transit) -> None:
        key = (transit.sender, transit.receiver, transit.message)
        first = self._first.get(key) if transit.retransmission else None
        fate = self._fate(transit)
        if first is not None and first.fate is fate:
            first.retransmissions += 1
            self._numbered[transit.number] = first
            return
        arrow = self._arrow(transit, fate)
        self._first[key] = self._numbered[transit.number] = arrow
        self._sent.setdefault((arrow.sender, arrow.at), []).append((len(self.rows), arrow))
        if arrow.received_at is not None:
            self._received.setdefault((arrow.receiver, arrow.received_at), []).append((len(self.rows), arrow))
        self.rows.append(arrow)

    def _arrow(self, transit: Transit, fate: Fate) -> Arrow:
        notes = [self._note("retransmission", Colour.FAINT)] if transit.retransmission else []
        if fate is Fate.LOST and transit.lost != _NETWORK_LOSS:
            notes.append(self._note(transit.lost or "", Colour.BAD))
        text = self._style.text(label(transit.message))
        return Arrow(transit.sent_at, notes, transit.sender, transit.receiver, text, fate, transit.received_at)

    def _note(self, text: str, colour: Colour) -> Note:
        return Note(self._style.text(text), colour)

    def _fate(self, transit: Transit) -> Fate:
        if transit.lost is None:
            return Fate.ARRIVED
        return Fate.UNHEARD if transit.receiver in self._down else Fate.LOST

    def timer(self, record: TimerRecord) -> None:
        due = "" if record.change is TimerChange.FIRED else f"due {format_time(record.due_at)}  "
        number = record.about.rpartition(" ")[2]
        about = f"  {record.about}" if number.isdigit() else ""  # the Call-ID of a session says nothing new
        text = self._style.text(f"{record.timer} {record.change.value}{about}")
        self.rows.append(
            Spot(record.at, [self._note(due + record.rule, Colour.FAINT)], record.party, SpotKind.TIMER, text)
        )

    def happening(self, fact: Happening) -> None:
        if fact.mark:
            self._remark(fact, What.NOTE, fact.mark, Colour.MARK)
        match fact.what:
            case What.CRASHED | What.RESTARTED | What.FROZEN | What.THAWED:
                self._trouble(fact, _TROUBLE[fact.what])
            case What.STIMULUS:
                text = fact.detail.removeprefix(f"{fact.party}:").strip()
                if not text.startswith(_SHOWN_AS_TROUBLE):
                    self._remark(fact, fact.what, text, Colour.MARK)
            case What.GAVE_UP:
                text = f"{fact.detail.partition(':')[0]}: {fact.party} gives up"
                self._own_row(len(self.rows), fact.at, self._note(text, Colour.BAD))
            case _:
                if text := self._explanation(fact):
                    self._remark(fact, fact.what, text, Colour.PLAIN)

    def _remark(self, fact: Happening, what: What, text: str, colour: Colour) -> None:
        self._remarks.append(_Remark(len(self.rows), fact.at, fact.party, what, self._note(text, colour)))

    def _trouble(self, fact: Happening, kind: SpotKind) -> None:
        if kind is SpotKind.CRASH:
            self._down.add(fact.party)
        elif kind is SpotKind.RESTART:
            self._down.discard(fact.party)
        self.rows.append(Spot(fact.at, [], fact.party, kind, kind.value))

    def _session(self, fact: Happening) -> str:
        was_on = self._expires_at.get(fact.party) is not None
        self._expires_at[fact.party] = None if fact.interval_s is None else fact.at + fact.interval_s * S
        return f"no session timer for {fact.party} from here on" if was_on and fact.interval_s is None else ""

    def _explanation(self, fact: Happening) -> str:
        match fact.what:
            case What.NOTE:
                return fact.detail
            case What.SESSION:
                return self._session(fact)
            case What.RETRIED:
                return f"again, after {fact.detail}"
            case What.REFRESH_FAILED:
                return f"refresh failed: {fact.detail}"
            case What.ENDED if fact.detail == "session-expired":
                return self._expiry(fact)
            case What.ENDED:
                return _REASONS.get(fact.detail, "")
            case _:
                return ""

    def _expiry(self, fact: Happening) -> str:
        expires_at = self._expires_at.get(fact.party)
        if expires_at is None:
            return "session expired"
        return f"session {'expires' if fact.at < expires_at else 'expired'} at {format_time(expires_at)}"

    def place_remarks(self) -> None:
        """Put each remark beside the arrow that it explains, or into a row of its own."""
        remarks, self._remarks, before = self._remarks, [], len(self.rows)
        for remark in remarks:
            self._place(remark, inserted=len(self.rows) - before)

    def _place(self, remark: _Remark, *, inserted: int) -> None:
        sent, received = _nearest(self._sent, remark), _nearest(self._received, remark)
        arrow, index = sent or received, remark.place + inserted
        if remark.what is What.STIMULUS and sent is None:
            spot = Spot(remark.at, [], remark.party, SpotKind.STIMULUS, remark.note.text)
            self.rows.insert(index, spot)
        elif arrow is None:
            self._own_row(index, remark.at, remark.note)
        elif remark.note not in arrow.notes and not _is_obvious(remark, sent):
            arrow.notes.append(remark.note)

    def point_at(self, failure: Failure) -> None:
        """Mark the message that broke an expectation, or the instant at which one was missed."""
        note = Note(f"{self._style.glyphs.lost} line {failure.source.line}", Colour.BROKEN)
        arrow = None if failure.frame is None else self._numbered.get(failure.frame)
        if arrow is not None:
            arrow.broken = True
            arrow.notes.append(note)
        else:
            self._own_row(bisect_right(self.rows, failure.at, key=lambda row: row.at), failure.at, note)

    def _own_row(self, index: int, at: int, note: Note) -> None:
        before = self.rows[index - 1] if index else None
        if type(before) is Row and before.at == at:
            before.notes.append(note)
        else:
            self.rows.insert(index, Row(at, [note]))


def _nearest(arrows: Mapping[tuple[str, int], list[tuple[int, Arrow]]], remark: _Remark) -> Arrow | None:
    candidates = arrows.get((remark.party, remark.at))
    if not candidates:
        return None
    return min(candidates, key=lambda candidate: abs(candidate[0] - remark.place))[1]


def _is_obvious(remark: _Remark, sent: Arrow | None) -> bool:
    """Whether the arrow says it all: the INVITE of a call, the BYE by which a party was told that it is over."""
    if remark.what is What.STIMULUS:
        return remark.note.text.startswith(_SHOWN_AS_MESSAGE)
    return remark.what is What.ENDED and sent is None
