"""The stacks that we know: their files fit, and what is missing is told."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simkit.errors import SetupError
from simkit.settings import SessionTimerSettings
from simkit.sut import peer as peer_module
from simkit.sut.known_peers import PEERS, SIPP, SOFIA
from simkit.sut.peer import PLACEHOLDERS, Peer

ADDRESS = ("127.0.0.1", 5070)
TIMER = SessionTimerSettings(default_expires_s=120)
UNBUILT = [replace(peer, build=()) for peer in PEERS]


@pytest.mark.parametrize("peer", UNBUILT, ids=lambda peer: peer.name)
def test_every_placeholder_is_filled_in(peer: Peer, tmp_path: Path) -> None:
    order = peer.prepared(str(tmp_path / "stack"), ADDRESS, TIMER, warp=20)
    written = [path.read_text() for path in (tmp_path / "stack").iterdir() if path.is_file()]
    assert len(written) == len(peer.files())
    assert not re.search(r"@\{", "".join([*written, *order.command, *order.environment.values()]))
    assert "5070" in "".join([*written, *order.command])
    assert (order.address, order.warp) == (ADDRESS, 20)


def test_every_placeholder_is_used() -> None:
    texts = [path.read_text() for peer in PEERS for path in peer.files()]
    texts += [word for peer in PEERS for word in (*peer.command, *peer.environment.values())]
    assert {found for text in texts for found in re.findall(r"@\{(\w+)\}", text)} == set(PLACEHOLDERS)


def test_every_file_belongs_to_a_peer() -> None:
    assert {path.name for path in peer_module.PEERS.iterdir()} <= {peer.name for peer in PEERS}


TIMERS = [
    pytest.param(TIMER, ("60000", "88000", "answer_uac", "by_invite", "timed"), id="as usual"),
    pytest.param(replace(TIMER, default_expires_s=90), ("45000", "60000"), id="a third before, where that is shorter"),
    pytest.param(replace(TIMER, prefer_refresher="uas"), ("answer_uas",), id="who refreshes"),
    pytest.param(replace(TIMER, use_update=True), ("by_update",), id="how"),
    pytest.param(replace(TIMER, enabled=False), ("untimed",), id="whether at all"),
]


@pytest.mark.parametrize(("timer", "words"), TIMERS)
def test_sipp_plays_a_callee_that_is_set_so(
    timer: SessionTimerSettings, words: tuple[str, ...], tmp_path: Path
) -> None:
    SIPP.prepared(str(tmp_path), ADDRESS, timer, warp=1)
    scenario = ElementTree.fromstring((tmp_path / "callee.xml").read_bytes())
    used = {value for step in scenario.iter() for value in step.attrib.values()}
    assert used.issuperset(words)
    labels = {step.attrib["id"] for step in scenario.iter("label")}
    targets = {step.attrib[name] for step in scenario.iter() for name in ("next", "ontimeout") if name in step.attrib}
    assert targets <= labels


def test_what_is_not_installed_is_known(tmp_path: Path) -> None:
    assert not Peer("x", "X", ("x",), needs=(("simkit-has-no-such",),), version=("x",), package="x").is_installed
    assert not Peer("x", "X", ("x",), needs=(("sh", "-c", "exit 1"),), version=("x",), package="x").is_installed
    assert Peer("x", "X", ("x",), needs=(("sh",), ("sh", "-c", "exit 0")), version=("x",), package="x").is_installed


VERSIONS = [
    pytest.param("echo ' SIPp v3.6.1-SCTP-PCAP.'", "3.6.1", id="SIPp"),
    pytest.param("echo 'version: kamailio 5.6.3 (x86_64/linux)' >&2; exit 1", "5.6.3", id="on standard error"),
    pytest.param("echo 1.12.11devel", "1.12.11", id="with more"),
    pytest.param("echo nothing", "", id="none"),
    pytest.param("exec simkit-has-no-such", "", id="no such program"),
]


@pytest.mark.parametrize(("program", "version"), VERSIONS)
def test_its_version_is_asked_for(program: str, version: str) -> None:
    assert Peer("x", "X", ("x",), needs=(), version=("sh", "-c", program), package="").installed_version() == version


def test_what_cannot_be_built_is_told(tmp_path: Path) -> None:
    broken = replace(SOFIA, build=("sh", "-c", "echo no compiler; exit 1"))
    with pytest.raises(SetupError, match=r"Sofia-SIP's callee cannot be built in .*\n    its log:\n    no compiler$"):
        broken.prepared(str(tmp_path), ADDRESS, TIMER, warp=1)
    slow = replace(SOFIA, build=("simkit-has-no-such",))
    with pytest.raises(SetupError, match=r"cannot be built in .*: it cannot be run, or takes too long$"):
        slow.prepared(str(tmp_path), ADDRESS, TIMER, warp=1)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot write .*/file/x: Not a directory"):
        SIPP.prepared(str(tmp_path / "file/x"), ADDRESS, TIMER, warp=1)


def test_what_is_installed_beside_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/baresip"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    (baresip,) = (peer for peer in PEERS if peer.name == "baresip")
    baresip.prepared(str(tmp_path / "stack"), ADDRESS, TIMER, warp=1)
    assert f"module_path {tmp_path}/lib/baresip/modules\n" in (tmp_path / "stack/config").read_text()
    assert shutil.which("baresip") == str(program)
