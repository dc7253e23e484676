"""The list against real stacks, in N-fold time: what is known of each is seen, and nothing is left of it.

Where one does not keep a rule, that is what its release does; a new release may do better.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simkit.checklist import running
from simkit.checklist.checks import CHECKS
from simkit.checklist.judging import Outcome
from simkit.checklist.standing import standing_peer
from simkit.checklist.terms import Terms
from simkit.settings import SessionTimerSettings
from simkit.sut.known_peers import BARESIP, KAMAILIO, LINPHONE, PJSUA, SIPP, SOFIA
from simkit.sut.peer import Peer
from simkit.sut.warp import WARP

from ..leftovers import nothing_is_left_behind as nothing_is_left_behind
from ..sut.conftest import is_free
from ..sut.needing import need

pytestmark = pytest.mark.slow

SHORTEST = SessionTimerSettings(default_expires_s=90)  # the least there is: the list takes four seconds
TERMS = {
    KAMAILIO.name: Terms(),  # in warped time its clock is not good enough for less
    SIPP.name: Terms(
        replace(SHORTEST, prefer_refresher="uas", use_update=True), configured=True
    ),  # README has the usual
}
QUICKLY = 2 * WARP
SHARED_MEMORY = Path("/dev/shm")

NONE: set[str] = set()
TIMED = {check.title for check in CHECKS} - {"negotiated", "no timer support"}
KNOWN = [
    pytest.param(SIPP, NONE, NONE, NONE, id="SIPp"),
    pytest.param(
        KAMAILIO,
        {"expiry when refreshes stop", "422 for a small interval", "no timer support"},
        {"expiry when nobody answers"},
        {"RFC4028-8.2-4", "RFC4028-8.3-2"},
        id="Kamailio",
    ),
    pytest.param(
        LINPHONE,
        {"expiry when refreshes stop", "expiry when nobody answers"},
        NONE,
        {"RFC4028-10-3"},
        id="Linphone",
    ),
    pytest.param(SOFIA, {"expiry when nobody answers"}, NONE, {"RFC4028-5-4", "RFC4028-9-12"}, id="Sofia-SIP"),
    pytest.param(BARESIP, {"negotiated"}, TIMED, NONE, id="baresip"),
    pytest.param(PJSUA, NONE, NONE, NONE, id="PJSUA"),
]


@pytest.fixture(autouse=True)
def no_shared_memory_is_left() -> Iterator[None]:
    """Leave nothing of libfaketime's behind, whoever else uses it at the same time."""
    before = shared_memory_of_the_dead()
    yield
    give_up_at = time.monotonic() + 5
    while shared_memory_of_the_dead() - before:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def shared_memory_of_the_dead() -> set[str]:
    numbers = {path.name.rpartition("_")[2] for path in SHARED_MEMORY.glob("*faketime*")}
    return {number for number in numbers if not os.path.exists(f"/proc/{number}")}


def outcome_of(peer: Peer, folder: Path, warp: int) -> running.Tested:
    terms = TERMS.get(peer.name, Terms(SHORTEST))
    with standing_peer(peer, str(folder), terms, warp=warp) as ready:
        done = running.run_list(ready.place_of, terms, is_proxy=peer.is_proxy, speed=warp, look_after=ready.look_after)
        places = set(ready.places.values())
    assert all(is_free(port) for _, port in places)
    return done


def differs(done: running.Tested, broken: set[str], not_asked: set[str], rules: set[str]) -> dict[str, str]:
    """Return what was said of the checks that came out otherwise, and of the rules that were kept after all."""
    expected = dict.fromkeys((check.title for check in CHECKS), Outcome.KEPT)
    expected |= dict.fromkeys(broken, Outcome.BROKEN) | dict.fromkeys(not_asked, Outcome.NOT_ASKED)
    found = {check.title: result for check, result in done.results.items()}
    kept = rules - {finding.rule for finding in done.broken_rules()}
    others = {title: result.text for title, result in found.items() if result.outcome is not expected[title]}
    return others | dict.fromkeys(kept, "not broken")


@pytest.mark.parametrize(("peer", "broken", "not_asked", "rules"), KNOWN)
def test_a_real_stack_does_what_is_known_of_it(
    peer: Peer, broken: set[str], not_asked: set[str], rules: set[str], tmp_path: Path
) -> None:
    """As quick as it can be; where the machine was too busy for that, once more in less."""
    need(peer)
    first = WARP if peer is KAMAILIO else QUICKLY
    for warp in (first, first // 2, 5):
        done = outcome_of(peer, tmp_path / f"x{warp}", warp)
        if not differs(done, broken, not_asked, rules):
            break
    assert differs(done, broken, not_asked, rules) == {}
    assert done.passed == (not broken)
