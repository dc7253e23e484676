"""Digest authentication: challenges, credentials, and the response that proves a password (RFC 3261 section 22.4).

RFC 7616 as RFC 8760 has it for SIP: MD5 and SHA-256, with qop=auth or without qop (RFC 2069). Other schemes are not
understood, nor are the algorithms that end in -sess, SHA-512-256, and a challenge that insists on qop=auth-int.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from ..errors import PeerError
from .grammar import WHITE_SPACE

AUTH: Final = "auth"  # RFC 7616 section 3.3: the quality of protection that covers method and URI


class Algorithm(Enum):
    """What a digest is computed with (RFC 8760 section 2.1)."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 section 3.3)."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    qop: bool = False
    """Whether it offers qop=auth; if not, it is as in RFC 2069."""
    stale: bool = False
    """Whether what was rejected is the nonce, and not the password."""
    opaque: str | None = None

    def __str__(self) -> str:
        fields = [f"realm={_quoted(self.realm)}", f"nonce={_quoted(self.nonce)}"]
        fields += [] if self.opaque is None else [f"opaque={_quoted(self.opaque)}"]
        fields += ["stale=true"] if self.stale else []
        fields += [f"algorithm={self.algorithm.value}"]
        fields += [f'qop="{AUTH}"'] if self.qop else []
        return f"Digest {', '.join(fields)}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The value of Authorization or Proxy-Authorization (RFC 7616 section 3.4)."""

    username: str
    realm: str
    nonce: str
    uri: str
    algorithm: Algorithm = Algorithm.MD5
    cnonce: str | None = None
    """With qop=auth only, as is `nc`."""
    nc: int = 0
    """How often the nonce has been used, this time included."""
    opaque: str | None = None
    response: str = ""
    """The digest, by which who knows the password is known."""

    def __str__(self) -> str:
        fields = [f"username={_quoted(self.username)}", f"realm={_quoted(self.realm)}", f"nonce={_quoted(self.nonce)}"]
        fields += [f"uri={_quoted(self.uri)}", f"response={_quoted(self.response)}"]
        fields += [f"algorithm={self.algorithm.value}"]
        fields += [] if self.cnonce is None else [f"cnonce={_quoted(self.cnonce)}", f"qop={AUTH}", f"nc={self.nc:08x}"]
        fields += [] if self.opaque is None else [f"opaque={_quoted(self.opaque)}"]
        return f"Digest {', '.join(fields)}"

    def prove(self, password: str, method: str) -> bool:
        """Whether who wrote these for a request of this method knows the password."""
        return self.response == _response(self, password, method)


def answer(
    challenge: Challenge, username: str, password: str, *, method: str, uri: str, cnonce: str, nc: int
) -> Credentials:
    """Return the credentials for a request; without qop `cnonce` and `nc` go unused."""
    given = Credentials(username, challenge.realm, challenge.nonce, uri, challenge.algorithm, opaque=challenge.opaque)
    if challenge.qop:
        given = replace(given, cnonce=cnonce, nc=nc)
    return replace(given, response=_response(given, password, method))


def _response(given: Credentials, password: str, method: str) -> str:
    """Compute the digest (RFC 7616 section 3.4.1; without qop RFC 2069 section 2.1.2)."""
    secret = _hash(given.algorithm, given.username, given.realm, password)
    protected = _hash(given.algorithm, method, given.uri)
    if given.cnonce is None:
        return _hash(given.algorithm, secret, given.nonce, protected)
    return _hash(given.algorithm, secret, given.nonce, f"{given.nc:08x}", given.cnonce, AUTH, protected)


def _hash(algorithm: Algorithm, *parts: str) -> str:
    import hashlib  # few calls are challenged

    data = ":".join(parts).encode("utf-8", "surrogateescape")
    if algorithm is Algorithm.SHA_256:
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


# --- reading ---------------------------------------------------------------------------------------------------------

_SCHEME = re.compile(r"Digest\s+", re.IGNORECASE)
_FIELD = re.compile(r'([A-Za-z0-9\-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]+)\s*(?:,\s*|\Z)', re.DOTALL)
_NC = re.compile(r"[0-9A-Fa-f]{8}")


def parse_challenge(value: str) -> Challenge:
    """Read a challenge. Raises PeerError (400) for one that is broken, or not understood."""
    fields = _parse_fields(value)
    qop = fields.get("qop")
    if qop is not None and AUTH not in (option.strip().lower() for option in qop.split(",")):
        raise PeerError(f"qop '{qop[:40]}' is not understood")
    return Challenge(
        _required(fields, "realm"),
        _required(fields, "nonce"),
        _algorithm(fields),
        qop is not None,
        fields.get("stale", "").lower() == "true",
        fields.get("opaque"),
    )


def parse_credentials(value: str) -> Credentials:
    """Read credentials. Raises PeerError (400) for ones that are broken, or not understood."""
    fields = _parse_fields(value)
    nc, cnonce = fields.get("nc", ""), None
    if "qop" in fields:
        cnonce = _required(fields, "cnonce")
        if fields["qop"].lower() != AUTH or not _NC.fullmatch(nc):
            raise PeerError(f"qop '{fields['qop'][:40]}' with nc '{nc[:40]}' is not understood")
    return Credentials(
        _required(fields, "username"),
        _required(fields, "realm"),
        _required(fields, "nonce"),
        _required(fields, "uri"),
        _algorithm(fields),
        cnonce,
        int(nc, 16) if cnonce is not None else 0,
        fields.get("opaque"),
        _required(fields, "response").lower(),
    )


def _parse_fields(value: str) -> Mapping[str, str]:
    """Return the fields by their lower-case names, without quotes."""
    value = value.strip(WHITE_SPACE)
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise PeerError(f"'{value[:40]}' is not Digest authentication")
    fields: dict[str, str] = {}
    at = scheme.end()
    while at < len(value):
        field = _FIELD.match(value, at)
        if field is None or field[1].lower() in fields:
            raise PeerError(f"'{value[at : at + 40]}' cannot be read")
        fields[field[1].lower()] = _unquoted(field[2])
        at = field.end()
    return fields


def _required(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise PeerError(f"'{name}' is missing")
    return fields[name]


def _algorithm(fields: Mapping[str, str]) -> Algorithm:
    written = fields.get("algorithm", Algorithm.MD5.value)
    for algorithm in Algorithm:
        if written.upper() == algorithm.value:
            return algorithm
    raise PeerError(f"algorithm '{written[:40]}' is not understood")


_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_TO_BE_ESCAPED = re.compile(r'(["\\])')


def _unquoted(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def _quoted(text: str) -> str:
    escaped = _TO_BE_ESCAPED.sub(r"\\\1", text)
    return f'"{escaped}"'
