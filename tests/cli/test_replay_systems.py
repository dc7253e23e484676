"""`simkit replay` against a real system: one that runs, one that is started, and what is told of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.sip.message import Request

from ..leftovers import nothing_is_left_behind as nothing_is_left_behind
from ..runs.stack import Stack, stack
from .conftest import Simkit

ROOT = Path(__file__).parents[2]
SIPP = shutil.which("sipp")
with_sipp = pytest.mark.skipif(SIPP is None and not os.environ.get("CI"), reason="sipp is not installed")

CALL = """\
simkit: 1
name: call
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice: hang up
    at: up + 5s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
expect: {ended_by: alice, reason: hung-up}
"""

DYING = """\
simkit: 1
name: dying
actors:
  alice: {role: uac}
  bob:
    role: sut
    at: 127.0.0.1:PORT
    start: sipp -sn uas -i ${bob.host} -p ${bob.port} -nostdin -watchdog_interval 0
    warp: 5
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - bob: freeze
    at: up + 1s
  - alice: hang up
    at: up + 2s
  - alice -> bob: BYE
    lost: true
  - bob: thaw
    at: up + 3s
  - bob -> alice: 200 BYE
  - bob: crash
  - bob: restart
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: hang up
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""

CALLEE = """\
simkit: 1
name: callee
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}}
  bob: {role: uas, logic: LOGIC}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: BYE
    at: up + 4s..6s
  - bob -> alice: 200 BYE
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        return int(ours.getsockname()[1])


@pytest.fixture
def call(folder: Path) -> str:
    """A flow of two parties."""
    (folder / "call.yaml").write_text(CALL)
    return "call.yaml"


def place(running: Stack) -> str:
    return f"127.0.0.1:{running.address[1]}"


def test_a_target_takes_the_callees_place(simkit: Simkit, call: str) -> None:
    with stack() as bob:
        result = simkit("replay", call, "--target", place(bob), "--speed", "20", "--json", "seen.json")
    assert result.exit_code == 0, result.output
    (run,) = [json.loads(line) for line in Path("seen.json").read_text().splitlines()]
    assert run["verdict"] == "pass"
    assert run["systems"] == [{"actor": "bob", "command": None, "warp": 1, "warnings": [], "log": []}]
    assert run["heard"]["messages"] == 2


def test_what_was_seen_stands_in_one_place(simkit: Simkit, call: str) -> None:
    with stack() as bob:
        result = simkit("replay", call, "--target", place(bob), "--speed", "20", "--save", "seen.pcap")
    assert "│── INVITE" in result.stdout
    assert "  session timer  90;refresher=uac, offered by alice; answered" in result.stdout
    assert "saved to seen.pcap, its times in" in " ".join(result.stdout.split())
    assert "RFC4028-7.1-11" not in result.stdout, "what ours does by custom is not told"
    with read_capture("seen.pcap") as reader:
        (trace,) = (call.trace for call in captured_calls(reader))
    at = [transit.sent_at for transit in trace.messages()]
    assert 4_900_000 < at[-1] - at[0] < 9_000_000, "seconds of SIP, not of this machine"


def test_a_broken_must_of_the_system_fails_the_run(simkit: Simkit, call: str) -> None:
    def says_too_much(bob: Stack, request: Request) -> None:
        if request.method != "ACK":
            bob.answer(request, 200, ("Min-SE", "90"))

    with stack(says_too_much) as bob:
        result = simkit("replay", call, "--target", place(bob), "--speed", "20", "-q")
    assert result.exit_code == 1
    assert "call.yaml:5:3: bob put Min-SE into 200 INVITE" in result.stdout
    assert "RFC4028-5-4" in result.stdout


def test_nobody_there_is_told_at_once(simkit: Simkit, call: str) -> None:
    result = simkit("replay", call, "--target", f"127.0.0.1:{free_port()}")
    assert result.exit_code == 3
    assert "where bob should be: start it, or have it started" in result.stderr


def test_a_system_that_dies_is_told_with_its_last_words(simkit: Simkit, call: str) -> None:
    code = "import socket,sys; s=socket.socket(2,2); s.bind(('127.0.0.1',int(sys.argv[1]))); s.recv(9); "
    code += "s.recv(9); print('no more memory'); sys.exit(3)"
    start = f'{sys.executable} -S -E -c "{code}" ${{bob.port}}'
    result = simkit("replay", call, "--target", f"127.0.0.1:{free_port()}", "--start", start, "-q")
    assert result.exit_code == 3
    assert "ended with exit status 3" in result.stdout
    assert "no more memory" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--start", "run"], "say where the real system is to be found: --target HOST:PORT"),
        (["--as", "uac"], "say where the real system is to be found: --target HOST:PORT"),
        (["--target", "127.0.0.1:9", "--warp", "20"], "--warp is about a system that is started: add --start COMMAND"),
        (["--target", "127.0.0.1:9", "--start", "'"], "cannot be split into words"),
        (["--target", "127.0.0.1:9", "--sut", "bbo"], "unknown actor 'bbo' (did you mean bob?)"),
        (["--target", "127.0.0.1:9", "--sut", "bob", "--start", "x", "--warp", "0"], "0 is not in the range"),
    ],
    ids=["start alone", "as alone", "warp alone", "start", "sut", "warp"],
)
def test_wrong_usage_is_told(simkit: Simkit, call: str, words: list[str], told: str) -> None:
    result = simkit("replay", call, *words)
    assert result.exit_code == 2
    assert told in result.output


def test_nobody_simulates_a_system(simkit: Simkit, folder: Path) -> None:
    (folder / "dying.yaml").write_text(DYING.replace("PORT", "5060"))
    assert simkit("check", "dying.yaml").exit_code == 0
    result = simkit("simulate", "dying.yaml")
    assert result.exit_code == 2
    assert "dying.yaml:5:3: 'bob' is a real system, and cannot be simulated: use `simkit replay`" in result.stderr


# --- two of us: each is the other's real system ----------------------------------------------------------------------


def simkit_of_its_own(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Run simkit as a process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe, to_it = subprocess.PIPE, subprocess.STDOUT
    words = (sys.executable, "-m", "simkit", *words)
    return subprocess.Popen(words, cwd=folder, env=environment, stdout=pipe, stderr=to_it, text=True)


def waits_to_be_called(folder: Path, logic: str, ours: int, theirs: int) -> "subprocess.Popen[str]":
    (folder / "callee.yaml").write_text(CALLEE.replace("LOGIC", logic))
    words = ("--as", "uas", "--target", f"127.0.0.1:{theirs}", "--port", f"bob={ours}", "--speed", "10")
    return simkit_of_its_own(folder, "replay", "callee.yaml", *words)


@pytest.mark.parametrize(
    ("logic", "status"), [("rfc4028", 0), ("museum:M39b", 1)], ids=["a stack that is right", "one that is not"]
)
def test_two_processes_are_each_others_system(simkit: Simkit, folder: Path, call: str, logic: str, status: int) -> None:
    bob, alice = free_port(), free_port()
    with waits_to_be_called(folder, logic, bob, alice) as other:
        try:
            ours = f"alice={alice}"
            give_up_at = time.monotonic() + 20
            while (
                result := simkit("replay", call, "--target", f"127.0.0.1:{bob}", "--port", ours, "--speed", "10")
            ).exit_code == 3 and time.monotonic() < give_up_at:
                time.sleep(0.05)  # it is not there yet
        finally:
            said, _ = other.communicate(timeout=60)
    assert result.exit_code == status, result.output
    assert other.returncode == status, "it sees itself as it is seen: " + said


def test_ctrl_c_hangs_up_and_tells_what_was_seen(folder: Path) -> None:
    (folder / "long.yaml").write_text(CALL.replace("up + 5s", "up + 60s"))
    with stack() as bob:
        running = simkit_of_its_own(folder, "replay", "long.yaml", "--target", place(bob))
        with running:
            while not any(message.method == "ACK" for message in bob.heard):
                assert running.poll() is None, "it has ended before the call was up"
                time.sleep(0.02)
            running.send_signal(signal.SIGINT)
            said, _ = running.communicate(timeout=30)
    assert running.returncode == 130, said
    assert "interrupted at" in said
    assert bob.heard[-1].method == "BYE", "the system is not left with a call"


# --- real SIPp -------------------------------------------------------------------------------------------------------

START = "sipp -sn uas -i ${bob.host} -p ${bob.port} -nostdin -watchdog_interval 0"


@with_sipp
def test_sipp_is_started_warped_called_and_ended(simkit: Simkit, call: str) -> None:
    target = f"127.0.0.1:{free_port()}"
    result = simkit("replay", call, "--target", target, "--start", START, "--warp", "10")
    assert result.exit_code == 0, result.output
    assert "on 127.0.0.1 in 10 times real time" in result.stdout
    assert "180 INVITE" in result.stdout, "it rings as it likes"


@with_sipp
def test_sipp_calls_us(simkit: Simkit, call: str) -> None:
    caller = "sipp -sn uac -i ${alice.host} -p ${alice.port} -m 1 -d 5000 -nostdin -watchdog_interval 0 ${bob.address}"
    words = ["--as", "uas", "--target", f"127.0.0.1:{free_port()}", "--start", caller, "--warp", "10"]
    result = simkit("replay", call, *words)
    assert result.exit_code == 0, result.output


@with_sipp
def test_what_happens_to_a_process_happens_for_real(simkit: Simkit, folder: Path) -> None:
    (folder / "dying.yaml").write_text(DYING.replace("PORT", str(free_port())))
    result = simkit("replay", "dying.yaml")
    assert result.exit_code == 0, result.output
    assert [word for word in ("freeze", "crash", "restart") if word not in result.stdout] == []


# --- what is left out, and what is said first ------------------------------------------------------------------------

NEVER_STARTED = """\
simkit: 1
name: never
actors:
  alice: {role: uac}
  bob: {role: sut, at: "127.0.0.1:5060"}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
"""


def test_a_folder_is_simulated_but_for_real_systems(simkit: Simkit, folder: Path) -> None:
    (folder / "flows" / "never.yaml").write_text(NEVER_STARTED)
    result = simkit("simulate", "flows")
    assert "flows/never.yaml: not simulated: it has a real system (simkit replay)" in result.stderr
    assert "never" not in result.stdout


def test_a_dry_run_says_what_a_system_would_be_sent(simkit: Simkit, call: str) -> None:
    result = simkit("replay", call, "--target", "127.0.0.1:5060", "--dry-run")
    assert result.exit_code == 0
    title, *sent = result.stdout.splitlines()
    assert title == "call: to 127.0.0.1:5060 would go"
    assert [line.split()[-1] for line in sent] == ["INVITE", "ACK", "BYE"]


def test_a_recording_of_ours_is_not_made_of_a_target(simkit: Simkit, call: str) -> None:
    result = simkit("replay", call, "--target", "127.0.0.1:5060", "--update")
    assert result.exit_code == 2
    assert "--save keeps what a --target said" in result.stderr


def test_the_log_of_a_system_that_failed_is_in_junit(simkit: Simkit, call: str) -> None:
    code = "import socket,sys; s=socket.socket(2,2); s.bind(('127.0.0.1',int(sys.argv[1]))); s.recv(9); "
    code += "print('<listening>', flush=True); s.recv(9); sys.exit(3)"
    start = f'{sys.executable} -S -E -c "{code}" ${{bob.port}}'
    target = f"127.0.0.1:{free_port()}"
    simkit("replay", call, "--target", target, "--start", start, "--junit", "x.xml")
    assert "<system-err>" in Path("x.xml").read_text()


LOGGED = CALL.replace("reason: hung-up}", "reason: hung-up, log: [Scenario Screen, 'never this']}")


@with_sipp
def test_what_a_system_must_have_logged_is_looked_for(simkit: Simkit, folder: Path) -> None:
    (folder / "logged.yaml").write_text(LOGGED)
    words = ["--target", f"127.0.0.1:{free_port()}", "--start", START, "--warp", "10", "--json", "x.json"]
    result = simkit("replay", "logged.yaml", *words)
    assert result.exit_code == 1
    assert "'never this' was not logged: none of its" in result.stdout
    (run,) = [json.loads(line) for line in Path("x.json").read_text().splitlines()]
    verdicts = {each["text"]: each["verdict"] for each in run["expectations"] if each["text"].startswith("log: ")}
    assert verdicts == {"log: Scenario Screen": "pass", "log: never this": "fail"}


def test_what_a_system_that_runs_already_logs_is_not_known(simkit: Simkit, folder: Path) -> None:
    (folder / "logged.yaml").write_text(LOGGED)
    result = simkit("replay", "logged.yaml", "--target", "127.0.0.1:5060")
    assert result.exit_code == 2
    assert "the log of a system that runs already is not read: have it started" in result.stderr
