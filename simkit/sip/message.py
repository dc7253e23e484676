"""Requests and responses as immutable values (RFC 3261 section 7).

A message keeps its headers as they came: order, spelling, unknown ones. What the machines ask of it (Call-ID, CSeq,
tags, branch) is read when first asked for and remembered. Bytes become messages in `parser`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Never, Self, TypeVar, overload

from ..errors import PeerError
from . import headers as _headers
from .grammar import WHITE_SPACE, is_token
from .headers import CANONICAL_NAMES, COMMA_SEPARATED, HeaderField, canonical_name, split_list
from .layout import Layout, layout_of
from .session_headers import SessionExpires, parse_min_se, parse_session_expires
from .uri import NameAddress, Via, parse_name_address, parse_via

_Value = TypeVar("_Value")


class CSeq(NamedTuple):
    """CSeq (RFC 3261 section 20.16): the request's number within the dialog side, and its method."""

    number: int
    method: str


_CSEQ = re.compile(r"0*([0-9]{1,10})[ \t]+(\S+)")


@lru_cache(maxsize=1024)
def parse_cseq(value: str) -> CSeq:
    """Read a CSeq value. Raises PeerError (400)."""
    match = _CSEQ.fullmatch(value.strip(WHITE_SPACE))
    if match is None or int(match[1]) >= 2**32 or not is_token(match[2]):  # RFC 3261 section 12.2.1.1
        raise PeerError(f"'{value[:40]}' is not a number below 2**32 and a method")
    return CSeq(int(match[1]), match[2])


class _Field(Generic[_Value]):
    """What a message is asked for: given when it is made, or read when first asked for and then an ordinary attribute.

    A type checker refuses to write to it; a guard at run time would make each look at a message dearer.
    """

    def __init__(self, read: Callable[["Message"], _Value]) -> None:
        self._read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, message: "Message", owner: type) -> _Value: ...
    @overload
    def __get__(self, message: None, owner: type) -> Self: ...
    def __get__(self, message: "Message | None", owner: type) -> _Value | Self:
        if message is None:
            return self
        value = self._read(message)
        setattr(message, self._name, value)
        return value

    if TYPE_CHECKING:  # there is none, so that the attribute covers what reads it

        def __set__(self, message: "Message", value: Never) -> None: ...


class Message:
    """What requests and responses share. Accessors of a header that is missing or broken raise PeerError (400)."""

    headers: _Field[tuple[HeaderField, ...]]
    body: _Field[bytes]
    is_request: ClassVar[bool]
    layout = _Field[Layout](lambda message: layout_of(tuple([name for name, _ in message.headers])))
    """Where its headers are."""

    call_id = _Field[str](lambda message: message._parsed("Call-ID", str))
    """Call-ID (RFC 3261 section 20.8)."""
    cseq = _Field[CSeq](lambda message: message._parsed("CSeq", parse_cseq))
    """CSeq (RFC 3261 section 20.16)."""
    sender = _Field[NameAddress](lambda message: message._parsed("From", parse_name_address))
    """From (RFC 3261 section 20.20): who sent the request that this is, or answers."""
    from_tag = _Field[str | None](lambda message: message.sender.tag)
    """The tag of From; None where there is none (RFC 2543)."""
    recipient = _Field[NameAddress](lambda message: message._parsed("To", parse_name_address))
    """To (RFC 3261 section 20.39): whom the request that this is, or answers, is for."""
    to_tag = _Field[str | None](lambda message: message.recipient.tag)
    """The tag of To; None before a dialog has begun."""
    via = _Field[Via](lambda message: message._parsed("Via", _parse_topmost_via))
    """The topmost Via (RFC 3261 section 20.42)."""
    branch = _Field[str](lambda message: message.via.branch)
    """The branch of the topmost Via: with the method it names the transaction (RFC 3261 section 17.1.3)."""
    contact = _Field[NameAddress | None](lambda message: message._first_contact())
    """The first Contact (RFC 3261 section 20.10): where requests of this dialog are to go."""
    method = _Field[str](lambda message: message.cseq.method)  # of a response; a request is made with its own
    """The method of the request that this is or, by its CSeq, answers."""

    def knowing(self, **read: object) -> Self:
        """Return this message, told by its maker what its headers say, which saves reading them."""
        for name, value in read.items():
            setattr(self, name, value)
        return self

    def told(self, layout: Layout, branch: str, tags: tuple[str | None, str | None], call_id: str, cseq: CSeq) -> Self:
        """Return this message, told by its reader what all messages are asked for; `tags` are those of From and To."""
        made: Any = self
        made.layout, made.branch, made.call_id, made.cseq = layout, branch, call_id, cseq
        made.from_tag, made.to_tag = tags
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self is other or (self.start_line, self.headers, self.body) == (
            other.start_line,
            other.headers,
            other.body,
        )

    def __hash__(self) -> int:
        return hash((self.start_line, self.headers, self.body))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.start_line}>"

    @property
    def start_line(self) -> str:
        """The request line or status line, without its line end."""
        raise NotImplementedError

    def header(self, name: str) -> str | None:
        """Return the first value of a header as written, by any of its names; None where there is none."""
        first = self.layout.first
        place = first.get(name)
        if place is None:
            place = first.get(CANONICAL_NAMES.get(name) or canonical_name(name))
        return None if place is None else self.headers[place][1]

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in order: those of repeated headers and, for lists, each element."""
        wanted = CANONICAL_NAMES.get(name) or canonical_name(name)
        places = self.layout.places.get(wanted)
        if places is None:
            return ()
        found = [self.headers[place][1] for place in places]
        if wanted in COMMA_SEPARATED:
            return tuple(element for value in found for element in split_list(value))
        return tuple(found)

    def tokens(self, name: str) -> frozenset[str]:
        """Return the tokens of a list header (Supported, Require, Allow) in lower case; empty where it is missing."""
        places = self.layout.places.get(CANONICAL_NAMES.get(name) or canonical_name(name))
        if places is None:
            return frozenset()
        if len(places) == 1:
            return _headers.tokens(self.headers[places[0]][1])
        return _headers.tokens(",".join(self.values(name)))

    @property
    def session_expires(self) -> SessionExpires | None:
        """Session-Expires (RFC 4028 section 4)."""
        value = self.header("Session-Expires")
        return None if value is None else parse_session_expires(value)

    @property
    def min_se(self) -> int | None:
        """Min-SE in seconds (RFC 4028 section 5)."""
        value = self.header("Min-SE")
        return None if value is None else parse_min_se(value)

    def with_headers(self, *added: HeaderField) -> Self:
        """Return this message with these headers: each takes the place of its namesakes, or goes to the end."""
        replaced = {canonical_name(name) for name, _ in added}
        kept: list[HeaderField] = []
        for field in self.headers:
            name = canonical_name(field[0])
            if name not in replaced:
                kept.append(field)
            elif waiting := [new for new in added if canonical_name(new[0]) == name]:
                kept.extend(waiting)
                added = tuple(new for new in added if new not in waiting)
        return self._with(headers=(*kept, *added))

    def without_headers(self, *names: str) -> Self:
        """Return this message without these headers."""
        unwanted = {canonical_name(name) for name in names}
        return self._with(headers=tuple(field for field in self.headers if canonical_name(field[0]) not in unwanted))

    def _with(self, *, headers: tuple[HeaderField, ...]) -> Self:
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """Write the message as it goes over the wire. Content-Length is written as the headers have it."""
        lines = [self.start_line, *[f"{name}: {value}" for name, value in self.headers], "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def _first_contact(self) -> NameAddress | None:
        return self._parsed("Contact", _parse_first_address) if self.header("Contact") else None

    def _parsed(self, name: str, parse: Callable[[str], _Value]) -> _Value:
        value = self.header(name)
        if value is None:
            raise PeerError(f"{name}: the header is missing")
        try:
            return parse(value)
        except PeerError as error:
            raise PeerError(f"{name}: {error}", status=error.status) from None


class Request(Message):
    """A request (RFC 3261 section 7.1); `uri` is the Request-URI as written."""

    uri: _Field[str]
    is_request = True

    def __init__(self, method: str, uri: str, headers: tuple[HeaderField, ...], body: bytes = b"") -> None:
        made: Any = self
        made.method, made.uri, made.headers, made.body = method, uri, headers, body

    def __reduce__(self) -> tuple[Any, ...]:
        return Request, (self.method, self.uri, self.headers, self.body)

    @property
    def start_line(self) -> str:
        """The request line (RFC 3261 section 7.1), without its line end."""
        return f"{self.method} {self.uri} SIP/2.0"

    def _with(self, *, headers: tuple[HeaderField, ...]) -> "Request":
        return Request(self.method, self.uri, headers, self.body)


class Response(Message):
    """A response (RFC 3261 section 7.2)."""

    status: _Field[int]
    reason: _Field[str]
    is_request = False

    def __init__(self, status: int, reason: str, headers: tuple[HeaderField, ...], body: bytes = b"") -> None:
        made: Any = self
        made.status, made.reason, made.headers, made.body = status, reason, headers, body

    def __reduce__(self) -> tuple[Any, ...]:
        return Response, (self.status, self.reason, self.headers, self.body)

    @property
    def start_line(self) -> str:
        """The status line (RFC 3261 section 7.2), without its line end."""
        return f"SIP/2.0 {self.status} {self.reason}"

    def _with(self, *, headers: tuple[HeaderField, ...]) -> "Response":
        return Response(self.status, self.reason, headers, self.body)


def _parse_topmost_via(value: str) -> Via:
    return parse_via(_first_element(value))


def _parse_first_address(value: str) -> NameAddress:
    return parse_name_address(_first_element(value))


def _first_element(value: str) -> str:
    elements = split_list(value)
    if not elements:
        raise PeerError("the value is empty")
    return elements[0]
