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
from typing import Final

from ..errors import PeerError
from .grammar import WHITE_SPACE, is_token
from .headers import HeaderField, canonical_name, split_list
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
    lines = _split_lines(head.decode("utf-8", "surrogateescape"))
    try:
        start_line = _parse_start_line(lines[0].removesuffix("\r"))
        if head_end == len(data):
            raise MessageError("the headers do not end with an empty line", offset=head_end)
        headers, places = _parse_headers(lines)
        _check_headers(start_line, headers, places)
        length = _body_length(headers, places, len(data) - body_start)
    except _LineFault as fault:
        offset = start + _line_offset(head, fault.line)
        raise MessageError(fault.message, offset=offset, status=fault.status) from None
    end = body_start + length
    first, second = start_line
    if isinstance(first, int):
        return Response(first, second, headers, data[body_start:end]), end
    return Request(first, second, headers, data[body_start:end]), end


def _find_body(data: bytes, start: int) -> tuple[int, int]:
    """Return where the headers end and where the body starts: either side of the first empty line."""
    crlf, lf = data.find(b"\n\r\n", start), data.find(b"\n\n", start)
    if lf != -1 and (crlf == -1 or lf < crlf):
        return lf, lf + 2
    return (crlf, crlf + 3) if crlf != -1 else (len(data), len(data))


_LINE_END = re.compile(r"\n(?![ \t])")  # a line that begins with white space continues the one before (section 7.3.1)
_LINE_END_BYTES = re.compile(rb"\n(?![ \t])")


def _split_lines(head: str) -> list[str]:
    return _LINE_END.split(head) if "\n " in head or "\n\t" in head else head.split("\n")


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
    if "\n" in line or len(line) > HEADER_LENGTH_MAX:
        raise _LineFault(0, "the start line is folded or too long")
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


def _parse_headers(lines: Sequence[str]) -> tuple[tuple[HeaderField, ...], dict[str, int]]:
    """Return the headers, and for each canonical name the line on which it is first."""
    if len(lines) > HEADERS_MAX + 1:
        raise _LineFault(HEADERS_MAX + 1, f"more than {HEADERS_MAX} headers")
    headers: list[HeaderField] = []
    places: dict[str, int] = {}
    number = 0
    try:
        for number in range(1, len(lines)):
            name, field = _parse_header(lines[number])
            if name not in places:
                places[name] = number
            elif name in _ONCE:
                raise PeerError(f"{name} comes twice")
            headers.append(field)
    except PeerError as error:
        raise _LineFault(number, str(error), error.status) from None
    return tuple(headers), places


@lru_cache(maxsize=8192)  # most lines come again in the next message of the call
def _parse_header(line: str) -> tuple[str, HeaderField]:
    """Return the canonical name and the header, unfolded and trimmed, its value checked."""
    if len(line) > HEADER_LENGTH_MAX:
        raise PeerError(f"a header of more than {HEADER_LENGTH_MAX} characters")
    if "\n" in line:
        line = " ".join(part.strip(WHITE_SPACE) for part in line.split("\n")).rstrip(" ")
    written, colon, value = line.partition(":")
    written = written.rstrip(WHITE_SPACE)
    if not colon or not is_token(written):
        raise PeerError(f"'{line[:40].rstrip()}' is not a header: a name, a colon and a value")
    name, value = canonical_name(written), value.strip(WHITE_SPACE)
    check = _CHECKS.get(name)
    if check is not None:
        try:
            check(value)
        except PeerError as error:
            raise PeerError(f"{name}: {error}", status=error.status) from None
    return name, (written, value)


def _check_headers(start_line: StartLine, headers: Sequence[HeaderField], places: dict[str, int]) -> None:
    for name in _MANDATORY:
        if name not in places:
            raise _LineFault(len(headers) + 1, f"{name} is missing")
    line = places["CSeq"]
    method = parse_cseq(headers[line - 1][1]).method
    if isinstance(start_line[0], str) and start_line[0] != method:
        raise _LineFault(line, f"CSeq: the method is {method}, but that of the request is {start_line[0]}")


def _body_length(headers: Sequence[HeaderField], places: dict[str, int], available: int) -> int:
    line = places.get("Content-Length")
    if line is None:
        return available
    length = int(headers[line - 1][1])
    if length > available:
        raise _LineFault(line, f"Content-Length is {length}, but {available} bytes follow")
    return length


# --- values ----------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def _check_each(parse: Callable[[str], object], value: str) -> None:
    elements = split_list(value)
    if not elements:
        raise PeerError("the value is empty")
    for element in elements:
        parse(element)


def _check_call_id(value: str) -> None:
    if not value or " " in value or "\t" in value:
        raise PeerError(f"'{value[:40]}' is not one word")


def _check_content_length(value: str) -> None:
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise PeerError(f"'{value[:40]}' is not a number of bytes")


def _check_date(value: str) -> None:
    if not _DATE.fullmatch(value):  # section 20.17: GMT and nothing else
        raise PeerError(f"'{value[:40]}' is not a date like 'Sat, 13 Nov 2010 23:29:00 GMT'")


_CHECKS: Final[dict[str, Callable[[str], object]]] = {
    "Via": partial(_check_each, parse_via),
    "From": parse_name_address,
    "To": parse_name_address,
    "Contact": partial(_check_each, parse_name_address),
    "Call-ID": _check_call_id,
    "CSeq": parse_cseq,
    "Content-Length": _check_content_length,
    "Date": _check_date,
}
