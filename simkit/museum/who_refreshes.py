"""Defects in who refreshes, and whether anybody has to: the refresher parameter and table 2 (RFC 4028 section 9)."""

from dataclasses import replace
from typing import Final

from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from ..sip.session_headers import TIMER
from ..ua.negotiation import SessionTerms
from ..ua.session_timer import SessionTimer, Side
from ..ua.timer_logic import Accept, GiveUp, Reject, Retry
from .piece import Piece, Visible, with_timer

HEADER: Final = "Session-Expires"


def _with_refresher(headers: tuple[HeaderField, ...], refresher: str | None) -> tuple[HeaderField, ...]:
    """Return the headers with another refresher in Session-Expires; None: without one."""
    parameter = f";refresher={refresher}" if refresher else ""
    return tuple(
        (name, value.partition(";")[0] + parameter) if name == HEADER else (name, value) for name, value in headers
    )


def _without(headers: tuple[HeaderField, ...], *unwanted: str) -> tuple[HeaderField, ...]:
    return tuple(field for field in headers if field[0] not in unwanted)


class DialogRoles(SessionTimer):
    """In a refresh, uac is written for who placed the call, and uas for who took it."""

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        headers = super().make_request(method, initial=initial, now=now)
        if initial or self._terms is None:
            return headers
        caller_refreshes = self._terms.we_refresh is (self._side is Side.CALLER)
        return _with_refresher(headers, "uac" if caller_refreshes else "uas")


class NamesNobody(SessionTimer):
    """Refreshes leave the refresher out."""

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        headers = super().make_request(method, initial=initial, now=now)
        return headers if initial else _with_refresher(headers, None)


class AppointsAnybody(SessionTimer):
    """A caller is to refresh whether it supports the timer or not."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        if isinstance(verdict, Reject) or TIMER in request.tokens("Supported"):
            return verdict
        return Accept(_with_refresher(verdict.headers, "uac"))


class OverrulesTheCaller(SessionTimer):
    """The callee names the refresher that it is set to, whatever the caller asked for."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        return verdict if isinstance(verdict, Reject) else Accept(_with_refresher(verdict.headers, "uac"))


class KeepsItToItself(SessionTimer):
    """A request without a refresher gets a 2xx without Session-Expires, but the timer is armed."""

    _hidden: SessionTerms | None = None

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        asked = request.session_expires
        if isinstance(verdict, Reject) or asked is None or asked.refresher is not None:
            return verdict
        self._hidden = SessionTerms(asked.interval_s, we_refresh=False)
        return Accept(_without(verdict.headers, HEADER, "Require"))

    def sent_response(self, response: Response, *, now: int) -> None:
        super().sent_response(response, now=now)
        if self._hidden is not None and 200 <= response.status < 300:
            self._restart(self._hidden, now=now)


class ImposesItsDefault(SessionTimer):
    """A caller that never asked for a timer gets one, which nobody is to refresh."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        if request.session_expires is not None:
            return super().receive_request(request, initial=initial, now=now)
        return Accept((("Require", TIMER), (HEADER, f"{self._settings.default_expires_s};refresher=none")))


class ExpiresUnasked(SessionTimer):
    """A 2xx without Session-Expires arms an expiry all the same."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        verdict = super().receive_response(response, now=now)
        if 200 <= response.status < 300 and response.session_expires is None:
            self._restart(SessionTerms(self._settings.default_expires_s, we_refresh=False), now=now)
        return verdict


class CannotBeSwitchedOff(SessionTimer):
    """A later 2xx without Session-Expires changes nothing."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        if terms is not None:
            super()._restart(terms, now=now)


class ReadsLowerCaseOnly(SessionTimer):
    """A refresher that is not written in lower case is taken for the other one."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        verdict = super().receive_response(response, now=now)
        written = response.header(HEADER)
        if self._terms is not None and written is not None and "refresher=uac" not in written:
            self._restart(replace(self._terms, we_refresh=False), now=now)
        return verdict


class ReadsLongNamesOnly(SessionTimer):
    """A header in its compact form is not seen."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        return super().receive_response(_without_compact(response), now=now)

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        seen = Request(request.method, request.uri, _long_only(request.headers), request.body)
        return super().receive_request(seen, initial=initial, now=now)


def _without_compact(response: Response) -> Response:
    return Response(response.status, response.reason, _long_only(response.headers), response.body)


def _long_only(headers: tuple[HeaderField, ...]) -> tuple[HeaderField, ...]:
    return tuple(field for field in headers if field[0] not in ("x", "k"))


class LooksOnce(SessionTimer):
    """Whether the peer supports the timer is read from its first request alone."""

    _supports: bool | None = None

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        if self._supports is None:
            self._supports = TIMER in request.tokens("Supported")
        seen = request if self._supports else request.without_headers("Supported")
        return super().receive_request(seen, initial=initial, now=now)


class FirstNegotiationStays(SessionTimer):
    """What an early UPDATE settled is not changed by the 2xx to the INVITE."""

    _is_answered = False

    def sent_response(self, response: Response, *, now: int) -> None:
        answers_call = response.method == "INVITE" and self._side is Side.CALLEE and not self._is_answered
        self._is_answered = self._is_answered or answers_call
        if not answers_call or self._terms is None:
            super().sent_response(response, now=now)


class CannotBeDisabled(SessionTimer):
    """A timer that was switched off in the settings answers to any Session-Expires."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        if request.session_expires is not None:
            self._supported = True
        return super().receive_request(request, initial=initial, now=now)


PIECES: Final = (
    Piece(
        "M15",
        symptom="After the callee's first refresh both sides refresh, or neither does.",
        cause="uac and uas are read as who placed the call and who took it, not as who sends this request.",
        rules=("RFC4028-7.4-9",),
        source="Telephone 180, with Asterisk 1.8; pjproject, two fixes; SIPRAL",
        machine=with_timer(DialogRoles),
    ),
    Piece(
        "M17",
        symptom="The job of refreshing changes hands without a reason.",
        cause="Refreshes leave the refresher out, and each side answers as it is set.",
        rules=("RFC4028-7.4-9", "RFC4028-7.4-11"),
        source="SEMS 68 and 544; Kamailio 288",
        machine=with_timer(NamesNobody),
        visible=Visible.PARTLY,  # section 7.4 permits it
    ),
    Piece(
        "M18",
        symptom="Nobody refreshes, and the callee hangs up.",
        cause="The callee appoints a caller that does not support the timer.",
        rules=("RFC4028-9-9", "RFC4028-9-10", "3261-8.2.4"),
        source="pjproject 1805; livekit/sip, pull request 494",
        machine=with_timer(AppointsAnybody),
    ),
    Piece(
        "M19",
        symptom="The caller refreshes although it had asked the callee to.",
        cause="The callee names the refresher that it is set to.",
        rules=("RFC4028-9-10",),
        source="siphon-ai 479",
        machine=with_timer(OverrulesTheCaller),
    ),
    Piece(
        "M20",
        symptom="The callee hangs up though its 2xx named no timer.",
        cause="The timer is armed by one branch of the code, and Session-Expires is written by another.",
        rules=("RFC4028-7.2-6", "RFC4028-9-9", "RFC4028-9-4"),
        source="drachtio-server 126, 284 and 475",
        machine=with_timer(KeepsItToItself),
    ),
    Piece(
        "M21",
        symptom="A caller that never asked is told: 1800;refresher=none, and that it must support the timer.",
        cause="The default interval stands where nothing was negotiated.",
        rules=("3261-8.2.4", "RFC4028-4-7", "RFC4028-9-9"),
        source="livekit/sip, pull request 494: inbound.go",
        machine=with_timer(ImposesItsDefault),
    ),
    Piece(
        "M22",
        symptom="A peer without session timers is hung up on.",
        cause="A 2xx without Session-Expires arms an expiry all the same.",
        rules=("RFC4028-7.2-6",),
        source="livekit/sip, pull request 494; OpenSIPS 431; pocket-dial 198",
        machine=with_timer(ExpiresUnasked),
    ),
    Piece(
        "M23",
        symptom="A call is hung up on although a re-INVITE had switched its timer off.",
        cause="A 2xx without Session-Expires is not looked at.",
        rules=("RFC4028-7.2-7", "RFC4028-9-13"),
        source="drachtio-server, two commits on a branch that swing both ways",
        machine=with_timer(CannotBeSwitchedOff),
    ),
    Piece(
        "M25",
        symptom="Nobody refreshes where the callee writes refresher=UAC.",
        cause="The token is compared with case.",
        rules=("RFC4028-4-8", "RFC4028-7.2-4", "RFC4028-7.2-11", "RFC4028-7.2-12"),
        source="resiprocate: InviteSession.cxx; drachtio-server; livekit/sip does not strip quotes",
        machine=with_timer(ReadsLowerCaseOnly),
    ),
    Piece(
        "M26",
        symptom="The timer is off behind a proxy that writes short header names.",
        cause="x and k are not read as Session-Expires and Supported.",
        rules=("RFC4028-4-8", "RFC4028-7.2-4", "RFC4028-7.2-11", "RFC4028-9-4", "RFC4028-9-10", "RFC4028-9-12"),
        source="livekit/sip, pull request 494, with sipgo 0.24.1; OpenSIPS 1635",
        machine=with_timer(ReadsLongNamesOnly),
    ),
    Piece(
        "M69",
        symptom="A peer that supports the timer is treated as if it did not.",
        cause="Supported is read once, from the first request.",
        rules=("RFC4028-9-10", "RFC4028-9-12", "RFC4028-9-4"),
        source="resiprocate, two fixes",
        machine=with_timer(LooksOnce),
    ),
    Piece(
        "M71",
        symptom="Both sides refresh, or neither, after an UPDATE in the early dialog.",
        cause="Two negotiations are open at once, and the first one stays.",
        rules=("RFC4028-9-13", "RFC4028-7.2-4", "RFC4028-7.4-9"),
        source="erratum 4744 to RFC 4028; doubango 300; drachtio-server",
        machine=with_timer(FirstNegotiationStays),
    ),
    Piece(
        "M72",
        symptom="A session timer runs that the settings had ruled out.",
        cause="Any Session-Expires of the peer switches it on.",
        rules=("RFC4028-9-4",),
        source="drachtio-server 474",
        machine=with_timer(CannotBeDisabled),
        visible=Visible.PARTLY,
    ),
)
