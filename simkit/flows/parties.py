"""The parties of a flow as values: what each is, what it can do, and where it is."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..errors import Source
from ..settings import Account, ChallengeSettings, ProxySessionSettings, SessionTimerSettings

Address = tuple[str, int]
"""Host and port."""


class Role(Enum):
    """What an actor is."""

    UAC = "uac"
    UAS = "uas"
    PROXY = "proxy"
    SCRIPTED = "scripted"
    SUT = "sut"  # a real system under test


class Answer(Enum):
    """How an actor answers a call."""

    AT_ONCE = "at once"
    AFTER = "after"
    BY_HAND = "by hand"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """`answers`: at once, after a delay, by hand, or with a status that rejects."""

    how: Answer = Answer.AT_ONCE
    after_us: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """`clock`: how an actor's clock differs from true time."""

    skew_us: int = 0
    drift_ppm: int = 0


class LogicKind(Enum):
    """Where the code in the seat of a session timer comes from."""

    RFC4028 = "rfc4028"  # ours
    MUSEUM = "museum"  # ours, with a defect
    PYTHON = "python"  # a class, or a function that makes one
    COMMAND = "command"  # a child process


@dataclass(frozen=True, slots=True)
class Logic:
    """`logic`: whose code sits in the seat of an actor's session timer."""

    source: Source
    kind: LogicKind
    name: str = ""
    """Of a museum piece ("M01") or of a class ("package.module:Class")."""
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind is LogicKind.COMMAND:
            return " ".join(self.command)
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value


@dataclass(frozen=True, slots=True)
class System:
    """What is to be known of a real system under test beside its address, to run it."""

    start: tuple[str, ...] = ()
    """The command that starts it; `${bob.host}` and `${bob.port}` stand for where an actor is. Empty: it runs."""
    ready: str | None = None
    """What its output or log says when it has started; "OPTIONS": it answers that; None: its port is open."""
    warp: int = 1
    """How many times as fast as real time it is to run, where it is started."""
    log: str | None = None
    """The file that it logs to; None: its output."""
    plays: Role | None = None
    """What it is in the flow: uac, uas or proxy; None: uac or uas, as its messages tell."""


DEFAULT_ALLOW: Final = ("INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Actor:
    """One party of a flow."""

    source: Source
    name: str
    role: Role
    session_timer: SessionTimerSettings = SessionTimerSettings()
    proxy_session: ProxySessionSettings = ProxySessionSettings()
    """`session_timer` of a proxy."""
    answers: AnswerPolicy = AnswerPolicy()
    supports: tuple[str, ...] | None = None
    """Option tags of Supported; None: what `session_timer` implies."""
    allow: tuple[str, ...] = DEFAULT_ALLOW
    clock: Clock = Clock()
    route: tuple[str, ...] = ()
    """The proxies through which its calls go, in order."""
    account: Account | None = None
    """`user` and `password`: who it is where it is challenged."""
    challenge: ChallengeSettings | None = None
    logic: Logic | None = None
    """Who sits in the seat of its session timer; None: RFC 4028."""
    at: Address | None = None
    """Where it is when it has a socket; None: where the system puts it."""
    retransmits: bool = False
    """Whether a scripted one sends again what is not answered."""
    system: System | None = None
    """Of a real system under test."""

    @property
    def is_stranger(self) -> bool:
        """Whether the rules are somebody else's to keep: a real system, another timer logic, a defect of the museum."""
        if self.logic is None:
            return self.role is Role.SUT
        return self.logic.kind is not LogicKind.RFC4028

    @property
    def is_proxy(self) -> bool:
        """Whether it passes on what others send, be it ours or real."""
        return self.role is Role.PROXY or (self.system is not None and self.system.plays is Role.PROXY)
