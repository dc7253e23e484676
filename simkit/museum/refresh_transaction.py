"""Defects in the refresh itself: how it is sent, and what becomes of one that fails (RFC 4028 section 10)."""

from typing import Final

from ..sip.message import Request, Response
from ..sip.sdp import Direction, SessionDescription
from ..ua.call import Call
from ..ua.caller import CallerCall
from ..ua.events import Address, Reason
from ..ua.exchange import Aim, Exchange
from ..ua.offer_answer import OfferAnswer
from ..ua.session_timer import SessionTimer
from ..ua.timer_logic import Bye, Refresh
from ..ua.timers import Timer
from ..ua.transaction_layer import RequestSender
from ..ua.user_agent import UserAgent
from .piece import Piece, Visible, with_calls, with_media, with_timer


class GivesUpOn491(SessionTimer):
    """After 491 a refresh is not tried again."""

    def _try_again(self, method: str, status: int, *, now: int) -> None:
        if status != 491:
            super()._try_again(method, status, now=now)


class WaitsForItsNextTurn(SessionTimer):
    """After 491 the refresh timer is armed for half the interval."""

    def _try_again(self, method: str, status: int, *, now: int) -> None:
        if status == 491 and self._terms is not None:
            self._timers.arm(Timer.RETRY, now + self._terms.refresh_us, now=now)
        else:
            super()._try_again(method, status, now=now)


class LooksAtNothing(Call):
    """A re-INVITE is sent whether another is open or not."""

    __slots__ = ()

    def _proceed(self, *, now: int) -> None:
        while self._wanted:
            self._send(self._wanted.pop(0), now=now)


class GivesUpWhenAsked(SessionTimer):
    """After 401 and 407 a refresh is not tried again."""

    def _try_again(self, method: str, status: int, *, now: int) -> None:
        if status not in (401, 407):
            super()._try_again(method, status, now=now)


class AnswersBeforeTheCall(UserAgent):
    """A challenge of the call is answered, that of a refresh is not."""

    session_timer = GivesUpWhenAsked

    __slots__ = ()

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        if exchange.aim is Aim.REFRESH:
            exchange.dialog = None
        super().send(request, destination, sender, exchange, now=now)


class HangsUpOnAnyFailure(SessionTimer):
    """Any failure of a refresh ends the call."""

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        verdict = super().refresh_result(status, now=now)
        return Bye(Reason.REFRESH_FAILED) if status is not None and status >= 300 else verdict


class IgnoresTheEnd(SessionTimer):
    """408, 481 and no answer at all are failures like any other."""

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        if status in (None, 408, 481):
            self._refreshing_by = None
            return None
        return super().refresh_result(status, now=now)


class TakesFailureForSuccess(SessionTimer):
    """Any answer to a refresh restarts the session."""

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        if status is None or status < 300:
            return super().refresh_result(status, now=now)
        self._restart(self._terms, now=now)
        return None


class TriesAtOnce(SessionTimer):
    """A refresh that was refused is sent again at once."""

    def _try_again(self, method: str, status: int, *, now: int) -> None:
        self._timers.arm(Timer.RETRY, now, now=now)


class LosesItsRefreshes(Call):
    """A refresh finds no dialog to go by, and is dropped without a word."""

    __slots__ = ()

    def _want(self, exchange: Exchange, *, now: int) -> None:
        if not exchange.asked_by_logic:
            super()._want(exchange, now=now)


class ForgetsTheRoute(CallerCall):
    """Requests within the dialog go straight to the peer's Contact, past the proxies that wanted to see them."""

    __slots__ = ()

    def _establish(self, exchange: Exchange, response: Response) -> None:
        super()._establish(exchange, response.without_headers("Record-Route"))


class MovesItsContact(UserAgent):
    """Requests within the dialog have the Contact of the socket that they leave by."""

    __slots__ = ()

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        if request.to_tag is not None and request.contact is not None:
            host, port = self.address
            request = request.with_headers(("Contact", f"<sip:{self.name}@{host}:{port + 1}>"))
        super().send(request, destination, sender, exchange, now=now)


class DescribesAnew(OfferAnswer):
    """Every offer is a new version, though nothing has changed."""

    __slots__ = ()

    def _turned(self, direction: Direction) -> SessionDescription:
        self._newest = self._newest.with_direction(Direction.INACTIVE).with_direction(direction)
        return self._newest


class Unholds(OfferAnswer):
    """The offer of a refresh is that of the beginning: a call on hold is taken off hold."""

    __slots__ = ()

    def offer(self, *, hold: bool | None = None) -> bytes:
        return super().offer(hold=bool(hold))


class UpdatesAnybody(SessionTimer):
    """UPDATE is sent to peers that do not allow it."""

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        duty = super().handle_deadline(now=now)
        if isinstance(duty, Refresh):
            self._refreshing_by = "UPDATE"
            return Refresh("UPDATE")
        return duty


class AcknowledgesOnce(Call):
    """A 2xx that is repeated, for the ACK was lost, gets no other."""

    __slots__ = ()

    def _acknowledge(self, exchange: Exchange, response: Response) -> bool:
        if (response.cseq.number, response.to_tag) in self._acks:
            return False
        return super()._acknowledge(exchange, response)


class WaitsForTheLock(Call):
    """A BYE waits until the request that is under way has its answer."""

    __slots__ = ()

    def _end(self, reason: Reason, *, now: int) -> None:
        if self._under_way is None:
            super()._end(reason, now=now)


class AbandonsItsRefresh(Call):
    """A refresh is abandoned as soon as it is sent: its answer finds nobody."""

    __slots__ = ()

    def receive_response(self, exchange: Exchange, response: Response, *, now: int) -> None:
        if not exchange.asked_by_logic:
            super().receive_response(exchange, response, now=now)


PIECES: Final = (
    Piece(
        "M44",
        symptom="One crossing of two re-INVITEs costs the call.",
        cause="A refresh that met 491 is not tried again.",
        rules=("3261-14.1c",),
        source="livekit/sip, pull request 494; pjproject 1169 and 3886; resiprocate 35",
        machine=with_timer(GivesUpOn491),
    ),
    Piece(
        "M45",
        symptom="After a crossing of two re-INVITEs the next refresh comes too late.",
        cause="The retry after 491 is armed for half the interval, but 491 moves no expiration.",
        rules=("3261-14.1c",),
        source="drachtio-server: the controller",
        machine=with_timer(WaitsForItsNextTurn),
    ),
    Piece(
        "M47",
        symptom="A refresh is sent while a hold still waits for its answer.",
        cause="Nobody looks whether another INVITE is open.",
        rules=("3261-14.1a",),
        source="JsSIP 732; twinkle 262; SEMS 68",
        machine=with_calls(LooksAtNothing),
    ),
    Piece(
        "M48",
        symptom="A 503 or 488 to a refresh ends the call at once.",
        cause="Every failure of a refresh is taken for the end.",
        rules=("RFC4028-10-4", "3261-14.1b"),
        source="pjproject 1997; drachtio-server",
        machine=with_timer(HangsUpOnAnyFailure),
    ),
    Piece(
        "M49",
        symptom="The peer knows of no call any more, and the refresher does not hang up.",
        cause="408, 481 and silence are treated like other failures.",
        rules=("RFC4028-10-3", "3261-12.2.1.2"),
        source="pjproject 488; siphon-rs 93; drachtio-server 375",
        machine=with_timer(IgnoresTheEnd),
    ),
    Piece(
        "M50",
        symptom="The refresher believes in a session that has expired.",
        cause="Any final response to a refresh counts as its success.",
        rules=("RFC4028-10-2", "RFC4028-10-4", "RFC4028-10-5"),
        source="siphon-rs",
        machine=with_timer(TakesFailureForSuccess),
        visible=Visible.PARTLY,
    ),
    Piece(
        "M51",
        symptom="A refresh that is challenged (401, 407) is not answered, and the session runs out.",
        cause="Credentials are kept for the INVITE that begins the call, and nobody looks for them later.",
        rules=("RFC4028-10-4",),
        source="livekit/sip: inbound.go, outbound.go",
        machine=AnswersBeforeTheCall,
    ),
    Piece(
        "M52",
        symptom="A refresh that is refused comes again and again, without a pause.",
        cause="A failure leads straight to the next try.",
        rules=("RFC4028-10-5", "3261-14.1c"),
        source="pjproject: sip_timer.c; resiprocate, for 422",
        machine=with_timer(TriesAtOnce),
    ),
    Piece(
        "M54",
        symptom="The refresh never leaves.",
        cause="The refresh looks its dialog up by a key that is empty, and returns.",
        rules=("RFC4028-7.2-11", "RFC4028-7.2-12", "RFC4028-9-15", "RFC4028-9-16"),
        source="drachtio-server; livekit/sip, pull request 494, would crash",
        machine=with_calls(LosesItsRefreshes),
    ),
    Piece(
        "M55",
        symptom="The refresh goes to the wrong place, and is never answered.",
        cause="The route set of the dialog is not used.",
        rules=("3261-12.2.1.1b",),
        source="drachtio-server; siphon-sip 398; sofia-sip; Kamailio 1005",
        machine=with_calls(ForgetsTheRoute),
    ),
    Piece(
        "M56",
        symptom="After a refresh the peer's requests reach nobody.",
        cause="Contact is made anew from the local socket.",
        rules=("3261-12.2.2",),
        source="drachtio-server",
        machine=MovesItsContact,
    ),
    Piece(
        "M57",
        symptom="Every refresh looks like a change of the media.",
        cause="The session description is made anew, with another version.",
        rules=("RFC4028-7.4-16", "RFC4028-7.4-17", "3264-8"),
        source="pjproject 3322; FreeSWITCH 891; JsSIP 312",
        machine=with_media(DescribesAnew),
    ),
    Piece(
        "M57b",
        symptom="A call on hold is taken off hold by a refresh.",
        cause="The refresh repeats the first offer instead of the last.",
        rules=("RFC4028-7.4-16", "3264-8"),
        source="livekit/sip, pull request 494: lastSDP; siphon-sip 398",
        machine=with_media(Unholds),
        visible=Visible.PARTLY,  # somebody may have meant to resume
    ),
    Piece(
        "M58",
        symptom="The refresh is refused with 405.",
        cause="UPDATE is sent without a look at the peer's Allow.",
        rules=("RFC4028-7.4-13", "3311-4"),
        source="pjproject 1047; JsSIP 384",
        machine=with_timer(UpdatesAnybody),
    ),
    Piece(
        "M60",
        symptom="One lost ACK ends the call after 32 s.",
        cause="What would acknowledge a repeated 2xx is gone by then.",
        rules=("3261-13.2.2.4",),
        source="drachtio-server; livekit/sip 851; pjproject 1725; resiprocate 470 and 471; siphon-sip 375",
        machine=with_calls(AcknowledgesOnce),
    ),
    Piece(
        "M61",
        symptom="The BYE of a session that expires comes late.",
        cause="It waits for a lock that a request without an answer holds.",
        rules=("RFC4028-10-6", "RFC4028-10-7"),
        source="livekit/sip, pull request 494: inbound.go and outbound.go",
        machine=with_calls(WaitsForTheLock),
    ),
    Piece(
        "M62",
        symptom="The refresh is answered, and never acknowledged.",
        cause="It goes by the context of the call's setup, which was cancelled long ago.",
        rules=("3261-13.2.2.4",),
        source="livekit/sip, pull request 494: outbound.go",
        machine=with_calls(AbandonsItsRefresh),
    ),
)
