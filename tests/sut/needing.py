"""What a test against real programs needs, and where it may do without."""

import os

import pytest

from simkit.errors import SetupError
from simkit.sut.peer import Peer
from simkit.sut.warp import warped


def need(peer: Peer) -> None:
    """Skip a test where a stack, or libfaketime, is not installed; in continuous integration what Debian ships is."""
    must = os.environ.get("CI") == "true"
    if not peer.is_installed and not (must and peer.package):
        pytest.skip(f"no {peer.title}")
    if not has_libfaketime() and not must:
        pytest.skip("no libfaketime")
    assert peer.is_installed, f"apt install {peer.package}"


def has_libfaketime() -> bool:
    """Whether time can be warped here."""
    try:
        warped(2, {})
    except SetupError:
        return False
    return True
