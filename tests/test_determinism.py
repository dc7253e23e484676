"""The same flow and the same seed give the same bytes: in any process, beside any other flow, on any number of them.

Each run is a process of its own with a hash seed of its own, so that nothing hangs on the order of a set or on what ran
before. All of them use this Python: whether another version draws the same, nothing here says.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simkit import simulate
from simkit.units import MS

ROOT = Path(__file__).parent.parent

_NAMES = "glare refresh-lost refresh-rejected too-small-twice digest/stale-nonce transports/disconnected".split()
FLOWS = tuple(f"flows/{name}.yaml" for name in _NAMES)
"""In some of them chance says how long to wait: after 491, for one."""

WEATHER = """\
simkit: 1
name: weather
about: Every kind of chance at once; some of the calls fail, and they fail alike each time.
network: {latency: 40ms, jitter: 30ms, loss: 10%, duplicate: 10%, reorder: 10%}
calls: {count: 20, every: 700ms}
actors:
  alice: {role: uac, clock: {drift: 50ppm}, session_timer: {default_expires: 90, prefer_refresher: uac}}
  bob: {role: uas, answers: after 2s}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up + 45s..45065ms
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: hang up
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""


@pytest.fixture
def weather(tmp_path: Path) -> str:
    """The path of a flow in which chance decides a lot."""
    path = tmp_path / "weather.yaml"
    path.write_text(WEATHER)
    return str(path)


def output_of(*words: str, hash_seed: int = 0) -> bytes:
    """Return what `simkit simulate` writes to standard output, in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    command = [sys.executable, "-m", "simkit", "simulate", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout


def test_reports_are_the_same_whatever_the_hash_seed(weather: str, tmp_path: Path) -> None:
    reports = []
    for hash_seed in (1, 2):
        json, junit = tmp_path / f"{hash_seed}.json", tmp_path / f"{hash_seed}.xml"
        tap = output_of(*FLOWS, weather, "--json", str(json), "--junit", str(junit), "--tap", hash_seed=hash_seed)
        reports.append((json.read_bytes(), junit.read_bytes(), tap))
    assert reports[0] == reports[1]
    assert all(reports[0])


def test_a_capture_is_the_same_whatever_the_hash_seed(weather: str) -> None:
    captures = [output_of(weather, "--pcap", "-", hash_seed=hash_seed) for hash_seed in (1, 2)]
    assert captures[0] == captures[1]
    assert len(captures[0]) > 20 * 5 * 300, "20 calls of 5 messages and more"


def test_the_number_of_processes_changes_nothing(weather: str) -> None:
    alone, together = (output_of(*FLOWS, weather, "--json", "-", "-j", jobs) for jobs in ("1", "2"))
    assert alone == together


def test_the_order_and_the_company_of_a_flow_change_nothing(weather: str) -> None:
    first, *others = output_of(weather, *FLOWS, "--json", "-").splitlines()
    *before, last = output_of(*reversed(FLOWS), weather, "--json", "-").splitlines()
    assert first == last
    assert sorted(before) == sorted(others)


def test_chance_is_at_work() -> None:
    """Else the rest of this file would show little."""
    run = simulate(WEATHER)
    ends = {call.ended_us - number * 700 * MS for number, call in enumerate(run.calls) if call.ended_us is not None}
    assert len(ends) > 10, "no two calls fare alike"
    assert 0 < len({failure.call for failure in run.failures}) < 20


def test_another_seed_gives_other_identifiers_and_other_chance() -> None:
    one, two = (simulate(WEATHER, seed=seed) for seed in (1, 2))
    assert {call.call_id for call in one.calls}.isdisjoint(call.call_id for call in two.calls)
    assert one.messages != two.messages
