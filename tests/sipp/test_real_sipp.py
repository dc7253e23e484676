"""What is exported is played by SIPp itself, both sides in twenty-fold time, and comes out as in the simulation."""

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

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
WARP = 20
GIVE_UP_S = 30.0


def require_sipp() -> None:
    """Skip the test where SIPp or libfaketime is missing; in continuous integration they must be there."""
    missing = None if shutil.which("sipp") else "no SIPp"
    try:
        warped(WARP, {})
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
def sipp(side: Side, folder: Path, port: int, peer: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run SIPp as the command of a side says, at other ports."""
    (folder / side.file).write_text(side.text)
    words = [*side.command.split()[:-1], "-nr", ""]  # a busy machine takes longer than T1, which is 25 ms here
    words[words.index("-p") + 1] = str(port)
    words[-1] = f"{HOST}:{peer}"
    environment = warped(WARP, os.environ)
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


def played(sides: tuple[Side, ...], folder: Path) -> Trace:
    """Have both sides played by SIPp, and return what went over the loopback."""
    ports = free_ports()
    with Sniffer([(HOST, port) for port in ports]) as sniffer, sipp(sides[0], folder, *ports) as first:
        until_s = monotonic() + GIVE_UP_S
        while not is_taken(ports[0]):
            assert first.poll() is None, (folder / f"{sides[0].actor}.log").read_text("utf-8", "replace")
            assert monotonic() < until_s
            sleep(0.02)
        with sipp(sides[1], folder, *ports[::-1]) as second:
            while first.poll() is None or second.poll() is None:
                assert monotonic() < until_s, "SIPp goes on and on"
                select.select([sniffer], [], [], 0.05)
                sniffer.read()
            sniffer.read()
            said = {side.actor: (folder / f"{side.actor}.log").read_text("utf-8", "replace") for side in sides}
            assert (first.returncode, second.returncode) == (0, 0), said
    began_ns = sniffer.sniffed[0].calendar_ns
    return Trace(
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
    capture = tmp_path / "sipp.pcap"
    write_pcap(str(capture), [played(exported.sides, tmp_path)], {})

    speed = ("--speed", str(WARP))
    result = CliRunner().invoke(
        main, ["compare", str(capture), str(path), "--case", case, *speed, "--tolerance", "10s", "--no-color"]
    )
    assert result.exit_code == 0, result.output
    audited = CliRunner().invoke(main, ["audit", str(capture), *speed, "--no-color"])
    assert audited.exit_code == 0, audited.output
