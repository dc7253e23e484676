"""Defects in the bookkeeping of the expiry: what restarts it, from when it counts, and how long it runs."""

from dataclasses import replace
from typing import Final

from ..sip.message import Request, Response
from ..ua.callee import CalleeCall
from ..ua.negotiation import SessionTerms, read_session_expires
from ..ua.session_timer import SessionTimer
from ..ua.timer_logic import Bye, GiveUp, Retry
from ..ua.timers import Timer
from ..units import MS, S
from .piece import Piece, with_calls, with_timer

MILLISECONDS_MAX: Final = 2**31 - 1  # the longest delay of JavaScript's setTimeout; a longer one fires at once


class OwnRefreshForgotten(SessionTimer):
    """A refresh of our own restarts the refresh timer, but not the expiry."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        running_until = self._timers.due_at(Timer.EXPIRY)
        super()._restart(terms, now=now)
        if terms is not None and terms.we_refresh:
            self._timers.arm(Timer.EXPIRY, running_until or now + terms.bye_us, now=now)


class PeersRefreshForgotten(SessionTimer):
    """A refresh of the peer never reaches the timer."""

    def sent_response(self, response: Response, *, now: int) -> None:
        if self._terms is None:
            super().sent_response(response, now=now)


class OnlyPureRefreshesCount(SessionTimer):
    """A 2xx to a request that this timer did not ask for restarts nothing."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        if self._terms is not None and self._refreshing_by is None:
            return None
        return super().receive_response(response, now=now)


class OneShot(SessionTimer):
    """The refresh timer is armed when the call is set up, and not again after a refresh."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        again = self._terms is not None
        super()._restart(terms, now=now)
        if again:
            self._timers.disarm(Timer.REFRESH, now=now)


class TwoStreams(SessionTimer):
    """A new refresh timer is armed beside the old one."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        old_at = self._timers.due_at(Timer.REFRESH)
        super()._restart(terms, now=now)
        if old_at is not None:
            self._timers.arm(Timer.RETRY, old_at, now=now)


class CountsFromAck(CalleeCall):
    """The callee's clock starts when the ACK comes, not when it sends its 2xx."""

    __slots__ = ()

    def receive_ack(self, ack: Request, *, now: int) -> None:
        acknowledged = self._answers.waiting_for(ack)
        super().receive_ack(ack, now=now)
        if acknowledged is not None:
            self._logic.sent_response(acknowledged, now=now)


class HangsUpLate(SessionTimer):
    """The side that does not refresh waits for 1.1 times the interval."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        super()._restart(terms, now=now)
        if terms is not None and not terms.we_refresh:
            self._timers.arm(Timer.BYE, now + terms.expiry_us * 11 // 10, now=now)


class TakesATenth(SessionTimer):
    """The side that does not refresh hangs up a tenth before the session expires."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        super()._restart(terms, now=now)
        if terms is not None and not terms.we_refresh:
            self._timers.arm(Timer.BYE, now + terms.expiry_us - min(32 * S, terms.expiry_us // 10), now=now)


class RefresherTakesTheLead(SessionTimer):
    """The refresher, too, hangs up a little before the session expires."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        super()._restart(terms, now=now)
        if terms is not None and terms.we_refresh:
            self._timers.arm(Timer.EXPIRY, now + terms.bye_us, now=now)


class LivesForEver(SessionTimer):
    """The refresher has no expiry of its own, and makes nothing of a refresh without an answer."""

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        if status is not None:
            return super().refresh_result(status, now=now)
        self._timers.disarm_all(now=now)
        return None


class BelievesAnyInterval(SessionTimer):
    """An interval is taken from a 2xx as it stands, below 90 s and all."""

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        verdict = super().receive_response(response, now=now)
        expires = read_session_expires(response)
        if self._terms is not None and expires is not None and expires.interval_s > 0:
            self._restart(replace(self._terms, interval_s=expires.interval_s, asked_s=None), now=now)
        return verdict


class DividesSeconds(BelievesAnyInterval):
    """Half the interval is worked out in whole seconds: that of 1 s is nothing."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        super()._restart(terms, now=now)
        if terms is not None and terms.we_refresh:
            self._timers.arm(Timer.REFRESH, now + terms.interval_s // 2 * S, now=now)


class Overflows(SessionTimer):
    """A delay is counted in 32-bit milliseconds; one of more than 24.8 days is over at once."""

    def _restart(self, terms: SessionTerms | None, *, now: int) -> None:
        super()._restart(terms, now=now)
        for timer in (Timer.REFRESH, Timer.BYE):
            due_at = self._timers.due_at(timer)
            if due_at is not None and (due_at - now) // MS > MILLISECONDS_MAX:
                self._timers.arm(timer, now + MS, now=now)


PIECES: Final = (
    Piece(
        "M01",
        symptom="The refresher hangs up before the first interval is over, though its refreshes were answered.",
        cause="Its own refresh restarts the refresh timer, but not the expiry that was armed when the call began.",
        rules=("RFC4028-7.2-8", "RFC4028-10-7"),
        source="livekit/sip, pull request 494: session_timer.go",
        machine=with_timer(OwnRefreshForgotten),
    ),
    Piece(
        "M02",
        symptom="A side hangs up before the session expires, although its peer refreshed on time.",
        cause="A re-INVITE or UPDATE of the peer is answered, but nobody tells the timer.",
        rules=("RFC4028-9-13",),
        source="livekit/sip, pull request 494: inbound.go; OpenSIPS 267; drachtio-server 87, for UPDATE",
        machine=with_timer(PeersRefreshForgotten),
    ),
    Piece(
        "M03",
        symptom="The call dies some time after one side has put it on hold.",
        cause="Only a request that does nothing but refresh restarts the interval; a hold does not.",
        rules=("RFC4028-7.2-13", "RFC4028-7.2-8"),
        source="drachtio-server 197",
        machine=with_timer(OnlyPureRefreshesCount),
    ),
    Piece(
        "M04",
        symptom="The first refresh is sent, and no second one.",
        cause="The refresh timer fires once and is not armed again after a 2xx.",
        rules=("RFC4028-7.2-11", "RFC4028-9-15", "RFC4028-7.2-12"),
        source="drachtio-server, two fixes of the same timer",
        machine=with_timer(OneShot),
    ),
    Piece(
        "M05",
        symptom="Refreshes come twice as often, in two streams.",
        cause="A new refresh timer is armed without cancelling the old one.",
        rules=("RFC4028-7.2-12", "RFC4028-7.2-8"),
        source="drachtio-server 197, in the discussion",
        machine=with_timer(TwoStreams),
    ),
    Piece(
        "M07",
        symptom="The callee's refreshes and BYEs come late by as long as the ACK was on its way.",
        cause="Its clock starts when the ACK comes, not when the 2xx is sent.",
        rules=("RFC4028-9-14", "RFC4028-9-16", "RFC4028-10-6", "RFC4028-10-7"),
        source="sofia-sip: nua_session.c; livekit/sip, pull request 494, after a PIN prompt",
        machine=with_calls(CountsFromAck),
    ),
    Piece(
        "M08",
        symptom="The side that does not refresh hangs up when the session has long expired.",
        cause="It waits for 1.1 times the interval.",
        rules=("RFC4028-10-6",),
        source="JsSIP: RTCSession.js; drachtio-server waits for the whole interval; diago 170",
        machine=with_timer(HangsUpLate),
    ),
    Piece(
        "M09",
        symptom="The side that does not refresh hangs up a little later than advised.",
        cause="Its lead is a tenth of the interval where the RFC advises a third.",
        rules=("RFC4028-10-7",),
        source="sofia-sip: session_timer_set",
        machine=with_timer(TakesATenth),
    ),
    Piece(
        "M10",
        symptom="The refresher's BYE overtakes its own refresh, which still waits for an answer.",
        cause="The lead of the side that does not refresh is applied by the refresher as well.",
        rules=("RFC4028-10-7",),
        source="resiprocate 483; livekit/sip, pull request 494",
        machine=with_timer(RefresherTakesTheLead),
    ),
    Piece(
        "M11",
        symptom="The peer is dead, and the call lives on for ever.",
        cause="The refresher has no expiry of its own, and ignores a refresh that gets no answer.",
        rules=("RFC4028-10-3",),
        source="pjproject 1722; drachtio-server 375; resiprocate 483; siphon-ai 477 and 480",
        machine=with_timer(LivesForEver),
    ),
    Piece(
        "M13",
        symptom="Refreshes without end, all at one instant.",
        cause="Half of an interval of 1 s is divided before it is converted, and is 0.",
        rules=("RFC4028-7.2-12", "RFC4028-4-3"),
        source="livekit/sip, pull request 494: session_timer.go",
        machine=with_timer(DividesSeconds),
    ),
    Piece(
        "M14",
        symptom="One 2xx of the peer sets off a storm of refreshes.",
        cause="The interval of a 2xx is believed however short it is; there is no floor of 90 s.",
        rules=("RFC4028-7.2-12", "RFC4028-4-3"),
        source="livekit/sip, pull request 494; twinkle does clamp it",
        machine=with_timer(BelievesAnyInterval),
    ),
    Piece(
        "M14b",
        symptom="An interval of a month is over at once.",
        cause="Delays are 32-bit milliseconds, and what does not fit fires at once.",
        rules=("RFC4028-4-5", "RFC4028-7.2-12", "RFC4028-9-16"),
        source="JsSIP: setTimeout with an interval above 4,294,967 s",
        machine=with_timer(Overflows),
    ),
)
