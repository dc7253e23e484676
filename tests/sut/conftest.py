"""Stacks to start: small programs, each on a port of its own."""

import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simkit.sut.order import StartOrder

from ..leftovers import nothing_is_left_behind as nothing_is_left_behind

STACK = """
import os, signal, socket, sys, time
port = int(sys.argv[1])
signal.alarm(60)
{before}
ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ours.bind(("127.0.0.1", port))
print("listening", flush=True)
while True:
    data, peer = ours.recvfrom(65535)
    {upon}
"""
ANSWERS = 'data.startswith(b"OPTIONS") and ours.sendto(b"SIP/2.0 404 Not Found\\r\\n\\r\\n", peer)'

Order = Callable[..., StartOrder]


@pytest.fixture
def free_port() -> int:
    """A port that nobody held a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        return int(ours.getsockname()[1])


@pytest.fixture
def order(tmp_path: Path, free_port: int) -> Order:
    """Make orders for a stack in Python that answers OPTIONS, unless told to do something else."""

    def make(before: str = "", upon: str = ANSWERS, **fields: Any) -> StartOrder:
        path = tmp_path / "stack.py"
        path.write_text(STACK.format(before=before, upon=upon))
        command = (sys.executable, "-S", "-E", str(path), str(free_port))
        return StartOrder(**{"command": command, "address": ("127.0.0.1", free_port), **fields})

    return make


def is_free(port: int) -> bool:
    """Whether a port can be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        try:
            ours.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def open_files() -> int:
    """Return how many files we have open."""
    return len(os.listdir("/dev/fd"))


def elf(*kinds: int, bits: int = 64, order: str = "<", more: bytes = b"") -> bytes:
    """Return an ELF file that has nothing but program headers of these kinds."""
    identity = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    rest, entry = ("HHIQQQIHHHHHH", 56) if bits == 64 else ("HHIIIIIHHHHHH", 32)
    size = 16 + struct.calcsize(order + rest)
    header = identity + struct.pack(order + rest, 2, 62, 1, 0, size, 0, 0, size, entry, len(kinds), 0, 0, 0)
    return header + b"".join(struct.pack(f"{order}I", kind) + bytes(entry - 4) for kind in kinds) + more
