"""Who asks a sender who it is, and checks the answer (RFC 3261 sections 22.1 to 22.4, RFC 7616 section 3.4).

The Request-URI need not be the one in the credentials, for it may be rewritten on the way (section 22.4, item 6). ACK
and CANCEL are never challenged: there is no sending them again (section 22.1).
"""

from typing import Final

from ..errors import PeerError
from ..settings import ChallengeSettings
from ..sip.digest import Algorithm, Challenge, Credentials, parse_credentials
from ..sip.headers import HeaderField
from ..sip.message import Request
from .capabilities import Refusal
from .identifiers import Identifiers

NONCES_MAX: Final = 1000  # ours: who asks for ever new ones and uses none is not to fill our memory

_NEVER: Final = ("ACK", "CANCEL")


class _Nonce:
    """A nonce that was given out: when, and the highest count that it was used with."""

    __slots__ = ("count", "given_at")

    def __init__(self, given_at: int) -> None:
        self.given_at = given_at
        self.count = 0


class Challenger:
    """One party's challenges; times are microseconds on its own clock."""

    __slots__ = ("_identifiers", "_nonces", "_settings")

    def __init__(self, settings: ChallengeSettings, identifiers: Identifiers) -> None:
        self._settings = settings
        self._identifiers = identifiers
        self._nonces: dict[str, _Nonce] = {}

    def refusal(self, request: Request, *, now: int) -> Refusal | None:
        """Return what a request earns whose sender has not proved who it is; None to go on."""
        methods = self._settings.methods
        if request.method in _NEVER or (methods is not None and request.method not in methods):
            return None
        given = self._credentials(request)
        if given is None or not given.prove(self._settings.account.password, request.method):
            return self._challenge(stale=False, now=now)
        return None if self._is_fresh(given, now=now) else self._challenge(stale=True, now=now)

    def _credentials(self, request: Request) -> Credentials | None:
        """Return the credentials that are meant for us; None where there are none, or not of the user whom we know."""
        wanted = self._settings
        for value in request.values("Authorization" if wanted.status == 401 else "Proxy-Authorization"):
            try:
                given = parse_credentials(value)
            except PeerError:
                continue
            if given.realm == wanted.realm:
                known = given.username == wanted.account.user and given.algorithm.value in wanted.algorithms
                return given if known else None
        return None

    def _is_fresh(self, given: Credentials, *, now: int) -> bool:
        """Whether the nonce is one of ours that has not grown old, and its count higher than before."""
        nonce, lasts_us = self._nonces.get(given.nonce), self._settings.nonce_lasts_us
        if nonce is None or (lasts_us is not None and now >= nonce.given_at + lasts_us):
            return False
        if given.cnonce is not None:  # who leaves qop out does not count (RFC 2069)
            if given.nc <= nonce.count:
                return False
            nonce.count = given.nc
        return True

    def _challenge(self, *, stale: bool, now: int) -> Refusal:
        settings = self._settings
        nonce = self._identifiers.nonce()
        self._nonces[nonce] = _Nonce(now)
        if len(self._nonces) > NONCES_MAX:
            del self._nonces[next(iter(self._nonces))]
        name = "WWW-Authenticate" if settings.status == 401 else "Proxy-Authenticate"
        fields: list[HeaderField] = []
        for algorithm in settings.algorithms:
            challenge = Challenge(settings.realm, nonce, Algorithm(algorithm), settings.qop, stale)
            fields.append((name, str(challenge)))
        return settings.status, tuple(fields)
