"""Which rule of RFC 4028 is at stake where a call failed: told only where what happened leaves no doubt.

A flow says what must be seen, not why. But the most recent 2xx says who refreshes and until when, and that often
explains a message that is missing, too early, or wrong. The rule is a hint beside the failure, never a verdict.
"""

from collections.abc import Container
from typing import NamedTuple

from ..sip.message import Message, Request, Response
from ..sip.readable import session_of
from ..sip.session_headers import TIMER, Refresher, SessionExpires, bye_lead_us
from ..trace import Trace, Transit
from ..ua.timer_logic import SESSION_METHODS
from ..units import S, format_duration, format_time
from .script import Script
from .stake import Stake


class Session(NamedTuple):
    """A 2xx set a party's session timer."""

    at: int
    interval_us: int
    refresher: str

    @property
    def expires_at(self) -> int:
        """When the session expires if nobody refreshes it."""
        return self.at + self.interval_us

    @property
    def hang_up_at(self) -> int:
        """When the side that does not refresh hangs up."""
        return self.expires_at - bye_lead_us(self.interval_us)

    def __str__(self) -> str:
        """Return when it was set, as part of a sentence."""
        return f"the last 2xx was at {format_time(self.at)} s"


def stake_of_call(script: Script, trace: Trace) -> Stake | None:
    """Return the rule that the failure of a call is about; None where that cannot be told."""
    offence, observation = script.offence, script.culprit.observation if script.culprit else None
    sender = offence.sender if offence else observation.sender if observation else ""
    proxies = script.plan.proxies
    if sender in proxies:
        from .stake_of_proxy import stake_of_proxy  # few flows have a proxy, and fewer fail

        return stake_of_proxy(offence, trace) if offence is not None else None
    if offence is not None and script.mismatch is not None:
        return _of_content(script.mismatch.header, offence, trace)
    if offence is not None and isinstance(offence.message, Request):
        sessions = _sessions(trace, offence.sender, proxies, until=offence.sent_at)
        return _of_request(offence.message.method, offence, sessions) if sessions else None
    if script.missed is not None and observation is not None and observation.pattern.status is None:
        sessions = _sessions(trace, observation.sender, proxies, until=script.missed.latest)
        return _of_absence(observation.pattern.method, observation.sender, sessions[-1]) if sessions else None
    return None


# --- what came, or did not, and when ---------------------------------------------------------------------------------


def _of_request(method: str, transit: Transit, sessions: list[Session]) -> Stake | None:
    if method == "BYE":
        return _of_bye(transit, sessions)
    return _of_refresh(transit.sender, sessions[-1]) if method in SESSION_METHODS else None


def _of_absence(method: str | None, sender: str, session: Session) -> Stake | None:
    if method == "BYE" and session.refresher != sender:
        return _of_early_bye(session)
    return _of_refresh(sender, session) if method in SESSION_METHODS else None


def _of_bye(transit: Transit, sessions: list[Session]) -> Stake | None:
    """A BYE came unexpectedly: the time since a 2xx tells what it is for."""
    *stale, latest = sessions
    if transit.sent_at in (latest.hang_up_at, latest.expires_at):
        if latest.refresher == transit.sender:
            return Stake("RFC4028-10-2", f"only a 2xx to a refresh moves the expiration; {latest}")
        return _of_early_bye(latest)
    if any(transit.sent_at in (session.hang_up_at, session.expires_at) for session in stale):
        last = f"the last was at {format_time(latest.at)} s"
        return Stake("RFC4028-9-13", f"the interval restarts with the most recent 2xx; {last}")
    return None


def _of_early_bye(session: Session) -> Stake:
    lead = format_duration(session.expires_at - session.hang_up_at)
    note = f"who does not refresh hangs up at {format_time(session.hang_up_at)} s, {lead} before the session expires"
    return Stake("RFC4028-10-7", f"{note}; {session}")


def _of_refresh(sender: str, session: Session) -> Stake:
    if session.refresher != sender:
        last = f"the last was at {format_time(session.at)} s"
        return Stake("RFC4028-7.2-4", f"the most recent 2xx says that {session.refresher} refreshes; {last}")
    half_at = format_time(session.at + session.interval_us // 2)
    return Stake("RFC4028-7.2-12", f"a refresh is due when half the interval has passed, at {half_at} s; {session}")


def _sessions(trace: Trace, party: str, proxies: Container[str], *, until: int) -> list[Session]:
    """Return the settings of a party's session timer, the last still in force: each by a 2xx it sent or received."""
    found: list[Session] = []
    for transit in trace.messages():
        at = transit.sent_at if transit.sender == party else transit.received_at
        if at is None or at > until or party not in (transit.sender, transit.receiver) or transit.retransmission:
            continue
        if not (_is_success(transit.message) and transit.message.method in SESSION_METHODS):
            continue
        granted = session_of(transit.message)
        if granted is None or granted.refresher is None:
            found.clear()  # switched off: nothing before this explains anything
        else:
            refresher = transit.receiver if granted.refresher is Refresher.UAC else transit.sender
            if refresher in proxies:
                refresher = "the other side"  # which the proxy speaks for
            found.append(Session(at, granted.interval_s * S, refresher))
    return found


# --- what was in it --------------------------------------------------------------------------------------------------


def _of_content(header: str | None, transit: Transit, trace: Trace) -> Stake | None:
    message = transit.message
    if isinstance(message, Response):
        return _of_response(header, message, _answered(transit, trace))
    if header == "Supported" and message.method != "ACK" and TIMER not in message.tokens("Supported"):
        return Stake("RFC4028-7.1-1", "who knows session timers says so in every request but ACK")
    return None


def _answered(transit: Transit, trace: Trace) -> Request | None:
    """Return the request that a response answers, as it came to who answers."""
    wanted = transit.message.header("Call-ID"), transit.message.header("CSeq")
    for record in trace.messages():
        message = record.message
        if record.receiver != transit.sender or not isinstance(message, Request):
            continue
        if (message.header("Call-ID"), message.header("CSeq")) == wanted:
            return message
    return None


def _of_response(header: str | None, response: Response, request: Request | None) -> Stake | None:
    if response.status == 422 and header == "Min-SE" and response.header("Min-SE") is None:
        return Stake("RFC4028-6-2", "a 422 says which interval would do")
    if not _is_success(response) or response.method not in SESSION_METHODS:
        return None
    granted = session_of(response)
    if header == "Require" and granted is not None and granted.refresher is Refresher.UAC:
        return Stake("RFC4028-9-11", "where the UAC is to refresh, the 2xx requires the extension")
    if header == "Session-Expires" and granted is not None:
        return _of_grant(granted, session_of(request) if request is not None else None)
    return None


def _of_grant(granted: SessionExpires, asked: SessionExpires | None) -> Stake | None:
    if granted.refresher is None:
        return Stake("RFC4028-9-9", "a 2xx with a session interval says who refreshes")
    if asked is None:
        return None
    if asked.refresher not in (None, granted.refresher):
        return Stake("RFC4028-9-10", "the UAC's choice of the refresher stands")
    if granted.interval_s > asked.interval_s:
        return Stake("RFC4028-9-6", f"a UAS must not lengthen the interval; {asked.interval_s} s were asked for")
    return None


def _is_success(message: Message) -> bool:
    return isinstance(message, Response) and 200 <= message.status < 300
