"""A toy session timer as a class in simkit's own process: `--logic alice=python:in_process:SessionTimer`.

For code that can be imported and does not start timers by itself: it is told the time, and says when it wants to be
called. The methods are those of simkit.ua.timer_logic.TimerLogic; times are whole microseconds. Put yours in its place.
"""

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.sip.session_headers import Refresher, SessionExpires
from simkit.ua.identifiers import Random
from simkit.ua.session_timer import Side
from simkit.ua.timer_logic import Accept, Bye, GiveUp, Refresh, Reject, Retry, SessionState
from simkit.units import S

FLOOR_S = 90  # RFC 4028 section 4
OFFERS_MAX = 5  # requests in a row that are refused with 422
TRIES_MAX = 3  # of one refresh
SUPPORTED: HeaderField = ("Supported", "timer")


class SessionTimer:
    """One side of one dialog (RFC 4028)."""

    def __init__(self, settings: SessionTimerSettings, *, side: Side, random: Random) -> None:
        self._settings = settings
        self._is_caller = side is Side.CALLER
        self._random = random
        self._state = SessionState(None, False)
        self._min_se_s = 0  # the largest Min-SE seen
        self._tries = 0
        self._retry_after_s = 0
        self._update_allowed = False
        self._refresh_at: int | None = None
        self._hang_up_at: int | None = None

    # --- our requests ---

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        """Return the headers to add (sections 7.1 and 7.4)."""
        if not self._settings.enabled:
            return ()
        if method not in ("INVITE", "UPDATE"):
            return (SUPPORTED,)
        least_s = max(self._min_se_s, self._settings.min_se_s)
        headers = [SUPPORTED]
        if initial:
            preferred = self._settings.prefer_refresher
            wanted_s = max(least_s, self._settings.default_expires_s)
            headers.append(_session_expires(wanted_s, Refresher(preferred) if preferred else None))
        elif self._state.interval_s:
            refresher = Refresher.UAC if self._state.we_refresh else Refresher.UAS
            headers.append(_session_expires(max(least_s, self._state.interval_s), refresher))
        if self._min_se_s or least_s > FLOOR_S:
            headers.append(("Min-SE", str(max(least_s, FLOOR_S))))
        return tuple(headers)

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        """Take the final response to our INVITE or UPDATE (sections 7.2 and 7.3)."""
        if 200 <= response.status < 300:
            self._update_allowed = "update" in response.tokens("Allow")
            self._restart(response, Refresher.UAC, now=now)
        elif response.status == 422 and self._tries < OFFERS_MAX and (response.min_se or 0) > self._min_se_s:
            self._tries += 1
            self._min_se_s = response.min_se or 0
            return Retry()
        else:
            retry_after = response.header("Retry-After") or ""
            self._retry_after_s = int(retry_after) if retry_after.isdecimal() else 0
        return None

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        """Take the outcome of a refresh that we asked for (section 10)."""
        if status is None or status in (408, 481):
            self.close(now=now)
            return Bye("refresh-failed")
        if status >= 300:
            self._tries += 1
            if status == 491 and self._tries == 1:  # RFC 3261 section 14.1
                span_s = (2.1, 4.0) if self._is_caller else (0.0, 2.0)
                self._refresh_at = now + int((span_s[0] + self._random.random() * (span_s[1] - span_s[0])) * S)
            elif self._tries < TRIES_MAX:
                self._refresh_at = now + (self._retry_after_s or max(10, (self._state.interval_s or 0) // 8)) * S
        return None

    # --- the peer's requests ---

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        """Judge an INVITE or UPDATE (section 9)."""
        settings, state = self._settings, self._state
        if not settings.enabled:
            return Accept()
        supported = "timer" in request.tokens("Supported")
        self._min_se_s = max(self._min_se_s, request.min_se or 0)
        asked = request.session_expires
        if supported and asked and asked.interval_s < settings.min_se_s:
            return Reject(422, (("Min-SE", str(settings.min_se_s)),))
        if (asked is None and not supported) or (asked and asked.interval_s < min(FLOOR_S, settings.min_se_s)):
            return Accept((SUPPORTED,))
        interval_s = asked.interval_s if asked else max(state.interval_s or settings.default_expires_s, self._min_se_s)
        refresher = asked.refresher if asked else None
        if not supported:
            refresher = Refresher.UAS
        elif refresher is None and state.interval_s:
            refresher = Refresher.UAS if state.we_refresh else Refresher.UAC
        required = [("Require", "timer")] if supported else []
        refresher = refresher or Refresher(settings.prefer_refresher or "uac")
        return Accept((SUPPORTED, *required, _session_expires(interval_s, refresher)))

    def sent_response(self, response: Response, *, now: int) -> None:
        """Our final response to the peer's INVITE or UPDATE was sent."""
        if 200 <= response.status < 300:
            self._restart(response, Refresher.UAS, now=now)

    # --- the clock ---

    def _restart(self, response: Message, our_role: Refresher, *, now: int) -> None:
        self.close(now=now)
        self._tries = 0
        terms = response.session_expires
        if terms is None or not self._settings.enabled:
            return
        least_s = min(FLOOR_S, self._settings.min_se_s, self._settings.default_expires_s)
        interval_s = max(terms.interval_s, least_s)  # from the peer it may be anything
        self._state = SessionState(interval_s, terms.refresher is our_role)
        if self._state.we_refresh:
            self._refresh_at = now + interval_s * S // 2
            self._hang_up_at = now + interval_s * S
        else:
            self._hang_up_at = now + interval_s * S - min(32 * S, interval_s * S // 3)

    def next_deadline(self) -> int | None:
        """Return when we want to be called."""
        return min((at for at in (self._refresh_at, self._hang_up_at) if at is not None), default=None)

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        """Return what has fallen due; calling early or twice is harmless."""
        if self._hang_up_at is not None and self._hang_up_at <= now:
            self.close(now=now)
            return Bye("session-expired")
        if self._refresh_at is not None and self._refresh_at <= now:
            self._refresh_at = None
            return Refresh("UPDATE" if self._settings.use_update and self._update_allowed else "INVITE")
        return None

    def state(self) -> SessionState:
        """Return what we believe."""
        return self._state

    def close(self, *, now: int) -> None:
        """Forget the session."""
        self._state = SessionState(None, False)
        self._refresh_at = self._hang_up_at = None


def _session_expires(interval_s: int, refresher: Refresher | None) -> HeaderField:
    return "Session-Expires", str(SessionExpires(interval_s, refresher))
