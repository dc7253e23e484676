"""What is exported is played by SIPp itself, both sides in N-fold time, and comes out as in the simulation."""

import os
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from click.testing import CliRunner

from simkit.api import load_flow
from simkit.captures.writer import write_pcap
from simkit.cli.main import main
from simkit.drivers.sniffer import Sniffer
from simkit.errors import SetupError
from simkit.runs.simulate import simulate
from simkit.sip.parser import parse_message
from simkit.sipp.exporting import Side, export_run
from simkit.sut.warp import warped
from simkit.trace import Trace, Transit

from ..drivers.capturing import require_capturing
from ..leftovers import nothing_is_left_behind as nothing_is_left_behind

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
WARPS = (40, 10)
"""As quick as a machine can be that is not busy; where it was, once more in less."""
GIVE_UP_S = 30.0


def require_sipp() -> None:
    """Skip the test where SIPp or libfaketime is missing; in continuous integration they must be there."""
    missing = None if shutil.which("sipp") else "no SIPp"
    try:
        warped(WARPS[0], {})
    except SetupError as error:
        missing = missing or str(error)
    if missing and os.environ.get("CI") != "true":
        pytest.skip(missing)
    assert missing is None


def free_ports() -> tuple[int, int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind((HOST, 0))
        two.bind((HOST, 0))
        return one.getsockname()[1], two.getsockname()[1]


def is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        try:
            ours.bind((HOST, port))
        except OSError:
            return True
    return False


@contextmanager
def sipp(side: Side, folder: Path, port: int, peer: int, warp: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run SIPp as the command of a side says, at other ports."""
    (folder / side.file).write_text(side.text)
    words = [*side.command.split()[:-1], "-nr", ""]  # a busy machine takes longer than T1, which is 12 ms at first
    words[words.index("-p") + 1] = str(port)
    words[-1] = f"{HOST}:{peer}"
    environment = warped(warp, os.environ)
    log = folder / f"{side.actor}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def played(sides: tuple[Side, ...], folder: Path, warp: int) -> tuple[Trace, str]:
    """Have both sides played by SIPp; return what went over the loopback, and what SIPp complains of."""
    ports = free_ports()
    with Sniffer([(HOST, port) for port in ports]) as sniffer, sipp(sides[0], folder, *ports, warp) as first:
        until_s = monotonic() + GIVE_UP_S
        while not is_taken(ports[0]):
            assert first.poll() is None, (folder / f"{sides[0].actor}.log").read_text("utf-8", "replace")
            assert monotonic() < until_s
            sleep(0.02)
        with sipp(sides[1], folder, *ports[::-1], warp) as second:
            while first.poll() is None or second.poll() is None:
                assert monotonic() < until_s, "SIPp goes on and on"
                select.select([sniffer], [], [], 0.05)
                sniffer.read()
            sniffer.read()
            said = {side.actor: (folder / f"{side.actor}.log").read_text("utf-8", "replace") for side in sides}
            complaint = str(said) if first.returncode or second.returncode else ""
    began_ns = sniffer.sniffed[0].calendar_ns
    trace = Trace(
        [
            Transit(
                number,
                (each.calendar_ns - began_ns) // 1_000,
                f"{each.datagram.source[0]}:{each.datagram.source[1]}",
                f"{each.datagram.destination[0]}:{each.datagram.destination[1]}",
                parse_message(each.datagram.data),
            )
            for number, each in enumerate(sniffer.sniffed, start=1)
        ]
    )
    return trace, complaint


PLAYED = [
    pytest.param("refresh", "se=90", id="refreshed by the caller, hung up"),
    pytest.param("interval-too-small", "se=90", id="422 and the retry"),
    pytest.param("expiry-intervals", "se=90", id="a crash, and a BYE from the callee, sent again in vain"),
]


@pytest.mark.parametrize(("name", "case"), PLAYED)
def test_sipp_does_what_the_simulation_did(name: str, case: str, tmp_path: Path) -> None:
    require_sipp()
    require_capturing()
    path = ROOT / "flows" / f"{name}.yaml"
    flow = load_flow(path, case=case)
    run = simulate(flow)
    exported = export_run(flow, run.trace, run.addresses, source=path.name)
    assert exported.left_out == ()
    told = ""
    for warp in WARPS:
        folder = tmp_path / f"x{warp}"
        folder.mkdir()
        trace, told = played(exported.sides, folder, warp)
        told = told or faults_in(trace, str(folder / "sipp.pcap"), warp, str(path), "--case", case)
        if not told:
            break
    assert told == ""


def faults_in(trace: Trace, capture: str, warp: int, *flow: str) -> str:
    """Return what is said of calls that differ from a flow, or break a rule; "" where all is well."""
    write_pcap(capture, [trace], {})
    usual = ("--speed", str(warp), "--no-color")
    compared = CliRunner().invoke(main, ["compare", capture, *flow, *usual, "--tolerance", "10s"])
    audited = CliRunner().invoke(main, ["audit", capture, *usual])
    return "".join(result.output for result in (compared, audited) if result.exit_code != 0)
