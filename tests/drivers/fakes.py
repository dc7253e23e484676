"""Small machines and observers that the driver tests share."""

from collections.abc import Callable, Sequence

from simkit.drivers.driver import Agent, Observer
from simkit.sip.message import Message, Request, Response
from simkit.trace import TimerRecord, Transit
from simkit.ua.events import Address, CallEvent, Outgoing
from simkit.ua.timers import TimerEvent
from simkit.units import format_time

ALICE: Address = ("192.0.2.1", 5060)
BOB: Address = ("192.0.2.2", 5060)


def request(method: str = "OPTIONS", number: int = 1) -> Request:
    """Return a request with what tells it from others."""
    via, call_id = f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{method}{number}", "one@192.0.2.1"
    headers = (("Via", via), ("To", "<sip:bob@192.0.2.2>"), ("Call-ID", call_id), ("CSeq", f"{number} {method}"))
    return Request(method, "sip:bob@192.0.2.2", headers)


def response(status: int, answered: Request, *, to_tag: str = "b") -> Response:
    """Return a response to a request of `request`."""
    tagged = answered.with_headers(("To", f"<sip:bob@192.0.2.2>;tag={to_tag}"))
    return Response(status, "Some Reason", tagged.headers)


class Machine:
    """Notes what it is told, and does what `on_receive` and `on_deadline` say."""

    def __init__(self, peer: Address = BOB) -> None:
        self.peer = peer
        self.heard: list[tuple[int, Message]] = []
        self.woken: list[int] = []
        self.deadline: int | None = None
        self.facts: list[CallEvent] = []
        self.timers: list[TimerEvent] = []
        self.on_receive: Callable[[Message, int], None] = lambda message, now: None
        self.on_deadline: Callable[[int], None] = lambda now: None
        self.lost: list[tuple[int, Address]] = []
        self._now = 0
        self._outgoing: list[Outgoing] = []

    def say(self, *messages: Message) -> None:
        """Queue messages to the peer."""
        self._outgoing += [Outgoing(message, self.peer) for message in messages]

    def receive(self, message: Message, *, now: int) -> None:
        self._pass_time(now)
        self.heard.append((now, message))
        self.on_receive(message, now)

    def disconnected(self, peer: Address, *, now: int) -> None:
        self._pass_time(now)
        self.lost.append((now, peer))

    def next_deadline(self) -> int | None:
        return self.deadline

    def handle_deadline(self, *, now: int) -> None:
        self._pass_time(now)
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.woken.append(now)
            self.on_deadline(now)

    def outgoing(self) -> Sequence[Outgoing]:
        drained, self._outgoing = self._outgoing, []
        return drained

    def events(self) -> Sequence[CallEvent]:
        drained, self.facts = self.facts, []
        return drained

    def timer_events(self) -> Sequence[TimerEvent]:
        drained, self.timers = self.timers, []
        return drained

    def _pass_time(self, now: int) -> None:
        assert now >= self._now, "time went back"
        self._now = now


class Recorder:
    """Writes down what it observes: one line each, as a reader would want it, and the transits themselves."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.lines: list[str] = []
        self.transits: list[Transit] = []
        self.records: list[TimerRecord] = []

    def sent(self, transit: Transit) -> None:
        assert transit.received_at is None
        assert transit.lost is None
        self.transits.append(transit)
        self._write(
            f"{transit.sender} -> {transit.receiver}: {_kind(transit.message)}{' again' * transit.retransmission}"
        )

    def delivered(self, transit: Transit) -> None:
        assert transit.received_at == self._now()
        self._write(f"{transit.receiver} <- {transit.sender}: {_kind(transit.message)}")

    def lost(self, transit: Transit) -> None:
        assert transit.received_at is None
        self._write(f"lost {_kind(transit.message)}: {transit.lost}")

    def happened(self, party: str, event: CallEvent, *, at: int) -> None:
        assert at == self._now()
        self._write(f"{party}: {event.fact} {event.detail}".rstrip())

    def timer(self, record: TimerRecord) -> None:
        assert record.at == self._now()
        self.records.append(record)
        self._write(f"{record.party}: timer {record.timer} {record.change.value}, due {format_time(record.due_at)}")

    def _write(self, text: str) -> None:
        self.lines.append(f"{format_time(self._now())} {text}")


def _kind(message: Message) -> str:
    return f"{message.status} {message.method}" if isinstance(message, Response) else message.method


_agent: Callable[[], Agent] = Machine
_observer: Callable[[Callable[[], int]], Observer] = Recorder
