"""What a test reads of a capture."""

import io

from simkit.captures.reader import Captured, CaptureReader, read_capture


def read(file: bytes, *, once: bool = True) -> tuple[list[Captured], CaptureReader]:
    """Return the messages of a capture, and the reader that has come to its end."""
    reader = read_capture(io.BytesIO(file), once=once)
    return list(reader), reader


def messages(file: bytes) -> list[bytes]:
    """Return the messages of a capture as bytes."""
    return [captured.raw for captured in read(file)[0]]


def skipped(file: bytes) -> dict[str, int]:
    """Return what was not read of a capture, by reason."""
    return dict(read(file)[1].skipped)
