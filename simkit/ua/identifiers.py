"""Branches, tags, Call-IDs, nonces and SDP session ids (RFC 3261 sections 8.1.1 and 19.3, RFC 7616, RFC 8866).

Each is a prefix drawn once from an injected, seeded source, and a number that counts up: the same seed gives the same
bytes, and no name comes twice. They are not secrets; nothing here is fit to keep an attacker out.
"""

from itertools import count
from typing import Final, Protocol

MAGIC_COOKIE: Final = "z9hG4bK"  # RFC 3261 section 8.1.1.7: marks a branch as unique

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuv"
_PREFIX_LENGTH: Final = 10  # 50 of the 53 bits that a draw has: RFC 3261 section 19.3 asks for 32 or more
_SESSION_IDS: Final = 2**31  # small enough for readers that keep a session id in 32 bits


class Random(Protocol):
    """Where chance comes from: the runs inject it, seeded."""

    def random(self) -> float:
        """Return the next number, from 0 to just below 1."""
        ...


class Identifiers:
    """Names for one party's transactions, dialogs and calls; two parties differ in the prefix they drew."""

    __slots__ = ("_branch", "_numbers", "_prefix", "_session_id")

    def __init__(self, random: Random) -> None:
        self._prefix = _prefix(random)
        self._branch = MAGIC_COOKIE + self._prefix
        self._numbers = count(1)
        self._session_id = int(random.random() * _SESSION_IDS)

    def branch(self) -> str:
        """Return a branch for the Via of a new transaction (RFC 3261 section 8.1.1.7)."""
        return f"{self._branch}{next(self._numbers)}"

    def tag(self) -> str:
        """Return a tag for From or To (RFC 3261 section 19.3)."""
        return f"{self._prefix}{next(self._numbers)}"

    def call_id(self, host: str) -> str:
        """Return a Call-ID for a new call made from `host` (RFC 3261 section 8.1.1.4)."""
        return f"{self._prefix}{next(self._numbers)}@{host}"

    def nonce(self) -> str:
        """Return a nonce for a challenge, or a cnonce for credentials (RFC 7616 sections 3.3 and 3.4)."""
        return f"{self._prefix}{next(self._numbers)}"

    def session_id(self) -> int:
        """Return a session id for the origin line of a new SDP session (RFC 8866 section 5.2)."""
        self._session_id += 1
        return self._session_id


def _prefix(random: Random) -> str:
    drawn = int(random.random() * 32**_PREFIX_LENGTH)
    return "".join(_DIGITS[drawn >> shift & 31] for shift in range(5 * (_PREFIX_LENGTH - 1), -1, -5))
