"""The bytes of a capture, one after another: from a file or a pipe, plain or gzip (RFC 1952).

Only a piece of the file and what was asked for are in memory, however far gzip expands. A pipe is read as it fills, so
that a capture can be followed while it is made.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from .packet import Truncated

PIECE_BYTES: Final = 65_536  # small, for zlib copies what is left of a piece at the end of each gzip member
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's way to ask for a gzip header


class Readable(Protocol):
    """A binary file, or what reads like one."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, so many at most; none at the end. Raises OSError."""
        ...


class ByteStream:
    """Hands out bytes in order. Each method raises Truncated where the bytes cannot be read or unpacked."""

    def __init__(self, file: Readable) -> None:
        self._held = b""
        self._at = 0
        self._passed = 0  # bytes before `_held`
        self._pieces = _pieces(file)
        first = self.peek(len(_GZIP_MAGIC))
        if first == _GZIP_MAGIC:
            self._pieces, self._held = _unpacked(self._held, self._pieces), b""

    @property
    def position(self) -> int:
        """How many bytes have been taken or skipped, as unpacked."""
        return self._passed + self._at

    def peek(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end of the file, and stay before them."""
        if len(self._held) - self._at < count:
            self._fill(count)
        return self._held[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """Return the next bytes, fewer only at the end of the file."""
        start = self._at
        end = start + count
        if end > len(self._held):
            self._fill(count)
            start, end = 0, min(count, len(self._held))
        self._at = end
        return self._held[start:end]

    def skip(self, count: int) -> int:
        """Pass over the next bytes, however many; return how many there were."""
        left = count
        while left and (passed := len(self.take(min(left, PIECE_BYTES)))):
            left -= passed
        return count - left

    def _fill(self, count: int) -> None:
        """Hold `count` bytes from here on, or all that is left."""
        held = [self._held[self._at :]]
        size = len(held[0])
        while size < count and (piece := next(self._pieces, b"")):
            held.append(piece)
            size += len(piece)
        self._passed += self._at
        self._held, self._at = b"".join(held), 0


def _pieces(file: Readable) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)  # read1 returns what a pipe has, without waiting
    try:
        while piece := read(PIECE_BYTES):
            yield piece
    except OSError as error:
        raise Truncated(f"reading failed: {error.strerror or error}") from error


def _unpacked(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, a piece at a time: the file's members one after another, as `gzip -d` does."""
    packed, unpacker = first, zlib.decompressobj(_GZIP)
    try:
        while packed or (packed := next(pieces, b"")):
            if unpacker.eof:
                if not packed.startswith(_GZIP_MAGIC[: len(packed)]):
                    return  # what follows the last member is padding
                unpacker = zlib.decompressobj(_GZIP)
            if piece := unpacker.decompress(packed, PIECE_BYTES):
                yield piece
            packed = unpacker.unconsumed_tail or unpacker.unused_data
    except zlib.error as error:
        raise Truncated(f"gzip is broken: {error}") from error
    if not unpacker.eof:
        raise Truncated("gzip ends too early")
