"""Bytes to messages (RFC 3261 sections 7, 8.1.1, 18.3 and 25; RFC 4475 is the test).

Refused, with the byte offset: what leaves a reader guessing. That is a start line out of form, a header without name or
colon, an address, Via, CSeq, Content-Length or Date that cannot be read, a header that is missing or repeated although
it says whose message it is, a body shorter than promised, anything too large.

Kept, though odd: unknown headers, methods and URI schemes, folding, line ends of LF alone, bytes that are not UTF-8, a
missing Max-Forwards (RFC 2543), and the values of all other headers, which are read when they are asked for.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, Final

from ..errors import PeerError
from .grammar import WHITE_SPACE, is_token
from .headers import CANONICAL_NAMES, HeaderField, canonical_name, split_list
from .layout import Layout, layout_of
from .message import Request, Response, parse_cseq
from .uri import is_sip_uri, parse_name_address, parse_uri, parse_via

MESSAGE_BYTES_MAX: Final = 65_535  # what the length field of UDP can count
HEADERS_MAX: Final = 256  # RFC 3261 sets no limit; the longest message of RFC 4475 has 43
HEADER_LENGTH_MAX: Final = 8_192

_MANDATORY: Final = ("Via", "From", "To", "Call-ID", "CSeq")  # RFC 3261 section 8.1.1, less Max-Forwards
_ONCE: Final = frozenset(("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"))


class MessageError(PeerError):
    """Bytes that are no message: what is wrong, at which byte (from 0), and the status to answer."""

    def __init__(self, message: str, *, offset: int, status: int = 400) -> None:
        self.offset = offset
        super().__init__(f"{message} (at byte {offset})", status=status)


class _LineFault(Exception):
    """What is wrong with one line of the head: the start line is line 0."""

    def __init__(self, line: int, message: str, status: int = 400) -> None:
        self.line, self.message, self.status = line, message, status


def parse_message(data: bytes) -> Request | Response:
    """Read the message of a datagram; what follows its Content-Length is cut off (section 18.3).

    Raises MessageError.
    """
    return parse_prefix(data)[0]


def parse_prefix(data: bytes) -> tuple[Request | Response, int]:
    """Read the first message of the data, and where it ends. Without Content-Length its body is all the rest.

    Raises MessageError.
    """
    start = len(data) - len(data.lstrip(b"\r\n"))  # empty lines before a message keep a flow alive (section 7.5)
    if start == len(data):
        raise MessageError("there is no message", offset=start)
    if len(data) - start > MESSAGE_BYTES_MAX:
        raise MessageError(f"longer than {MESSAGE_BYTES_MAX} bytes", offset=start + MESSAGE_BYTES_MAX, status=513)
    head_end, body_start = _find_body(data, start)
    head = data[start:head_end]
    lines = head.decode("utf-8", "surrogateescape").split("\n")
    first = lines.pop(0)
    try:
        if lines and lines[0].startswith(_CONTINUING):
            raise _LineFault(0, "the start line is folded")
        start_line = _parse_start_line(first.removesuffix("\r"))
        if head_end == len(data):
            raise MessageError("the headers do not end with an empty line", offset=head_end)
        return _put_together(start_line, _read_headers(lines), data, body_start)
    except _LineFault as fault:
        offset = start + _line_offset(head, fault.line)
        raise MessageError(fault.message, offset=offset, status=fault.status) from None


def _find_body(data: bytes, start: int) -> tuple[int, int]:
    """Return where the headers end and where the body starts: either side of the first empty line."""
    crlf = data.find(b"\n\r\n", start)
    lf = data.find(b"\n\n", start, crlf + 1 if crlf != -1 else len(data))
    if lf != -1:
        return lf, lf + 2
    return (crlf, crlf + 3) if crlf != -1 else (len(data), len(data))


_CONTINUING: Final = (" ", "\t")  # so begins a line that continues the one before (section 7.3.1)
_LINE_END = re.compile(r"\n(?![ \t])")
_LINE_END_BYTES = re.compile(rb"\n(?![ \t])")


def _line_offset(head: bytes, line: int) -> int:
    starts = [0, *(match.end() for match in _LINE_END_BYTES.finditer(head))]
    return starts[line] if line < len(starts) else len(head)


# --- the start line --------------------------------------------------------------------------------------------------

StartLine = tuple[str, str] | tuple[int, str]
"""Method and Request-URI, or status and reason phrase."""

_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE | re.DOTALL)
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _parse_start_line(line: str) -> StartLine:
    if len(line) > HEADER_LENGTH_MAX:
        raise _LineFault(0, "the start line is too long")
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise _LineFault(0, f"'{line[:60]}' is not 'SIP/2.0', a status from 100 to 699 and a reason phrase")
        return int(match[1]), match[2] or ""
    parts = line.split(" ")
    if len(parts) != 3 or not is_token(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise _LineFault(0, f"'{line[:60]}' is neither 'METHOD uri SIP/2.0', single spaces between, nor a status line")
    method, uri, version = parts
    if version.upper() != "SIP/2.0":
        raise _LineFault(0, f"the version is {version}, not SIP/2.0", 505)
    _check_request_uri(uri)
    return method, uri


def _check_request_uri(uri: str) -> None:
    if not uri or uri[0] == "<":
        raise _LineFault(0, "the Request-URI is empty or in angle brackets")
    if not is_sip_uri(uri):
        return  # another scheme: its owner knows what to answer (416)
    try:
        headers = parse_uri(uri).headers
    except PeerError as error:
        raise _LineFault(0, f"Request-URI: {error}") from None
    if headers:
        raise _LineFault(0, "the Request-URI has headers")  # section 19.1.1: not allowed there


# --- headers ---------------------------------------------------------------------------------------------------------

_Header = tuple[str, HeaderField, Any]
"""A header: its name as written; itself, unfolded and trimmed; what its value says, or None where nobody asks yet."""


def _read_headers(lines: list[str]) -> list[_Header]:
    if len(lines) <= HEADERS_MAX:
        try:
            return list(map(_read_header, lines))
        except PeerError:
            pass  # one is wrong, or continues another
    return _read_one_by_one(_LINE_END.split("\n".join(lines)))


def _read_one_by_one(lines: Sequence[str]) -> list[_Header]:
    if len(lines) > HEADERS_MAX:
        raise _LineFault(HEADERS_MAX + 1, f"more than {HEADERS_MAX} headers")
    headers: list[_Header] = []
    for number, line in enumerate(lines, start=1):
        try:
            headers.append(_read_header(line))
        except PeerError as error:
            _check_once(layout_of(tuple(name for name, _, _ in headers)))  # then that is the first fault
            raise _LineFault(number, str(error), error.status) from None
    return headers


@lru_cache(maxsize=8192)  # most lines come again in the next message of the call
def _read_header(line: str) -> _Header:
    if len(line) > HEADER_LENGTH_MAX:
        raise PeerError(f"a header of more than {HEADER_LENGTH_MAX} characters")
    if "\n" in line:
        line = " ".join(part.strip(WHITE_SPACE) for part in line.split("\n")).rstrip(" ")
    written, colon, value = line.partition(":")
    written, value = written.rstrip(WHITE_SPACE), value.strip(WHITE_SPACE)
    known = CANONICAL_NAMES.get(written)
    if not colon or not (known or is_token(written)):
        raise PeerError(f"'{line[:40].rstrip()}' is not a header: a name, a colon and a value")
    name = known or canonical_name(written)
    if name == written:
        written = name  # for all messages the same string
    read = _READERS.get(name)
    try:
        return written, (written, value), None if read is None else read(value)
    except PeerError as error:
        raise PeerError(f"{name}: {error}", status=error.status) from None


class _Kind:
    """What messages with the same header names have in common."""

    __slots__ = ("layout", "length_at", "mandatory")

    def __init__(self, names: tuple[str, ...]) -> None:
        """Raises _LineFault where a header is missing, or comes twice, that says whose message it is."""
        self.layout = layout_of(names)
        _check_once(self.layout)
        first = self.layout.first
        for name in _MANDATORY:
            if name not in first:
                raise _LineFault(len(names) + 1, f"{name} is missing")
        self.mandatory: itemgetter[tuple[Any, ...]] = itemgetter(*(first[name] for name in _MANDATORY))
        """Picks what the mandatory headers say from what all say."""
        self.length_at = first.get("Content-Length")


_kind_of = lru_cache(maxsize=1024)(_Kind)


def _check_once(layout: Layout) -> None:
    repeated = [(places[1], name) for name, places in layout.places.items() if len(places) > 1 and name in _ONCE]
    if repeated:
        place, name = min(repeated)
        raise _LineFault(place + 1, f"{name} comes twice")


def _put_together(
    start_line: StartLine, headers: list[_Header], data: bytes, body_start: int
) -> tuple[Request | Response, int]:
    """Return the message, which knows what its headers say, and where it ends."""
    names, fields, read = zip(*headers, strict=True) if headers else ((), (), ())
    kind = _kind_of(names)
    via, sender, recipient, call_id, cseq = kind.mandatory(read)
    told, second = start_line
    if isinstance(told, str) and told != cseq.method:
        fault = f"CSeq: the method is {cseq.method}, but that of the request is {told}"
        raise _LineFault(kind.layout.first["CSeq"] + 1, fault)
    end = len(data)
    if kind.length_at is not None:
        length, end = read[kind.length_at], body_start + read[kind.length_at]
        if end > len(data):
            fault = f"Content-Length is {length}, but {len(data) - body_start} bytes follow"
            raise _LineFault(kind.length_at + 1, fault)
    body = data[body_start:end]
    message = Request(told, second, fields, body) if isinstance(told, str) else Response(told, second, fields, body)
    return message.told(kind.layout, via.branch, (sender.tag, recipient.tag), call_id, cseq), end


# --- values ----------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def _read_list(parse: Callable[[str], object], value: str) -> object:
    """Return the first element of a list, when all have been read."""
    if value and "," not in value:
        return parse(value)
    elements = [parse(element) for element in split_list(value)]
    if not elements:
        raise PeerError("the value is empty")
    return elements[0]


def _read_call_id(value: str) -> str:
    if not value or " " in value or "\t" in value:
        raise PeerError(f"'{value[:40]}' is not one word")
    return value


def _read_content_length(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise PeerError(f"'{value[:40]}' is not a number of bytes")
    return int(value)


def _check_date(value: str) -> None:
    if not _DATE.fullmatch(value):  # section 20.17: GMT and nothing else
        raise PeerError(f"'{value[:40]}' is not a date like 'Sat, 13 Nov 2010 23:29:00 GMT'")


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "Via": partial(_read_list, parse_via.__wrapped__),  # the line is remembered, that will do
    "From": parse_name_address.__wrapped__,
    "To": parse_name_address.__wrapped__,
    "Contact": partial(_read_list, parse_name_address),
    "Call-ID": _read_call_id,
    "CSeq": parse_cseq,
    "Content-Length": _read_content_length,
    "Date": _check_date,
}
