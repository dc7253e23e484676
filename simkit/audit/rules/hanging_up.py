"""When a BYE for the session timer comes: in time, too early, too late, or not at all (RFC 4028 sections 7.2, 9, 10).

Anybody may hang up at any time. A BYE is taken for one of the session timer when it says so (Reason, RFC 3326), or when
it comes just when the interval of another 2xx would have run out.
"""

import re
from typing import Final

from ...units import S
from ..dialog import Session, Side, Transaction, hang_up_us
from ..rule import ERROR, NOTE, AuditRule, Breach, rule
from ..words import about
from .failures import gone_since
from .refreshing import counts_from_ack

ADVISED_INTERVAL_US: Final = 1800 * S  # RFC 4028 section 4: what a stack counts with that was told nothing
_BLAMES_THE_TIMER: Final = re.compile(r"cause *= *408|session|timer|refresh|expire", re.IGNORECASE)


def blames_the_timer(bye: Transaction) -> bool:
    """Whether a BYE says that the session timer made it (RFC 3326)."""
    return any(_BLAMES_THE_TIMER.search(reason) for reason in bye.request.message.values("Reason"))


def is_given_up(bye: Transaction, session: Session) -> bool:
    """Whether its sender hung up because its own refresh had shown that nobody is there."""
    gone = (gone_since(request) for request in session.requests_of(bye.uac))
    return any(at is not None and at <= bye.at + bye.dialog.allow.session_us for at in gone)


# --- too early -------------------------------------------------------------------------------------------------------


def hung_up_refreshed_as_uac(bye: Transaction) -> Breach | None:
    """A BYE for want of a refresh by the UAC of the last one, which restarted the interval."""
    session = bye.session
    return _too_early(bye, session) if session is not None and session.transaction.uac is bye.uac else None


def hung_up_refreshed_as_uas(bye: Transaction) -> Breach | None:
    """The same by the UAS of the last refresh."""
    session = bye.session
    return _too_early(bye, session) if session is not None and session.transaction.uac is not bye.uac else None


def _too_early(bye: Transaction, session: Session) -> Breach | None:
    if session.interval_us is None or session.refresher is None:
        return None
    if _dislikes(bye, session):
        text = f"hung up {about(bye.at - session.at)} after a 2xx below its Min-SE"
        return Breach(bye.request, text, "it takes that for an error; its peer made one, but a harmless one")
    refresher = bye.uac is session.refresher
    early_us = -(session.expiry_lateness if refresher else session.bye_lateness)(bye.at, bye.uac)
    if early_us <= bye.dialog.allow.session_us or _takes_the_lead(bye, session) or is_given_up(bye, session):
        return None
    superseded = _superseded(bye, session)
    if superseded is None and not blames_the_timer(bye):
        return None
    since, left = about(bye.at - session.at), about(session.expires_at - bye.at)
    text = f"hung up {since} after {_what_restarted(bye, session)}; the session was good for another {left}"
    return Breach(bye.request, text, _why_early(bye, session, superseded))


def _dislikes(bye: Transaction, session: Session) -> bool:
    """Whether it hung up at once on an interval below its own Min-SE."""
    least_s = session.transaction.request.said.min_se_s
    if least_s is None or session.transaction.uac is not bye.uac or (session.interval_us or 0) >= least_s * S:
        return False
    return bye.at <= session.answer.arrived_at + bye.dialog.allow.session_us


def _superseded(bye: Transaction, session: Session) -> Session | None:
    """Return the earlier 2xx that this BYE is due by: its clock has run on."""
    for former in session.superseded():
        if bye.at > former.expires_at:
            break
        if abs(former.bye_lateness(bye.at, bye.uac)) <= bye.dialog.allow.session_us:
            return former
    return None


def _what_restarted(bye: Transaction, session: Session) -> str:
    if session.transaction.initial:
        return "the call was set up"
    return "its own refresh was answered" if session.transaction.uac is bye.uac else "it had answered a refresh"


def _why_early(bye: Transaction, session: Session, superseded: Session | None) -> str:
    if superseded is None:
        return ""
    likely = f"its expiry was not restarted: that of the 2xx {about(bye.at - superseded.at)} before ran on"
    if session.transaction.changes_media:
        return f"{likely}; whatever a refresh is for, its 2xx restarts it"
    return likely


def hung_up_without_timer(bye: Transaction) -> Breach | None:
    """A BYE for a session timer that was never agreed on."""
    session = bye.session
    if session is None or session.interval_us is not None or is_given_up(bye, session):
        return None
    if session.previous is not None and session.previous.interval_us is not None:
        return None
    asked_s = session.transaction.request.said.interval_s
    meant_us = ADVISED_INTERVAL_US if asked_s is None else asked_s * S
    if not blames_the_timer(bye) and not _is_due(bye, session, meant_us):
        return None
    text = f"hung up {about(bye.at - session.at)} after a 2xx that set no session timer; there was nothing to expire"
    return Breach(bye.request, text, "it counts by an interval that its peer never agreed to")


def hung_up_after_switch_off(bye: Transaction) -> Breach | None:
    """A BYE for a session timer that a later 2xx switched off."""
    session = bye.session
    if session is None or session.interval_us is not None or is_given_up(bye, session):
        return None
    former = session.previous
    if former is None or former.interval_us is None:
        return None
    if not blames_the_timer(bye) and not any(_is_due(bye, each, former.interval_us) for each in (former, session)):
        return None
    text = f"hung up {about(bye.at - session.at)} after a 2xx that had switched the session timer off"
    return Breach(bye.request, text, "a 2xx without Session-Expires does not stop its clock")


def _is_due(bye: Transaction, session: Session, interval_us: int) -> bool:
    due_us = hang_up_us(interval_us)
    return abs(session.lateness(bye.at, due_us, due_us, bye.uac)) <= bye.dialog.allow.session_us


def hung_up_by_refresher(bye: Transaction) -> Breach | None:
    """A refresher that hangs up with the lead of the other side."""
    session = bye.session
    if session is None or not _takes_the_lead(bye, session):
        return None
    pending = _pending(bye, session)
    if pending is None:
        text = f"hung up {about(session.expires_at - bye.at)} before the session expires, though it is to refresh it"
    else:
        text = f"hung up while its own refresh, {about(bye.at - pending.at)} old, still waited for its answer"
    return Breach(bye.request, text, "the lead of the side that does not refresh is applied by the refresher as well")


def _takes_the_lead(bye: Transaction, session: Session) -> bool:
    if session.interval_us is None or session.refresher is not bye.uac or is_given_up(bye, session):
        return False
    if abs(session.bye_lateness(bye.at, bye.uac)) > bye.dialog.allow.session_us:
        return False
    return _pending(bye, session) is not None or blames_the_timer(bye)


def _pending(bye: Transaction, session: Session) -> Transaction | None:
    return next((request for request in session.requests_of(bye.uac) if request.open_at(bye.order)), None)


# --- too late --------------------------------------------------------------------------------------------------------


def hung_up_inside(bye: Transaction) -> Breach | None:
    """A BYE of the side that does not refresh, later than advised, but before the session expires."""
    session = _run_out(bye)
    if session is None or session.interval_us is None:
        return None
    allow_us = bye.dialog.allow.session_us
    overdue_us = session.expiry_lateness(bye.at, bye.uac)
    if session.bye_lateness(bye.at, bye.uac) <= allow_us or overdue_us >= -allow_us:
        return None
    lead, advised = about(-overdue_us), about(session.interval_us - session.bye_us)
    tenth_us = min(32 * S, session.interval_us // 10)
    likely = "a tenth is sofia-sip's custom" if abs(overdue_us + tenth_us) <= allow_us else _clock(bye, session)
    return Breach(bye.request, f"hung up {lead} before the session expires; {advised} before is advised", likely)


def hung_up_expired(bye: Transaction) -> Breach | None:
    """A BYE of the side that does not refresh, when the session has expired."""
    session = _run_out(bye)
    if session is None or session.interval_us is None:
        return None
    allow_us = bye.dialog.allow.session_us
    overdue_us = session.expiry_lateness(bye.at, bye.uac)
    if overdue_us < -allow_us:
        return None
    if overdue_us <= allow_us:
        text = "hung up only when the session expired; a little before is due"
        return Breach(bye.request, text, "it waits for the whole interval, drachtio's custom", severity=NOTE)
    text = f"hung up {about(overdue_us)} after the session had expired; a little before is due"
    if abs(overdue_us - session.interval_us // 10) <= allow_us:
        return Breach(bye.request, text, "it waits for 1.1 times the interval, JsSIP's custom", severity=NOTE)
    return Breach(bye.request, text, _clock(bye, session))


def _clock(bye: Transaction, session: Session) -> str:
    late_us = session.bye_lateness(bye.at, bye.uac)
    return "its clock starts at the ACK, not at the 2xx" if counts_from_ack(session, late_us) else ""


def _run_out(bye: Transaction) -> Session | None:
    """Return the session that ran out before this BYE of the side that does not refresh, the first of the dialog."""
    session = bye.session
    if session is None or session.refresher in (None, bye.uac) or bye.dialog.byes[0] is not bye:
        return None
    return session


def never_hung_up(session: Session) -> Breach | None:
    """A side that lives and does not refresh, and lets the call go on when the session has expired."""
    dialog = session.transaction.dialog
    if session.refresher is None or session.until_at is not None:
        return None
    other = session.refresher.other
    if dialog.last_at <= session.expires_at + dialog.allow.session_us or not dialog.heard_after(
        other, session.expires_at
    ):
        return None
    if dialog.byes and dialog.byes[0].uac is other:
        return None
    text = "let the call go on when the session had expired; a BYE was due a little before"
    at = session.latest_at + session.bye_us
    return Breach(session.answer, text, "it armed no expiry", actor=dialog.names[other], at=at)


# --- not allowed to --------------------------------------------------------------------------------------------------


def hung_up_by_proxy(bye: Transaction) -> Breach | None:
    """A BYE that comes from a proxy."""
    if bye.request.sender not in bye.dialog.proxies:
        return None
    return Breach(bye.request, "sent a BYE of its own into a call that it only passes on")


def hung_up_unconfirmed(bye: Transaction) -> Breach | None:
    """A BYE of the callee before the ACK to its 2xx."""
    dialog, setup = bye.dialog, bye.dialog.setup
    if bye.uac is Side.CALLER or not any(t.initial for t in dialog.transactions):
        return None
    if setup is None or setup.final is None:
        return Breach(bye.request, "sent BYE to a call that it had not answered")
    if any(ack.order < bye.order for ack in setup.acks):
        return None
    if bye.at >= setup.final.at + dialog.allow.timeout_us - dialog.allow.session_us:
        return None
    return Breach(bye.request, "sent BYE before the ACK to its 2xx came")


def request_after_the_end(transaction: Transaction) -> Breach | None:
    """A new request of a side that had sent BYE, or answered one."""
    bye = transaction.over
    if bye is None:
        return None
    what = "a second BYE" if transaction.method == "BYE" else transaction.method
    when = "after its BYE" if bye.uac is transaction.uac else "after it had answered a BYE"
    return Breach(transaction.request, f"sent {what} {when}; the call was over", "its timers outlive the call")


OF_BYES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-8.3-2", hung_up_by_proxy),
    rule("3261-15", hung_up_unconfirmed),
)
OF_BYES_TIMED: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.2-8", hung_up_refreshed_as_uac, ERROR),  # definitions, all four, but they cost living calls
    rule("RFC4028-9-13", hung_up_refreshed_as_uas, ERROR),
    rule("RFC4028-10-6", hung_up_expired),
    rule("RFC4028-10-7", hung_up_by_refresher),
    rule("RFC4028-10-7", hung_up_inside, NOTE),
)
OF_BYES_UNTIMED: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.2-6", hung_up_without_timer, ERROR),
    rule("RFC4028-7.2-7", hung_up_after_switch_off, ERROR),
)
OF_REQUESTS: Final[tuple[AuditRule[Transaction], ...]] = (rule("3261-15", request_after_the_end),)
OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (rule("RFC4028-10-6", never_hung_up),)
