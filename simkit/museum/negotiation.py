"""Defects in the negotiation of the interval: 422 and Min-SE, and what requests and 2xx say of it."""

from dataclasses import replace
from typing import Final

from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from ..ua.callee import CalleeCall
from ..ua.events import Address
from ..ua.exchange import Exchange
from ..ua.negotiation import read_session_expires
from ..ua.responses import respond
from ..ua.session_timer import SessionTimer
from ..ua.timer_logic import Accept, GiveUp, Reject, Retry
from ..ua.timers import Timer
from ..ua.transaction_layer import RequestSender
from ..ua.user_agent import UserAgent
from .piece import Absence, Piece, Visible, with_calls, with_timer


class GivesUpOn422(SessionTimer):
    """422 is a failure like any other."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        return GiveUp() if response.status == 422 else super().receive_response(response, now=now)


class RepeatsItself(SessionTimer):
    """After 422 the same request is sent again, as often as it takes."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        return Retry() if response.status == 422 else super().receive_response(response, now=now)


class ForgetsMinSe(SessionTimer):
    """The last Min-SE of the peer counts, not the largest."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        self._min_se_on_dialog = request.min_se
        return verdict


class RaisesInstead(SessionTimer):
    """An interval that is too small is raised in the 2xx, where it should be refused."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        least_s, asked = self._settings.min_se_s, request.session_expires
        if asked is None or asked.interval_s >= least_s:
            return super().receive_request(request, initial=initial, now=now)
        raised = request.with_headers(("Session-Expires", str(replace(asked, interval_s=least_s))))
        return super().receive_request(raised, initial=initial, now=now)


class OffersAMinute(SessionTimer):
    """The default interval is a minute."""

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        headers = super().make_request(method, initial=initial, now=now)
        return tuple((name, "60" if initial and name == "Session-Expires" else value) for name, value in headers)


class RefusesWithoutMinSe(SessionTimer):
    """The 422 does not say what would be enough."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        return Reject(verdict.status) if isinstance(verdict, Reject) else verdict


class LosesTheTimerOn422(SessionTimer):
    """A refresh that is answered 422 takes the running timer with it."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        if response.status == 422 and self._terms is not None:
            self._timers.disarm_all(now=now)
            return GiveUp()
        return super().receive_response(response, now=now)


class TakesOffence(SessionTimer):
    """A 2xx below our own Min-SE makes us hang up."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        verdict = super().receive_response(response, now=now)
        expires = read_session_expires(response)
        if expires is not None and expires.interval_s < self._settings.min_se_s:
            self._timers.arm(Timer.BYE, now, now=now)
        return verdict


class RingsWithAnInterval(CalleeCall):
    """Session-Expires goes into every response, provisional ones too."""

    __slots__ = ()

    def ring(self, *, now: int) -> None:
        self._must_be_early("ring")
        headers = (self._host.contact, *self._terms.headers)
        ringing = respond(self._request, 180, to_tag=self.local_tag, headers=headers)
        self._host.respond(self.transaction, ringing, now=now)


class AnswersWithMinSe(SessionTimer):
    """Min-SE goes into every response, 2xx too."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        if isinstance(verdict, Reject):
            return verdict
        return Accept((*verdict.headers, ("Min-SE", str(self._settings.min_se_s))))


class RequiresNothing(SessionTimer):
    """The 2xx appoints the caller, and does not require it to support the timer."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        verdict = super().receive_request(request, initial=initial, now=now)
        if isinstance(verdict, Reject):
            return verdict
        return Accept(tuple(field for field in verdict.headers if field[0] != "Require"))


class UpdatesUnsupported(UserAgent):
    """UPDATE says nothing of what its sender supports."""

    __slots__ = ()

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        said = request.without_headers("Supported") if request.method == "UPDATE" else request
        super().send(said, destination, sender, exchange, now=now)


class AsksForItsDefault(SessionTimer):
    """A refresh asks for the interval that is set, not for the one that was agreed on."""

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        if self._terms is not None:
            self._terms = replace(self._terms, interval_s=self._settings.default_expires_s)
        return super().make_request(method, initial=initial, now=now)


class MinimumUnheeded(SessionTimer):
    """The minimum that it is set to is read by nobody."""

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        settings, self._settings = self._settings, replace(self._settings, min_se_s=90)
        verdict = super().receive_request(request, initial=initial, now=now)
        self._settings = settings
        return verdict


PIECES: Final = (
    Piece(
        "M28",
        symptom="A call fails because the callee wants a longer interval.",
        cause="422 is taken for a failure like any other.",
        rules=("RFC4028-7.3-1", "RFC4028-10-4"),
        source="JsSIP 397 and 933; livekit/sip, pull request 494; ivozprovider 320",
        machine=with_timer(GivesUpOn422),
    ),
    Piece(
        "M29",
        symptom="INVITE and 422 follow each other without end.",
        cause="The retry says what had been refused, and nobody counts.",
        rules=("RFC4028-7.4-3", "RFC4028-10-5"),
        source="sprout 529; pjproject 2120; resiprocate has no limit",
        machine=with_timer(RepeatsItself),
    ),
    Piece(
        "M30",
        symptom="A refresh asks for less than the peer had said it must.",
        cause="Min-SE is overwritten by each message, and by one that has none.",
        rules=("RFC4028-7.4-2", "RFC4028-7.4-4"),
        source="resiprocate: mMinSE; pjproject 2120",
        machine=with_timer(ForgetsMinSe),
    ),
    Piece(
        "M31",
        symptom="The caller asked for a short interval, and is told a longer one.",
        cause="The interval is lifted to the minimum in the 2xx, where 422 is due.",
        rules=("RFC4028-9-6",),
        source="JsSIP 324; drachtio-server; livekit/sip, pull request 494",
        machine=with_timer(RaisesInstead),
    ),
    Piece(
        "M32",
        symptom="Every call begins with an interval of a minute, which many refuse.",
        cause="The default is below the floor of 90 s.",
        rules=("RFC4028-4-3", "RFC4028-4-6"),
        source="JsSIP 297 and 727; SIP.js 258, of FreeSWITCH's 120",
        machine=with_timer(OffersAMinute),
    ),
    Piece(
        "M34",
        symptom="The caller is refused with 422, and cannot know what to ask for.",
        cause="The 422 has no Min-SE.",
        rules=("RFC4028-6-2", "RFC4028-9-2"),
        source="OpenSIPS, two fixes; pjproject 1718, of a caller that hung",
        machine=with_timer(RefusesWithoutMinSe),
    ),
    Piece(
        "M36",
        symptom="After a 422 to a refresh the session is never refreshed again, and never ends.",
        cause="The timers are cancelled before the answer is known, and armed again by a 2xx alone.",
        rules=("RFC4028-10-2", "RFC4028-7.2-11", "RFC4028-7.3-1"),
        source="drachtio-server; pjproject 2120",
        machine=with_timer(LosesTheTimerOn422),
        visible=Visible.PARTLY,
    ),
    Piece(
        "M38",
        symptom="A caller hangs up as soon as its call is answered.",
        cause="The callee named an interval below the caller's Min-SE; that is the callee's fault, and harmless.",
        rules=("RFC4028-7.2-8", "RFC4028-9-13"),
        source="pjproject 954",
        machine=with_timer(TakesOffence),
        visible=Visible.PARTLY,
    ),
    Piece(
        "M39",
        symptom="Callers arm their timer when the phone rings.",
        cause="Session-Expires is put into every response, 180 too.",
        rules=("RFC4028-4-2",),
        source="Asterisk 2104 and 2105; resiprocate; sofia-sip, FS-6462",
        machine=with_calls(RingsWithAnInterval),
    ),
    Piece(
        "M39b",
        symptom="A 2xx has a Min-SE.",
        cause="Min-SE is put into every response, not into 422 alone.",
        rules=("RFC4028-5-4",),
        source="Asterisk 2104 and 2105",
        machine=with_timer(AnswersWithMinSe),
    ),
    Piece(
        "M40",
        symptom="A caller that is to refresh is not told that it has to know how.",
        cause="Require: timer is missing from the 2xx.",
        rules=("RFC4028-9-11", "RFC4028-9-12"),
        source="pjproject 1560; diago 170; JsSIP",
        machine=with_timer(RequiresNothing),
    ),
    Piece(
        "M41",
        symptom="The peer believes that the timer is no longer supported, from the first UPDATE on.",
        cause="Supported goes into INVITE alone.",
        rules=("RFC4028-7.1-1", "RFC4028-7.4-1"),
        source="pjproject 1611",
        machine=UpdatesUnsupported,
    ),
    Piece(
        "M42",
        symptom="The interval changes with the first refresh.",
        cause="A refresh asks for the interval that is set, not for the one that was agreed on.",
        rules=("RFC4028-7.4-8",),
        source="sofia-sip; livekit/sip, pull request 494",
        machine=with_timer(AsksForItsDefault),
    ),
    Piece(
        "M43",
        symptom="The smallest interval that an operator has set has no effect.",
        cause="The setting is read, and used nowhere.",
        rules=("RFC4028-9-1",),
        source="FreeSWITCH 155; livekit/sip: use_update",
        machine=with_timer(MinimumUnheeded),
        visible=Visible.NOT,
    ),
)

ABSENT: Final = (
    Absence(
        "M37",
        "A caller believes a 2xx that raises its interval.",
        "RFC 4028 does not say what a UAC makes of such a 2xx: the fault is the callee's (M31).",
    ),
)
