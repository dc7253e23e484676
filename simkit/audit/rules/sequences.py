"""CSeq, ACK, CANCEL, overlap and glare: what decides whether a refresh survives (RFC 3261, RFC 3311 section 5)."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ...units import S
from ..dialog import Dialog, Side, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..sending import Sending
from ..words import about

RETRY_AFTER_MAX_S: Final = 10  # RFC 3261 section 14.2, RFC 3311 section 5.2
UNACKNOWLEDGED_MAX: Final = 2  # ours: so many copies of a message that go without an answer are no accident


# --- CSeq ------------------------------------------------------------------------------------------------------------


def sequence_broken(transaction: Transaction) -> Breach | None:
    """A request within the dialog whose CSeq is not one higher than that of its sender's last one."""
    former = transaction.previous
    if former is None or transaction.cseq == former.cseq + 1:
        return None
    due = f"{former.cseq + 1} was due"
    if transaction.cseq <= former.cseq:
        text = f"sent {transaction.method} with CSeq {transaction.cseq} after {former.cseq}; {due}"
        return Breach(transaction.request, text)
    text = f"went from CSeq {former.cseq} to {transaction.cseq}; {due}, unless the capture has missed something"
    return Breach(transaction.request, text, severity=WARNING)


def old_request_accepted(transaction: Transaction) -> Breach | None:
    """A 2xx to a request with a lower CSeq than was seen."""
    former, final = transaction.previous, transaction.final
    if former is None or final is None or not transaction.succeeded:
        return None
    if transaction.cseq >= former.cseq or former.order > transaction.order:
        return None
    return Breach(final, f"accepted {transaction.method} with a lower CSeq than it had seen; 500 was due")


def living_dialog_denied(transaction: Transaction) -> Breach | None:
    """481, or a refusal as of a new call, to a request within a dialog that nobody has ended."""
    final, dialog = transaction.final, transaction.dialog
    if final is None or transaction.status not in (404, 481, 486):
        return None
    if any(bye.order < final.order for bye in dialog.byes):
        return None
    text = f"answered {transaction.status} to {transaction.method} within a dialog that nobody has ended"
    likely = "it does not find the call that the request belongs to, or has lost it"
    return Breach(final, text, likely, severity=NOTE if transaction.status == 481 else None)  # it may have restarted


def extension_not_named(transaction: Transaction) -> Breach | None:
    """A 420 that does not say which option tag it means."""
    final = transaction.final
    if final is None or transaction.status != 420 or final.message.header("Unsupported") is not None:
        return None
    return Breach(final, "answered 420 without Unsupported: its peer cannot know what to leave out")


def unanswered_invite(transaction: Transaction) -> Breach | None:
    """A re-INVITE without any answer from a side that lives."""
    return _unanswered(transaction) if transaction.method == "INVITE" else None


def unanswered_update(transaction: Transaction) -> Breach | None:
    """An UPDATE without any answer from a side that lives."""
    return _unanswered(transaction) if transaction.method == "UPDATE" else None


def _unanswered(transaction: Transaction) -> Breach | None:
    dialog, peer = transaction.dialog, transaction.uac.other
    if transaction.responses or len(transaction.request.again_at) < UNACKNOWLEDGED_MAX:
        return None
    if not dialog.heard_after(peer, transaction.request.last_at):
        return None
    text = f"did not answer {transaction.method}, sent {1 + len(transaction.request.again_at)} times, though it lives"
    return Breach(transaction.request, text, "it ignores the request, or the network did", actor=dialog.names[peer])


# --- ACK and CANCEL --------------------------------------------------------------------------------------------------


def success_not_acknowledged(transaction: Transaction) -> Breach | None:
    """A 2xx to INVITE without ACK, or repeated 2xx without another ACK."""
    if not transaction.succeeded:
        return None
    # After an ACK one copy is enough: had that been lost, its sender would have repeated it until another ACK came.
    return _not_acknowledged(transaction, missed_max=1 if transaction.acks else UNACKNOWLEDGED_MAX)


def failure_not_acknowledged(transaction: Transaction) -> Breach | None:
    """A 3xx-6xx to INVITE without ACK."""
    return _not_acknowledged(transaction, missed_max=UNACKNOWLEDGED_MAX) if transaction.failed else None


def _not_acknowledged(transaction: Transaction, *, missed_max: int) -> Breach | None:
    final, dialog, uac = transaction.final, transaction.dialog, transaction.uac
    if final is None:
        return None
    since = transaction.acks[-1].at + dialog.allow.turn_us if transaction.acks else final.arrived_at
    missed = [at for at in final.arrived_again_at if at > since]
    overdue = not transaction.acks and dialog.ended_at >= final.arrived_at + dialog.allow.timeout_us
    hung_up = not transaction.acks and transaction.succeeded and _hung_up_after(final, uac, dialog)
    if len(missed) < missed_max and not overdue and not hung_up:
        return None
    if not hung_up and not dialog.heard_after(uac, missed[0] if missed else final.arrived_at):
        return None
    text = f"did not acknowledge the {transaction.status} to its INVITE"
    if transaction.acks:
        repetitions = "repetition" if len(missed) == 1 else f"{len(missed)} repetitions"
        text = f"acknowledged the {transaction.status} to its INVITE once, but not its {repetitions}"
    return Breach(final, text, actor=transaction.request.sender)


def _hung_up_after(final: Sending, uac: Side, dialog: Dialog) -> bool:
    return any(
        bye.uac is uac and bye.request.sender == dialog.names[uac] and bye.order > final.order for bye in dialog.byes
    )


def acknowledged_by_same_branch(transaction: Transaction) -> Breach | None:
    """An ACK to a 2xx within the transaction of the INVITE."""
    branch = transaction.request.message.branch
    if not transaction.succeeded or not branch:
        return None
    for ack in transaction.acks:
        if ack.message.branch == branch:
            return Breach(ack, "acknowledged a 2xx with the branch of its INVITE; that ACK is a transaction of its own")
    return None


def stray_ack(dialog: Dialog) -> Iterable[Breach]:
    """An ACK whose CSeq number is that of no INVITE."""
    if dialog.setup is None or not dialog.stray_acks:
        return ()  # without its setup, the INVITE may have been sent before the capture began
    return [
        Breach(ack, f"sent an ACK with CSeq {ack.message.cseq.number}, the number of no INVITE")
        for ack in dialog.stray_acks
    ]


def never_acknowledged(transaction: Transaction) -> Breach | None:
    """A callee whose 2xx gets no ACK, and that neither repeats it nor ends the session."""
    final, dialog = transaction.final, transaction.dialog
    if final is None or transaction.acks or not transaction.succeeded:
        return None
    uas, given_up_at = transaction.uac.other, final.at + dialog.allow.timeout_us
    if not final.again_at and dialog.last_at > final.at + 4 * S and dialog.heard_after(uas, final.at):
        return Breach(final, "did not repeat its 2xx while no ACK came")
    if dialog.last_at <= given_up_at + 5 * S or not dialog.heard_after(uas, given_up_at):
        return None
    text = f"got no ACK to its 2xx for {about(dialog.allow.timeout_us)}, and did not hang up"
    return Breach(final, text, at=given_up_at)


def cancelled_out_of_turn(transaction: Transaction) -> Breach | None:
    """A CANCEL before any 1xx, or after the final response."""
    cancel = transaction.cancel
    if cancel is None:
        return None
    if not any(response.order < cancel.order for response in transaction.responses):
        return Breach(cancel, "sent CANCEL before any provisional response to its INVITE")
    if transaction.final is not None and transaction.final.arrived_at + transaction.dialog.allow.turn_us < cancel.at:
        return Breach(cancel, "sent CANCEL after the final response to its INVITE")
    return None


# --- overlap and glare -----------------------------------------------------------------------------------------------


class Overlap(NamedTuple):
    """Two requests of one method, of which the later was sent while the earlier was open."""

    earlier: Transaction
    later: Transaction

    @property
    def of_one_side(self) -> bool:
        """Whether one side sent both; else they may have crossed."""
        return self.earlier.uac is self.later.uac


def overlaps(dialog: Dialog) -> Iterator[Overlap]:
    """Yield each request that was sent while the last one of its method, of either side, was open.

    An INVITE with a 2xx stays open to its UAS until the ACK (RFC 3261 section 14.1).
    """
    last: dict[tuple[str, bool], Transaction] = {}
    for later in dialog.transactions:
        if not later.refreshes:
            continue
        for by_caller in (True, False):
            earlier = last.get((later.method, by_caller))
            if earlier is not None and _is_open(earlier, later):
                yield Overlap(earlier, later)
        last[later.method, later.uac is Side.CALLER] = later


def _is_open(earlier: Transaction, later: Transaction) -> bool:
    final, timeout_us = earlier.final, earlier.dialog.allow.timeout_us
    if final is None or final.order > later.order:
        return later.at < earlier.at + timeout_us or bool(earlier.responses)
    if earlier.uac is later.uac or not earlier.succeeded or earlier.method != "INVITE":
        return False
    return later.at < final.at + timeout_us and not any(ack.order < later.order for ack in earlier.acks)


def invites_overlap(overlap: Overlap) -> Breach | None:
    """An INVITE by a side that knew another to be open: its own, or its peer's that it had answered in part."""
    earlier, later = overlap
    if later.method != "INVITE":
        return None
    if not overlap.of_one_side and not any(response.order < later.order for response in earlier.responses):
        return None
    whose = "its own former" if overlap.of_one_side else "its peer's"
    return Breach(later.request, f"sent INVITE while {whose} INVITE was open", "it does not look whether one is")


def glare_accepted(overlap: Overlap) -> Iterator[Breach]:
    """A 2xx to an INVITE that crossed one's own."""
    if overlap.of_one_side or overlap.later.method != "INVITE":
        return
    for own, other in (overlap, reversed(overlap)):
        if other.final is not None and other.succeeded and own.open_at(other.final.order):
            yield Breach(other.final, "accepted an INVITE while its own was open; 491 was due")


def invite_not_put_off(overlap: Overlap) -> Breach | None:
    """Another answer than 500 with Retry-After to an INVITE that came while its sender's former one was open."""
    return _not_put_off(overlap) if overlap.later.method == "INVITE" else None


def update_not_put_off(overlap: Overlap) -> Breach | None:
    """The same for an UPDATE."""
    return _not_put_off(overlap) if overlap.later.method == "UPDATE" else None


def _not_put_off(overlap: Overlap) -> Breach | None:
    (earlier, later), final = overlap, overlap.later.final
    if not overlap.of_one_side or final is None or not earlier.open_at(final.order):
        return None
    if later.succeeded:
        text = f"accepted {later.method} while the former one was unanswered; 500 with Retry-After was due"
        return Breach(final, text)
    if later.status == 500 and not _puts_off(final):
        return Breach(final, f"answered 500 to overlapping {later.method}s without a Retry-After of 0 to 10 s")
    return None


def _puts_off(final: Sending) -> bool:
    value = (final.message.header("Retry-After") or "").partition(";")[0].partition("(")[0].strip()
    return value.isascii() and value.isdigit() and len(value) < 3 and int(value) <= RETRY_AFTER_MAX_S


OF_REQUESTS: Final[tuple[AuditRule[Transaction], ...]] = (rule("3261-12.2.1.1", sequence_broken),)
OF_REFUSED: Final[tuple[AuditRule[Transaction], ...]] = (rule("3261-8.2.2.3", extension_not_named),)
OF_WITHIN: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-12.2.2", old_request_accepted),
    rule("3261-12.2.2", living_dialog_denied, WARNING),
    rule("3261-12.2.2", unanswered_invite, NOTE),  # the network may have lost every one of them
    rule("3311-5.2c", unanswered_update, NOTE),
)
OF_INVITES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-9.1", cancelled_out_of_turn, WARNING),
    rule("3261-13.2.2.4", success_not_acknowledged),
    rule("3261-13.3.1.4", never_acknowledged),
    rule("3261-17.1.1.3", failure_not_acknowledged),
    rule("3261-17.1.1.3", acknowledged_by_same_branch),
)
OF_OVERLAPS: Final[tuple[AuditRule[Overlap], ...]] = (
    rule("3261-14.1a", invites_overlap),
    rule("3261-14.2a", glare_accepted),
    rule("3261-14.2b", invite_not_put_off),
    rule("3311-5.2b", update_not_put_off),
)
OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (rule("3261-17.1.1.3", stray_ack),)
