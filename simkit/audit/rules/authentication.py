"""What a UAC does when it is asked who it is (RFC 3261 section 22)."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from ...errors import PeerError
from ...sip.digest import Challenge, Credentials, parse_challenge, parse_credentials
from ..dialog import Transaction
from ..rule import NOTE, AuditRule, Breach, rule
from ..sending import Sending

CHALLENGES: Final = (401, 407)
Value = TypeVar("Value")

_ASKED_IN: Final = ("WWW-Authenticate", "Proxy-Authenticate")
_ANSWERED_IN: Final = ("Authorization", "Proxy-Authorization")


def same_number(transaction: Transaction) -> Breach | None:
    """A request that was challenged before there was a dialog, sent again with the same CSeq."""
    former = transaction.previous
    if former is None or not transaction.initial or transaction.cseq > former.cseq:
        return None
    text = f"answered the {former.status} with the same CSeq, {transaction.cseq}; a new request has the next number"
    return Breach(transaction.request, text, "it takes the request with credentials for a retransmission")


def rejected_credentials_again(transaction: Transaction) -> Breach | None:
    """The password that had just been refused, for a nonce that was fresh."""
    former = transaction.previous
    if former is None or former.final is None or former.previous is None:
        return None
    fresh = {(each.realm, each.nonce) for each in _challenges(former.previous.final)}
    asked_again = {each.realm for each in _challenges(former.final) if not each.stale}
    rejected = {
        (each.username, each.realm)
        for each in _credentials(former.request)
        if (each.realm, each.nonce) in fresh and each.realm in asked_again
    }
    for given in _credentials(transaction.request):
        if (given.username, given.realm) in rejected:
            text = f"tried {given.username} in {given.realm} again, which had just been answered {former.status}"
            return Breach(transaction.request, text, "it answers each challenge as if it were the first")
    return None


def acknowledged_without_credentials(transaction: Transaction) -> Breach | None:
    """An ACK to a 2xx that lacks the credentials of its INVITE."""
    if not transaction.succeeded or not transaction.acks:
        return None
    ack = transaction.acks[0]
    for name in _ANSWERED_IN:
        if transaction.request.message.header(name) is not None and ack.message.header(name) is None:
            return Breach(ack, f"left {name} out of its ACK, though its INVITE has it")
    return None


def _credentials(sending: Sending) -> list[Credentials]:
    return _read(sending, _ANSWERED_IN, parse_credentials)


def _challenges(sending: Sending | None) -> list[Challenge]:
    return _read(sending, _ASKED_IN, parse_challenge) if sending is not None else []


def _read(sending: Sending, names: tuple[str, ...], parse: Callable[[str], Value]) -> list[Value]:
    """Return what can be read of these headers."""
    found = []
    for name in names:
        for value in sending.message.values(name):
            with suppress(PeerError):
                found.append(parse(value))
    return found


OF_CHALLENGED: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("3261-22.2", same_number),
    rule("3261-22.1c", rejected_credentials_again),
    rule("3261-22.1b", acknowledged_without_credentials, NOTE),  # many leave them out, and servers do not look
)
