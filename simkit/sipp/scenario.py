"""A SIPp scenario as values: its steps in order, its labels, and the places of all of them.

Counters, response times, what is hidden on SIPp's screen, and other words that change no message are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..errors import Fault, Source
from .xml import Text


@dataclass(frozen=True, slots=True)
class Branch:
    """`next`: where to go after a step, and when."""

    label: str
    test: str | None = None
    """The variable that must be set."""
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """`condexec`: the step is skipped unless this variable is set; with `inverse`, if it is."""

    variable: str
    inverse: bool = False


# --- actions ---------------------------------------------------------------------------------------------------------


class Place(Enum):
    """Where an expression is looked for; the value is SIPp's `search_in`."""

    MESSAGE = "msg"
    HEADER = "hdr"
    BODY = "body"
    VARIABLE = "var"


class Check(Enum):
    """What a check that does not come out does to the call."""

    NOTHING = "nothing"
    MUST_HOLD = "check_it"
    MUST_NOT_HOLD = "check_it_inverse"


@dataclass(frozen=True, slots=True)
class Search:
    """`<ereg>`: look for a regular expression (POSIX extended) and keep what it finds."""

    source: Source
    expression: Text
    place: Place
    where: str
    """The header as written ("Session-Expires:"), or the variable."""
    occurrence: int
    ignores_case: bool
    check: Check
    targets: tuple[str, ...]
    """Variables: the first takes all that matches, each other one a group."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`<assign>`, `<assignstr>`, `<add>`, ... `<todouble>`: give a variable a value."""

    source: Source
    operation: str
    target: str
    value: str | None
    """As written; None: that of `variable`."""
    variable: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`<test>` and `<strcmp>`: compare a variable, and keep whether that holds."""

    source: Source
    is_text: bool
    variable: str
    compare: str
    value: str | None
    variable2: str | None
    target: str | None
    check: Check


@dataclass(frozen=True, slots=True)
class Log:
    """`<log>` and `<warning>`: write something down."""

    source: Source
    message: str


@dataclass(frozen=True, slots=True)
class Stop:
    """`<exec int_cmd="stop_call">` and `<error>`: end the call here."""

    source: Source
    word: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """An action that no flow knows, such as `<exec command=...>` or `<setdest>`."""

    source: Source
    name: str
    targets: tuple[str, ...] = ()
    """Variables whose value nobody knows after it."""


Action = Search | Assignment | Comparison | Log | Stop | Stranger


# --- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What all steps share; `index` is what SIPp counts as the message's index."""

    source: Source
    index: int
    branch: Branch | None = None
    condition: Condition | None = None
    actions: tuple[Action, ...] = ()
    lost: float = 0.0
    """The share of messages that are lost, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Step):
    """`<send>`: a message, with keywords in square brackets."""

    message: Text
    """Cleaned as SIPp does: no white space around lines."""
    lines: tuple[Source, ...] = ()
    """The place of each line of the message."""
    retrans_us: int = 0
    """When it is first sent again; 0: never."""
    transaction: str | None = None

    def place(self, line: int) -> Source:
        """Return where a line of the message stands, counted from 0."""
        return self.lines[line] if line < len(self.lines) else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive(Step):
    """`<recv>`: a request or a response that must come, or may."""

    request: str | None = None
    response: str | None = None
    is_expression: bool = False
    optional: bool = False
    timeout_us: int = 0
    """0: for ever."""
    on_timeout: str | None = None
    """The label to go to."""
    keeps_routes: bool = False
    transaction: str | None = None
    authenticates: bool = False

    def __str__(self) -> str:
        return self.request or self.response or "a message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Step):
    """`<pause>` and `<timewait>`: wait."""

    duration_us: int = 0
    latest_us: int = 0
    """The longest that it may take, where it is drawn by chance."""
    variable: str | None = None
    distribution: str = ""
    """Other than fixed or uniform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nop(Step):
    """`<nop>`: actions alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign(Step):
    """A step that no flow knows: `<sendCmd>` and `<recvCmd>` talk to another SIPp."""

    name: str


AnyStep = Send | Receive | Pause | Nop | Foreign


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario, ready to be walked through."""

    path: str
    name: str
    source: Source
    steps: tuple[AnyStep, ...]
    labels: Mapping[str, int]
    """The index of the step that follows each label."""
    beginning: tuple[Action, ...] = ()
    """`<init>`: done once, before the first call."""
    shared: frozenset[str] = frozenset()
    """Variables of `<Global>` and `<User>`: 0 at first, and common to all calls."""
    oddities: tuple[Fault, ...] = ()
    """What is wrong with the file, though it can be read."""
    harmless: tuple[Fault, ...] = field(default=())
    """What is left out because it changes no message."""
