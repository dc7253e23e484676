"""Real stacks over TCP, and with digest authentication: what we write they read, and the other way round."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from time import monotonic

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.captures.writer import write_pcap
from simkit.errors import SetupError
from simkit.flows.loader import load
from simkit.rebuild.call import read_call
from simkit.runs.against import Played, RecordedSide, play_against
from simkit.runs.play import play
from simkit.runs.run import Run

STACKS = Path(__file__).parent / "stacks"
SIPP = "sipp -i 127.0.0.1 -m 1 -nostdin -watchdog_interval 0"


def need(program: str) -> None:
    """Skip a test where a stack is not installed; in continuous integration it has to be."""
    if shutil.which(program) is None and os.environ.get("CI") != "true":
        pytest.skip(f"no {program}")


def free_port(kind: socket.SocketKind) -> int:
    """Return a port that nobody held a moment ago."""
    with socket.socket(socket.AF_INET, kind) as ours:
        ours.bind(("127.0.0.1", 0))
        return int(ours.getsockname()[1])


def played(text: str, **values: object) -> Run:
    (flow,) = load(text, "real.yaml", overrides={name: str(value) for name, value in values.items()})
    run = play(flow, sniff=False)
    assert run.passed, (run.failures, run.broken)
    return run


CALLED = f"""
simkit: 1
transport: tcp
vars: {{port: 5060}}
limit: 10s
actors:
  alice: {{role: uac, session_timer: {{default_expires: 120}}}}
  bob: {{role: sut, at: "127.0.0.1:${{port}}", start: "{SIPP} -sn uas -t t1 -p ${{port}}"}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 180 INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice: hang up
    at: up + 100ms..1s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""
CALLS = f"""
simkit: 1
transport: tcp
vars: {{port: 5060}}
limit: 10s
actors:
  sipp:
    role: sut
    at: "127.0.0.1:${{port}}"
    start: "{SIPP} -sn uac -t t1 -d 100 -p ${{port}} ${{bob.host}}:${{bob.port}}"
  bob: {{role: uas}}
flow:
  - sipp -> bob: INVITE
  - bob -> sipp: 200 INVITE
  - sipp -> bob: ACK
  - sipp -> bob: BYE
  - bob -> sipp: 200 BYE
"""
CHALLENGED = f"""
simkit: 1
vars: {{port: 5060, qop: auth}}
limit: 10s
actors:
  sipp:
    role: sut
    at: "127.0.0.1:${{port}}"
    start: "{SIPP} -sf {STACKS}/challenged.xml -p ${{port}} ${{bob.host}}:${{bob.port}}"
  bob:
    role: uas
    challenge: {{realm: "example org", user: alice, password: sesame, qop: "${{qop}}", methods: INVITE}}
flow:
  - sipp -> bob: INVITE
  - bob -> sipp: 401 INVITE
  - sipp -> bob: ACK
  - sipp -> bob: INVITE
  - bob -> sipp: 200 INVITE
  - sipp -> bob: ACK
  - bob: hang up
  - bob -> sipp: BYE
  - sipp -> bob: 200 BYE
"""
CHALLENGES = """
simkit: 1
vars: {port: 5060, folder: .}
limit: 1s
actors:
  alice: {role: uac, user: alice, password: open sesame}
  kamailio:
    role: sut
    at: "127.0.0.1:${port}"
    start: "kamailio -f ${folder}/kamailio.cfg -DD -E -Y ${folder} -P ${folder}/pid -m 32 -M 4"
flow:
  - alice: options
  - alice -> kamailio: OPTIONS
  - kamailio -> alice: 401 OPTIONS
    has: {WWW-Authenticate: {contains: SHA-256}}
  - alice -> kamailio: OPTIONS
  - kamailio -> alice: 200 OPTIONS
"""


@pytest.mark.parametrize("text", [CALLED, CALLS], ids=["callee", "caller"])
def test_sipp_talks_to_us_over_one_tcp_connection(text: str) -> None:
    need("sipp")
    run = played(text, port=free_port(socket.SOCK_STREAM))
    assert {transit.message.via.transport for transit in run.trace.messages()} == {"TCP"}
    assert {transit.connection for transit in run.trace.messages()} == {1}


@pytest.mark.parametrize("qop", ["auth", "none"])
def test_sipp_proves_its_password_to_us(qop: str) -> None:
    need("sipp")
    run = played(CHALLENGED, port=free_port(socket.SOCK_DGRAM), qop=qop)
    assert "sesame" not in str([transit.message.to_bytes() for transit in run.trace.messages()])


def test_we_prove_ours_to_kamailio_by_sha_256(tmp_path: Path) -> None:
    need("kamailio")
    port = free_port(socket.SOCK_DGRAM)
    settings = (STACKS / "challenges.cfg").read_text(encoding="ascii").replace("PORT", str(port))
    (tmp_path / "kamailio.cfg").write_text(settings, encoding="ascii")
    played(CHALLENGES, port=port, folder=tmp_path)


def test_a_recorded_caller_is_played_against_sipp_over_tcp(tmp_path: Path) -> None:
    need("sipp")
    run = played(CALLED, port=free_port(socket.SOCK_STREAM))
    assert run.wire is not None
    write_pcap(str(tmp_path / "seen.pcap"), [run.wire.recording], run.addresses)
    with read_capture(str(tmp_path / "seen.pcap")) as reader:
        steps = read_call(next(captured_calls(reader)).trace).transits
    port = free_port(socket.SOCK_STREAM)
    with subprocess.Popen(
        [*SIPP.split(), "-sn", "uas", "-t", "t1", "-p", str(port)], stdout=subprocess.DEVNULL
    ) as sipp:
        try:
            (heard,) = called_when_it_listens(RecordedSide(steps, "alice", "bob", "127.0.0.1", 0), port).heard
        finally:
            sipp.terminate()
    assert [step.message.start_line for step, at in heard.came if at is None] == []
    assert {(each.transport.value, each.connection) for each in heard.trace.messages()} == {("tcp", 1)}


def called_when_it_listens(side: RecordedSide, port: int) -> Played:
    until_at = monotonic() + 10
    while True:
        try:
            return play_against([side], ("127.0.0.1", port))
        except SetupError:
            assert monotonic() < until_at
