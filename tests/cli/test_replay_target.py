"""`simkit replay --target`: one recorded side against a system that runs on its own."""

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from simkit.captures.writer import write_pcap
from simkit.cli.recordings import read_calls
from simkit.drivers.endpoints import Endpoints
from simkit.rebuild.call import read_call
from simkit.runs import against, side_player
from simkit.runs.against import Played, RecordedSide, play_against
from simkit.sip.message import Response
from simkit.trace import Trace, Transit

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


def recorded(steps: Sequence[Transit], side: str) -> RecordedSide:
    peer = "bob" if side == "alice" else "alice"
    return RecordedSide(steps, side, peer, "127.0.0.1", begins_at=0)


@contextmanager
def system(
    calls: Sequence[Sequence[Transit]], side: str, port: int, peer: int, callee_listens: Event
) -> Iterator[None]:
    """Run a system under test that says what these calls have for one side."""

    def run() -> Played:
        if side == "alice":
            callee_listens.wait(PATIENCE_S)
        sides = [recorded(steps, side) for steps in calls]
        return play_against(sides, ("127.0.0.1", peer), speed=SPEED, port=port)

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
    with system([steps], other, theirs, ours, callee_listens):
        status, said = call(simkit, side, ours, theirs)
    assert (status, said) == (0, f"PASS  theirs.pcap as {side}: 5 messages\n"), said


def test_a_system_that_answers_otherwise_fails_and_is_shown(
    simkit: Simkit, steps: list[Transit], callee_listens: Event
) -> None:
    ours, theirs = free_ports(2)
    answer = steps[1].message
    assert isinstance(answer, Response)
    other = replace(steps[1], message=answer.with_headers(("Session-Expires", "600;refresher=uas")))
    with system([[steps[0], other, *steps[2:]]], "bob", theirs, ours, callee_listens):
        status, said = call(simkit, "uac", ours, theirs)
    assert status == 1
    assert "semantic: Session-Expires" in said
    assert "B  600;refresher=uas" in said
    ours, theirs = free_ports(2)
    callee_listens.clear()
    with system([[steps[0], other, *steps[2:]]], "bob", theirs, ours, callee_listens):
        assert call(simkit, "uac", ours, theirs, "--ignore", "Session-Expires")[0] == 0


@pytest.fixture
def crowd(simkit: Simkit, folder: Path) -> list[list[Transit]]:
    """The messages of five calls that begin 100 ms apart, which `theirs.pcap` holds."""
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text() + "calls: {count: 5, every: 100ms}\n")
    assert simkit("replay", "flows/short.yaml", "--save", "theirs.pcap").exit_code == 0
    return [read_call(trace).transits for trace in read_calls("theirs.pcap")]


@pytest.mark.parametrize(("side", "other"), [("uac", "bob"), ("uas", "alice")])
def test_the_calls_of_a_capture_are_played_side_by_side_each_with_its_verdict(
    simkit: Simkit, crowd: list[list[Transit]], callee_listens: Event, side: str, other: str
) -> None:
    ours, theirs = free_ports(2)
    answer = crowd[2][1].message
    assert isinstance(answer, Response)
    if other == "bob":
        crowd[2][1] = replace(crowd[2][1], message=answer.with_headers(("Session-Expires", "600;refresher=uas")))
    with system(crowd, other, theirs, ours, callee_listens):
        status, said = call(simkit, side, ours, theirs, "--json", "seen.json", "--save", "seen.pcap", "-q")
    runs = [json.loads(line) for line in Path("seen.json").read_text().splitlines()]
    verdicts = ["pass"] * 5
    if other == "bob":
        verdicts[2] = "fail"
        assert status == 1
        assert said.endswith("FAIL  4 of 5 calls   25 messages\n")
        assert runs[2]["comparison"]["calls"][0]["differing"]
    assert [(run["call"], run["verdict"]) for run in runs] == [*enumerate(verdicts, 1)], said
    assert len({run["calls"][0]["call_id"] for run in runs}) == 5
    assert [len([*trace.messages()]) for trace in read_calls("seen.pcap")] == [6] * 5  # with 100


def test_what_never_came_and_what_the_target_broke_are_written_down(
    simkit: Simkit, steps: list[Transit], callee_listens: Event
) -> None:
    ours, theirs = free_ports(2)
    answer = steps[1].message
    assert isinstance(answer, Response)
    broken = replace(steps[1], message=answer.with_headers(("Min-SE", "90")))  # RFC 4028 section 5
    mute = [step for step in steps[2:] if step.sender == "alice"]
    with system([[steps[0], broken, *mute]], "bob", theirs, ours, callee_listens):
        status, said = call(simkit, "uac", ours, theirs, "--json", "seen.json", "--junit", "seen.xml")
    (run,) = (json.loads(line) for line in Path("seen.json").read_text().splitlines())
    assert status == 1
    assert said.splitlines()[-1].startswith("FAIL  theirs.pcap as uac: ")
    assert run["never_came"] == ["200 BYE"]
    assert run["newly_broken"] == ["RFC4028-5-4"]
    assert [each["verdict"] for each in run["expectations"]] == ["pass", "fail"]
    assert 'failures="1"' in Path("seen.xml").read_text()


def test_calls_without_two_sides_are_left_out_and_none_at_all_is_nothing_to_run(
    simkit: Simkit, steps: list[Transit]
) -> None:
    headless = Trace([*steps[2:]])
    write_pcap("headless.pcap", [headless], {"alice": ("127.0.0.1", 5070), "bob": ("127.0.0.1", 5080)})
    result = simkit("replay", "headless.pcap", "--target", "127.0.0.1:9")
    assert result.exit_code == 5
    assert "call 1: not replayed: the capture does not show how the call begins" in result.stderr


def test_a_target_that_says_nothing_is_told(
    simkit: Simkit, steps: list[Transit], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert steps
    monkeypatch.setattr(side_player, "PATIENCE_US", 1_000)
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
    assert [line.split(": ")[1] for line in result.stdout.splitlines()[1:]] == ["INVITE", "ACK", "BYE"]


@pytest.mark.parametrize("target", ["5060", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:sip"])
def test_a_target_is_host_and_port(simkit: Simkit, folder: Path, target: str) -> None:
    assert folder.exists()
    result = simkit("replay", "theirs.pcap", "--target", target)
    assert result.exit_code == 2
    assert "is not HOST:PORT" in result.stderr
