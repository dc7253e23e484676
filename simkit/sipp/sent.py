"""A message of a scenario taken apart: its start line, headers and body, quotes still in them."""

import re
from dataclasses import dataclass, replace
from typing import Final

from ..flows.patterns import METHODS
from ..sip.grammar import is_token
from ..sip.headers import canonical_name
from .ladder import Ladder
from .quotes import Kind, Quotes

_REQUEST = re.compile(r"(\S+) +(.+?) +SIP/2\.0 *")
_RESPONSE = re.compile(r"SIP/2\.0 +([1-6][0-9]{2})(?: .*)?")
_CSEQ_METHOD = re.compile(r"\S+ +(\S+)")
_CONSTANT_LINES: Final = frozenset({Kind.ROUTES, Kind.AUTHENTICATION})


@dataclass(frozen=True, slots=True)
class Field:
    """A header of a message, and on which line it stands."""

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a scenario."""

    method: str
    """Of a response, of the request that it answers; "" where that cannot be told."""
    status: str
    """"" for a request."""
    uri: str
    fields: tuple[Field, ...]
    body: str
    odd_line: int | None
    """A line that is no header; None: there is none."""
    whole: str
    account: tuple[str, str] | None = None
    """User and password with which it answers a challenge."""

    def value(self, name: str) -> str | None:
        """Return the first value of a header; None where it is missing."""
        return next((field.value for field in self.fields if canonical_name(field.name) == name), None)

    def line_of(self, name: str) -> int:
        """Return on which line a header stands; 0 where it is missing."""
        return next((field.line for field in self.fields if canonical_name(field.name) == name), 0)


def read_sent(text: str, quotes: Quotes, ladder: Ladder) -> Sent | None:
    """Take a message apart; None where its first line is none of SIP's."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    request, response = _REQUEST.fullmatch(first), _RESPONSE.fullmatch(first)
    if request is None and response is None:
        return None
    fields: list[Field] = []
    odd = None
    for number, line in enumerate(lines, start=1):
        found = _field(line, number, quotes)
        if found is not None:
            fields.append(found)
        elif line and not _is_constant(line, quotes) and odd is None:
            odd = number
    method, status, uri = (request[1], "", request[2]) if request else ("", response[1] if response else "", "")
    asked = (quotes.only(line) for line in lines)
    account = next(((each.header, each.detail) for each in asked if each and each.kind is Kind.AUTHENTICATION), None)
    sent = Sent(method, status, uri, tuple(fields), body, odd, text, account)
    return sent if request else _with_method(sent, quotes, ladder)


def _with_method(sent: Sent, quotes: Quotes, ladder: Ladder) -> Sent:
    """Return a response with the method that it answers: its CSeq tells, or copies that of a request."""
    value = sent.value("CSeq") or ""
    found, quote = _CSEQ_METHOD.fullmatch(value), quotes.only(value)
    method = found[1] if found and found[1] in METHODS else ""
    if quote is not None and quote.kind in (Kind.LINES, Kind.HEADER):
        method = ladder.line(quote.message).method
    return replace(sent, method=method)


def _field(line: str, number: int, quotes: Quotes) -> Field | None:
    quote = quotes.quote(line[0]) if line else None
    if quote is not None and quote.kind is Kind.LINES:
        whole = quotes.character(quote)
        return Field(quote.header, whole + line[1:], number) if is_token(quote.header) else None
    name, colon, value = line.partition(":")
    if not colon or not is_token(name.rstrip()):
        return None
    return Field(name.rstrip(), value.strip(), number)


def _is_constant(line: str, quotes: Quotes) -> bool:
    quote = quotes.only(line)
    return quote is not None and quote.kind in _CONSTANT_LINES
