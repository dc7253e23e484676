"""What a scripted party answers to a challenge, when told to: the last one, by its account (RFC 3261 section 22.2)."""

from ..errors import LocalError, PeerError
from ..settings import Account
from ..sip.digest import Challenge, answer, parse_challenge
from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from .identifiers import Identifiers

_HEADERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class Credentials:
    """Who a party is, and what it was asked last."""

    def __init__(self, account: Account | None, identifiers: Identifiers) -> None:
        self._account = account
        self._identifiers = identifiers
        self._header = ""
        self._challenge: Challenge | None = None
        self._used = 0

    def asked(self, response: Response) -> None:
        """Take note of a challenge, where a response has one."""
        asked_in, answered_in = _HEADERS.get(response.status, ("", ""))
        value = response.header(asked_in) if asked_in else None
        if value is None:
            return
        try:
            challenge = parse_challenge(value)
        except PeerError:
            return  # one that nobody understands is not answered
        if self._challenge is None or self._challenge.nonce != challenge.nonce:
            self._used = 0
        self._header, self._challenge = answered_in, challenge

    def answer(self, request: Request) -> HeaderField:
        """Return the credentials for a request. Raises LocalError without an account, or where nobody has asked."""
        if self._account is None:
            raise LocalError(f"{request.method} cannot have credentials: the party has no user and password")
        if self._challenge is None:
            raise LocalError(f"{request.method} cannot have credentials: nobody has asked for any")
        self._used += 1
        found = answer(
            self._challenge,
            self._account.user,
            self._account.password,
            method=request.method,
            uri=request.uri,
            cnonce=self._identifiers.nonce() if self._challenge.qop else "",
            nc=self._used,
        )
        return self._header, str(found)
