"""What a session timer says and what it makes of the answer (RFC 4028 sections 7 and 9): functions without state.

A request says `Asked`; `answer` is the callee's side of it, `agreed` and `announced` are what its 2xx means to the one
who receives it and to the one who sends it. When anything is to happen is `session_timer`'s business.

Where the RFC leaves a choice:

* A UAC whose request asked for a timer still wants it when the 2xx names none, and refreshes alone (section 7.2). But
  where the peer was to refresh and its 2xx drops the timer, the timer is off: who had the job has laid it down.
* A UAS copies Session-Expires and never shortens it; asks for a timer where the UAC supports one without asking; and
  lets the UAC refresh unless `prefer_refresher` says otherwise (section 9, table 2).
* Within the dialog a request that names no refresher leaves the job where it is.
* Intervals that a party is itself set to are obeyed below 90 s too, for that is how people test; the peer's are not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..errors import PeerError
from ..settings import SessionTimerSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher, SessionExpires
from ..units import S
from .timer_logic import Accept, Reject

BYE_LEAD_MAX_US: Final = 32 * S  # RFC 4028 section 10: the smaller of 32 s and a third of the interval

SUPPORTED: Final[HeaderField] = ("Supported", TIMER)
_REQUIRE: Final[HeaderField] = ("Require", TIMER)
_ACCEPT_WITHOUT_TIMER: Final = Accept((SUPPORTED,))


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What a 2xx settled: the session interval in seconds and whether we refresh; durations count from that 2xx."""

    interval_s: int
    we_refresh: bool
    asked_s: int | None = None
    """The interval we asked for: where the peer went above it, refreshing by our own measure is safe by both."""

    @property
    def expiry_us(self) -> int:
        """When the session expires (RFC 4028 section 7.2)."""
        return self.interval_s * S

    @property
    def refresh_us(self) -> int:
        """When the refresher refreshes: half the interval (RFC 4028 section 7.2)."""
        return min(self.interval_s, self.asked_s or self.interval_s) * S // 2

    @property
    def bye_us(self) -> int:
        """When the other side hangs up for want of a refresh (RFC 4028 section 10); the third rounds to early."""
        return self.expiry_us - min(BYE_LEAD_MAX_US, -(-self.expiry_us // 3))


@dataclass(frozen=True, slots=True)
class Asked:
    """What an INVITE or UPDATE of ours said; None: that it left out."""

    initial: bool
    interval_s: int | None
    refresher: Refresher | None
    min_se_s: int | None
    headers: tuple[HeaderField, ...]

    @property
    def least_s(self) -> int:
        """What a 422 must exceed to tell us anything: Session-Expires, which is never below Min-SE, or Min-SE alone."""
        return self.interval_s or self.min_se_s or 0


def floor_s(settings: SessionTimerSettings) -> int:
    """Return the smallest interval that is taken from the peer: 90 s, or less where the party itself is set to less.

    RFC 4028 section 4. Never below 1 s: an interval of nothing is a loop without time.
    """
    return max(1, min(SESSION_INTERVAL_FLOOR_S, settings.min_se_s, settings.default_expires_s))


def ask(
    settings: SessionTimerSettings, current: SessionTerms | None, *, initial: bool, min_se_seen_s: int | None
) -> Asked:
    """Return what an INVITE or UPDATE of ours is to say (RFC 4028 sections 7.1 and 7.4).

    `min_se_seen_s` is the largest Min-SE that binds it, of 422s and of the peer's requests. Without a timer in force, a
    request within the dialog asks for none.
    """
    min_se_s = _min_se_to_send(settings.min_se_s, min_se_seen_s)
    if initial:
        preferred = settings.prefer_refresher
        return _asked(True, settings.default_expires_s, Refresher(preferred) if preferred else None, min_se_s)
    if current is None:
        return _asked(False, None, None, min_se_s)
    return _asked(False, current.interval_s, Refresher.UAC if current.we_refresh else Refresher.UAS, min_se_s)


def _min_se_to_send(configured_s: int, seen_s: int | None) -> int | None:
    least_s = max(configured_s, seen_s or 0)
    if seen_s is None and least_s <= SESSION_INTERVAL_FLOOR_S:
        return None  # RFC 4028 section 5: its absence means 90
    return max(SESSION_INTERVAL_FLOOR_S, least_s)  # RFC 4028 section 5: never below 90, whatever the peer named


@lru_cache(maxsize=1024)
def _asked(initial: bool, interval_s: int | None, refresher: Refresher | None, min_se_s: int | None) -> Asked:
    headers = [SUPPORTED]
    if interval_s is not None:
        interval_s = max(interval_s, min_se_s or 0)  # RFC 4028 section 7.1: never below the Min-SE beside it
        headers.append(("Session-Expires", str(SessionExpires(interval_s, refresher))))
    if min_se_s is not None:
        headers.append(("Min-SE", str(min_se_s)))
    return Asked(initial, interval_s, refresher, min_se_s, tuple(headers))


NOTHING_ASKED: Final = _asked(False, None, None, None)


def answer(request: Request, settings: SessionTimerSettings, current: SessionTerms | None) -> Accept | Reject:
    """Return what to answer to the peer's INVITE or UPDATE (RFC 4028 section 9); only this request counts.

    Raises PeerError (400) where its Session-Expires or Min-SE cannot be read.
    """
    supported = TIMER in request.tokens("Supported")
    expires, min_se_s = request.session_expires, request.min_se or 0
    if expires is None:
        if not supported or (current is None and request.method == "UPDATE"):
            # An UPDATE may come before the 2xx to the INVITE: start no second negotiation (erratum 4744).
            return _ACCEPT_WITHOUT_TIMER
        interval_s = max(_wanted_s(settings, current), min_se_s)
    elif supported and expires.interval_s < settings.min_se_s:
        return _too_small(settings.min_se_s)
    elif expires.interval_s < floor_s(settings):
        # Such a UAC cannot be sent 422, and raising is forbidden (section 9; erratum 1687 is held): leave it out.
        return _ACCEPT_WITHOUT_TIMER
    else:
        interval_s = expires.interval_s
    return _accept(interval_s, _refresher(expires, supported, settings, current), supported)


def _wanted_s(settings: SessionTimerSettings, current: SessionTerms | None) -> int:
    return current.interval_s if current is not None else max(settings.default_expires_s, settings.min_se_s)


def _refresher(
    expires: SessionExpires | None, supported: bool, settings: SessionTimerSettings, current: SessionTerms | None
) -> Refresher:
    """Return who is to refresh, by table 2 of RFC 4028 section 9."""
    if not supported:
        return Refresher.UAS  # also for the two rows that must not occur: the UAC cannot do it
    if expires is not None and expires.refresher is not None:
        return expires.refresher
    if current is not None:
        return Refresher.UAS if current.we_refresh else Refresher.UAC
    return Refresher(settings.prefer_refresher or "uac")


@lru_cache(maxsize=1024)
def _accept(interval_s: int, refresher: Refresher, supported: bool) -> Accept:
    expires = ("Session-Expires", str(SessionExpires(interval_s, refresher)))
    # A response may only require what the request supports (RFC 3261 section 8.2.4).
    return Accept((SUPPORTED, _REQUIRE, expires) if supported else (SUPPORTED, expires))


@lru_cache(maxsize=1024)
def _too_small(min_se_s: int) -> Reject:
    return Reject(422, (("Min-SE", str(min_se_s)),))  # RFC 4028 section 6


def agreed(response: Message, asked: Asked, settings: SessionTimerSettings) -> SessionTerms | None:
    """Return what a 2xx to our request means (RFC 4028 section 7.2); None: no timer."""
    expires = read_session_expires(response)
    if expires is None:
        if asked.interval_s is None or not (asked.initial or asked.refresher is Refresher.UAC):
            return None
        expires = SessionExpires(asked.interval_s, Refresher.UAC)
    # A 2xx must name the refresher. One that does not gets what we asked for, or us: better two than nobody.
    refresher = expires.refresher or asked.refresher or Refresher.UAC
    interval_s = max(expires.interval_s, floor_s(settings))
    return SessionTerms(interval_s, we_refresh=refresher is Refresher.UAC, asked_s=asked.interval_s)


def announced(response: Message, settings: SessionTimerSettings) -> SessionTerms | None:
    """Return what a 2xx of ours to the peer's request means (RFC 4028 section 9); None: no timer."""
    expires = read_session_expires(response)
    if expires is None:
        return None
    return SessionTerms(max(expires.interval_s, floor_s(settings)), we_refresh=expires.refresher is not Refresher.UAC)


def read_session_expires(response: Message) -> SessionExpires | None:
    """Return the Session-Expires of a response; None also where it cannot be read, for a call must survive that."""
    try:
        return response.session_expires
    except PeerError:
        return None


def read_min_se(response: Message) -> int | None:
    """Return the Min-SE of a response in seconds; None also where it cannot be read."""
    try:
        return response.min_se
    except PeerError:
        return None
