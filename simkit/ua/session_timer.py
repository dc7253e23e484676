"""The session timer of RFC 4028, for one side of one dialog, in the seat `TimerLogic`.

It keeps the state of the session (interval, who refreshes, when it expires) and says when to refresh and when to hang
up. Only a 2xx to INVITE or UPDATE moves that state, whoever sent the request and whatever it was for (sections 7.2
and 9); a failure of any kind leaves it as it was (section 10). What is said on the wire is decided in `negotiation`,
and how long to wait after a failure in `retry`. It sends nothing, and knows no proxy (section 8).

The refresher refreshes at half the interval and hangs up when the session has expired in spite of its tries; it takes
no early margin, which would cut off its own refresh on the way. The other side hangs up min(32 s, a third) before.
"""

from enum import Enum
from typing import Final

from ..errors import PeerError
from ..settings import SessionTimerSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from .events import Reason
from .identifiers import Random
from .negotiation import NOTHING_ASKED, SUPPORTED, Asked, SessionTerms, agreed, announced, answer, ask, read_min_se
from .retry import refresh_wait_us, retry_after_us
from .timer_logic import SESSION_METHODS, Accept, Bye, GiveUp, Refresh, Reject, Retry, SessionState
from .timers import Timer, TimerLog, TimerTable

TOO_SMALL_MAX: Final = 5  # ours: as many proxies may each raise Min-SE once; more is a loop

_SESSION_EXPIRED: Final = Bye(Reason.SESSION_EXPIRED)
_REFRESH_FAILED: Final = Bye(Reason.REFRESH_FAILED)
_DIALOG_IS_GONE: Final = (None, 408, 481)  # RFC 4028 section 10, RFC 3261 section 12.2.1.2; None: no answer in time


class Side(Enum):
    """Which end of the call this is; in a refresh either may be UAC."""

    CALLER = "caller"  # it made the Call-ID, which decides who waits longer after 491 (RFC 3261 section 14.1)
    CALLEE = "callee"


class SessionTimer:
    """RFC 4028 for one side of one dialog."""

    __slots__ = (
        "_allows_update",
        "_asked",
        "_closed",
        "_failures",
        "_min_se_before_dialog",
        "_min_se_on_dialog",
        "_random",
        "_refreshing_by",
        "_retry_after_us",
        "_settings",
        "_side",
        "_supported",
        "_terms",
        "_timers",
        "_too_small_in_a_row",
        "_update_refused",
    )

    def __init__(
        self,
        settings: SessionTimerSettings,
        *,
        side: Side,
        random: Random,
        supported: bool | None = None,
        log: TimerLog | None = None,
        about: str = "",
    ) -> None:
        """Begin without a timer; `supported` is whether the party knows the extension, else `settings.enabled` says."""
        self._settings = settings
        self._side = side
        self._random = random
        self._supported = settings.enabled if supported is None else supported
        self._timers = TimerTable(about, log)
        self._closed = False
        self._terms: SessionTerms | None = None
        self._asked: dict[str, Asked] = {}  # by method: what our request without a final response said
        # RFC 4028 section 7.4: what 422s said before there was a dialog binds the INVITEs that try to open it, and no
        # more; the proxies that said it need not be on the path of the dialog.
        self._min_se_before_dialog: int | None = None
        self._min_se_on_dialog: int | None = None
        self._too_small_in_a_row = 0
        self._refreshing_by: str | None = None  # the method of the refresh that was asked for, until its result
        self._failures: tuple[int, ...] = ()  # statuses of refreshes since the last 2xx
        self._retry_after_us: int | None = None  # of the latest failure
        self._allows_update = False
        self._update_refused = False

    # --- our requests ---

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        """Return the headers to add to a request of ours (RFC 4028 sections 7.1 and 7.4)."""
        if not self._supported:
            return ()
        if method not in SESSION_METHODS:
            return (SUPPORTED,)
        seen_s = self._min_se_before_dialog if initial else self._min_se_on_dialog
        asked = self._asked[method] = ask(self._settings, self._terms, initial=initial, min_se_seen_s=seen_s)
        return asked.headers

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        """Take the final response to our INVITE or UPDATE (RFC 4028 sections 7.2 and 7.3)."""
        if not self._heeds(response) or response.status < 200:
            return None
        asked = self._asked.pop(response.method, NOTHING_ASKED)
        if response.status == 422:
            return self._too_small(response, asked)
        self._too_small_in_a_row = 0
        if response.status < 300:
            self._note_allow(response)
            self._restart(agreed(response, asked, self._settings), now=now)
        else:
            self._retry_after_us = retry_after_us(response)
        return None

    def _too_small(self, response: Response, asked: Asked) -> Retry | GiveUp:
        """Learn the Min-SE of a 422; try again while each tells something new (RFC 4028 sections 7.3 and 10)."""
        min_se_s = read_min_se(response)
        if min_se_s is not None and asked.initial:
            self._min_se_before_dialog = max(min_se_s, self._min_se_before_dialog or 0)
        elif min_se_s is not None:
            self._min_se_on_dialog = max(min_se_s, self._min_se_on_dialog or 0)
        if min_se_s is None or min_se_s <= asked.least_s or self._too_small_in_a_row == TOO_SMALL_MAX:
            self._too_small_in_a_row = 0
            return GiveUp()
        self._too_small_in_a_row += 1
        return Retry()

    # --- the peer's requests ---

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        """Say what to answer to an INVITE or UPDATE (RFC 4028 section 9).

        What it tells of the peer is learnt even where it is rejected; the session is not touched before the 2xx.
        """
        if not self._heeds(request):
            return Accept()
        try:
            verdict = answer(request, self._settings, self._terms)
        except PeerError as error:
            return Reject(error.status)
        self._note_allow(request)
        if request.min_se is not None:
            self._min_se_on_dialog = max(request.min_se, self._min_se_on_dialog or 0)
        return verdict

    def sent_response(self, response: Response, *, now: int) -> None:
        """Note our final response to the peer's INVITE or UPDATE: a 2xx sets the session timer, or switches it off."""
        if self._heeds(response) and 200 <= response.status < 300:
            self._restart(announced(response, self._settings), now=now)

    def _heeds(self, message: Message) -> bool:
        return self._supported and not self._closed and message.method in SESSION_METHODS

    def _note_allow(self, message: Message) -> None:
        if self._settings.use_update and message.header("Allow") is not None:
            self._allows_update = "update" in message.tokens("Allow")

    # --- the session ---

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        """A 2xx was sent or received: the session is what it says, from now on (RFC 4028 sections 7.2 and 9)."""
        self._terms = terms
        self._refreshing_by = None
        self._failures = ()
        self._timers.disarm_all(now=now)
        if terms is None:
            return
        if terms.we_refresh:
            self._timers.arm(Timer.REFRESH, now + terms.refresh_us, now=now)
            self._timers.arm(Timer.EXPIRY, now + terms.expiry_us, now=now)
        else:
            self._timers.arm(Timer.BYE, now + terms.bye_us, now=now)

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        """Take the outcome of a refresh that was asked for (RFC 4028 section 10)."""
        method, self._refreshing_by = self._refreshing_by, None
        if self._closed:
            return None
        if status in _DIALOG_IS_GONE:
            self.close(now=now)
            return _REFRESH_FAILED
        if method is not None and status is not None and status >= 300:  # else a 2xx has restarted the session
            self._try_again(method, status, now=now)
        return None

    def _try_again(self, method: str, status: int, *, now: int) -> None:
        """Arm the next try of a refresh that failed, where one is left that comes before the expiry."""
        terms, expiry_at = self._terms, self._timers.due_at(Timer.EXPIRY)
        if terms is None or expiry_at is None:
            return
        if method == "UPDATE" and status in (405, 501):
            self._update_refused = True  # for good: whatever Allow says, re-INVITE is what works (RFC 3311 section 4)
            self._timers.arm(Timer.RETRY, now, now=now)
            return
        self._failures = (*self._failures, status)
        left_us = expiry_at - terms.expiry_us + terms.bye_us - now
        owner = self._side is Side.CALLER
        wait_us = refresh_wait_us(self._failures, self._retry_after_us, left_us, self._random, owns_call_id=owner)
        if wait_us is not None and now + wait_us < expiry_at:
            self._timers.arm(Timer.RETRY, now + wait_us, now=now)

    # --- time ---

    def next_deadline(self) -> int | None:
        """Return when to refresh or to hang up, whichever comes first; None without a session timer."""
        return self._timers.next_deadline()

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        """Return what has fallen due."""
        due = self._timers.due(now=now)
        if not due:
            return None
        if Timer.EXPIRY in due or Timer.BYE in due:  # called so late that a refresh is due as well: it is too late
            self.close(now=now)
            return _SESSION_EXPIRED
        self._refreshing_by = "UPDATE" if self._allows_update and not self._update_refused else "INVITE"
        return Refresh(self._refreshing_by)

    def state(self) -> SessionState:
        """Return the interval and who refreshes."""
        terms = self._terms
        return SessionState(None, False) if terms is None else SessionState(terms.interval_s, terms.we_refresh)

    def close(self, *, now: int) -> None:
        """Forget the session: the dialog is over, no deadline is left and none will come (RFC 3261 section 15)."""
        self._closed = True
        self._terms = None
        self._timers.disarm_all(now=now)
