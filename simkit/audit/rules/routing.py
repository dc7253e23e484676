"""Where requests within the dialog go: the remote target and the route set (RFC 3261 sections 12.2.1.1 and 12.2.2)."""

from typing import Final

from ...errors import PeerError
from ...sip.equality import uris_equal
from ...sip.message import Message, Request
from ...sip.uri import parse_name_address
from ..dialog import Transaction
from ..rule import NOTE, AuditRule, Breach, rule
from ..sending import Sending


def wrong_target(transaction: Transaction) -> Breach | None:
    """A request that is not for the URI of the peer's last Contact."""
    if not transaction.target or _is_strict(transaction.route):
        return None
    return _misdirected(transaction.request, transaction.target)


def wrong_target_of_ack(transaction: Transaction) -> Breach | None:
    """An ACK to a 2xx that is not for the URI of the Contact in it."""
    if not transaction.succeeded or not transaction.acks or transaction.final is None:
        return None
    contact = _contact(transaction.final.arrived)
    if not contact or _is_strict(_recorded(transaction)):
        return None
    return _misdirected(transaction.acks[0], contact)


def _misdirected(sending: Sending, target: str) -> Breach | None:
    request = sending.message
    assert isinstance(request, Request)
    if request.uri == target or uris_equal(request.uri, target):
        return None
    text = f"sent its requests to {request.uri}; its peer's Contact is {target}"
    return Breach(sending, text, "it uses the address that it called, instead of the Contact")


def _contact(message: Message) -> str | None:
    try:
        return message.contact.uri if message.contact else None
    except PeerError:
        return None


def _recorded(transaction: Transaction) -> tuple[str, ...]:
    if transaction.final is None or not transaction.initial:
        return transaction.route or ()
    return transaction.final.arrived.values("Record-Route")[::-1]


def _is_strict(route: tuple[str, ...] | None) -> bool:
    """Whether the first proxy is a strict router: then the Request-URI is its own (section 12.2.1.1)."""
    return route is not None and route != () and ";lr" not in route[0].lower()


def wrong_route(transaction: Transaction) -> Breach | None:
    """A request whose Route is not the route set."""
    due = transaction.route
    if due is None or _is_strict(due):
        return None
    sent = transaction.request.message.values("Route")
    if sent == due or _uris(sent) == _uris(due):
        return None
    what = ", ".join(_uris(sent)) or "none"
    text = f"sent {transaction.method} with another Route than Record-Route laid down: {what} instead of "
    text += ", ".join(_uris(due)) or "none"
    return Breach(transaction.request, text)


def _uris(values: tuple[str, ...]) -> list[str]:
    try:
        return [parse_name_address(value).uri for value in values]
    except PeerError:
        return list(values)


def contact_changed(transaction: Transaction) -> Breach | None:
    """A refresh that moves its sender's Contact: allowed, but often not meant."""
    former = transaction.own_target
    contact = _contact(transaction.request.message)
    if not former or not contact or former == contact or uris_equal(former, contact):
        return None
    text = f"moved its Contact from {former} to {contact} by a refresh"
    return Breach(transaction.request, text, "it writes the address of its socket instead of the one it gave before")


OF_REQUESTS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-12.2.1.1b", wrong_target),
    rule("3261-12.2.1.1b", wrong_route),
)
OF_INVITES: Final[tuple[AuditRule[Transaction], ...]] = (rule("3261-12.2.1.1b", wrong_target_of_ack),)
OF_WITHIN: Final[tuple[AuditRule[Transaction], ...]] = (rule("3261-12.2.2", contact_changed, NOTE),)
