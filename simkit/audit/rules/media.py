"""What offers and answers say of themselves: unchanged, changed, on hold (RFC 4028 section 7.4, RFC 3264, RFC 3311)."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...errors import PeerError
from ...sip.message import Message
from ...sip.sdp import Direction, parse_session_description
from ..dialog import Dialog, Side, Transaction
from ..rule import AuditRule, Breach, rule
from ..sending import Sending, has_description, without_origin

_ANSWERS_TO: Final = {  # RFC 3264 section 6.1
    Direction.SENDRECV: frozenset(Direction),
    Direction.SENDONLY: frozenset((Direction.RECVONLY, Direction.INACTIVE)),
    Direction.RECVONLY: frozenset((Direction.SENDONLY, Direction.INACTIVE)),
    Direction.INACTIVE: frozenset((Direction.INACTIVE,)),
}
_ORIGIN: Final = re.compile(rb"(?m)^o=(\S+ +\S+) +([0-9]+) +(.*?)\r?$")


# --- unchanged or changed --------------------------------------------------------------------------------------------


class _Description(NamedTuple):
    """An offer or answer within the dialog, and the last one of the same side that took effect."""

    sending: Sending
    answers: bool
    former: bytes
    refused: bool
    """Offers of its side that were refused lie between the two: they may have counted the version up."""

    @property
    def body(self) -> bytes:
        return self.sending.message.body

    @property
    def is_unchanged(self) -> bool:
        return without_origin(self.body) == without_origin(self.former)


def offer_not_the_same(dialog: Dialog) -> Iterator[Breach]:
    """An offer that changes nothing but its origin."""
    yield from _not_the_same(dialog, answers=False)


def answer_not_the_same(dialog: Dialog) -> Iterator[Breach]:
    """An answer that changes nothing but its origin."""
    yield from _not_the_same(dialog, answers=True)


def _not_the_same(dialog: Dialog, *, answers: bool) -> Iterator[Breach]:
    for description in _changed(dialog):
        if description.answers is answers and description.is_unchanged:
            what = "answer" if answers else "offer"
            text = f"sent an {what} that changes nothing but its origin (o=), which has to stay the same then"
            yield Breach(description.sending, text, "it counts the version up for every SDP that it writes")


def version_wrong(dialog: Dialog) -> Iterator[Breach]:
    """A changed description whose version is not one higher, or whose origin is another."""
    for description in _changed(dialog):
        old, new = _ORIGIN.search(description.former), _ORIGIN.search(description.body)
        if old is None or new is None or description.is_unchanged:
            continue
        step = int(new[2]) - int(old[2])
        if (old[1], old[3]) != (new[1], new[3]):
            yield Breach(description.sending, "changed more of its SDP's origin (o=) than the version")
        elif step == 0:
            yield Breach(description.sending, "changed its SDP, but not the version of its origin (o=)")
        elif step != 1 and not description.refused:
            yield Breach(description.sending, f"raised the version of its SDP by {step}; by one was due")


def _changed(dialog: Dialog) -> Iterator[_Description]:
    """Yield each description within the dialog that is not, to the byte, the last one of its side."""
    if len(dialog.sessions) < 2:
        return
    known: dict[Side, bytes] = {}
    refused: set[Side] = set()
    for transaction in dialog.transactions:
        for side, sending, answers in _descriptions(transaction):
            body, former = sending.message.body, known.get(side)
            if former is not None and former != body and not transaction.initial:
                yield _Description(sending, answers, former, side in refused)
            if answers or transaction.succeeded:
                known[side] = body
                refused.discard(side)
            else:
                refused.add(side)


def _descriptions(transaction: Transaction) -> Iterator[tuple[Side, Sending, bool]]:
    """Yield the offer of a transaction and its answer: in request and response, or in 2xx and ACK."""
    if not transaction.refreshes:
        return
    offered = has_description(transaction.request.message)
    if offered:
        yield transaction.uac, transaction.request, False
    if transaction.succeeded and transaction.final and has_description(transaction.final.message):
        yield transaction.uac.other, transaction.final, offered
        if not offered and transaction.acks and has_description(transaction.acks[0].message):
            yield transaction.uac, transaction.acks[0], True


# --- answers ---------------------------------------------------------------------------------------------------------


def wrong_direction(transaction: Transaction) -> Breach | None:
    """An answer that sends or receives against the offer."""
    final, offer = transaction.final, transaction.request.arrived
    if final is None or not transaction.succeeded or not _limits_direction(offer.body):
        return None
    offered, answered = _direction(offer), _direction(final.message)
    if offered is None or answered is None or answered in _ANSWERS_TO[offered]:
        return None
    text = f"answered {answered.value} to an offer that is {offered.value}"
    return Breach(final, text, "it answers with a copy of its former SDP")


def _limits_direction(body: bytes) -> bool:
    return b"a=sendonly" in body or b"a=recvonly" in body or b"a=inactive" in body


def _direction(message: Message) -> Direction | None:
    if not has_description(message):
        return None
    try:
        return parse_session_description(message.body).direction
    except PeerError:
        return None


def answer_missing(transaction: Transaction) -> Breach | None:
    """A 2xx without SDP to an INVITE with an offer."""
    final = transaction.final
    if final is None or not transaction.succeeded or transaction.method != "INVITE":
        return None
    if not has_description(transaction.request.arrived) or has_description(final.message):
        return None
    if any(_is_reliable_answer(response) for response in transaction.responses):
        return None
    return Breach(final, "accepted an INVITE with an offer, but sent no answer to it", "it answers every refresh bare")


def _is_reliable_answer(response: Sending) -> bool:
    return has_description(response.message) and response.message.header("RSeq") is not None


# --- one offer at a time ---------------------------------------------------------------------------------------------


def second_offer(transaction: Transaction) -> Breach | None:
    """An UPDATE with an offer while another offer of the same side is open."""
    if transaction.method != "UPDATE" or not has_description(transaction.request.message):
        return None
    for other in transaction.dialog.transactions:
        if other.uac is transaction.uac and _offer_is_open(other, transaction.frame):
            return Breach(transaction.request, "sent an UPDATE with an offer while its former offer was unanswered")
    return None


def crossing_offer_accepted(transaction: Transaction) -> Breach | None:
    """A 2xx to an UPDATE with an offer, by a side whose own offer was unanswered."""
    final = transaction.final
    if transaction.method != "UPDATE" or not transaction.succeeded or final is None:
        return None
    if not has_description(transaction.request.arrived):
        return None
    for other in transaction.dialog.transactions:
        if other.uac is not transaction.uac and _offer_is_open(other, final.frame):
            return Breach(final, "accepted an UPDATE with an offer while its own offer was open; 491 was due")
    return None


def _offer_is_open(transaction: Transaction, frame: int) -> bool:
    if not transaction.refreshes or not transaction.open_at(frame) or not has_description(transaction.request.message):
        return False
    return not any(_is_reliable_answer(response) for response in transaction.responses if response.frame < frame)


OF_REFRESHES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-13.2.1", answer_missing),
    rule("3264-6.1", wrong_direction),
    rule("3311-5.1", second_offer),
    rule("3311-5.2a", crossing_offer_accepted),
)
"""Rules about every INVITE and UPDATE."""

OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (
    rule("3264-8", version_wrong),
    rule("RFC4028-7.4-16", offer_not_the_same),
    rule("RFC4028-7.4-17", answer_not_the_same),
)
