"""Agents in a row with a wire between them, without any driver: time jumps from deadline to deadline."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from simkit.sip.message import Message, Response
from simkit.ua.events import Address, CallEvent, Outgoing
from simkit.ua.identifiers import Identifiers
from simkit.ua.proxy import Proxy, ProxySettings
from simkit.ua.scripted import ScriptedParty
from simkit.ua.user_agent import UserAgent
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

ALICE, BOB = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
PROXIES = {"p1": ("192.0.2.11", 5060), "p2": ("192.0.2.12", 5060)}
BOB_URI = "sip:bob@192.0.2.2:5060"
STEPS_MAX = 5_000


class Party(Protocol):
    """What the chain needs of an agent."""

    def receive(self, message: Message, *, now: int) -> None: ...
    def next_deadline(self) -> int | None: ...
    def handle_deadline(self, *, now: int) -> None: ...
    def outgoing(self) -> list[Outgoing]: ...
    def events(self) -> list[CallEvent]: ...


@dataclass(frozen=True)
class Sent:
    """A message on the wire."""

    at: int
    sender: str
    receiver: str
    message: Message

    @property
    def line(self) -> str:
        """What it is: "alice -> p1: INVITE"."""
        return f"{self.sender} -> {self.receiver}: {kind(self.message)}"


def kind(message: Message) -> str:
    """Return "INVITE" or "200 INVITE"."""
    return f"{message.status} {message.method}" if isinstance(message, Response) else message.method


def route(*proxies: str) -> tuple[str, ...]:
    """Return Route values that lead through these proxies."""
    return tuple(f"<sip:{PROXIES[name][0]}:{PROXIES[name][1]};lr>" for name in proxies)


def proxy(name: str, settings: ProxySettings | None = None, *, seed: int = 1) -> Proxy:
    """Make a proxy at its address."""
    return Proxy(name, PROXIES[name], settings or ProxySettings(), identifiers=_names(seed, name))


def _names(seed: int, name: str) -> Identifiers:
    return Identifiers(Random(f"{seed}/{name}/names"))


@dataclass
class Chain:
    """alice, her proxies and bob; `loses(line)` says what the wire drops, the nth time that this line is sent."""

    proxies: dict[str, ProxySettings] = field(default_factory=lambda: {"p1": ProxySettings()})
    alice_settings: UserAgentSettings | None = field(default_factory=UserAgentSettings)
    bob_settings: UserAgentSettings | None = field(default_factory=UserAgentSettings)
    """None: a scripted party."""
    loses: Callable[[str, int], bool] = lambda line, nth: False
    seed: int = 1

    def __post_init__(self) -> None:
        self.now = 0
        self.wire: list[Sent] = []
        self.facts: list[tuple[int, str, CallEvent]] = []
        self.parties: dict[str, Party] = {"alice": self._party("alice", ALICE, self.alice_settings)}
        self.parties |= {name: proxy(name, settings, seed=self.seed) for name, settings in self.proxies.items()}
        self.parties["bob"] = self._party("bob", BOB, self.bob_settings)
        self._names = {ALICE: "alice", BOB: "bob", **{address: name for name, address in PROXIES.items()}}

    def _party(self, name: str, address: Address, settings: UserAgentSettings | None) -> Party:
        names, way = _names(self.seed, name), route(*self.proxies) if name == "alice" else ()
        if settings is None:
            return ScriptedParty(name, address, identifiers=names, route=way)
        settings = UserAgentSettings(
            times=settings.times,
            session_timer=settings.session_timer,
            supported=settings.supported,
            answer_after_us=settings.answer_after_us,
            reject_with=settings.reject_with,
            route=way,
        )
        chance = Random(f"{self.seed}/{name}/chance")
        return UserAgent(name, address, settings, identifiers=names, random=chance)

    @property
    def alice(self) -> UserAgent:
        alice = self.parties["alice"]
        assert isinstance(alice, UserAgent)
        return alice

    @property
    def bob(self) -> UserAgent:
        bob = self.parties["bob"]
        assert isinstance(bob, UserAgent)
        return bob

    def scripted(self, name: str) -> ScriptedParty:
        party = self.parties[name]
        assert isinstance(party, ScriptedParty)
        return party

    def call(self) -> "Chain":
        """Have alice call bob, and let happen what happens at once."""
        self.alice.invite(BOB_URI, now=self.now)
        return self.run(self.now / S)

    def run(self, until_s: float) -> "Chain":
        """Let time pass, up to and including this second."""
        until = int(until_s * S)
        for _ in range(STEPS_MAX):
            self._flush()
            due = min(
                [at for party in self.parties.values() if (at := party.next_deadline()) is not None], default=None
            )
            if due is None or due > until:
                self.now = until
                return self
            assert due >= self.now, "time went backwards"
            self.now = due
            for party in self.parties.values():
                party.handle_deadline(now=self.now)
        raise AssertionError(f"more than {STEPS_MAX} steps by {self.now} us")

    def _flush(self) -> None:
        while sent := [(name, one) for name, party in self.parties.items() for one in party.outgoing()]:
            for name, outgoing in sent:
                self._carry(name, outgoing)
        for name, party in self.parties.items():
            self.facts += [(self.now, name, event) for event in party.events()]

    def _carry(self, sender: str, outgoing: Outgoing) -> None:
        sent = Sent(self.now, sender, self._names[outgoing.destination], outgoing.message)
        nth = sum(before.line == sent.line for before in self.wire) + 1
        self.wire.append(sent)
        if not self.loses(sent.line, nth):
            self.parties[sent.receiver].receive(outgoing.message, now=self.now)

    def lines(self, since_s: float = 0) -> list[str]:
        """Return what was sent from a second on."""
        return [sent.line for sent in self.wire if sent.at >= since_s * S]

    def sent(self, line: str) -> Message:
        """Return the last such message."""
        return next(sent.message for sent in reversed(self.wire) if sent.line == line)

    def times(self, line: str) -> list[float]:
        """Return the seconds at which such messages were sent."""
        return [sent.at / S for sent in self.wire if sent.line == line]

    def told(self, name: str) -> list[tuple[float, str, str]]:
        """Return what a party reported: (seconds, fact, detail)."""
        return [(at / S, str(event.fact), str(event.detail)) for at, party, event in self.facts if party == name]
