"""A flow as values: what a flow file says, checked and with its variables filled in.

`loader` makes these from YAML; `runs` plays them; reports quote them. Every part keeps its `Source`.
Times are microseconds. A flow file with `cases` yields one `Flow` for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ..errors import Fault, Source
from ..settings import BaseTimes
from ..settings import LinkSettings as LinkSettings  # part of the model, kept where drivers may import it
from ..sip.headers import HeaderField
from ..sip.transport import Transport
from ..units import DAY
from .parties import DEFAULT_ALLOW as DEFAULT_ALLOW
from .parties import Actor as Actor
from .parties import Address as Address
from .parties import Answer as Answer
from .parties import AnswerPolicy as AnswerPolicy
from .parties import Clock as Clock
from .parties import Logic as Logic
from .parties import LogicKind as LogicKind
from .parties import Role as Role
from .parties import System as System
from .saving import Saving as Saving


@dataclass(frozen=True, slots=True)
class Network:
    """`network`: the default, and directions that differ, by (sender, receiver)."""

    default: LinkSettings = LinkSettings()
    links: Mapping[tuple[str, str], LinkSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calls:
    """`calls`: how many calls of this flow run at once, and how far apart they start."""

    count: int = 1
    every_us: int = 0
    at_once: int | None = None
    """So many at most are under way at once, when they are played against a real system; None: all."""


# --- patterns and matchers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """A request or a response that is meant: "INVITE", "200 INVITE", "4xx INVITE"; in `never` also a bare "481"."""

    method: str | None
    status: str | None = None
    """Three characters, of which trailing ones may be "x"; None for a request."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.status, self.method) if part)


@dataclass(frozen=True, slots=True)
class LinkPattern:
    """Messages of a kind in one direction: "alice -> bob: INVITE"."""

    sender: str
    receiver: str
    pattern: MessagePattern

    def __str__(self) -> str:
        return f"{self.sender} -> {self.receiver}: {self.pattern}"


class Comparison(Enum):
    """How a matcher compares."""

    EQUALS = "equals"  # as SIP does: tokens without case, parameters in any order
    CONTAINS = "contains"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    MATCHES = "matches"
    ABSENT = "absent"
    ONE_OF = "one_of"


@dataclass(frozen=True, slots=True)
class Matcher:
    """What one header (or the body) must be. Operands may hold `${name}` of a value saved earlier in the run."""

    source: Source
    comparison: Comparison
    operands: tuple[str, ...] = ()
    """One text; several for ONE_OF; none for ABSENT, where `negated` says {absent: false}."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMatcher:
    """A header name, as written, and what its value must be."""

    header: str
    matcher: Matcher


# --- times -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Instant:
    """An offset from a mark: "up + 60s", "up.received - 5s"; "90s" counts from `start`."""

    mark: str
    received: bool
    offset_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time, both ends included: `up + 55s..65s`; an exact instant is a window of no width."""

    source: Source
    earliest: Instant
    latest: Instant
    text: str


# --- steps -----------------------------------------------------------------------------------------------------------


class Verb(Enum):
    """What a stimulus has a party do."""

    CALL = "call"
    RING = "ring"
    ANSWER = "answer"
    REJECT = "reject"
    CANCEL = "cancel"
    HANG_UP = "hang up"
    HOLD = "hold"
    RESUME = "resume"
    REFRESH = "refresh"
    OPTIONS = "options"
    CRASH = "crash"
    RESTART = "restart"
    FREEZE = "freeze"
    THAW = "thaw"
    IGNORE = "ignore"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Stimulus:
    """`alice: call bob`: somebody does something, or something happens to them."""

    source: Source
    text: str
    actor: str
    verb: Verb
    target: str | None = None
    """The party that is called."""
    status: int | None = None
    """The status of `reject` and `reply`."""
    method: str | None = None
    """The method of `ignore` and `reply`."""
    times: int | None = None
    """`2 times`: how often trouble strikes; None: for good, or until `until`."""
    until: Instant | None = None
    at: Window | None = None
    headers: tuple[HeaderField, ...] = ()
    """`with`: headers that `reply` and `reject` put into the response."""


@dataclass(frozen=True, slots=True)
class Observation:
    """`alice -> bob: INVITE`: this message must be seen here; from a scripted actor, it is to be sent here."""

    source: Source
    text: str
    sender: str
    receiver: str
    pattern: MessagePattern
    at: Window | None = None
    within_us: int | None = None
    has: tuple[HeaderMatcher, ...] = ()
    body: Matcher | None = None
    """What it must be; from a scripted actor see `content`."""
    mark: str | None = None
    save: tuple[Saving, ...] = ()
    optional: bool = False
    lost: bool | None = None
    retransmits: int | None = None
    headers: tuple[HeaderField, ...] = ()
    """`with`: headers a scripted actor adds, or puts in place of its own."""
    without: tuple[str, ...] = ()
    raw: str | None = None
    content: str | None = None
    """`body`, of what a scripted actor sends; "": none."""
    credentials: bool = False
    """Whether a scripted actor answers the last challenge."""


class NetVerb(Enum):
    """What happens to the network."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    PARTITION = "partition"
    HEAL = "heal"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class NetChange:
    """`net: {drop: "alice -> bob: INVITE", nth: 2}`: the n-th such message from here on; or two parties cut off."""

    source: Source
    text: str
    verb: NetVerb
    messages: LinkPattern | None = None
    nth: int = 1
    by_us: int = 0
    parties: tuple[str, str] | None = None
    at: Window | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat: 3, every: 900s, since: up, flow: [...]`: turn k begins at since + k * every."""

    source: Source
    text: str
    times: int
    every_us: int | None
    since: Instant | None
    steps: "tuple[Step, ...]"


Step = Stimulus | Observation | NetChange | Repeat


# --- what must hold at the end ---------------------------------------------------------------------------------------


class Outcome(Enum):
    """What became of an actor's call."""

    ENDED = "ended"
    UP = "up"
    FAILED = "failed"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect`: what must hold when the run is over. None: not said. `sources` has the place of each key."""

    sources: Mapping[str, Source] = field(default_factory=dict)
    ended_by: str | None = None
    reason: str | None = None
    outcome: Mapping[str, Outcome] = field(default_factory=dict)
    at: Window | None = None
    refreshes: int | Mapping[str, int] | None = None
    retries: int | None = None
    never: tuple[MessagePattern, ...] = ()
    log: tuple[str, ...] = ()
    violations: tuple[str, ...] | None = None


LIMIT_US: Final = 1 * DAY


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow, or one case of it, ready to run."""

    source: Source
    path: str
    """As the user named it; "<text>" for a flow given as text."""
    name: str
    about: str
    actors: Mapping[str, Actor]
    steps: tuple[Step, ...]
    case: str | None = None
    """"se=90": the values in which this case differs."""
    tags: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    timers: BaseTimes = BaseTimes()
    network: Network = Network()
    transport: Transport = Transport.UDP
    calls: Calls = Calls()
    limit_us: int = LIMIT_US
    allow: tuple[MessagePattern, ...] = ()
    never: tuple[MessagePattern, ...] = ()
    expect: Expect = Expect()
    warnings: tuple[Fault, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    """The place of each top-level key."""

    @property
    def awaits_audit(self) -> bool:
        """Whether broken rules decide how a run of it comes out."""
        return self.expect.violations is not None or any(actor.is_stranger for actor in self.actors.values())

    @property
    def systems(self) -> tuple[Actor, ...]:
        """The real systems under test."""
        return tuple(actor for actor in self.actors.values() if actor.role is Role.SUT)

    @property
    def title(self) -> str:
        """The name, with the case where there is one: "expiry[se=90]"."""
        return f"{self.name}[{self.case}]" if self.case else self.name
