"""Defects in receiving refreshes, and in what outlives a call (RFC 3261 sections 12.2.2, 14 and 15)."""

from typing import Final

from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from ..ua.call import Call
from ..ua.caller import CallerCall
from ..ua.events import CallEvent, Fact, Reason
from ..ua.exchange import Exchange
from ..ua.negotiation import announced
from ..ua.offer_answer import OfferAnswer
from ..ua.responses import respond
from ..ua.server_transaction import ServerTransaction
from ..ua.session_timer import SessionTimer
from ..ua.timer_logic import Accept, Reject
from .piece import Piece, Visible, with_calls, with_media, with_timer


class KnowsNoDialog(Call):
    """A re-INVITE or UPDATE is not matched to its call."""

    __slots__ = ()

    def _receive_session_request(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        self._refuse(request, transaction, 481, (), now=now)


class AnswersByRote(Call):
    """A re-INVITE gets a bare 200: no session description, no Session-Expires."""

    __slots__ = ()

    def _accept(
        self,
        request: Request,
        transaction: ServerTransaction,
        headers: tuple[HeaderField, ...],
        body: bytes,
        *,
        now: int,
    ) -> None:
        within = request.to_tag is not None
        super()._accept(request, transaction, () if within else headers, b"" if within else body, now=now)


class DoesNotListen(OfferAnswer):
    """An offer is answered with what was last said, whatever it offers."""

    __slots__ = ()

    def answer(self, offer: bytes) -> bytes:
        super().answer(offer)
        self._local, self._they_hold = self._local.with_direction(type(self._local.direction).SENDRECV), False
        return self._local.to_bytes()


class DecidesTooSoon(SessionTimer):
    """A request sets the timer before it is known whether it is accepted."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        if self._heeds(request):
            self._restart(announced(Response(200, "OK", verdict.headers), self._settings), now=now)
        return verdict


class OutlivesTheCall(Call):
    """A BYE of the peer is answered, but nothing stops."""

    __slots__ = ()

    def _receive_bye(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        self._host.respond(transaction, respond(request, 200), now=now)
        self._host.report(CallEvent(Fact.ENDED, self.call_id, Reason.HUNG_UP))


class ArmsOnTheShortWay(CallerCall):
    """A call that rang first comes up by another path, which does not arm the timer."""

    __slots__ = ()

    def _success(self, exchange: Exchange, response: Response, *, now: int) -> None:
        rang = response.to_tag in self._early
        super()._success(exchange, response, now=now)
        if rang:
            self._logic.close(now=now)


PIECES: Final = (
    Piece(
        "M63",
        symptom="The peer's refresh is refused, and the peer hangs up.",
        cause="A request within the dialog is looked up among calls of the other direction only.",
        rules=("3261-12.2.2",),
        source="livekit/sip 96, 438, 582 and 603; FreeSWITCH 2199",
        machine=with_calls(KnowsNoDialog),
    ),
    Piece(
        "M64",
        symptom="The answer to a refresh has no session description, and switches the timer off.",
        cause="Keep-alives get an answer that is made once for all.",
        rules=("3261-13.2.1", "RFC4028-7.2-7", "RFC4028-9-4"),
        source="livekit/sip 519; sipdroid 814; SIP.js 50",
        machine=with_calls(AnswersByRote),
    ),
    Piece(
        "M65",
        symptom="A hold is answered with sendrecv, and the carrier hangs up.",
        cause="The answer repeats the last description and does not look at the offer.",
        rules=("3264-6.1",),
        source="livekit/sip 779 and 850",
        machine=with_media(DoesNotListen),
    ),
    Piece(
        "M66",
        symptom="A re-INVITE that was refused changes the timer.",
        cause="The timer looks at a request before it is known whether it is accepted.",
        rules=("RFC4028-10-2", "3261-14.1b", "RFC4028-7.2-12", "RFC4028-7.2-11"),
        source="pjproject: sip_inv.c; drachtio-server",
        machine=with_timer(DecidesTooSoon),
        visible=Visible.PARTLY,
    ),
    Piece(
        "M67",
        symptom="A refresh comes when the call is over.",
        cause="A BYE of the peer does not stop the timers.",
        rules=("3261-15",),
        source="pjproject 1119, 2007 and 2732; drachtio-server 217, 313 and 401; unimrcp 321",
        machine=with_calls(OutlivesTheCall),
    ),
    Piece(
        "M83",
        symptom="A call that rang first is never refreshed.",
        cause="Two paths lead to an answered call, and one of them does not arm the timer.",
        rules=("RFC4028-7.2-11", "RFC4028-7.2-12"),
        source="twinkle 277",
        machine=with_calls(ArmsOnTheShortWay),
    ),
)
