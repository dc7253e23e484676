"""The rule of RFC 4028 that is at stake where a call failed: a hint beside the failure, never a verdict.

`stake_of_call` finds it, and `stake_of_proxy` where a proxy is about.
"""

from typing import NamedTuple

from ..errors import PeerError
from ..sip.message import Message
from ..sip.session_headers import SessionExpires


class Stake(NamedTuple):
    """A rule, and what it means here."""

    rule: str
    note: str


def session_expires_of(message: Message) -> SessionExpires | None:
    """Return the session interval that a message has; None as well where it cannot be read."""
    try:
        return message.session_expires
    except PeerError:
        return None
