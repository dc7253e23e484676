"""One recorded side of several calls played against a real system, side by side, with their recorded spacing.

All calls share a socket, or over TCP and TLS connections, as those of one user agent do, and are told apart by Call-ID;
an incoming one is the recorded one that is like it (`incoming`). What one side of one call does is the business of
`side_player`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import SystemRandom
from selectors import DefaultSelector
from typing import Final, cast

from ..drivers.endpoints import Endpoints
from ..drivers.hosts import check_host, host_towards, is_loopback
from ..drivers.place import Datagram, Place, Source
from ..drivers.run_clock import RunClock
from ..errors import PeerError, SetupError
from ..sip.message import Message, Request
from ..sip.parser import parse_message
from ..sip.transport import Transport
from ..sip.uri import host_port
from ..trace import Transit
from ..ua.identifiers import Identifiers
from .incoming import match
from .one_side import OneSide
from .run import Address
from .side_player import Heard, SidePlayer

Progress = Callable[[int, int], None]
"""Told how many microseconds of the recording are played, and of how many."""

_NAMES: Final = SystemRandom()  # a system that runs on remembers the names of the last run: these are new every time
_RECEIVED_MAX: Final = 64
_WAIT_MAX_S: Final = 0.5
"""So often it is told how far all has come."""


@dataclass(frozen=True, slots=True)
class RecordedSide:
    """One side of a recorded call: what is played."""

    steps: Sequence[Transit]
    """The messages of the call, each once."""
    us: str
    """The side to play, as the recording calls it."""
    peer: str
    host: str
    """Where the recorded side was: our own address takes its place in bodies."""
    begins_at: int
    """When the call begins: microseconds since the first one does."""

    @property
    def transport(self) -> Transport:
        """What it went over."""
        return self.steps[0].transport


@dataclass(frozen=True, slots=True)
class Played:
    """What came of all calls, in their order."""

    heard: tuple[Heard, ...]
    us: Address
    """Where we were; for the first call, if they went over several transports."""
    strays: int
    """Datagrams that belonged to no call, and were ignored."""
    interrupted: bool
    unlike: tuple[tuple[int, Request], ...] = ()
    """The INVITEs that are like no recorded call that was awaited, and the place of the one that each was taken for."""


def play_against(
    calls: Sequence[RecordedSide],
    target: Address,
    *,
    speed: int = 1,
    host: str | None = None,
    port: int = 0,
    allow_host: bool = False,
    progress: Progress | None = None,
) -> Played:
    """Play one side of these calls against `target`, and return what was said.

    A target that has said nothing when the first call gives it up is taken to be dead: then the others are left out. On
    KeyboardInterrupt all calls are returned as far as they came. Raises SetupError for an address that is not this
    machine's, unless that is allowed, and for a port that cannot be had. Without `host` we are where the target can be
    reached from.
    """
    check_host(target[0], allow_host=allow_host)
    us, ours = calls[0].us, host or host_towards(target)
    ports = {us: port} if port else None
    with ExitStack() as stack:
        selector = stack.enter_context(DefaultSelector())
        places: dict[Transport, Place] = {}
        for transport in dict.fromkeys(call.transport for call in calls):
            endpoints = Endpoints((us,), host=ours, ports=ports, allow_host=allow_host, transport=transport)
            places[transport] = stack.enter_context(endpoints)[us]
            places[transport].watch(selector)
        return _Table(calls, places, selector, target, speed, progress, allow_host=allow_host).play()


class _Table:
    """The calls that are under way, at one socket for each transport."""

    def __init__(
        self,
        calls: Sequence[RecordedSide],
        places: Mapping[Transport, Place],
        selector: DefaultSelector,
        target: Address,
        speed: int,
        progress: Progress | None,
        *,
        allow_host: bool,
    ) -> None:
        self._places, self._selector, self._allow_host = places, selector, allow_host
        self._progress, self._clock, self._strays = progress, RunClock(speed), 0
        self._players = [self._player(call, target, speed) for call in calls]
        self._by_call_id = {player.side.call_id: player for player in self._players}
        self._unlike: list[tuple[int, Request]] = []
        self._length_us = max(call.begins_at + call.steps[-1].sent_at - call.steps[0].sent_at for call in calls)

    def _player(self, call: RecordedSide, target: Address, speed: int) -> SidePlayer:
        us, transport = self._places[call.transport].address, call.transport
        side = OneSide(us, target, Identifiers(_NAMES), recorded_host=call.host, transport=transport)
        return SidePlayer(call.steps, call.us, call.peer, side, begins_at=call.begins_at, real_us=speed)

    def play(self) -> Played:
        """Play all calls to their ends, or as far as they come."""
        interrupted = False
        try:
            while self._is_going_on():
                self._listen()
        except KeyboardInterrupt:
            interrupted = True
        heard = tuple(player.heard() for player in self._players)
        us = next(iter(self._places.values())).address
        return Played(heard, us, self._strays, interrupted, tuple(self._unlike))

    def _is_going_on(self) -> bool:
        """Do what is due, and tell whether there is more to do."""
        for player in self._players:
            deadline = player.next_deadline()
            if deadline is not None and deadline <= self._clock.read():
                player.handle_deadline(now=self._clock.read())
                self._send(player)
        is_dead = self._players[0].is_over and not any(player.has_heard for player in self._players)
        return not is_dead and any(not player.is_over for player in self._players)

    def _listen(self) -> None:
        """Take in what has arrived, or wait until something does or is due."""
        deadlines = [at for player in self._players if (at := player.next_deadline()) is not None]
        wait_s = min(self._clock.wait_s(min(deadlines)), _WAIT_MAX_S) if deadlines else 0.0
        for key, _ in self._selector.select(wait_s):
            for each in cast("Source", key.fileobj).received(at_most=_RECEIVED_MAX):
                if isinstance(each, Datagram):  # a connection that is lost is opened again when it is needed
                    self._receive(each.data, each.source)
        if self._progress is not None:
            self._progress(min(self._clock.read(), self._length_us), self._length_us)

    def _receive(self, data: bytes, source: Address) -> None:
        try:
            message = parse_message(data)
            player = self._player_of(message)
            if player is not None:
                player.side.peer = source
                player.receive(message, now=self._clock.read())
                self._send(player)
                return
        except PeerError:
            pass  # a keep-alive, or another program's
        self._strays += 1

    def _player_of(self, message: Message) -> SidePlayer | None:
        """Return the call that a message belongs to, or with which it calls us."""
        known = self._by_call_id.get(message.call_id)
        if known is None and isinstance(message, Request) and message.method == "INVITE" and message.to_tag is None:
            known = self._called(message)
        return known

    def _called(self, invite: Request) -> SidePlayer | None:
        """Return the expected call that an INVITE is; None where none is expected."""
        awaited = [place for place, player in enumerate(self._players) if player.expects_a_call]
        if not awaited:
            return None
        place, is_like = match(invite, [player.invite for player in self._players], awaited)
        if not is_like:
            self._unlike.append((place, invite))
        self._by_call_id[invite.call_id] = self._players[place]
        return self._players[place]

    def _send(self, player: SidePlayer) -> None:
        place = self._places[player.side.transport]
        for data in player.outgoing():
            try:
                self._send_to(place, player.side, data)
            except OSError as error:
                if player.side.transport.is_reliable and player.has_heard:
                    continue  # the peer has left: what it does not say any more is told
                where = host_port(player.side.peer)
                raise SetupError(f"cannot send to {where}: {error.strerror or error}") from None

    def _send_to(self, place: Place, side: OneSide, data: bytes) -> None:
        """Send a message to where the peer was heard from last; if its connection is gone, to its Contact.

        Raises OSError.
        """
        try:
            place.send(data, side.peer)
        except OSError:
            if side.target in (None, side.peer) or not self._may_send_to(side.target):
                raise
            place.send(data, side.target)
            side.peer = side.target

    def _may_send_to(self, address: Address) -> bool:
        return self._allow_host or is_loopback(address[0])
