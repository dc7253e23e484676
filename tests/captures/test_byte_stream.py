"""Bytes from files and pipes, plain or gzip."""

import gzip
import io
import tracemalloc
import zlib

import pytest

from simkit.captures.byte_stream import PIECE_BYTES, ByteStream
from simkit.captures.packet import Truncated

TEXT = bytes(range(256)) * 1024  # four pieces


def all_of(stream: ByteStream, count: int = 1000) -> bytes:
    return b"".join(iter(lambda: stream.take(count), b""))


class Dripping(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(7)


class Failing(io.BytesIO):
    def read1(self, size: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("count", [1, 999, 65_536, 200_000])
def test_bytes_come_in_order_whatever_is_asked_for(count: int) -> None:
    assert all_of(ByteStream(io.BytesIO(TEXT)), count) == TEXT


PACKED = {
    "one member": gzip.compress(TEXT),
    "two members": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "an empty member between": gzip.compress(TEXT[:9]) + gzip.compress(b"") + gzip.compress(TEXT[9:]),
    "padding at the end": gzip.compress(TEXT) + bytes(512),
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED.keys())
def test_gzip_is_unpacked(packed: bytes) -> None:
    assert all_of(ByteStream(io.BytesIO(packed))) == TEXT


def test_a_pipe_is_read_as_it_fills() -> None:
    pipe = Dripping(TEXT)
    stream = ByteStream(pipe)
    assert stream.take(10) == TEXT[:10]
    assert pipe.read()[0] == 14  # no more was taken than two drips
    packed = Dripping(gzip.compress(TEXT))
    assert all_of(ByteStream(packed)) == TEXT


def test_peeking_does_not_pass() -> None:
    stream = ByteStream(io.BytesIO(b"abcdef"))
    assert stream.take(1) == b"a"
    assert stream.peek(2) == b"bc"
    assert stream.peek(99) == b"bcdef"
    assert stream.take(2) == b"bc"


def test_skipping_says_how_far_it_got() -> None:
    stream = ByteStream(io.BytesIO(TEXT))
    assert stream.skip(100_000) == 100_000
    assert stream.position == 100_000
    assert stream.peek(4) == TEXT[100_000:100_004]
    assert stream.skip(10**12) == len(TEXT) - 100_000
    assert stream.take(1) == b""
    assert stream.position == len(TEXT)


CUT = gzip.compress(TEXT)
BROKEN = [
    pytest.param(CUT[:-1], "gzip ends too early", id="without its last byte"),
    pytest.param(CUT[:4], "gzip ends too early", id="in its header"),
    pytest.param(CUT[:200] + b"\xff" * 50 + CUT[250:], "gzip is broken", id="overwritten"),
    pytest.param(CUT[:-8] + bytes(8), "gzip is broken", id="another checksum"),
    pytest.param(gzip.compress(TEXT) + b"\x1f\x8b\x08", "gzip ends too early", id="a member that only begins"),
]


@pytest.mark.parametrize(("packed", "why"), BROKEN)
def test_broken_gzip_is_said(packed: bytes, why: str) -> None:
    with pytest.raises(Truncated, match=why):
        all_of(ByteStream(io.BytesIO(packed)))


def test_a_file_that_cannot_be_read_is_said() -> None:
    with pytest.raises(Truncated, match="reading failed: Input/output error"):
        ByteStream(Failing())


def test_what_expands_a_thousandfold_is_not_held_in_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        stream = ByteStream(io.BytesIO(bomb))
        assert stream.skip(1 << 40) == 64 << 20
        assert tracemalloc.get_traced_memory()[1] < 20 * PIECE_BYTES
    finally:
        tracemalloc.stop()
