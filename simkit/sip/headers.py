"""Header names and the splitting of header values (RFC 3261 sections 7.3.1, 7.3.3 and 25.1).

Names compare without case, and a compact form is the same header as its long form. What a value means is the business
of `uri`, `session_headers` and `message`.
"""

import re
from functools import lru_cache
from typing import Final

HeaderField = tuple[str, str]
"""A header's name as written and its value, unfolded and trimmed."""

REQUEST_URI: Final = "Request-URI"
"""How flows name the Request-URI among headers; no header has this name."""

COMPACT_FORMS: Final = {
    "a": "Accept-Contact",  # RFC 3841
    "b": "Referred-By",  # RFC 3892
    "c": "Content-Type",  # RFC 3261
    "d": "Request-Disposition",  # RFC 3841
    "e": "Content-Encoding",  # RFC 3261
    "f": "From",  # RFC 3261
    "i": "Call-ID",  # RFC 3261
    "j": "Reject-Contact",  # RFC 3841
    "k": "Supported",  # RFC 3261
    "l": "Content-Length",  # RFC 3261
    "m": "Contact",  # RFC 3261
    "n": "Identity-Info",  # RFC 4474
    "o": "Event",  # RFC 6665
    "r": "Refer-To",  # RFC 3515
    "s": "Subject",  # RFC 3261
    "t": "To",  # RFC 3261
    "u": "Allow-Events",  # RFC 6665
    "v": "Via",  # RFC 3261
    "x": "Session-Expires",  # RFC 4028
    "y": "Identity",  # RFC 8224
}

_KNOWN = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Authentication-Info Authorization Call-ID Call-Info "
    "Contact Content-Disposition Content-Encoding Content-Language Content-Length Content-Type CSeq Date Error-Info "
    "Event Expires From In-Reply-To Max-Forwards MIME-Version Min-Expires Min-SE Organization Path Priority "
    "Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Refer-To Reply-To Require "
    "Retry-After Route RSeq Server Session-Expires Subject Supported Timestamp To Unsupported User-Agent Via Warning "
    "WWW-Authenticate"
).split()
_CANONICAL: Final = {name.lower(): name for name in (*COMPACT_FORMS.values(), *_KNOWN, REQUEST_URI)} | COMPACT_FORMS
CANONICAL_NAMES: Final = {name: name for name in _CANONICAL.values()} | _CANONICAL
"""The usual spellings of known headers, for code that cannot afford to call `canonical_name` on each."""


def canonical_name(name: str) -> str:
    """Return the one name under which a header is looked up: "x" and "session-expires" are "Session-Expires"."""
    known = CANONICAL_NAMES.get(name)
    if known is not None:
        return known
    folded = name.lower()
    return _CANONICAL.get(folded, folded)


COMMA_SEPARATED: Final = frozenset(
    canonical_name(name)
    for name in (
        "Accept Accept-Encoding Accept-Language Alert-Info Allow Call-Info Contact Content-Encoding Content-Language "
        "Error-Info In-Reply-To Path Proxy-Require Reason Record-Route Require Route Supported Unsupported Via Warning "
        "Accept-Contact Reject-Contact Allow-Events"
    ).split()
)
"""Headers whose grammar is a list, so that one line may hold several values."""

# An open quote or bracket runs to the end of the value, so that no input makes this search twice.
_LIST_ELEMENT = re.compile(r'(?:[^",<]|"(?:[^"\\]|\\.)*"?|<[^>]*>?)+', re.DOTALL)


@lru_cache(maxsize=4096)
def split_list(value: str) -> tuple[str, ...]:
    """Split a value at its commas, but not at those inside quotes or angle brackets."""
    if "," not in value:
        return (value,) if value else ()
    return tuple(element for part in _LIST_ELEMENT.findall(value) if (element := part.strip()))


@lru_cache(maxsize=4096)
def tokens(value: str) -> frozenset[str]:
    """Return the tokens of a comma-separated list in lower case, for they compare without case (section 7.3.1)."""
    return frozenset(element.lower() for element in split_list(value))
