"""Defects of proxies on the path of a call (RFC 4028 section 8)."""

from dataclasses import replace
from typing import Any, Final

from ..sip.message import Request, Response
from ..sip.session_headers import TIMER
from ..sip.uri import parse_uri
from ..ua.dialog import MAX_FORWARDS
from ..ua.events import CallEvent, Fact, Reason
from ..ua.exchange import Aim, Exchange
from ..ua.proxy import Proxy
from ..ua.proxy_session import NOTHING, Forward, Remembered
from ..ua.responses import content_length
from ..ua.timer_logic import Reject
from .piece import Absence, Piece


class LeavesTheAnswerAlone(Proxy):
    """A 2xx without Session-Expires is passed on as it is."""

    def confirmed(self, response: Response, remembered: Remembered, *, first: bool, now: int) -> Response:
        return super().confirmed(response, NOTHING, first=first, now=now)


class RefusesEverybody(Proxy):
    """A caller that does not know the timer is refused with 422 as well."""

    def _examine(self, request: Request) -> Forward | Reject:
        if TIMER not in request.tokens("Supported") and request.session_expires is not None:
            return super()._examine(request.with_headers(("Supported", TIMER)))
        return super()._examine(request)


class PicksTheRefresher(Proxy):
    """The proxy writes into a request who is to refresh."""

    def _examine(self, request: Request) -> Forward | Reject:
        verdict = super()._examine(request)
        if isinstance(verdict, Reject) or verdict.request.session_expires is None:
            return verdict
        written = str(verdict.request.session_expires).partition(";")[0]
        return replace(verdict, request=verdict.request.with_headers(("Session-Expires", f"{written};refresher=uas")))


class ShortensTheAnswer(Proxy):
    """The interval of a 2xx is lowered to what the proxy lets pass."""

    def confirmed(self, response: Response, remembered: Remembered, *, first: bool, now: int) -> Response:
        onward = super().confirmed(response, remembered, first=first, now=now)
        granted, most_s = onward.session_expires, self._session_timer.max_expires_s
        if granted is None or most_s is None or granted.interval_s <= most_s:
            return onward
        return onward.with_headers(("Session-Expires", str(replace(granted, interval_s=most_s))))


class HangsUp(Proxy):
    """When a session expires, the proxy sends a BYE into the call."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._last: dict[str, Response] = {}
        self._expired: list[Response] = []

    def confirmed(self, response: Response, remembered: Remembered, *, first: bool, now: int) -> Response:
        self._last[response.call_id] = response
        return super().confirmed(response, remembered, first=first, now=now)

    def report(self, event: CallEvent) -> None:
        super().report(event)
        if event.fact is Fact.ENDED and event.detail == Reason.SESSION_EXPIRED:
            self._expired.append(self._last[event.call_id])

    def handle_deadline(self, *, now: int) -> None:
        super().handle_deadline(now=now)
        for response in self._expired:
            assert response.contact is not None
            bye = self._bye(response, response.contact.uri)
            self.send(bye, parse_uri(bye.uri).address, None, Exchange(Aim.BYE, "BYE"), now=now)
        self._expired.clear()

    def _bye(self, response: Response, target: str) -> Request:
        """Build a BYE for the side that sent the last 2xx, as if it came from the other."""
        copied = [field for field in response.headers if field[0] in ("From", "To", "Call-ID")]
        cseq = "CSeq", f"{response.cseq.number + 1} BYE"
        return Request("BYE", target, (self.via(), MAX_FORWARDS, *copied, cseq, content_length(b"")))


PIECES: Final = (
    Piece(
        "M73",
        symptom="There is no timer where only the caller supports it, though the proxy had asked for one.",
        cause="The proxy does not put Session-Expires and Require into the callee's bare 2xx.",
        rules=("RFC4028-8.2-2",),
        source="sprout 1194 and 1205",
        machine=LeavesTheAnswerAlone,
    ),
    Piece(
        "M76",
        symptom="Callers without session timers cannot call.",
        cause="The proxy refuses their interval with 422, which they make nothing of.",
        rules=("RFC4028-8.1-11", "RFC4028-9-1", "RFC4028-8.1-8"),
        source="sprout 1194",
        machine=RefusesEverybody,
    ),
    Piece(
        "M77",
        symptom="The callee refreshes, though the caller wanted to.",
        cause="The proxy writes a refresher into the request.",
        rules=("RFC4028-8.1-3", "RFC4028-8.1-7"),
        source="Kamailio 288, in the discussion",
        machine=PicksTheRefresher,
    ),
    Piece(
        "M77b",
        symptom="Caller and callee count by different intervals.",
        cause="The proxy lowers the interval of a 2xx.",
        rules=("RFC4028-8.2-6",),
        source="no report: a variant of M77",
        machine=ShortensTheAnswer,
    ),
    Piece(
        "M78",
        symptom="The call is ended by a BYE that neither side sent.",
        cause="The proxy hangs up when the session expires.",
        rules=("RFC4028-8.3-2",),
        source="OpenSIPS 267",
        machine=HangsUp,
    ),
)

ABSENT: Final = (
    Absence(
        "M74",
        "A caller is made to refresh a callee that refuses every re-INVITE.",
        "The proxy does what section 8.2 says; the defect is the callee's (M63), and erratum 8926 is about it.",
    ),
    Absence("M79", "One timer runs for both dialogs of a B2BUA.", "There is no B2BUA here."),
    Absence("M80", "Both sides of a B2BUA refresh at the same instant, again and again.", "There is no B2BUA here."),
)
