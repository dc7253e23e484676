"""Tokens, quoted strings and parameters: what the values of many headers are made of (RFC 3261 section 25.1)."""

import re
from functools import lru_cache
from typing import Final

from ..errors import PeerError

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in order: name and value as written, the value None for a bare name."""

WHITE_SPACE: Final = " \t\r\n"  # the characters of LWS; str.strip() would take Unicode's as well

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_QUOTED_STRING: Final = r'"(?:[^"\\]|\\.)*"'
# An open quote or bracket runs to the end of the text, so that no input makes these search twice.
_QUOTED_OR_NOT = re.compile(rf'({_QUOTED_STRING}?)|([^"]+)', re.DOTALL)
_SEPARATOR = re.compile(" ?([/=,;:<>]) ?")
_PARAMETER = re.compile(rf';\s*([^;=\s"]+)\s*(?:=\s*({_QUOTED_STRING}|[^;\s"]*))?\s*', re.DOTALL)
_BETWEEN_SEMICOLONS = re.compile(rf'(?:[^";<]|{_QUOTED_STRING}?|<[^>]*>?)+', re.DOTALL)


@lru_cache(maxsize=1024)
def is_token(text: str) -> bool:
    """Whether the text is a token, as method, header name and option tag have to be."""
    return _TOKEN.fullmatch(text) is not None


def parse_parameters(text: str) -> Parameters:
    """Read ";name=value;name" to its end. Raises PeerError (400)."""
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise PeerError(f"'{text[at : at + 40]}' is not a parameter")
        found.append((match[1], match[2]))
        at = match.end()
    return tuple(found)


def parameter(parameters: Parameters, name: str) -> str | None:
    """Return a parameter's value by its lower-case name: "" for a bare name, None where it is missing."""
    for written, value in parameters:
        if written == name or written.lower() == name:
            return value or ""
    return None


def split_parameters(value: str) -> tuple[str, ...]:
    """Split a value at its semicolons, but not at those inside quotes or angle brackets; empty parts fall away."""
    return tuple(part for raw in _BETWEEN_SEMICOLONS.findall(value) if (part := raw.strip(WHITE_SPACE)))


def normal_form(text: str) -> str:
    """Return the text with tokens in lower case and no white space at separators; quoted strings stay (7.3.1)."""
    return "".join(
        quoted or _SEPARATOR.sub(r"\1", " ".join(plain.split())).lower()
        for quoted, plain in _QUOTED_OR_NOT.findall(text)
    )
