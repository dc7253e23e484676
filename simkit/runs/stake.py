"""Which rule of RFC 4028 is at stake where a call failed: told only where what happened leaves no doubt.

A flow says what must be seen, not why. But the most recent 2xx says who refreshes and until when, and that often
explains a message that is missing, too early, or wrong. The rule is a hint beside the failure, never a verdict.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..errors import PeerError
from ..sip.message import Message, Request, Response
from ..sip.session_headers import TIMER, Refresher, SessionExpires
from ..trace import Trace, Transit
from ..units import S, format_time
from .ledger import Ledger, Session
from .script import Script

BYE_LEAD_MAX_US: Final = 32 * S  # RFC 4028 section 10: the smaller of 32 s and a third of the interval

_REFRESHES: Final = ("INVITE", "UPDATE")


class Stake(NamedTuple):
    """A rule, and what it means here."""

    rule: str
    note: str


def at_stake(script: Script, ledger: Ledger, trace: Trace) -> Stake | None:
    """Return the rule that the failure of a call is about; None where that cannot be told."""
    offence, wish = script.offence, script.mismatch
    if offence is not None and wish is not None:
        return _of_content(wish.header, offence, trace)
    if offence is not None and isinstance(offence.message, Request):
        return _of_request(offence.message.method, offence, ledger)
    if offence is None and script.missed is not None and script.culprit is not None:
        observation = script.culprit.observation
        if observation is not None and observation.pattern.status is None:
            return _of_absence(observation.pattern.method, observation.sender, ledger)
    return None


# --- what came, or did not, and when ---------------------------------------------------------------------------------


def _of_request(method: str, transit: Transit, ledger: Ledger) -> Stake | None:
    sessions = list(_timed(ledger, transit.sender, before=transit.sent_at))
    if not sessions:
        return None
    if method == "BYE":
        return _of_bye(transit, sessions)
    if method in _REFRESHES:
        return _of_refresh(transit.sender, sessions[-1])
    return None


def _of_absence(method: str | None, sender: str, ledger: Ledger) -> Stake | None:
    sessions = list(_timed(ledger, sender))
    if not sessions:
        return None
    if method in _REFRESHES:
        return _of_refresh(sender, sessions[-1])
    if method == "BYE" and sessions[-1].refresher != sender:
        return _of_early_bye(sessions[-1])
    return None


def _of_bye(transit: Transit, sessions: list[Session]) -> Stake | None:
    """A BYE came unexpectedly: the time since a 2xx tells what it is for."""
    *stale, latest = sessions
    if transit.sent_at in _ends(latest):
        if latest.refresher == transit.sender:
            return Stake("RFC4028-10-2", f"only a 2xx to a refresh moves the expiration; {_last(latest)}")
        return _of_early_bye(latest)
    if any(transit.sent_at in _ends(session) for session in stale):
        return Stake(
            "RFC4028-9-13",
            f"the interval restarts with the most recent 2xx; the last was at {format_time(latest.at)} s",
        )
    return None


def _of_early_bye(session: Session) -> Stake:
    hang_up_at, expires_at = _ends(session)
    when = f"at {format_time(hang_up_at)} s, for the session expires at {format_time(expires_at)} s"
    note = f"the side that does not refresh hangs up the smaller of 32 s and a third of the interval early: {when}"
    return Stake("RFC4028-10-7", f"{note}; {_last(session)}")


def _of_refresh(sender: str, session: Session) -> Stake:
    if session.refresher is not None and session.refresher != sender:
        return Stake(
            "RFC4028-7.2-4",
            f"{session.refresher} is to refresh, by the most recent 2xx, at {format_time(session.at)} s",
        )
    assert session.interval_s is not None
    half_at = session.at + session.interval_s * S // 2
    note = f"a refresh is due when half the interval has passed, at {format_time(half_at)} s; {_last(session)}"
    return Stake("RFC4028-7.2-12", note)


def _timed(ledger: Ledger, party: str, *, before: int | None = None) -> Iterator[Session]:
    """Yield the settings of a party's session timer that were in force, the most recent last."""
    found: list[Session] = []
    for session in ledger.sessions:
        if session.party != party or (before is not None and session.at > before):
            continue
        if session.interval_s is None:
            found.clear()  # switched off: nothing before this explains anything
        else:
            found.append(session)
    yield from found


def _ends(session: Session) -> tuple[int, int]:
    """Return when the side that does not refresh hangs up, and when the session expires."""
    assert session.interval_s is not None
    interval_us = session.interval_s * S
    expires_at = session.at + interval_us
    return expires_at - min(BYE_LEAD_MAX_US, interval_us // 3), expires_at


def _last(session: Session) -> str:
    return f"the last 2xx was at {format_time(session.at)} s"


# --- what was in it --------------------------------------------------------------------------------------------------


def _of_content(header: str | None, transit: Transit, trace: Trace) -> Stake | None:
    message = transit.message
    if isinstance(message, Response):
        return _of_response(header, message, _answered(transit, trace))
    if header == "Supported" and message.method != "ACK" and TIMER not in message.tokens("Supported"):
        return Stake("RFC4028-7.1-1", "who knows session timers says so in every request but ACK")
    return None


def _answered(transit: Transit, trace: Trace) -> Request | None:
    """Return the request that a response answers."""
    wanted = transit.message.header("Call-ID"), transit.message.header("CSeq")
    for record in trace.messages():
        message = record.message
        if isinstance(message, Request) and (message.header("Call-ID"), message.header("CSeq")) == wanted:
            return message
    return None


def _of_response(header: str | None, response: Response, request: Request | None) -> Stake | None:
    if response.status == 422 and header == "Min-SE" and response.header("Min-SE") is None:
        return Stake("RFC4028-6-2", "a 422 says which interval would do")
    if not 200 <= response.status < 300 or response.method not in _REFRESHES:
        return None
    granted = _session_expires(response)
    if header == "Require" and granted is not None and granted.refresher is Refresher.UAC:
        return Stake("RFC4028-9-11", "where the UAC is to refresh, the 2xx requires the extension")
    if header == "Session-Expires" and granted is not None:
        return _of_grant(granted, _session_expires(request))
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


def _session_expires(message: Message | None) -> SessionExpires | None:
    try:
        return message.session_expires if message is not None else None
    except PeerError:
        return None
