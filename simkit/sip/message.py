"""Requests and responses as immutable values (RFC 3261 section 7).

A message keeps its headers as they came: order, spelling, unknown ones. What the machines ask of it (Call-ID, CSeq,
tags, branch) is read when first asked for and remembered. Bytes become messages in `parser`.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from ..errors import PeerError
from . import headers as _headers
from .headers import HeaderField, canonical_name, split_list
from .session_headers import SessionExpires, parse_min_se, parse_session_expires
from .uri import NameAddress, Via, parse_name_address, parse_via

_set = object.__setattr__


class CSeq(NamedTuple):
    """CSeq (RFC 3261 section 20.16): the request's number within the dialog side, and its method."""

    number: int
    method: str


class Message:
    """What requests and responses share. Accessors of a header that is missing or broken raise PeerError (400)."""

    __slots__ = ("_first", "_read", "body", "headers")
    headers: tuple[HeaderField, ...]
    body: bytes
    _first: dict[str, str] | None
    _read: dict[str, Any] | None
    method: str
    is_request: ClassVar[bool]

    def __init__(self, headers: tuple[HeaderField, ...], body: bytes) -> None:
        _set(self, "headers", headers)
        _set(self, "body", body)
        _set(self, "_first", None)
        _set(self, "_read", None)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a message is immutable: '{name}' cannot be set")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (self.start_line, self.headers, self.body) == (other.start_line, other.headers, other.body)

    def __hash__(self) -> int:
        return hash((self.start_line, self.headers, self.body))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.start_line}>"

    @property
    def start_line(self) -> str:
        """The request line or status line, without its line end."""
        raise NotImplementedError

    def header(self, name: str) -> str | None:
        """Return the first value of a header as written, by its long name; None where there is none."""
        first = self._first
        if first is None:
            first = {}
            for written, value in self.headers:
                first.setdefault(canonical_name(written), value)
            _set(self, "_first", first)
        found = first.get(name)
        return found if found is not None or name in first else first.get(canonical_name(name))

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in order: those of repeated headers and, for lists, each element."""
        wanted = canonical_name(name)
        found = [value for written, value in self.headers if canonical_name(written) == wanted]
        if wanted in _headers.COMMA_SEPARATED:
            return tuple(element for value in found for element in split_list(value))
        return tuple(found)

    def tokens(self, name: str) -> frozenset[str]:
        """Return the tokens of a list header (Supported, Require, Allow) in lower case; empty where it is missing."""
        if self.header(name) is None:
            return frozenset()
        return _headers.tokens(",".join(self.values(name)))

    @property
    def call_id(self) -> str:
        """Call-ID (RFC 3261 section 20.8)."""
        return self._required("Call-ID")

    @property
    def cseq(self) -> CSeq:
        """CSeq (RFC 3261 section 20.16)."""
        return self._once("CSeq", _parse_cseq)  # type: ignore[no-any-return]

    @property
    def sender(self) -> NameAddress:
        """From (RFC 3261 section 20.20): who sent the request that this is, or answers."""
        return self._once("From", parse_name_address)  # type: ignore[no-any-return]

    @property
    def recipient(self) -> NameAddress:
        """To (RFC 3261 section 20.39): whom the request that this is, or answers, is for."""
        return self._once("To", parse_name_address)  # type: ignore[no-any-return]

    @property
    def from_tag(self) -> str | None:
        """The tag of From; None where there is none (RFC 2543)."""
        return self.sender.tag

    @property
    def to_tag(self) -> str | None:
        """The tag of To; None before a dialog has begun."""
        return self.recipient.tag

    @property
    def via(self) -> Via:
        """The topmost Via (RFC 3261 section 20.42)."""
        return self._once("Via", _parse_topmost_via)  # type: ignore[no-any-return]

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: with the method it names the transaction (RFC 3261 section 17.1.3)."""
        return self.via.branch

    @property
    def contact(self) -> NameAddress | None:
        """The first Contact (RFC 3261 section 20.10): where requests of this dialog are to go."""
        return self._once("Contact", _parse_contact) if self.header("Contact") else None

    @property
    def session_expires(self) -> SessionExpires | None:
        """Session-Expires (RFC 4028 section 4)."""
        return (
            self._once("Session-Expires", parse_session_expires) if self.header("Session-Expires") is not None else None
        )

    @property
    def min_se(self) -> int | None:
        """Min-SE in seconds (RFC 4028 section 5)."""
        return self._once("Min-SE", parse_min_se) if self.header("Min-SE") is not None else None

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
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body

    def _required(self, name: str) -> str:
        value = self.header(name)
        if value is None:
            raise PeerError(f"{name} is missing")
        return value

    def _once(self, name: str, parse: Callable[[str], Any]) -> Any:
        read = self._read
        if read is None:
            read = {}
            _set(self, "_read", read)
        elif name in read:
            return read[name]
        value = read[name] = parse(self._required(name))
        return value


class Request(Message):
    """A request (RFC 3261 section 7.1); `uri` is the Request-URI as written."""

    __slots__ = ("method", "uri")
    uri: str
    is_request = True

    def __init__(self, method: str, uri: str, headers: tuple[HeaderField, ...], body: bytes = b"") -> None:
        super().__init__(headers, body)
        _set(self, "method", method)
        _set(self, "uri", uri)

    @property
    def start_line(self) -> str:
        """The request line (RFC 3261 section 7.1), without its line end."""
        return f"{self.method} {self.uri} SIP/2.0"

    def _with(self, *, headers: tuple[HeaderField, ...]) -> "Request":
        return Request(self.method, self.uri, headers, self.body)


class Response(Message):
    """A response (RFC 3261 section 7.2); `method` is that of the request it answers, from its CSeq."""

    __slots__ = ("method", "reason", "status")
    status: int
    reason: str
    is_request = False

    def __init__(self, status: int, reason: str, headers: tuple[HeaderField, ...], body: bytes = b"") -> None:
        super().__init__(headers, body)
        _set(self, "status", status)
        _set(self, "reason", reason)
        _set(self, "method", self.cseq.method)

    @property
    def start_line(self) -> str:
        """The status line (RFC 3261 section 7.2), without its line end."""
        return f"SIP/2.0 {self.status} {self.reason}"

    def _with(self, *, headers: tuple[HeaderField, ...]) -> "Response":
        return Response(self.status, self.reason, headers, self.body)


def _parse_cseq(value: str) -> CSeq:
    number, _, method = value.strip().partition(" ")
    method = method.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) < 2**32 and method):
        raise PeerError(f"CSeq: '{value[:40]}' is not a number below 2**32 and a method")
    return CSeq(int(number), method)


def _parse_topmost_via(value: str) -> Via:
    elements = split_list(value)
    if not elements:
        raise PeerError("Via is empty")
    return parse_via(elements[0])


def _parse_contact(value: str) -> NameAddress:
    return parse_name_address(split_list(value)[0])
