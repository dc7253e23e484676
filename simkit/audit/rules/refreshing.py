"""When refreshes come (RFC 4028 sections 7.2, 9 and 10).

A side that is not heard of again may be dead: it is not judged for what it leaves undone.
"""

from collections.abc import Callable, Iterator
from typing import Final

from ...units import S
from ..dialog import Dialog, Session, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..words import about

STORM_US: Final = S  # ours: half of the shortest interval is 45 s
STORM_MAX: Final = 3


def refreshed_off_time(session: Session) -> Breach | None:
    """A refresher whose first refresh is not at half the interval."""
    first = _first_refresh(session)
    if first is None or first.at > session.expires_at:
        return None
    allow, late_us = first.dialog.allow, session.lateness(first.at, session.half_us, first.uac)
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
        early = session.lateness(request.at, session.half_us, request.uac) < -request.dialog.allow.spread_us
        if request.uac is session.refresher and not (early and request.changes_media):
            return request
    return None


def _why_late(session: Session, late_us: int) -> str:
    allow_us = session.transaction.dialog.allow.session_us
    acks = session.transaction.acks
    if acks and allow_us < acks[0].at - session.at and abs(acks[0].at - session.at - late_us) <= allow_us:
        return "its clock starts at the ACK, not at the 2xx"
    if abs(session.half_us - late_us) <= allow_us:
        return "its timer runs for the whole interval, not for half of it"
    return ""


def _superseded(session: Session, first: Transaction) -> Session | None:
    """Return the earlier 2xx that this refresh is due by: its timer has survived the later one."""
    former = session.previous
    while former is not None and former.interval_us is not None and first.at <= former.expires_at:
        if abs(former.lateness(first.at, former.half_us, first.uac)) <= first.dialog.allow.session_us:
            return former
        former = former.previous
    return None


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
    return session.lateness(dialog.last_at, session.bye_us, dialog.byes[0].uac) >= -dialog.allow.session_us


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
        late_us = session.lateness(request.at, session.half_us, request.uac)
        if abs(late_us) <= request.dialog.allow.session_us and not request.changes_media:
            text = "refreshed at half the interval, though its peer was to refresh by the last 2xx"
            return Breach(request.request, text, "it misreads the refresher of the 2xx: now both sides refresh")
    return None


def _of_role(check: Callable[[Session], Breach | None], *, uac: bool) -> Callable[[Session], Breach | None]:
    """Return the check for a refresher that was UAC, or UAS, of the last 2xx: the RFC has a section for each."""

    def checked(session: Session) -> Breach | None:
        return check(session) if (session.refresher is session.transaction.uac) is uac else None

    return checked


def storm(dialog: Dialog) -> Iterator[Breach]:
    """Refresh upon refresh, each answered with a 2xx."""
    for requests in _storms(dialog):
        if all(request.succeeded for request in requests[:-1]):
            text = f"sent {len(requests)} refreshes within {about(STORM_US)}"
            yield Breach(requests[-1].request, text, "a fraction of the interval comes out as nothing")
            return


def hot_retries(dialog: Dialog) -> Iterator[Breach]:
    """Try upon try, each refused."""
    for requests in _storms(dialog):
        if all(request.failed for request in requests[:-1]):
            text = f"tried {len(requests)} times within {about(STORM_US)} what was refused each time"
            yield Breach(requests[-1].request, text, "it tries again at once, and knows no limit")
            return


def _storms(dialog: Dialog) -> Iterator[list[Transaction]]:
    """Yield the refreshes of one side that crowd within a second, one more than there may be."""
    if len(dialog.transactions) <= STORM_MAX:
        return
    recent: dict[object, list[Transaction]] = {}
    for transaction in dialog.transactions:
        if transaction.refreshes:
            crowd = recent.setdefault(transaction.uac, [])
            crowd.append(transaction)
            if len(crowd) > STORM_MAX:
                if transaction.at - crowd[0].at <= STORM_US:
                    yield crowd
                del crowd[0]


OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (
    rule("RFC4028-7.2-4", refreshed_by_the_other, WARNING),  # it may have been asked to
    rule("RFC4028-7.2-11", _of_role(never_refreshed, uac=True)),
    rule("RFC4028-7.2-11", _of_role(refreshed_too_late, uac=True)),
    rule("RFC4028-7.2-12", _of_role(refreshed_off_time, uac=True)),
    rule("RFC4028-7.2-12", _of_role(not_refreshed_in_time, uac=True)),
    rule("RFC4028-9-15", _of_role(never_refreshed, uac=False)),
    rule("RFC4028-9-15", _of_role(refreshed_too_late, uac=False)),
    rule("RFC4028-9-16", _of_role(refreshed_off_time, uac=False)),
    rule("RFC4028-9-16", _of_role(not_refreshed_in_time, uac=False)),
)
"""Rules about every session that has a timer."""

OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (
    rule("RFC4028-7.2-12", storm),
    rule("RFC4028-10-5", hot_retries, WARNING),
)
