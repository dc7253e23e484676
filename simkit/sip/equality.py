"""When two header values are the same, and what parts a value has (RFC 3261 sections 7.3.1, 19.1.4 and 20).

Tokens compare without case, quoted strings with it; parameters may come in any order, white space at separators says
nothing. Of addresses the URI and the parameters count, not the display name. A parameter that only one side has makes a
difference, though RFC 3261 section 20.20 would let an unknown one pass: a test that names a value means all of it.
"""

import re
from functools import lru_cache
from typing import Final

from ..errors import PeerError
from .grammar import WHITE_SPACE, normal_form, parameter, split_parameters
from .headers import COMMA_SEPARATED, REQUEST_URI, canonical_name, split_list
from .message import parse_cseq
from .uri import NameAddress, SipUri, is_sip_uri, parse_name_address, parse_uri, parse_via

_ADDRESSES: Final = frozenset(
    f"Contact From Path Record-Route Refer-To Referred-By Reply-To {REQUEST_URI} Route To".split()
)
_EXACT: Final = frozenset(  # free text, or words that keep their case (RFC 3261 section 20.8)
    "Call-ID Identity In-Reply-To Organization Server Subject User-Agent".split()
)
_METHODS: Final = frozenset(("Allow", "CSeq"))  # methods keep their case (RFC 3261 section 7.1)

# RFC 3261 section 19.1.4, with transport by its examples: these differ when only one URI has them.
_NEVER_IGNORED: Final = ("user", "ttl", "method", "maddr", "transport")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-_.!~*'()]")
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")


def values_equal(name: str, left: str, right: str) -> bool:
    """Whether two values of this header mean the same; values that cannot be read are equal when their text is."""
    name = canonical_name(name)
    if left == right:
        return True
    if name in _EXACT:
        return left.strip(WHITE_SPACE) == right.strip(WHITE_SPACE)
    lists = name in COMMA_SEPARATED
    lefts, rights = (split_list(value) if lists else (value,) for value in (left, right))
    return len(lefts) == len(rights) and all(_equal(name, *pair) for pair in zip(lefts, rights, strict=True))


def _equal(name: str, left: str, right: str) -> bool:
    try:
        if name in _ADDRESSES:
            return _addresses_equal(parse_name_address(left), parse_name_address(right))
        if name == "CSeq":
            return parse_cseq(left) == parse_cseq(right)
    except PeerError:
        return False  # for their texts differ
    if name in _METHODS:
        return left.strip(WHITE_SPACE) == right.strip(WHITE_SPACE)
    (left_value, *left_parameters), (right_value, *right_parameters) = _normal_parts(left), _normal_parts(right)
    return left_value == right_value and sorted(left_parameters) == sorted(right_parameters)


def _normal_parts(value: str) -> tuple[str, ...]:
    return tuple(normal_form(part).strip() for part in split_parameters(value)) or ("",)


def _addresses_equal(left: NameAddress, right: NameAddress) -> bool:
    return uris_equal(left.uri, right.uri) and _normal_parameters(left) == _normal_parameters(right)


def _normal_parameters(address: NameAddress) -> list[tuple[str, str]]:
    return sorted((name.lower(), normal_form(value or "")) for name, value in address.parameters)


def uris_equal(left: str, right: str) -> bool:
    """Whether two URIs are equivalent (RFC 3261 section 19.1.4); those of other schemes when their text is."""
    if left == right:
        return True
    if not (is_sip_uri(left) and is_sip_uri(right)):
        return False
    try:
        return _sip_uris_equal(parse_uri(left), parse_uri(right))
    except PeerError:
        return False


def _sip_uris_equal(left: SipUri, right: SipUri) -> bool:
    return (
        (left.scheme, left.host.lower(), left.port) == (right.scheme, right.host.lower(), right.port)
        and _unescaped(left.user or "") == _unescaped(right.user or "")
        and _sorted_headers(left.headers) == _sorted_headers(right.headers)
        and _uri_parameters_agree(left, right)
    )


def _uri_parameters_agree(left: SipUri, right: SipUri) -> bool:
    lefts, rights = (
        {_unescaped(name).lower(): _unescaped(value or "").lower() for name, value in uri.parameters}
        for uri in (left, right)
    )
    names = (lefts.keys() & rights.keys()).union(_NEVER_IGNORED)
    return all(lefts.get(name) == rights.get(name) for name in names)


def _sorted_headers(headers: str) -> list[str]:
    return sorted(_unescaped(header) for header in headers.split("&"))


def _unescaped(text: str) -> str:
    """Write an escaped character as itself where that means the same; the case of the other escapes says nothing."""
    return _ESCAPED.sub(_unescape, text)


def _unescape(escaped: re.Match[str]) -> str:
    character = chr(int(escaped[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escaped[0].upper()


# --- parts -----------------------------------------------------------------------------------------------------------

_Parts = dict[str, str | None]


@lru_cache(maxsize=1024)
def header_part(name: str, value: str, part: str) -> str | None:
    """Return one part of a header's value, the first of a list; None where there is no such part.

    "value" is all before the parameters; "number" and "method" are of CSeq; "uri", "user", "host" and "port" are of
    addresses, "transport", "host" and "port" of Via; any other word is the parameter of that name, "" where it is bare.
    """
    name, part = canonical_name(name), part.lower()
    if name in COMMA_SEPARATED:
        value = next(iter(split_list(value)), "")
    try:
        found = _named_parts(name, value)
    except PeerError:
        return None
    if part in found:
        return found[part]
    return None if part == "value" else _parameter_of(value, part)


def _named_parts(name: str, value: str) -> _Parts:
    if name == "CSeq":
        cseq = parse_cseq(value)
        return {"number": str(cseq.number), "method": cseq.method}
    if name == "Via":
        via = parse_via(value)
        return _value_part(value) | {"transport": via.transport, "host": via.host, "port": _text(via.port)}
    if name in _ADDRESSES:
        uri = parse_name_address(value).uri
        named = _value_part(value) | {"uri": uri}
        if is_sip_uri(uri):
            sip = parse_uri(uri)
            named |= {"user": sip.user, "host": sip.host, "port": _text(sip.port)}
        return named
    return _value_part(value)


def _value_part(value: str) -> _Parts:
    return {"value": next(iter(split_parameters(value)), "")}


def _parameter_of(value: str, name: str) -> str | None:
    pairs = (part.partition("=") for part in split_parameters(value)[1:])
    return parameter(tuple((word.strip(WHITE_SPACE), argument.strip(WHITE_SPACE)) for word, _, argument in pairs), name)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
