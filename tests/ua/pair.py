"""Two user agents with a wire between them, without any driver: time jumps from deadline to deadline."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simkit.sip.message import Message, Request, Response
from simkit.ua.events import CallEvent, Fact
from simkit.ua.identifiers import Identifiers
from simkit.ua.user_agent import UserAgent
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

ALICE = ("192.0.2.1", 5060)
BOB = ("192.0.2.2", 5060)
BOB_URI = "sip:bob@192.0.2.2:5060"

STEPS_MAX = 20_000


@dataclass(frozen=True)
class Sent:
    """A message that a party sent."""

    at: int
    sender: str
    message: Message
    lost: bool

    @property
    def line(self) -> str:
        """What it is in one word or two: "INVITE", "200 INVITE"."""
        message = self.message
        return f"{message.status} {message.method}" if isinstance(message, Response) else message.method


def loses_nothing(sent: int, sender: str, message: Message) -> bool:
    """Lose nothing."""
    return False


def delivers_all(receiver: str, message: Message) -> bool:
    """Deliver everything."""
    return False


@dataclass
class Pair:
    """alice and bob. `loses(number, sender, message)` decides what the wire drops; numbers count from 0."""

    alice_settings: UserAgentSettings = field(default_factory=UserAgentSettings)
    bob_settings: UserAgentSettings = field(default_factory=UserAgentSettings)
    loses: Callable[[int, str, Message], bool] = loses_nothing
    latency_us: int = 0
    seed: int = 1
    swallows: Callable[[str, Message], bool] = delivers_all
    """Asked with the receiver's name; what it is true for never reaches the agent."""

    def __post_init__(self) -> None:
        self.now = 0
        self.alice = self._agent("alice", ALICE, self.alice_settings)
        self.bob = self._agent("bob", BOB, self.bob_settings)
        self.agents = {"alice": self.alice, "bob": self.bob}
        self.wire: list[Sent] = []
        self.facts: list[tuple[int, str, CallEvent]] = []
        self.dead: set[str] = set()
        self._plan: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0

    def _agent(self, name: str, address: tuple[str, int], settings: UserAgentSettings) -> UserAgent:
        return UserAgent(
            name,
            address,
            settings,
            identifiers=Identifiers(Random(f"{self.seed}/{name}/names")),
            random=Random(f"{self.seed}/{name}/chance"),
        )

    def at(self, when: int, action: Callable[[], None]) -> "Pair":
        """Do something at a time, before anything else that happens then."""
        self._planned += 1
        self._plan.append((when, self._planned, action))
        return self

    def call(self) -> "Pair":
        """Have alice call bob at once."""
        self.alice.invite(BOB_URI, now=self.now)
        return self

    def inject(self, request: Message, *, to: str = "bob") -> list[Message]:
        """Hand a message to a party and return what it sends at once."""
        self.agents[to].receive(request, now=self.now)
        return [outgoing.message for outgoing in self.agents[to].outgoing()]

    def run(self, until_s: float) -> "Pair":
        """Let time pass, up to and including this second; bounded, so that a storm fails instead of hanging."""
        until = int(until_s * S)
        for _ in range(STEPS_MAX):
            self._flush()
            due = self._next()
            if due is None or due > until:
                return self
            assert due >= self.now, "time went backwards"
            self.now = due
            self._step()
        raise AssertionError(f"more than {STEPS_MAX} steps by {self.now} us")

    def _next(self) -> int | None:
        deadlines = [agent.next_deadline() for name, agent in self.agents.items() if name not in self.dead]
        return min([at for at in deadlines if at is not None] + [at for at, _, _ in self._plan], default=None)

    def _step(self) -> None:
        for planned in sorted(entry for entry in self._plan if entry[0] <= self.now):
            self._plan.remove(planned)
            planned[2]()
        for name, agent in self.agents.items():
            if name not in self.dead:
                agent.handle_deadline(now=self.now)

    def _flush(self) -> None:
        busy = True
        while busy:
            busy = False
            for name, agent in self.agents.items():
                for outgoing in agent.outgoing():
                    busy = True
                    self._carry(name, outgoing.message)
                if name not in self.dead:
                    self.facts += [(self.now, name, event) for event in agent.events()]

    def _carry(self, sender: str, message: Message) -> None:
        receiver = "bob" if sender == "alice" else "alice"
        lost = self.loses(len(self.wire), sender, message) or receiver in self.dead
        self.wire.append(Sent(self.now, sender, message, lost))
        if lost:
            return
        if self.latency_us:
            self.at(self.now + self.latency_us, lambda: self._deliver(receiver, message))
        else:
            self._deliver(receiver, message)

    def _deliver(self, receiver: str, message: Message) -> None:
        if not self.swallows(receiver, message):
            self.agents[receiver].receive(message, now=self.now)

    def lines(self, sender: str | None = None) -> list[tuple[float, str]]:
        """Return what was sent, as (seconds, "200 INVITE")."""
        return [(sent.at / S, sent.line) for sent in self.wire if sender in (None, sent.sender)]

    def times(self, line: str, sender: str | None = None) -> list[float]:
        """Return the seconds at which such messages were sent."""
        return [at for at, sent in self.lines(sender) if sent == line]

    def ends(self) -> dict[str, tuple[float, str, bool]]:
        """Return for each party when, why and by whom (True: itself) its call ended."""
        return {name: (at / S, event.detail, event.by_us) for at, name, event in self.facts if event.fact is Fact.ENDED}

    def count(self, fact: Fact, name: str | None = None) -> int:
        """Return how often something became of a call."""
        return sum(event.fact is fact and name in (None, party) for _, party, event in self.facts)

    def last(self, line: str) -> Message:
        """Return the last such message."""
        return next(sent.message for sent in reversed(self.wire) if sent.line == line)

    def idle(self) -> bool:
        """Whether nothing is waited for any more."""
        return self._next() is None


def request(method: str, *, to_tag: str = "", cseq: int = 1, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    """Make a request to bob from a stranger."""
    fields = (
        ("Via", f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKstranger{method}{cseq}"),
        ("Max-Forwards", "70"),
        ("From", "<sip:eve@192.0.2.9>;tag=eve"),
        ("To", f"<{BOB_URI}>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", "stranger@192.0.2.9"),
        ("CSeq", f"{cseq} {method}"),
        ("Contact", "<sip:eve@192.0.2.9:5060>"),
    )
    return Request(method, BOB_URI, (*fields, *headers))
