"""The messages of a capture, sorted into calls by Call-ID: one trace each, as a run yields it.

A call is handed out when it is over and has been quiet for a while, or when the capture ends, so that memory grows with
the calls that are up at a time and not with the file; of more than HELD_MAX messages those of the call that has been
quiet for longest are handed out before it is over. Nothing is judged here.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from ..sip.message import Message, Request, Response
from ..sip.uri import host_port
from ..trace import Trace, Transit
from ..units import S
from .packet import Address
from .reader import Captured, CaptureReader

QUIET_US: Final = 32 * S
"""64*T1: whoever has not sent again by now never will (RFC 3261 section 17.1.1.2, timers B, F and H)."""

HELD_MAX: Final = 1_000_000
"""How many messages of calls that are not over are held, a call counted as three more: some 700 MB at most."""
PARTED: Final = "calls cut in two, for too many were up at a time"
_CALL_COSTS: Final = 3

_WITHOUT_TRACE: Final = frozenset(("ACK", "CANCEL", "PRACK"))  # their To tag is no sign of a dialog that is up
_Dialog = tuple[str, str]
_Invite = tuple[str, int]
"""Its sender's tag and CSeq number."""


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """All messages of one Call-ID, in the order of time; `number` of a transit is its frame's in the file.

    A Call-ID that is used again after its calls were over and quiet gives another of these.
    """

    call_id: str
    trace: Trace
    parties: Mapping[str, Address]
    """Who sent or was sent to, in the order in which they appear."""
    watched_until: int
    """Up to when the capture would have shown a message of this call: microseconds since the capture's first packet."""


def captured_calls(
    reader: CaptureReader, names: Mapping[Address, str] | None = None, *, begun: Callable[[], None] | None = None
) -> Iterator[CapturedCall]:
    """Read a capture to its end and yield each call as soon as nothing more is to be expected of it.

    The calls that are left at the end come in the order of their first messages. A party is called by its address,
    "127.0.0.1:5060" or "[::1]:5060", unless `names` knows better. `begun` is called when the first message of a call is
    met. What is handed out too early is counted among what the reader has skipped, as PARTED.
    """
    places = _Places(names or {})
    calls: OrderedDict[str, _Call] = OrderedDict()  # the longest quiet first
    held = 0
    quiet: OrderedDict[str, int] = OrderedDict()  # calls that are over, and since when; the longest first
    for captured in reader:
        call_id, at = captured.message.call_id, captured.at
        while quiet and next(iter(quiet.values())) < at - QUIET_US:
            over, _ = quiet.popitem(last=False)
            call = calls.pop(over)
            held -= call.cost
            yield call.result(over, at)
        if held > HELD_MAX:
            parted, call = calls.popitem(last=False)
            quiet.pop(parted, None)
            held -= call.cost
            reader.skipped[PARTED] += 1
            yield call.result(parted, at)
        known = calls.get(call_id)
        held += 1
        if known is None:
            call = calls[call_id] = _Call()
            held += _CALL_COSTS
            if begun is not None:
                begun()
        else:
            call = known
            calls.move_to_end(call_id)
            quiet.pop(call_id, None)
        call.add(captured, places)
        if not call.ringing and not call.dialogs:
            quiet[call_id] = at
    for call_id in sorted(calls, key=lambda each: calls[each].transits[0].number):
        yield calls.pop(call_id).result(call_id, reader.last_at)


class _Places(dict[Address, str]):
    """Names of addresses, each made once."""

    def __missing__(self, address: Address) -> str:
        name = self[address] = host_port(address)
        return name


@dataclass(slots=True)
class _Call:
    """What a Call-ID has shown so far."""

    transits: list[Transit] = field(default_factory=list)
    parties: dict[str, Address] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    """What retransmissions repeat, hashed."""
    ringing: set[_Invite] = field(default_factory=set)
    """Those that wait for a final response, and have had another: who has heard nothing gives up by itself."""
    settled: set[_Invite] = field(default_factory=set)
    """Those that have had a final response."""
    dialogs: set[_Dialog] = field(default_factory=set)
    """Those that are up, by their tags in alphabetical order."""

    @property
    def cost(self) -> int:
        """What it counts as among what is held."""
        return len(self.transits) + _CALL_COSTS

    def add(self, captured: Captured, places: _Places) -> None:
        frame, at, source, destination, _, message, _, connection = captured
        sender, receiver = places[source], places[destination]
        if sender not in self.parties or receiver not in self.parties:
            self.parties |= {sender: source, receiver: destination}
        known, identity = len(self.seen), hash((sender, receiver, _identity(message)))
        self.seen.add(identity)
        again = len(self.seen) == known
        self.transits.append(Transit(frame, at, sender, receiver, message, again, at, None, connection))
        if not again:
            self._follow(message)

    def _follow(self, message: Message) -> None:
        """Note which answers and which dialogs' ends are still to come."""
        from_tag, to_tag, (number, method) = message.from_tag or "", message.to_tag or "", message.cseq
        if isinstance(message, Request):
            if to_tag and method not in _WITHOUT_TRACE:
                self.dialogs.add(_dialog(from_tag, to_tag))
        elif isinstance(message, Response):
            if method == "INVITE":
                self._follow_invite((from_tag, number), _dialog(from_tag, to_tag), message.status)
            elif method == "BYE" and message.status >= 200:
                self.dialogs.discard(_dialog(from_tag, to_tag))

    def _follow_invite(self, invite: _Invite, dialog: _Dialog, status: int) -> None:
        if status < 200:
            if invite not in self.settled:
                self.ringing.add(invite)
            return
        self.settled.add(invite)
        self.ringing.discard(invite)
        if status < 300:
            self.dialogs.add(dialog)

    def result(self, call_id: str, until: int) -> CapturedCall:
        in_time = sorted(self.transits, key=attrgetter("sent_at"))  # several interfaces may be mixed up
        return CapturedCall(call_id, Trace([*in_time]), self.parties, until)


def _dialog(from_tag: str, to_tag: str) -> _Dialog:
    return (from_tag, to_tag) if from_tag < to_tag else (to_tag, from_tag)


def _identity(message: Message) -> tuple[object, ...]:
    """Return what a retransmission repeats to the letter, though a clock or a counter elsewhere may have gone on.

    That is its transaction (RFC 3261 section 17.2.3), and of a response its status and marks; RSeq tells apart the
    provisional responses that are reliable (RFC 3262).
    """
    headers, first = message.headers, message.layout.first
    if isinstance(message, Request):
        return message.method, headers[first["Via"]][1], headers[first["CSeq"]][1]
    assert isinstance(message, Response)
    rseq = headers[first["RSeq"]][1] if "RSeq" in first else None
    return message.status, headers[first["Via"]][1], headers[first["CSeq"]][1], headers[first["To"]][1], rseq
