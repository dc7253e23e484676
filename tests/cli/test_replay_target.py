"""`simkit replay --target`: one recorded side against a system that runs on its own."""

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from simkit.captures.writer import write_pcap
from simkit.cli.recordings import read_calls
from simkit.drivers.endpoints import Endpoints
from simkit.rebuild.call import read_call
from simkit.runs import against, side_player
from simkit.runs.against import Played, RecordedSide, play_against
from simkit.sip.message import Request, Response
from simkit.trace import Trace, Transit
from simkit.units import MS, S

from .conftest import Simkit

SPEED = 50
"""The call of ten seconds is over in a fifth of one."""
TOLERANCE = ("--tolerance", "5s")
"""A busy machine may be late by more than is allowed to it by default."""
PATIENCE_S = 10


def free_ports(count: int) -> list[int]:
    ports: dict[int, None] = {}
    while len(ports) < count:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp, suppress(OSError):
            udp.bind(("127.0.0.1", 0))
            tcp.bind(udp.getsockname())
            ports[tcp.getsockname()[1]] = None
    return [*ports]


@pytest.fixture(autouse=True)
def nobody_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not listen long for what comes after the end."""
    monkeypatch.setattr(side_player, "SETTLED_AFTER_US", 100 * MS)


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
    fixed = (
        "--target",
        f"127.0.0.1:{theirs}",
        "--as",
        side,
        "--port",
        f"{side}={ours}",
        "--speed",
        str(SPEED),
        *TOLERANCE,
    )
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


@pytest.fixture(params=["tcp", "tls"])
def over_connections(simkit: Simkit, folder: Path, request: pytest.FixtureRequest) -> list[Transit]:
    """The messages of the same call over TCP or TLS, which `theirs.pcap` holds."""
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text().replace("name: short", f"name: short\ntransport: {request.param}"))
    assert simkit("replay", "flows/short.yaml", "--save", "theirs.pcap").exit_code == 0
    steps = read_call(read_calls("theirs.pcap")[0]).transits
    assert {step.transport.value for step in steps} == {request.param}
    return steps


@pytest.mark.parametrize(("side", "other"), [("uac", "bob"), ("uas", "alice")])
def test_a_call_over_connections_is_played_over_connections(
    simkit: Simkit, over_connections: list[Transit], callee_listens: Event, side: str, other: str
) -> None:
    ours, theirs = free_ports(2)
    with system([over_connections], other, theirs, ours, callee_listens):
        status, said = call(simkit, side, ours, theirs, "--save", "seen.pcap")
    assert (status, said) == (0, f"PASS  theirs.pcap as {side}: 5 messages\n"), said
    seen = [*read_calls("seen.pcap")[0].messages()]
    assert {(each.transport, each.connection) for each in seen} == {(over_connections[0].transport, 1)}


CALLEE_ENDS = """\
simkit: 1
name: callee-ends
transport: tcp
actors: {alice: {role: uac, session_timer: {enabled: false}}, bob: {role: uas}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - bob: hang up
    at: start + 10s
  - bob -> alice: BYE
  - alice -> bob: 200 BYE
"""


def caller_with_two_connections(ours: int, theirs: int) -> None:
    """Call, hang up the connection, and answer the BYE that comes over another one."""
    head = f"Via: SIP/2.0/TCP 127.0.0.1:{theirs};branch=z9hG4bK%d\r\nFrom: <sip:a@127.0.0.1>;tag=a\r\nCall-ID: two\r\n"
    contact = f"Contact: <sip:a@127.0.0.1:{theirs};transport=tcp>\r\n"
    with socket.create_server(("127.0.0.1", theirs)) as listener:
        listener.settimeout(PATIENCE_S)
        with connected(ours) as caller:
            invite = (
                f"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n{head % 1}To: <sip:bob@127.0.0.1>\r\nCSeq: 1 INVITE\r\n{contact}"
            )
            caller.sendall(f"{invite}Content-Length: 0\r\n\r\n".encode())
            to = next(line for line in until(caller, b"200 OK").split("\r\n") if line.startswith("To:"))
            ack = f"ACK sip:bob@127.0.0.1:{ours} SIP/2.0\r\n{head % 2}{to}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
            caller.sendall(ack.encode())
            caller.shutdown(socket.SHUT_WR)
        answering, _ = listener.accept()
        with answering:
            bye = until(answering, b"BYE ").split("\r\n")
            kept = [line for line in bye if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))]
            answering.sendall("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())
            answering.recv(1)  # until it is over


def connected(port: int) -> socket.socket:
    """Return a connection to who may not listen yet."""
    until_at = monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        except ConnectionRefusedError:
            assert monotonic() < until_at


def until(connection: socket.socket, start: bytes) -> str:
    """Return all that came up to the end of the first message that begins like this."""
    connection.settimeout(PATIENCE_S)
    data = b""
    while start not in data or not data.partition(start)[2].count(b"\r\n\r\n"):
        piece = connection.recv(65_536)
        assert piece, data
        data += piece
    return (start + data.partition(start)[2]).decode()


def test_where_the_connection_is_gone_another_is_opened_to_the_contact(simkit: Simkit, folder: Path) -> None:
    """RFC 3261 section 18.1.1: the BYE of who was called cannot go back over the connection of the INVITE."""
    (folder / "callee-ends.yaml").write_text(CALLEE_ENDS)
    assert simkit("replay", "callee-ends.yaml", "--save", "theirs.pcap").exit_code == 0
    ours, theirs = free_ports(2)
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(caller_with_two_connections, ours, theirs)
        status, said = call(simkit, "uas", ours, theirs, "--json", "seen.json")
        calling.result()
    assert status == 1, said  # it has no SDP, for one thing
    (run,) = (json.loads(line) for line in Path("seen.json").read_text().splitlines())
    assert run["never_came"] == []


def test_a_system_that_takes_no_connection_is_told(simkit: Simkit, over_connections: list[Transit]) -> None:
    assert over_connections
    (nobody,) = free_ports(1)
    result = simkit("replay", "theirs.pcap", "--target", f"127.0.0.1:{nobody}")
    assert (result.exit_code, result.stderr) == (3, f"cannot send to 127.0.0.1:{nobody}: Connection refused\n")


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


@pytest.mark.parametrize(("third", "told"), [("user3", False), ("stranger", True)])
def test_calls_are_known_by_whom_they_call_whatever_their_order(
    simkit: Simkit, crowd: list[list[Transit]], callee_listens: Event, third: str, told: bool
) -> None:
    def to_user(steps: list[Transit], user: str, begins_at: int = 0) -> list[Transit]:
        first = steps[0].message
        assert isinstance(first, Request)
        calling = Request("INVITE", first.uri.replace("bob", user), first.headers, first.body)
        return [replace(steps[0], message=calling), *steps[1:]]

    recording = [to_user(steps, f"user{number}") for number, steps in enumerate(crowd[:4])]
    ends = {name: (host, int(port)) for name, host, port in (("alice", "127.0.0.1", 5070), ("bob", "127.0.0.1", 5080))}
    write_pcap("theirs.pcap", [Trace([replace(step) for step in steps]) for steps in recording], ends)
    calling = [recording[2], recording[0], to_user(crowd[3], third), recording[1]]
    ours, theirs = free_ports(2)
    with system(calling, "alice", theirs, ours, callee_listens):
        fixed = (
            "--target",
            f"127.0.0.1:{theirs}",
            "--as",
            "uas",
            "--port",
            f"uas={ours}",
            "--speed",
            str(SPEED),
            *TOLERANCE,
        )
        result = simkit("replay", "theirs.pcap", *fixed, "--json", "seen.json", "-q")
    runs = [json.loads(line) for line in Path("seen.json").read_text().splitlines()]
    assert [run["verdict"] for run in runs] == ["pass"] * 4, result.stdout
    assert ("which is like no recorded call that was awaited: taken for call " in result.stderr) is told, result.stderr


def test_what_never_came_and_what_the_target_broke_are_written_down(
    simkit: Simkit, steps: list[Transit], callee_listens: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_player, "PATIENCE_US", 1 * S)
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


def test_a_side_that_the_capture_does_not_show_is_not_played(simkit: Simkit, steps: list[Transit]) -> None:
    """It breaks off when the proxy passes the INVITE on."""
    onward = steps[0].message.with_headers(("Via", "SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKonward"))
    came = replace(steps[0], receiver="proxy")
    went = replace(steps[0], number=2, sender="proxy", receiver="bob", message=onward)
    ends = {"alice": ("127.0.0.1", 5070), "proxy": ("127.0.0.1", 5090), "bob": ("127.0.0.1", 5080)}
    write_pcap("theirs.pcap", [Trace([came, went])], ends)
    result = simkit("replay", "theirs.pcap", "--target", "127.0.0.1:9", "--as", "uas")
    assert result.exit_code == 5
    assert "call 1: not replayed: the capture does not show that its INVITE came that far" in result.stderr


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
