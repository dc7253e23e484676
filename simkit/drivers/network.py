"""Who is where: the parties of one call, the links between them, and every message that they send.

Each call that a driver plays has a network of its own, so that calls with the same names and addresses never meet. A
network decides what becomes of a message; when it arrives is the driver's to bring about.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from enum import Enum
from typing import Final

from ..errors import PeerError
from ..settings import LinkSettings
from ..sip.message import Message
from ..sip.uri import host_port
from ..trace import Transit
from ..ua.events import Address, Outgoing
from ..units import format_duration, format_time
from .clock import PartyClock
from .connections import Connections
from .driver import Agent, Observer, Witness, ZeroTimeLoop
from .link import Link, Random

TURNS_MAX: Final = 10_000
"""How often the parties of one call may act at one instant: far past what any call needs."""


class Condition(Enum):
    """How a party is; the value completes "bob ..."."""

    RUNNING = "is running"
    FROZEN = "is frozen"  # its host is suspended: it hears nothing and its clock stands still
    CRASHED = "has crashed"


class Party:
    """An agent in its place: a name, an address, a clock, and a network."""

    __slots__ = (
        *("address", "agent", "clock", "condition", "filter", "held", "name", "network", "told_at", "wake_at"),
        "witness",
    )

    def __init__(self, name: str, address: Address, agent: Agent, clock: PartyClock, network: "Network") -> None:
        self.name = name
        self.address = address
        self.agent = agent
        self.clock = clock
        self.network = network
        self.condition = Condition.RUNNING
        self.witness: Witness | None = None
        """Its agent, if it is a real system, which is outside: then that only looks on."""
        self.filter: Callable[[Message], bool] | None = None
        """Asked about each message that arrives; what it is true for never reaches the agent."""
        self.held: list[Callable[[], None]] = []
        """What is to happen to it when its host, which is frozen, is thawed: a connection waits."""
        self.wake_at: int | None = None
        """When the driver will look at the agent's deadline next, in run time; None: it has none."""
        self.told_at = 0
        """What the agent was last told of the time, on its own clock, where that may lag behind."""

    def __repr__(self) -> str:
        return f"<Party {self.name} {self.condition.value}>"


Carry = Callable[[Transit, Party, int | None], None]
"""Has a message arrive at a party at this time; None: it is lost on the way."""


class Network:
    """The parties of one call and the links between them."""

    def __init__(
        self,
        observer: Observer,
        random: Random,
        carry: Carry,
        carry_out: Callable[[Transit, Party, int | None, Address], None],
        *,
        default: LinkSettings,
        links: Mapping[tuple[str, str], LinkSettings],
        instant_us: int = 1,
        refuse: Callable[[Party, Address], None] | None = None,
    ) -> None:
        """Carry messages as these do; with `refuse`, over connections: it tells a party that it cannot have one."""
        self.connections = Connections() if refuse is not None else None
        """None: there are none, for it is UDP."""
        self._refuse = refuse
        self.observer = observer
        self._random = random
        self._carry = carry
        self._carry_out = carry_out
        self._default = default
        self._settings = links
        self._links: dict[tuple[str, str], Link] = {}
        self._parties: dict[Address, Party] = {}
        self._outsiders: list[Party] = []
        self._posted: set[Hashable] = set()
        self._count = 0
        self._turns = 0
        self._turns_at = -1
        self._instant_us = instant_us

    def add_party(self, name: str, address: Address, agent: Agent, *, clock: PartyClock | None = None) -> Party:
        """Put an agent at an address; it is called from its first `poke` on, or when a message arrives."""
        assert address not in self._parties, f"{address} is taken"
        party = self._parties[address] = Party(name, address, agent, clock or PartyClock(), self)
        return party

    def add_outsider(self, name: str, address: Address, witness: Witness) -> Party:
        """Know of a real system at an address."""
        party = self.add_party(name, address, witness)
        party.witness = witness
        self._outsiders.append(party)
        return party

    def party_at(self, address: Address) -> Party | None:
        """Return who is there. A real system may be anywhere: where nobody else is, there is the only one."""
        party = self._parties.get(address)
        return self._outsiders[0] if party is None and len(self._outsiders) == 1 else party

    def parties(self) -> Collection[Party]:
        """Return everybody."""
        return self._parties.values()

    def link(self, sender: str, receiver: str) -> Link:
        """Return the link in one direction; here its faults are ordered."""
        link = self._links.get((sender, receiver))
        if link is None:
            settings = self._settings.get((sender, receiver), self._default)
            in_order = self.connections is not None
            link = self._links[sender, receiver] = Link(settings, self._random, in_order=in_order)
        return link

    def partition(self, one: str, other: str) -> None:
        """Cut two parties off from each other; what is on its way still arrives. A connection outlives that."""
        self.link(one, other).cut = self.link(other, one).cut = True

    def heal(self, one: str, other: str, *, now: int) -> None:
        """Undo a partition."""
        for sender, receiver in ((one, other), (other, one)):
            self.link(sender, receiver).cut = False
            if self.connections is not None:
                self.connections.heal(sender, receiver, now=now)

    def disconnect(self, one: str, other: str) -> None:
        """Lose what is on its way between two parties, for their connection breaks."""
        assert self.connections is not None, "over UDP there is none"
        for transit in self.connections.broken(one, other):
            self.lose(transit, "the connection was lost")

    def send(self, sender: Party, outgoing: Outgoing, *, now: int) -> None:
        """Send a message in the name of a party."""
        message, destination = outgoing.message, outgoing.destination
        receiver = self.party_at(destination)
        if receiver is None:
            place = host_port(destination)
            self.lose(self._post(sender.name, place, message, now), f"nobody at {place}")
            if self._refuse is not None:
                self._refuse(sender, destination)
        elif receiver.witness is not None:

            def carry(transit: Transit, outsider: Party, leaves_at: int | None) -> None:
                self._carry_out(transit, outsider, leaves_at, destination)

            self.pass_on(sender, receiver, message, carry, now=now)
        else:
            self.pass_on(sender, receiver, message, self._carry, now=now)

    def pass_on(self, sender: Party, receiver: Party, message: Message, carry: Carry, *, now: int) -> None:
        """Let the link between two parties decide what becomes of a message, and have it carried."""
        link = self.link(sender.name, receiver.name)
        if self.connections is not None:
            self._stream(self._post(sender.name, receiver.name, message, now), receiver, link, carry, now)
            return
        fate = link.send(message, now=now)
        if fate.lost is not None:
            transit = self._post(sender.name, receiver.name, message, now)
            carry(transit, receiver, None)
            self.lose(transit, fate.lost)
        for arrives_at in fate.arrives_at:
            carry(self._post(sender.name, receiver.name, message, now), receiver, arrives_at)

    def _stream(self, transit: Transit, receiver: Party, link: Link, carry: Carry, now: int) -> None:
        """Let a message go its way over a connection, as soon as that is not cut."""
        assert self.connections is not None
        if link.cut:
            self.connections.hold(transit, lambda healed_at: self._stream(transit, receiver, link, carry, healed_at))
        else:
            (arrives_at,) = link.send(transit.message, now=now).arrives_at
            carry(transit, receiver, arrives_at)

    def lose(self, transit: Transit, why: str) -> None:
        """A message will never arrive."""
        transit.lost = why
        if self.connections is not None:
            self.connections.arrived(transit)
        self.observer.lost(transit)

    def take_turn(self, party: Party, received: Transit | None, *, now: int) -> None:
        """Count the turns at one instant. Raises ZeroTimeLoop where they have no end."""
        instant = now // self._instant_us
        if instant != self._turns_at:
            self._turns, self._turns_at = 0, instant
        self._turns += 1
        if self._turns > TURNS_MAX:
            span = "at this instant" if self._instant_us == 1 else f"within {format_duration(self._instant_us)}"
            raise ZeroTimeLoop(
                f"no time passes any more at {format_time(now)} s: the parties have acted {TURNS_MAX} times {span} "
                f"and do not come to rest (last: {_turn_of(party, received)})",
                self.observer,
            )

    def _post(self, sender: str, receiver: str, message: Message, now: int) -> Transit:
        key = sender, receiver, _identity(message)
        repeated = key in self._posted
        if not repeated:
            self._posted.add(key)
        self._count += 1
        transit = Transit(self._count, now, sender, receiver, message, repeated)
        if self.connections is not None:
            self.connections.sent(transit)
        self.observer.sent(transit)
        return transit


def _identity(message: Message) -> Hashable:
    """Return what a message shares with its retransmissions only."""
    try:
        status = getattr(message, "status", 0)
        return message.branch, message.cseq, message.method, status, message.to_tag, message.call_id
    except PeerError:  # a scripted party may send what cannot be read
        header = message.header
        return message.start_line, header("Via"), header("CSeq"), header("Call-ID"), header("To")


def _turn_of(party: Party, received: Transit | None) -> str:
    if received is None:
        return f"{party.name} acted on its deadline or a command"
    return f"{party.name} received '{received.message.start_line}' from {received.sender}"
