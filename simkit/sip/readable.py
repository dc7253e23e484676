"""What a message says of a session interval, as far as anybody can read it: else it has said nothing (RFC 4028)."""

from contextlib import suppress

from ..errors import PeerError
from .message import Message
from .session_headers import SessionExpires


def session_of(message: Message) -> SessionExpires | None:
    """Return the Session-Expires of a message; None where it has none, or one that is no interval."""
    with suppress(PeerError):
        return message.session_expires
    return None


def least_of(message: Message) -> int | None:
    """Return the Min-SE of a message in seconds; None where it has none, or one that is no number."""
    with suppress(PeerError):
        return message.min_se
    return None
