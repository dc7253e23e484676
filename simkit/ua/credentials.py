"""What a scripted party answers to a challenge, when told to: the last one, by its account (RFC 3261 section 22.2)."""

from ..errors import LocalError, PeerError
from ..settings import Account
from ..sip.digest import parse_challenge
from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from .identifiers import Identifiers
from .nonce import HEADERS, Nonce


class Credentials:
    """Who a party is, and what it was asked last."""

    def __init__(self, account: Account | None, identifiers: Identifiers) -> None:
        self._account = account
        self._identifiers = identifiers
        self._header = ""
        self._nonce: Nonce | None = None

    def asked(self, response: Response) -> None:
        """Take note of a challenge, where a response has one."""
        asked_in, answered_in = HEADERS.get(response.status, ("", ""))
        value = response.header(asked_in) if asked_in else None
        if value is None:
            return
        try:
            challenge = parse_challenge(value)
        except PeerError:
            return  # one that nobody understands is not answered
        self._header = answered_in
        if self._nonce is not None and self._nonce.challenge.nonce == challenge.nonce:
            self._nonce.challenge = challenge
        else:
            self._nonce = Nonce(challenge)

    def answer(self, request: Request) -> HeaderField:
        """Return the credentials for a request. Raises LocalError without an account, or where nobody has asked."""
        if self._account is None:
            raise LocalError(f"{request.method} cannot have credentials: the party has no user and password")
        if self._nonce is None:
            raise LocalError(f"{request.method} cannot have credentials: nobody has asked for any")
        return self._header, self._nonce.credentials(self._account, request, self._identifiers)
