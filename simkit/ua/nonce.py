"""A challenge and its answers: the nonce is used again for the requests to come, and counted (RFC 7616 section 3.4)."""

from collections.abc import Mapping
from typing import Final

from ..settings import Account
from ..sip.digest import Challenge, answer
from ..sip.message import Request
from .identifiers import Identifiers

HEADERS: Final[Mapping[int, tuple[str, str]]] = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
"""By status: where the challenge is, and where the credentials go (RFC 3261 sections 22.2 and 22.3)."""


class Nonce:
    """The latest challenge with a nonce, and how often that was used."""

    __slots__ = ("_used", "challenge")

    def __init__(self, challenge: Challenge) -> None:
        self.challenge = challenge
        self._used = 0

    def credentials(self, account: Account, request: Request, identifiers: Identifiers) -> str:
        """Return what answers the challenge for a request."""
        self._used += 1
        found = answer(
            self.challenge,
            account.user,
            account.password,
            method=request.method,
            uri=request.uri,
            cnonce=identifiers.nonce() if self.challenge.qop else "",
            nc=self._used,
        )
        return str(found)
