"""Processes leave nothing behind: whatever a test starts, none of it lives when the test is over."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MARK = "SIMKIT_TEST_CHILD"
PROC = Path("/proc")


def living(mark: str) -> list[str]:
    """Return the processes that have inherited this mark, each with its command. Linux only: elsewhere none is seen."""
    found = []
    for entry in PROC.glob("[0-9]*") if PROC.is_dir() else ():
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            if f"{MARK}={mark}".encode() in environment:
                found.append(f"{entry.name} {(entry / 'cmdline').read_bytes().decode()}")
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Mark what the test starts, and look for it when it is over; the mark is returned."""
    mark = f"{os.getpid()}/{request.node.name}"
    monkeypatch.setenv(MARK, mark)
    yield mark
    left = living(mark)
    give_up_at = time.monotonic() + 2
    while left and time.monotonic() < give_up_at:  # one that was killed may not have been taken off the list yet
        time.sleep(0.01)
        left = living(mark)
    assert not left
