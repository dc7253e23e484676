"""Who holds a port, where the system tells."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simkit.processes.port_holder import port_holder


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that we hold."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        yield ours.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows who holds a port in /proc")
def test_who_holds_a_port_is_named(taken: int) -> None:
    assert port_holder(taken).endswith(f" (process {os.getpid()})")


def test_where_nobody_can_be_named_the_user_is_told_how_to_look(tmp_path: Path) -> None:
    advice = "another program (try: lsof -nP -iUDP:5060)"
    assert port_holder(5060, proc=tmp_path) == advice
    (tmp_path / "net").mkdir()
    (tmp_path / "net/udp").write_text("sl local_address\n0: 0100007F:13C4 00000000:0000 07 0:0 0:0 0 0 0 4711\n")
    assert port_holder(5060, proc=tmp_path) == advice
