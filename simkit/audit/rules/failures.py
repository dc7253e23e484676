"""What becomes of a refresh that fails: hang up, wait, or try again (RFC 4028 section 10; RFC 3261 12.2.1.2, 14.1)."""

from typing import Final

from ...units import MS, S
from ..dialog import Dialog, Session, Side, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..words import about

DIALOG_IS_GONE: Final = (408, 481)  # RFC 3261 section 12.2.1.2
SURVIVED: Final = frozenset((401, 407, 413, 415, 420, 422, 486, 487, 488, 491, 500, 503, 504, 600, 603, 606))
"""Failures that leave the dialog alone for certain (RFC 5057 section 5.1)."""

GLARE_WAITS_US: Final = {  # RFC 3261 section 14.1
    Side.CALLER: (2100 * MS, 4000 * MS),  # the owner of the Call-ID
    Side.CALLEE: (0, 2000 * MS),
}
GLARE_OVER_US: Final = 5 * S  # ours: by then whoever waited has tried again
AT_ONCE_US: Final = 5 * S  # ours: a BYE that follows from a failure follows at once
SAME_FAILURE_MAX: Final = 3  # ours: RFC 4028 section 10 names no number


# --- timeout, 408, 481 -----------------------------------------------------------------------------------------------


def gone_not_hung_up(transaction: Transaction) -> Breach | None:
    """A refresher that goes on although its refresh shows that nobody is there."""
    return _not_hung_up(transaction) if _is_duty(transaction) else None


def other_gone_not_hung_up(transaction: Transaction) -> Breach | None:
    """The same of the side that need not refresh."""
    return None if _is_duty(transaction) else _not_hung_up(transaction)


def _is_duty(transaction: Transaction) -> bool:
    return transaction.session is not None and transaction.session.refresher is transaction.uac


def _not_hung_up(transaction: Transaction) -> Breach | None:
    gone_at = gone_since(transaction)
    dialog = transaction.dialog
    if gone_at is None or dialog.ended_at < gone_at + AT_ONCE_US:
        return None
    if any(bye.uac is transaction.uac or bye.at < gone_at for bye in dialog.byes if bye.at <= gone_at + AT_ONCE_US):
        return None
    answer = str(transaction.status) if transaction.failed else f"no answer for {about(gone_at - transaction.at)}"
    text = f"got {answer} to its {transaction.method}, and did not hang up"
    return Breach(transaction.request, text, "it goes on as if the refresh had not failed", at=gone_at)


def gone_since(transaction: Transaction) -> int | None:
    """Return when the UAC knew that nobody is there: at a 408 or 481, or when it had sent in vain for 64*T1."""
    if transaction.status in DIALOG_IS_GONE and transaction.final is not None:
        return transaction.final.arrived_at
    if transaction.final is not None or transaction.cancel is not None:
        return None
    if transaction.method == "INVITE" and transaction.responses:
        return None  # once a 1xx came there is no timer B (RFC 3261 section 17.1.1.2)
    if _has_lost_connection(transaction):
        return None  # that is like a 503, and leaves the dialog alone (RFC 3261 section 8.1.3.1)
    timeout_us = transaction.dialog.allow.timeout_us
    lived = transaction.request.last_at >= transaction.at + timeout_us // 2  # else its sender may have died as well
    given_up_at = transaction.at + timeout_us
    return given_up_at if lived or transaction.dialog.heard_after(transaction.uac, given_up_at) else None


def _has_lost_connection(transaction: Transaction) -> bool:
    """Whether the next request between the same two goes over another connection: this one's broke."""
    request = transaction.request
    ends = {request.sender, request.receiver}
    later = (each.request for each in transaction.dialog.transactions if each.order > transaction.order)
    return any(each.connection > request.connection > 0 and {each.sender, each.receiver} == ends for each in later)


# --- 491 -------------------------------------------------------------------------------------------------------------


def invite_glare_not_waited_out(transaction: Transaction) -> Breach | None:
    """A new try of a re-INVITE after 491 that comes too early, too late, or not at all."""
    return _not_waited_out(transaction) if transaction.method == "INVITE" else None


def update_glare_not_waited_out(transaction: Transaction) -> Breach | None:
    """The same of an UPDATE."""
    return _not_waited_out(transaction) if transaction.method == "UPDATE" else None


def _not_waited_out(transaction: Transaction) -> Breach | None:
    assert transaction.final is not None
    dialog, refused_at = transaction.dialog, transaction.final.arrived_at
    least_us, most_us = GLARE_WAITS_US[transaction.uac] if dialog.setup else (0, GLARE_WAITS_US[Side.CALLER][1])
    again = _next_refresh(transaction)
    wanted_until = min(_settled_at(transaction), dialog.last_at)
    if again is None or again.at > refused_at + GLARE_OVER_US:
        over_at = refused_at + GLARE_OVER_US
        if wanted_until <= over_at or not dialog.heard_after(transaction.uac, over_at):
            return None
        text = f"did not try its {transaction.method} again after 491; that was due within {about(most_us)}"
        return Breach(transaction.request, text, _why_not_again(again), at=refused_at + most_us)
    waited_us, turn_us = again.at - refused_at, dialog.allow.turn_us
    if least_us - turn_us <= waited_us <= most_us + turn_us or wanted_until < again.at:
        return None
    text = f"tried again {about(waited_us)} after 491; {about(least_us)} to {about(most_us)} was due"
    return Breach(again.request, text)


def _next_refresh(transaction: Transaction) -> Transaction | None:
    following = transaction.following
    while following is not None and not following.refreshes:
        following = following.following
    return following


def _settled_at(transaction: Transaction) -> int:
    """Return when the next 2xx made a new try needless."""
    session = transaction.session
    until_at = session.until_at if session is not None else None
    return transaction.dialog.ended_at + 1 if until_at is None else until_at


def _why_not_again(again: Transaction | None) -> str:
    return "491 is taken for any other failure" if again is None else "it waits for its next refresh timer instead"


# --- other failures --------------------------------------------------------------------------------------------------


def never_tried_again(session: Session) -> Breach | None:
    """A refresher that was refused, and let the session run out."""
    dialog = session.transaction.dialog
    requests = session.requests_of(session.refresher) if session.refresher else []
    if not requests or session.until_at is not None or dialog.last_at < session.at + session.bye_us:
        return None
    last = requests[-1]
    if last.final is None or not dialog.heard_after(last.uac, last.final.arrived_at + AT_ONCE_US):
        return None
    if last.status not in SURVIVED or last.status == 491 or len(requests) > 1:
        return None
    text = f"did not try again after {last.status} to its {last.method}, and the session ran out"
    likely = "it does not answer the challenge" if last.status in (401, 407) else ""
    return Breach(last.request, text, likely, at=last.final.arrived_at)


def hung_up_on_failed_invite(bye: Transaction) -> Breach | None:
    """A BYE right after a re-INVITE of one's own met a failure that leaves the dialog alone."""
    return _hung_up_on(bye, "INVITE")


def hung_up_on_failed_update(bye: Transaction) -> Breach | None:
    """The same of an UPDATE."""
    return _hung_up_on(bye, "UPDATE")


def _hung_up_on(bye: Transaction, method: str) -> Breach | None:
    refresh = bye.previous
    if refresh is None or refresh.method != method or refresh.initial or refresh.final is None:
        return None
    after_us = bye.at - refresh.final.arrived_at
    if refresh.status not in SURVIVED or after_us > bye.dialog.allow.session_us:
        return None
    text = f"hung up {about(after_us)} after {refresh.status} to its {method}; that leaves the call as it was"
    return Breach(bye.request, text, "it takes every failure of a refresh for the end of the call")


def same_failure(dialog: Dialog) -> Breach | None:
    """A side that is refused the same way again and again, and keeps trying."""
    in_a_row: dict[Side, list[Transaction]] = {}
    for transaction in dialog.transactions:
        if not transaction.refreshes or transaction.initial:
            continue
        row = in_a_row.setdefault(transaction.uac, [])
        if row and row[-1].status != transaction.status:
            row.clear()
        row.append(transaction)
        if transaction.failed and transaction.status != 422 and len(row) > SAME_FAILURE_MAX:
            text = f"kept trying after {SAME_FAILURE_MAX} refusals with {transaction.status}"
            if transaction.at - row[0].at > AT_ONCE_US:
                return Breach(transaction.request, text)
            likely = "it tries again at once, and knows no limit"
            return Breach(transaction.request, text, likely, severity=WARNING)
    return None


OF_FAILURES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-10-3", gone_not_hung_up),
    rule("3261-12.2.1.2", other_gone_not_hung_up),
)
OF_GLARES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-14.1c", invite_glare_not_waited_out),
    rule("3311-5.3", update_glare_not_waited_out),
)
OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (rule("RFC4028-10-4", never_tried_again),)
OF_BYES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-14.1b", hung_up_on_failed_invite, WARNING),  # anybody may hang up, but hardly means to just then
    rule("3311-5.3", hung_up_on_failed_update),
)
OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (rule("RFC4028-10-5", same_failure, NOTE),)
