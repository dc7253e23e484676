"""What SIP looks like in bytes, and where a message of a TCP stream ends (RFC 3261 sections 7 and 18.3).

SIP is known by its first line, whatever the port: a status line, or a request line that ends with the version. That of
a well-known method to a sip URI passes without one, so that it can be said what is wrong with it. Whether the rest
holds is the parser's business.
"""

import re
from collections.abc import Iterator
from typing import Final

from .parser import HEADER_LENGTH_MAX, MESSAGE_BYTES_MAX

_TOKEN: Final = rb"[A-Za-z0-9\-.!%*_+`'~]{1,32}"
_METHODS: Final = b"ACK|BYE|CANCEL|INFO|INVITE|MESSAGE|NOTIFY|OPTIONS|PRACK|PUBLISH|REFER|REGISTER|SUBSCRIBE|UPDATE"
_START_LINE: Final = rb"(?:SIP/[0-9]|%b [^\r\n]* SIP/[0-9.]+[ \t]*(?:\r|\n|\Z)|(?:%b) +<?sips?:)" % (_TOKEN, _METHODS)
_USUAL: Final = (b"SIP/2.0 ", *(method + b" sip:" for method in _METHODS.split(b"|")))
_LOOK: Final = re.compile(rb"[\r\n]*+" + _START_LINE, re.IGNORECASE)
_NEXT_START: Final = re.compile(rb"^(?:SIP/2\.0 [1-6][0-9]{2} |%b [^\r\n ]+ SIP/2\.0\r?$)" % _TOKEN, re.MULTILINE)
_PRINTABLE: Final = re.compile(rb"[ -~]*\r?\Z")  # what a start line may begin with, whole or not
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_CONTENT_LENGTH: Final = re.compile(rb"\n(?:Content-Length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)

_MAGIC_COOKIE: Final = b"\x21\x12\xa4\x42"  # RFC 8489 section 5
_KEEP_ALIVE_BYTES: Final = b"\r\n\0 "


def looks_like_sip(data: bytes | bytearray) -> bool:
    """Whether a datagram is SIP, or means to be."""
    return data.startswith(_USUAL) or _LOOK.match(data) is not None


def is_keep_alive(data: bytes) -> bool:
    """Whether a datagram only keeps a flow open: line ends, nothing, zeros, or STUN (RFC 5626, RFC 8489)."""
    if data[4:8] == _MAGIC_COOKIE and data[0] < 0x40:
        return True
    return not data.strip(_KEEP_ALIVE_BYTES)


class SipFraming:
    """One direction of a TCP stream, cut into messages by Content-Length; one without it has no body.

    What is no SIP is passed over up to the next start line. No more is kept than a message that has not ended.
    """

    def __init__(self) -> None:
        self.passed_over = 0
        """How many bytes were no part of a message."""
        self._held = bytearray()
        self._in_step = True  # what comes next begins a message
        self._searched = 0  # how far the end of the head has been looked for; above 0 the first line is a start line
        self._size: int | None = None  # of the first message, once its head is there

    def __len__(self) -> int:
        """How many bytes are held."""
        return len(self._held)

    @property
    def is_within_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._in_step and bool(self._held)

    def lose_step(self) -> None:
        """Say that bytes are missing here: what is held will never be whole."""
        self._remove(len(self._held))
        self._in_step = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes in and yield each message that is whole."""
        self._held += data
        while self._held and (self._in_step or self._find_step()):
            try:
                self._size = self._size or self._measure()
            except ValueError:  # no message after all: look for another behind its first line
                self._pass_over(self._held.find(b"\n") + 1 or len(self._held))
                self._in_step = False
                continue
            if self._size is None or self._size > len(self._held):
                return
            message = bytes(self._held[: self._size])
            self._remove(self._size)
            yield message

    def _find_step(self) -> bool:
        """Pass over what comes before the next start line; keep a last line that may become one."""
        start = _NEXT_START.search(self._held)
        if start is not None:
            self._pass_over(start.start())
            self._in_step = True
            return True
        line = self._held.rfind(b"\n") + 1
        may_begin = len(self._held) - line < HEADER_LENGTH_MAX and _PRINTABLE.match(self._held, line)
        self._pass_over(line if may_begin else len(self._held))
        return False

    def _measure(self) -> int | None:
        """Return the size of the message that begins here, None until its head is there. ValueError: there is none."""
        if not self._searched and not self._is_at_start_line():
            return None
        head_end = _HEAD_END.search(self._held, max(0, self._searched - 2))
        self._searched = len(self._held)
        if head_end is None:
            if len(self._held) > MESSAGE_BYTES_MAX:
                raise ValueError
            return None
        length = _CONTENT_LENGTH.search(self._held, 0, head_end.end())
        size = head_end.end() + (int(length[1]) if length else 0)
        if size > MESSAGE_BYTES_MAX:
            raise ValueError
        return size

    def _is_at_start_line(self) -> bool:
        """Pass over keep-alives. False where the line is still to come; ValueError where it is no start line."""
        if self._held[0] in b"\r\n":
            self._remove(len(self._held) - len(self._held.lstrip(b"\r\n")))
        line_end = self._held.find(b"\n", 0, HEADER_LENGTH_MAX)
        if line_end != -1 and looks_like_sip(self._held[:line_end]):
            return True
        if line_end != -1 or len(self._held) >= HEADER_LENGTH_MAX or not _PRINTABLE.match(self._held):
            raise ValueError
        return False

    def _pass_over(self, count: int) -> None:
        self.passed_over += count
        self._remove(count)

    def _remove(self, count: int) -> None:
        del self._held[:count]
        self._searched, self._size = 0, None
