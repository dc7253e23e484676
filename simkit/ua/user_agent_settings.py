"""What a user agent goes by: what it can do, and what it is to do of its own accord."""

from dataclasses import dataclass

from ..settings import Account, BaseTimes, ChallengeSettings, SessionTimerSettings
from ..sip.transport import Transport


@dataclass(frozen=True, slots=True)
class UserAgentSettings:
    """What a user agent can do and is to do."""

    times: BaseTimes = BaseTimes()
    session_timer: SessionTimerSettings = SessionTimerSettings()
    supported: tuple[str, ...] = ("timer",)
    allow: tuple[str, ...] = ("INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS")
    answer_after_us: int | None = 0
    """When it answers a call: at once, after this time, or (None) by hand."""
    reject_with: int | None = None
    """The status with which it rejects every call."""
    route: tuple[str, ...] = ()
    """Route values of requests outside of a dialog: the proxies by which they leave (RFC 3261 section 8.1.2)."""
    account: Account | None = None
    """Who it is when it is asked (RFC 3261 section 22); None: it cannot say."""
    challenge: ChallengeSettings | None = None
    """Whom it answers; None: anybody."""
    transport: Transport = Transport.UDP
    """What carries its messages; `times` are those that go with it."""
    about: str = ""
    """What its session descriptions say that the session is about."""
