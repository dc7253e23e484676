"""The loopback: messages between sockets of this machine, as datagrams or over connections, on a clock of real time.

Every message is written as bytes, sent, received and parsed, those too that a link loses: like a tap at the sender, the
wire shows all that was sent. The same links as in virtual time decide what becomes of a message; the driver keeps what
they delay, and drops what they lose, once it has come out of the wire.

Whatever has arrived is read before anything that is due is done, and one thing is done at a time. So a machine that was
busy elsewhere finds the answers that came meanwhile before it finds that they are overdue.
"""

import heapq
import selectors
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any, ClassVar, Final, NamedTuple, cast
from weakref import WeakKeyDictionary

from ..errors import PeerError
from ..sip.message import Message, Request
from ..sip.parser import parse_message
from ..trace import Transit
from ..ua.events import Address
from ..units import MINUTE
from .driver import RunEnd
from .endpoints import Endpoints
from .flights import Flight, Flights
from .network import Condition, Network, Party
from .outside import Outside, stamped
from .place import Datagram, Loss, Place, Source
from .run_clock import RunClock
from .sniffer import Sniffer
from .turns import Driver

RECEIVED_MAX: Final = 64
"""So many datagrams of one socket are taken in before the next socket's turn."""

GONE_AFTER_S: Final = 0.2
"""A datagram that has not come out of the wire after so long, though the sockets are empty, never will."""
STUCK_AFTER_S: Final = 5.0
"""The same of what was sent over a connection: it is no whole message."""

WAIT_MAX_S: Final = 60.0
TICK_S: Final = 0.25
SELECT_MAX: Final = 1024  # FD_SETSIZE: select(2) watches no file descriptor beyond it


class Sent(NamedTuple):
    """A message as it went out."""

    transit: Transit
    datagram: Datagram


class LoopbackDriver(Driver):
    """Plays calls over sockets; parties are at the addresses of their endpoints."""

    instant_us: ClassVar[int] = MINUTE

    def __init__(
        self,
        endpoints: Endpoints,
        clock: RunClock,
        *,
        sniffer: Sniffer | None = None,
        allow_host: bool = False,
        recorded_max: int | None = None,
    ) -> None:
        """Drive the parties of these endpoints; with `allow_host` real systems may be on other machines."""
        self.strays = 0
        """How many datagrams came that no party of ours had sent, and were ignored."""
        self.sent: list[Sent] = []
        self.outside = Outside(allow_host=allow_host)
        self.ticked: Callable[[int], None] | None = None
        """Told the time at least every TICK_S of real time, where somebody watches."""
        self._recorded_max = recorded_max
        self._endpoints = endpoints
        self._clock = clock
        self._sniffer = sniffer
        self._now = clock.read()
        self._numbers = count()
        self._events: list[tuple[int, bool, int, Callable[[], None]]] = []
        self._in_flight = Flights()
        self._gone_after_s = STUCK_AFTER_S if endpoints.transport.is_reliable else GONE_AFTER_S
        self._networks: WeakKeyDictionary[Network, None] = WeakKeyDictionary()

    @property
    def now(self) -> int:
        """The run's time in microseconds, as it was when the thing began that is happening."""
        return self._now

    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at this time, or as soon after as the machine allows; `late`: after all else of that instant."""
        heapq.heappush(self._events, (when, late, next(self._numbers), action))

    def hurry(self) -> None:
        """From here on skip what time nobody would spend but waiting."""
        self._clock.skips = True

    def run(self, *, until: int) -> RunEnd:
        """Let happen what is to happen up to and including `until`; tell why it ended.

        Where nothing is left that could happen by then, the rest of the time is not waited for.
        """
        with self._selector() as selector:
            try:
                return self._run(selector, until)
            finally:
                for endpoint in self._endpoints:
                    endpoint.watch(None)
                self._now = self._clock.read()  # an interruption most likely came in the middle of waiting

    def _run(self, selector: selectors.BaseSelector, until: int) -> RunEnd:
        while True:
            next_at = self._events[0][0] if self._events else None
            is_past = next_at is None or next_at > until
            if is_past and (not self._in_flight or self._clock.read() > until):
                return RunEnd.LIMIT if self._events or self._in_flight else RunEnd.IDLE
            wait_at = until if next_at is None else min(next_at, until)
            self._clock.forget_work()
            self._listen(selector, self._wait_s(wait_at))
            self._act()
            if self.ticked is not None:
                self.ticked(self._clock.read())

    def _selector(self) -> selectors.BaseSelector:
        """Watch the sockets: by select(2), for it waits to the microsecond, where poll and epoll count milliseconds."""
        by_select = max(each.fileno() for each in self._endpoints) < SELECT_MAX // 2  # connections are to come
        selector = selectors.SelectSelector() if by_select else selectors.DefaultSelector()
        for endpoint in self._endpoints:
            endpoint.watch(selector)
        if self._sniffer is not None:
            selector.register(self._sniffer, selectors.EVENT_READ)
        return selector

    # --- time ---

    def _wait_s(self, until_at: int) -> float:
        """Return how long to listen, in real seconds."""
        if self._in_flight:
            return min(self._clock.wait_s(until_at), self._gone_after_s)
        if self._clock.skips:
            self._clock.skip_to(until_at)
        return min(self._clock.wait_s(until_at), WAIT_MAX_S if self.ticked is None else TICK_S)

    def _act(self) -> None:
        """Do one thing that is due; else look whether the wire has lost a datagram."""
        now = self._clock.read()
        if self._events and self._events[0][0] <= now:
            self._now = now
            heapq.heappop(self._events)[3]()
        elif self._in_flight:
            self._miss(monotonic() - self._gone_after_s)

    def _turn(self, party: Party, received: Transit | None) -> None:
        party.told_at = party.clock.local(self._now)
        super()._turn(party, received)

    def _wake(self, party: Party, wake_at: int) -> None:
        """Call an agent as if it were the time that it asked for: so the machine's delays do not add up.

        Timer E fires ten times before timer F gives up, be each a little late.
        """
        if party.wake_at != wake_at:
            return  # superseded
        party.wake_at = None
        now, due_at = party.clock.local(self._now), party.agent.next_deadline()
        told_at = now if due_at is None else min(now, max(due_at, party.told_at))
        party.agent.handle_deadline(now=told_at)
        self._turn(party, None)
        party.told_at = told_at

    # --- the wire ---

    def _carry(self, transit: Transit, receiver: Party, arrives_at: int | None) -> None:
        sender = self._endpoints[transit.sender]
        datagram = Datagram(sender.address, receiver.address, transit.message.to_bytes())
        try:
            sender.send(datagram.data, datagram.destination)
        except OSError as error:
            if arrives_at is not None:
                self._unsent(transit, receiver, error, receiver.address)
            return
        self._record(transit, datagram)
        self._in_flight.add(datagram, Flight(transit, receiver, arrives_at, monotonic()))

    def _unsent(self, transit: Transit, receiver: Party, error: OSError, destination: Address) -> None:
        """A message does not leave; over connections its sender learns of that."""
        network = receiver.network
        network.lose(transit, f"the system does not send it: {error.strerror or error}")
        sender = network.party_at(self._endpoints[transit.sender].address)
        if network.connections is not None and sender is not None:
            self._refuse(sender, destination)

    def _listen(self, selector: selectors.BaseSelector, wait_s: float) -> None:
        """Take in what arrives, or has arrived already; wait no longer than this for something to come."""
        ready = selector.select(wait_s)
        if wait_s:
            self._clock.read()  # waiting is time, work is not
        for key, _ in ready:
            if key.fileobj is self._sniffer:
                self._sniffer.read()
                continue
            source = cast("Source", key.fileobj)
            for arrived in source.received(at_most=RECEIVED_MAX):
                if isinstance(arrived, Loss):
                    self._lost(arrived)
                else:
                    self._receive(arrived)
                self._clock.forget_work()

    def _receive(self, datagram: Datagram) -> None:
        flight = self._in_flight.landed(datagram)
        if flight is None:
            self._receive_from_outside(datagram)
            return
        self._now = now = self._clock.read()
        if flight.arrives_at is None:
            return
        if flight.arrives_at <= now:
            self._arrive(flight, datagram.data)
        else:
            self.at(flight.arrives_at, lambda: self._arrive(flight, datagram.data))

    def _arrive(self, flight: Flight, data: bytes) -> None:
        try:
            message = parse_message(data)
        except PeerError as error:
            flight.receiver.network.lose(flight.transit, f"{flight.receiver.name} cannot read it: {error}")
        else:
            self._deliver(flight.transit, flight.receiver, message)

    # --- connections ---

    def network(self, *given: Any, **settings: Any) -> Network:
        """Make a network; all that there are share the connections of their parties."""
        network = super().network(*given, **settings)
        self._networks[network] = None
        return network

    def disconnect(self, one: Party, other: Party) -> None:
        """Break the connection between two parties, and what other calls have on it."""
        for here, there in ((one, other), (other, one)):
            if here.witness is None:
                self._endpoints[here.name].disconnect(there.address)
        self._in_flight.forget_between(one.address, other.address)
        for network in [*self._networks]:
            ours, theirs = network.party_at(one.address), network.party_at(other.address)
            if ours is not None and theirs is not None:
                super().disconnect(ours, theirs)

    def _lost(self, loss: Loss) -> None:
        """A real system has closed a connection: who waits for its answers learns of that."""
        self._now = self._clock.read()
        for network in [*self._networks]:
            ours = network.party_at(loss.ours)
            if ours is not None:
                for peer in loss.peers:
                    self._lose(ours, peer)

    def _record(self, transit: Transit, datagram: Datagram) -> None:
        if self._recorded_max is None or len(self.sent) < self._recorded_max:
            self.sent.append(Sent(transit, datagram))

    # --- real systems ---

    def admit(self, outsider: Party) -> None:
        """A real system has part in a call from here on."""
        self.outside.admit(outsider)

    def dismiss(self, outsider: Party) -> None:
        """What a real system says from here on belongs to no call."""
        self.outside.dismiss(outsider)

    def _carry_out(self, transit: Transit, outsider: Party, leaves_at: int | None, destination: Address) -> None:
        self.outside.spoken_to(outsider, transit.message)
        if leaves_at is not None:
            self.at(leaves_at, lambda: self._send_out(transit, outsider, destination))

    def _send_out(self, transit: Transit, outsider: Party, destination: Address) -> None:
        """Put a message on the wire, unless the flow has silenced who it is for; that it arrives is not seen."""
        sender = self._endpoints[transit.sender]
        datagram = Datagram(sender.address, self.outside.place(outsider, destination), transit.message.to_bytes())
        if outsider.condition is Condition.RUNNING:
            try:
                sender.send(datagram.data, datagram.destination)
            except OSError as error:
                self._unsent(transit, outsider, error, destination)
                return
            self._record(transit, datagram)
        self._deliver(transit, outsider, transit.message)

    def _receive_from_outside(self, datagram: Datagram) -> None:
        if self.outside.is_empty:
            self.strays += 1  # another program's, or a copy that the network made
            return
        message = self.outside.read(datagram)
        if message is None:
            return
        if isinstance(message, Request):
            self._endpoint_at(datagram.destination).heard(message.via.address, datagram.source)
        outsider = self.outside.sender(message, datagram.source)
        if outsider is None:
            self._answer(stamped(message, datagram.source), datagram.destination)
        else:
            self._take_in(outsider, message, datagram)

    def _take_in(self, outsider: Party, message: Message, datagram: Datagram) -> None:
        """A real system has sent a message: it is on its way from here on, as our own messages are."""
        network, self._now = outsider.network, self._clock.read()
        receiver = network.party_at(datagram.destination)
        assert receiver is not None, "each party of ours has part in each call"
        heard = stamped(message, datagram.source)

        def bring(transit: Transit, receiver: Party, arrives_at: int | None) -> None:
            self._record(transit, datagram)
            if arrives_at is not None:
                self.at(arrives_at, lambda: self._deliver(transit, receiver, heard))

        network.pass_on(outsider, receiver, message, bring, now=self._now)
        assert outsider.witness is not None
        outsider.witness.sent(message, now=outsider.clock.local(self._now))
        self._turn(outsider, None)

    def _answer(self, message: Message, ours: Address) -> None:
        """Answer what a real system asks beside its calls."""
        answer = self.outside.answer(message)
        if answer is not None:
            with suppress(OSError):
                self._endpoint_at(ours).send(answer.to_bytes(), answer.via.address)

    def _endpoint_at(self, address: Address) -> Place:
        return next(each for each in self._endpoints if each.address == address)

    def _miss(self, sent_before_s: float) -> None:
        """Give up the oldest datagram on the wire, if it was sent before this."""
        flight = self._in_flight.missing(sent_before_s)
        if flight is not None and flight.arrives_at is not None:
            self._now = self._clock.read()
            flight.receiver.network.lose(flight.transit, "lost by the loopback")
