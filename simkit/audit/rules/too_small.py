"""422 and what follows from it: Min-SE, the new try, and when to give up (RFC 4028 sections 6, 7.3, 7.4, 9 and 10)."""

from typing import Final

from ...sip.equality import uris_equal
from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S
from ...units import S
from ..dialog import Dialog, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..sending import Sending

RETRY_WAIT_US: Final = 5 * S  # ours: a UAC that tries again does so at once
TOO_SMALL_MAX: Final = 2  # ours: a UAC that has learnt Min-SE twice has no reason for a third 422


# --- the 422 itself --------------------------------------------------------------------------------------------------


def minimum_missing(transaction: Transaction) -> Breach | None:
    """A 422 without Min-SE."""
    refusal = _refusal(transaction)
    if refusal.message.header("Min-SE") is not None:
        return None
    return Breach(refusal, "answered 422 without Min-SE: its peer cannot know what to ask for")


def needless_refusal(transaction: Transaction) -> Breach | None:
    """A 422 to an interval that is not below its Min-SE."""
    refusal = _refusal(transaction)
    least_s, asked_s = refusal.said.min_se_s, transaction.request.heard.interval_s
    if least_s is None or (asked_s is not None and asked_s < least_s):
        return None
    what = "no interval at all" if asked_s is None else f"{asked_s} s"
    return Breach(refusal, f"answered 422 to {what}, which is not below its minimum of {least_s} s")


def refused_without_support(transaction: Transaction) -> Breach | None:
    """A 422 to a request that does not support timers."""
    if transaction.request.heard.supported:
        return None
    return Breach(
        _refusal(transaction), "answered 422 to a request that does not list timer in Supported, and cannot heed it"
    )


def _refusal(transaction: Transaction) -> Sending:
    assert transaction.final is not None
    return transaction.final


# --- the new try -----------------------------------------------------------------------------------------------------


def not_tried_again(transaction: Transaction) -> Breach | None:
    """A call that ends with a 422."""
    refusal, dialog = _refusal(transaction), transaction.dialog
    if not transaction.initial or refusal.heard.min_se_s is None:
        return None
    if dialog.transactions[-1] is not transaction or dialog.ended_at < refusal.at + RETRY_WAIT_US:
        return None
    text = f"gave up at a 422 that asks for {refusal.heard.min_se_s} s; it may try again with that"
    return Breach(refusal, text, "it takes 422 for any other failure", actor=transaction.request.sender)


def address_changed(transaction: Transaction) -> Breach | None:
    """A new try whose From or To is not that of the first; its tag may differ (erratum 1681)."""
    old, new = _former(transaction).request.message, transaction.request.message
    if uris_equal(old.sender.uri, new.sender.uri) and uris_equal(old.recipient.uri, new.recipient.uri):
        return None
    return Breach(transaction.request, "tried again after a 422 with another From or To")


def sequence_broken(transaction: Transaction) -> Breach | None:
    """A new try before there is a dialog whose CSeq is not one higher; within one, RFC 3261 sees to that."""
    due = _former(transaction).cseq + 1
    if not transaction.initial or transaction.cseq == due:
        return None
    return Breach(transaction.request, f"tried again after a 422 with CSeq {transaction.cseq}; {due} was due")


def _former(transaction: Transaction) -> Transaction:
    """Return the request that was answered 422, of which this is the new try."""
    assert transaction.previous is not None
    return transaction.previous


def minimum_not_carried(transaction: Transaction) -> Breach | None:
    """A refresh within the dialog without Min-SE, though a 422 or a request of the peer has named one."""
    return None if transaction.initial else _not_carried(transaction)


def minimum_not_carried_at_first(transaction: Transaction) -> Breach | None:
    """An initial INVITE without Min-SE after a 422 to this Call-ID."""
    return _not_carried(transaction) if transaction.initial else None


def _not_carried(transaction: Transaction) -> Breach | None:
    least_s = transaction.least_s
    if least_s is None or transaction.request.message.header("Min-SE") is not None:
        return None
    text = f"sent {transaction.method} without Min-SE, though it has been told a Min-SE of {least_s} s"
    harmless = least_s <= SESSION_INTERVAL_FLOOR_S  # which no Min-SE means as well (section 5)
    return Breach(transaction.request, text, severity=NOTE if harmless else None)


def minimum_lowered(transaction: Transaction) -> Breach | None:
    """A Min-SE below the largest one that was seen."""
    least_s, carried_s = transaction.least_s, transaction.request.said.min_se_s
    if least_s is None or carried_s is None or carried_s >= least_s:
        return None
    text = f"sent a Min-SE of {carried_s} s, though it has been told {least_s} s; the largest one counts"
    return Breach(transaction.request, text, "it keeps the last Min-SE that it saw, instead of the largest")


def refused_again_and_again(dialog: Dialog) -> Breach | None:
    """More 422s in a row than a UAC can learn from."""
    in_a_row = 0
    for transaction in dialog.transactions:
        if not transaction.refreshes:
            continue
        in_a_row = in_a_row + 1 if transaction.status == 422 else 0
        if in_a_row > TOO_SMALL_MAX:
            text = f"tried again after {TOO_SMALL_MAX} 422s, and met the third"
            likely = "it asks for the same interval each time, or knows no limit"
            return Breach(transaction.request, text, likely)
    return None


OF_REFUSALS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-6-1", needless_refusal, WARNING),
    rule("RFC4028-6-2", minimum_missing),
    rule("RFC4028-7.3-1", not_tried_again, NOTE),
    rule("RFC4028-9-1", refused_without_support, WARNING),
)
OF_NEW_TRIES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.3-2", address_changed),
    rule("RFC4028-7.3-3", sequence_broken),
)
OF_BOUND: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.4-2", minimum_not_carried),
    rule("RFC4028-7.4-3", minimum_not_carried_at_first),
    rule("RFC4028-7.4-4", minimum_lowered),
)
OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (
    rule("RFC4028-10-5", refused_again_and_again, WARNING),  # a loop, and so worth more than unchecked wording gives
)
