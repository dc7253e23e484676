"""When refreshes come (RFC 4028 sections 7.2, 9 and 10).

A side that is not heard of again may be dead: it is not judged for what it leaves undone.
"""

from typing import Final

from ...units import S
from ..dialog import Dialog, Session, Side, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..words import about

STORM_US: Final = S  # ours: half of the shortest interval is 45 s
STORM_MAX: Final = 3


def refreshed_off_time(session: Session) -> Breach | None:
    """A refresher whose first refresh is not at half the interval."""
    first = _first_refresh(session)
    if first is None or first.at > session.expires_at:
        return None
    allow, late_us = first.dialog.allow, session.refresh_lateness(first.at, first.uac)
    if abs(late_us) <= allow.session_us:
        return None
    after, half = about(session.half_us + late_us), about(session.half_us)
    text = f"refreshed {after} after the last 2xx; half the interval, {half}, was due"
    if abs(late_us) <= allow.spread_us + allow.session_us:
        likely = "it spreads its refreshes by chance, so that those of two sides do not meet"
        return Breach(first.request, text, likely, severity=NOTE)
    if late_us > 0:
        return Breach(first.request, text, _why_late(session, late_us))
    superseded = _superseded(session, first)
    if superseded is None:
        return Breach(first.request, text, severity=NOTE)  # it may have been asked to
    likely = f"the timer that the 2xx of {about(session.at - superseded.at)} before had armed was not cancelled"
    return Breach(first.request, text, likely)


def _first_refresh(session: Session) -> Transaction | None:
    """Return the refresher's first refresh that the timer may have asked for: no early change of the media."""
    for request in session.requests:
        early = session.refresh_lateness(request.at, request.uac) < -request.dialog.allow.spread_us
        if request.uac is session.refresher and not (early and request.changes_media):
            return request
    return None


def _why_late(session: Session, late_us: int) -> str:
    if counts_from_ack(session, late_us):
        return "its clock starts at the ACK, not at the 2xx"
    if abs(session.half_us - late_us) <= session.transaction.dialog.allow.session_us:
        return "its timer runs for the whole interval, not for half of it"
    return ""


def counts_from_ack(session: Session, late_us: int) -> bool:
    """Whether what came so late was in time by the ACK, that followed on the 2xx only after a while."""
    allow_us, acks = session.transaction.dialog.allow.session_us, session.transaction.acks
    waited_us = acks[0].at - session.at if acks else 0
    return waited_us > allow_us and abs(waited_us - late_us) <= allow_us


def _superseded(session: Session, first: Transaction) -> Session | None:
    """Return the earlier 2xx that this refresh is due by: its timer has survived the later one."""
    for former in session.superseded():
        if first.at > former.expires_at:
            break
        served = any(_is_due(former, request) for request in former.requests_of(first.uac))
        if _is_due(former, first) and not served:
            return former
    return None


def _is_due(session: Session, request: Transaction) -> bool:
    return abs(session.refresh_lateness(request.at, request.uac)) <= request.dialog.allow.session_us


def refreshed_too_late(session: Session) -> Breach | None:
    """A refresher whose first refresh comes when the session has expired."""
    first = _first_refresh(session)
    if first is None or first.at <= session.expires_at + first.dialog.allow.session_us:
        return None
    text = f"refreshed {about(first.at - session.expires_at)} after the session had expired"
    return Breach(first.request, text)


def never_refreshed(session: Session) -> Breach | None:
    """A refresher that lives, and lets the session run out."""
    return _not_refreshed(session) if _ran_out(session) else None


def not_refreshed_in_time(session: Session) -> Breach | None:
    """A refresher that lives, and has not refreshed long after half the interval."""
    return None if _ran_out(session) else _not_refreshed(session)


def _ran_out(session: Session) -> bool:
    """Whether the session expired, or the other side hung up because it was about to."""
    dialog = session.transaction.dialog
    if session.until_at is not None or dialog.last_at < session.at:
        return False
    if dialog.last_at > session.expires_at:
        return True
    if not dialog.byes or dialog.byes[0].uac is session.refresher:
        return False
    return session.bye_lateness(dialog.last_at, dialog.byes[0].uac) >= -dialog.allow.session_us


def _not_refreshed(session: Session) -> Breach | None:
    dialog = session.transaction.dialog
    due_at = session.latest_at + session.half_us
    watched_until = dialog.last_at if session.until_at is None else session.until_at
    if watched_until <= due_at + dialog.allow.spread_us + dialog.allow.session_us:
        return None
    if session.refresher is None or _first_refresh(session) or not dialog.heard_after(session.refresher, due_at):
        return None
    text = f"did not refresh: that was due {about(session.half_us)} after the last 2xx"
    return Breach(session.answer, text, _why_never(session), actor=dialog.names[session.refresher], at=due_at)


def _why_never(session: Session) -> str:
    if _stood_still(session):
        return "it stood still for a while, or could not be reached"
    if session.transaction.initial:
        return "it armed no refresh timer when the call was set up"
    if session.transaction.uac is session.refresher:
        return "its refresh timer is armed once, and not again after a refresh"
    return "its refresh timer is not armed again when its peer refreshes"


def _stood_still(session: Session) -> bool:
    """Whether the BYE for want of a refresh had to be repeated before its peer showed that it lives."""
    byes = session.transaction.dialog.byes
    if not byes or not byes[0].request.again_at:
        return False
    first = byes[0].responses[0] if byes[0].responses else None
    return first is None or first.at > byes[0].request.again_at[0]


def refreshed_by_the_other(session: Session) -> Breach | None:
    """The side that does not refresh, refreshing at half the interval."""
    if session.refresher is None:
        return None
    for request in session.requests_of(session.refresher.other):
        if _is_due(session, request) and not request.changes_media:
            text = "refreshed at half the interval, though its peer was to refresh by the last 2xx"
            return Breach(request.request, text, "it misreads the refresher of the 2xx: now both sides refresh")
    return None


def taken_back_by_timer(session: Session) -> Breach | None:
    """A refresh that comes when the timer asks for it, and takes the media back to what they were at first."""
    first = _first_refresh(session)
    if first is None or not first.repeats_media or not _is_due(session, first):
        return None
    text = "took the media back to what they were at first, in the very refresh that its timer asked for"
    return Breach(first.request, text, "it repeats its first SDP, not its last")


def storm(dialog: Dialog) -> Breach | None:
    """Refresh upon refresh, each answered with a 2xx."""
    crowd = _crowd(dialog)
    if not crowd or not all(request.succeeded for request in crowd[:-1]):
        return None
    text = f"sent {len(crowd)} refreshes within {about(STORM_US)}"
    return Breach(crowd[-1].request, text, "a fraction of the interval comes out as nothing")


def _crowd(dialog: Dialog) -> list[Transaction]:
    """Return the first refreshes of one side that crowd within a second, one more than there may be."""
    if len(dialog.transactions) <= STORM_MAX:
        return []
    for side in Side:
        own = [request for request in dialog.transactions if request.refreshes and request.uac is side]
        for first, last in zip(own, own[STORM_MAX:], strict=False):
            if last.at - first.at <= STORM_US:
                start = own.index(first)
                return own[start : start + STORM_MAX + 1]
    return []


OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (
    rule("RFC4028-7.2-4", refreshed_by_the_other, WARNING),  # they may have been asked to, both of them
    rule("RFC4028-7.4-16", taken_back_by_timer, WARNING),
)
OF_SESSIONS_AS_UAC: Final[tuple[AuditRule[Session], ...]] = (  # the RFC says the same in a section for each role
    rule("RFC4028-7.2-11", never_refreshed),
    rule("RFC4028-7.2-11", refreshed_too_late),
    rule("RFC4028-7.2-12", refreshed_off_time),
    rule("RFC4028-7.2-12", not_refreshed_in_time),
)
OF_SESSIONS_AS_UAS: Final[tuple[AuditRule[Session], ...]] = (
    rule("RFC4028-9-15", never_refreshed),
    rule("RFC4028-9-15", refreshed_too_late),
    rule("RFC4028-9-16", refreshed_off_time),
    rule("RFC4028-9-16", not_refreshed_in_time),
)
OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (rule("RFC4028-7.2-12", storm),)
