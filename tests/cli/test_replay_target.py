"""`simkit replay --target`: one recorded side against a system that runs on its own."""

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from simkit.cli.recordings import read_calls
from simkit.drivers.endpoints import Endpoints
from simkit.rebuild.call import read_call
from simkit.runs import against
from simkit.runs.against import Heard, play_against
from simkit.sip.message import Response
from simkit.trace import Transit

from .conftest import Simkit

SPEED = 50
"""The call of ten seconds is over in a fifth of one."""
PATIENCE_S = 10


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def callee_listens(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set once the callee has its socket: who calls earlier, calls twice."""
    listens = Event()

    class Announced(Endpoints):
        def __enter__(self) -> Endpoints:
            if "bob" in self.addresses:
                listens.set()
            return super().__enter__()

    monkeypatch.setattr(against, "Endpoints", Announced)
    return listens


@contextmanager
def system(steps: Sequence[Transit], side: str, port: int, peer: int, callee_listens: Event) -> Iterator[None]:
    """Run a system under test that says what these steps have for one side."""

    def run() -> Heard:
        if side == "alice":
            callee_listens.wait(PATIENCE_S)
        target = ("127.0.0.1", peer)
        return play_against(steps, side, target, recorded_host="127.0.0.1", speed=SPEED, host="127.0.0.1", port=port)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        if side == "bob":
            callee_listens.wait(PATIENCE_S)
        yield
        running.result()


@pytest.fixture
def steps(simkit: Simkit) -> list[Transit]:
    """The messages of a call of ten seconds, which `theirs.pcap` holds."""
    assert simkit("replay", "flows/short.yaml", "--save", "theirs.pcap").exit_code == 0
    return read_call(read_calls("theirs.pcap")[0]).transits


def call(simkit: Simkit, side: str, ours: int, theirs: int, *words: str) -> tuple[int, str]:
    fixed = ("--target", f"127.0.0.1:{theirs}", "--as", side, "--port", f"{side}={ours}", "--speed", str(SPEED))
    result = simkit("replay", "theirs.pcap", *fixed, *words)
    return result.exit_code, result.stdout


@pytest.mark.parametrize(("side", "other"), [("uac", "bob"), ("uas", "alice")])
def test_a_system_that_does_as_recorded_passes(
    simkit: Simkit, steps: list[Transit], callee_listens: Event, side: str, other: str
) -> None:
    ours, theirs = free_ports(2)
    with system(steps, other, theirs, ours, callee_listens):
        status, said = call(simkit, side, ours, theirs)
    assert (status, said) == (0, f"PASS  theirs.pcap as {side}: 5 messages\n"), said


def test_a_system_that_answers_otherwise_fails_and_is_shown(
    simkit: Simkit, steps: list[Transit], callee_listens: Event
) -> None:
    ours, theirs = free_ports(2)
    answer = steps[1].message
    assert isinstance(answer, Response)
    other = replace(steps[1], message=answer.with_headers(("Session-Expires", "600;refresher=uas")))
    with system([steps[0], other, *steps[2:]], "bob", theirs, ours, callee_listens):
        status, said = call(simkit, "uac", ours, theirs)
    assert status == 1
    assert "semantic: Session-Expires" in said
    assert "B  600;refresher=uas" in said


def test_a_target_that_says_nothing_is_told(
    simkit: Simkit, steps: list[Transit], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert steps
    monkeypatch.setattr(against, "PATIENCE_US", 1_000)
    result = simkit("replay", "theirs.pcap", "--target", "127.0.0.1:9", "--speed", "100")
    assert (result.exit_code, result.stderr) == (3, "127.0.0.1:9 said nothing\n")


def test_another_machine_has_to_be_allowed(simkit: Simkit, steps: list[Transit]) -> None:
    assert steps
    result = simkit("replay", "theirs.pcap", "--target", "192.0.2.1:5060")
    assert result.exit_code == 3
    assert "192.0.2.1 is not this machine" in result.stderr


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(simkit: Simkit, steps: list[Transit]) -> None:
    assert steps
    result = simkit("replay", "theirs.pcap", "--target", "192.0.2.1:5060", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "theirs.pcap: to 192.0.2.1:5060 would go"
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == ["INVITE", "ACK", "BYE"]


@pytest.mark.parametrize("target", ["5060", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:sip"])
def test_a_target_is_host_and_port(simkit: Simkit, folder: Path, target: str) -> None:
    assert folder.exists()
    result = simkit("replay", "theirs.pcap", "--target", target)
    assert result.exit_code == 2
    assert "is not HOST:PORT" in result.stderr
