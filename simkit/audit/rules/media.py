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
_ORIGIN: Final = re.compile(rb"(?m)^o=(\S+ +\S+) +([0-9]{1,20}) +(.*?)\r?$")


# --- unchanged or changed --------------------------------------------------------------------------------------------


class Description(NamedTuple):
    """An offer or answer within the dialog that is not, to the byte, the last one of its side that took effect."""

    sending: Sending
    answers: bool
    former: bytes
    refused: bool
    """Offers of its side that were refused lie between the two: they may have counted the version up."""
    unchanged: bool
    """It differs from the former one in its origin alone."""


def changed_descriptions(dialog: Dialog) -> Iterator[Description]:
    """Yield each description within the dialog that is not, to the byte, the last one of its side."""
    known: dict[Side, bytes] = {}
    refused: set[Side] = set()
    said = (each for transaction in dialog.transactions for each in _descriptions(transaction))
    for each in sorted(said, key=lambda each: each.sending.order):
        body, former = each.sending.message.body, known.get(each.side)
        if former is not None and former != body and not each.initial:
            unchanged = without_origin(body) == without_origin(former)
            yield Description(each.sending, each.answers, former, each.side in refused, unchanged)
        if each.accepted:
            known[each.side] = body
            refused.discard(each.side)
        else:
            refused.add(each.side)


class _Said(NamedTuple):
    """An offer or an answer, and whether it took effect."""

    side: Side
    sending: Sending
    answers: bool
    accepted: bool
    initial: bool


def _descriptions(transaction: Transaction) -> Iterator[_Said]:
    """Yield the offer of a transaction and its answer: in request and 2xx, or in 2xx and ACK."""
    if not transaction.refreshes:
        return
    accepted, initial, final = transaction.succeeded, transaction.initial, transaction.final
    offered = has_description(transaction.request.message)
    if offered:
        yield _Said(transaction.uac, transaction.request, False, accepted, initial)
    if accepted and final and has_description(final.message):
        yield _Said(transaction.uac.other, final, offered, True, initial)
        if not offered and transaction.acks and has_description(transaction.acks[0].message):
            yield _Said(transaction.uac, transaction.acks[0], True, True, initial)


def offer_not_the_same(description: Description) -> Breach | None:
    """An offer that changes nothing but its origin."""
    return None if description.answers else _not_the_same(description, "offer")


def answer_not_the_same(description: Description) -> Breach | None:
    """An answer that changes nothing but its origin."""
    return _not_the_same(description, "answer") if description.answers else None


def _not_the_same(description: Description, what: str) -> Breach | None:
    if not description.unchanged:
        return None
    text = f"sent an {what} that changes nothing but its origin (o=), which has to stay the same then"
    return Breach(description.sending, text, "it counts the version up for every SDP that it writes")


def version_wrong(description: Description) -> Breach | None:
    """A changed description whose version is not one higher, or whose origin is another."""
    old, new = _ORIGIN.search(description.former), _ORIGIN.search(description.sending.message.body)
    if old is None or new is None or description.unchanged:
        return None
    former, version = int(old[2]), int(new[2])
    if (old[1], old[3]) != (new[1], new[3]):
        return Breach(description.sending, "changed more of its SDP's origin (o=) than the version")
    if version == former:
        return Breach(description.sending, "changed its SDP, but not the version of its origin (o=)")
    if version != former + 1 and not description.refused:
        text = f"went from version {former} of its SDP to {version}; {former + 1} was due"
        return Breach(description.sending, text)
    return None


# --- answers ---------------------------------------------------------------------------------------------------------


def wrong_direction(transaction: Transaction) -> Breach | None:
    """An answer that sends or receives against the offer."""
    final, offer = transaction.final, transaction.request.arrived
    if final is None or not _limits_direction(offer.body):
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
    if final is None or has_description(final.message) or transaction.method != "INVITE":
        return None
    if not has_description(transaction.request.arrived):
        return None
    if any(_is_reliable_answer(response) for response in transaction.responses):
        return None
    return Breach(final, "accepted an INVITE with an offer, but sent no answer to it", "it answers every refresh bare")


def _is_reliable_answer(response: Sending) -> bool:
    return has_description(response.message) and response.message.header("RSeq") is not None


# --- one offer at a time ---------------------------------------------------------------------------------------------


def second_offer(transaction: Transaction) -> Breach | None:
    """An UPDATE with an offer while another offer of the same side is open."""
    if not _is_open(transaction.own_offer, transaction.order):
        return None
    return Breach(transaction.request, "sent an UPDATE with an offer while its former offer was unanswered")


def crossing_offer_accepted(transaction: Transaction) -> Breach | None:
    """A 2xx to an UPDATE with an offer, by a side whose own offer was unanswered."""
    final = transaction.final
    if final is None or not transaction.succeeded:
        return None
    if not _is_open(transaction.peer_offer, final.order):
        return None
    return Breach(final, "accepted an UPDATE with an offer while its own offer was open; 491 was due")


def _is_open(offer: Transaction | None, order: int) -> bool:
    if offer is None or not offer.open_at(order):
        return False
    return not any(_is_reliable_answer(response) for response in offer.responses if response.order < order)


OF_ANSWERS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-13.2.1", answer_missing),
    rule("3264-6.1", wrong_direction),
)
OF_OFFERS_IN_UPDATES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3311-5.1", second_offer),
    rule("3311-5.2a", crossing_offer_accepted),
)
OF_DESCRIPTIONS: Final[tuple[AuditRule[Description], ...]] = (
    rule("3264-8", version_wrong),
    rule("RFC4028-7.4-16", offer_not_the_same),
    rule("RFC4028-7.4-17", answer_not_the_same),
)
