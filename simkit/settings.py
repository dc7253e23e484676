"""What parties and links are set to: the values that a flow file says, and that user agents and drivers obey."""

from dataclasses import dataclass, field

from .units import MS, S


@dataclass(frozen=True, slots=True)
class SessionTimerSettings:
    """A party's `session_timer` block, in seconds; the names are those of a LiveKit SIP configuration."""

    enabled: bool = True
    default_expires_s: int = 1800
    min_se_s: int = 90
    prefer_refresher: str | None = None
    """"uac", "uas", or None: left to the peer."""
    use_update: bool = False
    """Refresh by UPDATE where the peer allows it, instead of by re-INVITE."""


@dataclass(frozen=True, slots=True)
class ProxySessionSettings:
    """A proxy's `session_timer` block, in seconds (RFC 4028 section 8)."""

    enabled: bool = True
    """Whether it knows session timers; if not, it passes on what it does not understand."""
    default_expires_s: int | None = None
    """What it asks for in a request that asks for nothing; None: it never asks."""
    max_expires_s: int | None = None
    """The longest interval that it lets pass; None: any."""
    min_se_s: int = 90
    require: bool = False
    """Whether it insists on a timer where the caller knows of none, which section 8.1 advises against."""
    erratum_8926: bool = False
    """Whether it makes nobody refresh who asked the other side to, as that erratum proposes."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user and the password that proves who it is; the password is shown nowhere."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChallengeSettings:
    """A party's `challenge` block: who it has to be that sends a request (RFC 3261 section 22)."""

    realm: str
    account: Account
    status: int
    """401 of a user agent, 407 of a proxy."""
    algorithms: tuple[str, ...] = ("MD5",)
    """What it offers, the best first (RFC 8760 section 2.3)."""
    qop: bool = True
    """Whether it offers qop=auth; if not, it is as in RFC 2069."""
    methods: tuple[str, ...] | None = None
    """Whose requests it challenges; None: all but ACK and CANCEL, which never are."""
    nonce_lasts_us: int | None = None
    """How long a nonce is good for; None: for ever."""


@dataclass(frozen=True, slots=True)
class BaseTimes:
    """T1, T2 and T4 in microseconds, and whether the transport is reliable (RFC 3261 section 17.1.1.1 and table 4)."""

    t1_us: int = 500 * MS
    t2_us: int = 4 * S
    t4_us: int = 5 * S
    reliable: bool = False

    @property
    def timeout_us(self) -> int:
        """64*T1: timers B, F, H, J, L and M, and how long a 2xx is repeated."""
        return 64 * self.t1_us

    @property
    def absorb_us(self) -> int:
        """T4, or 0 over a reliable transport: timers I and K."""
        return 0 if self.reliable else self.t4_us


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How one direction of the network behaves. Shares are in parts per million, so that no float decides."""

    latency_us: int = 0
    jitter_us: int = 0
    loss_ppm: int = 0
    duplicate_ppm: int = 0
    reorder_ppm: int = 0
