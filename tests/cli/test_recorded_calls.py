"""`simkit import CAPTURE`."""

from pathlib import Path

import pytest

from simkit.captures.writer import write_pcap
from simkit.flows.loader import load_path
from simkit.runs.simulate import simulate

from .conftest import Simkit

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def captures(folder: Path) -> None:
    """Captures of one call and of three."""
    (flow,) = (each for each in load_path(str(ROOT / "flows" / "refresh.yaml")) if "se=120" in (each.case or ""))
    run = simulate(flow, calls=3, keep_all=True)
    write_pcap(str(folder / "one.pcap"), [run.trace], run.addresses)
    write_pcap(str(folder / "three.pcap"), run.traces.values(), run.addresses)


def test_the_only_call_of_a_capture_becomes_a_flow_that_runs(simkit: Simkit, folder: Path) -> None:
    result = simkit("import", "one.pcap")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "wrote one.yaml: 14 messages, it passes in simulation; now: simkit simulate one.yaml\n"
    assert "at: up + 1m  # 200 INVITE + SE/2" in (folder / "one.yaml").read_text()
    assert simkit("simulate", "-q", "one.yaml").exit_code == 0


def test_of_several_calls_one_is_chosen_by_number_or_call_id(simkit: Simkit) -> None:
    result = simkit("import", "three.pcap")
    assert result.exit_code == 2
    assert "three.pcap: there are 3 calls: say --call or --all\n    1  INVITE 192.0.2.1:5060 -> " in result.stderr
    by_number = simkit("import", "three.pcap", "--call", "2", "-o", "-").stdout
    call_id = result.stderr.split("\n")[5].split()[-1]
    assert simkit("import", "three.pcap", "--call", call_id, "-o", "-").stdout == by_number


def test_all_calls_become_a_flow_each_in_a_folder(simkit: Simkit, folder: Path) -> None:
    assert simkit("import", "three.pcap", "--all", "-o", "calls").exit_code == 0
    files = sorted(path.name for path in (folder / "calls").iterdir())
    assert files == [f"three-{number}.yaml" for number in (1, 2, 3)]
    assert "3 of 3 flows" in simkit("simulate", "-q", "calls").stdout


def test_an_anonymous_flow_names_nobody(simkit: Simkit) -> None:
    named = simkit("import", "one.pcap", "-o", "-").stdout
    told = simkit("import", "one.pcap", "--anonymise", "-o", "-").stdout
    assert "one.pcap" in named
    assert "one" not in told.replace("one ", "").replace("none", "")
    assert told.count("192.0.2.") == named.count("192.0.2.")


def test_a_stack_that_broke_a_rule_is_scripted_and_told(simkit: Simkit, folder: Path) -> None:
    result = simkit("import", str(ROOT / "captures" / "wrong-refresher.se=120,bye=88.pcap"), "-o", "wrong.yaml")
    assert "call 1: at 60.000 s alice broke RFC4028-7.2-11: did not refresh" in result.stderr
    assert result.stderr.endswith("so alice is scripted, and says what it said\n")
    assert "it passes in simulation" in result.stdout
    assert 'alice: {"role": "scripted"' in (folder / "wrong.yaml").read_text()


def test_what_is_there_is_left_alone_unless_forced(simkit: Simkit, folder: Path) -> None:
    (folder / "one.yaml").write_text("mine")
    assert simkit("import", "one.pcap").exit_code == 2
    assert (folder / "one.yaml").read_text() == "mine"
    assert simkit("import", "one.pcap", "--force").exit_code == 0


REFUSED = [
    pytest.param(("one.pcap", "three.pcap"), 2, "a capture is imported alone", id="two captures"),
    pytest.param(("three.pcap", "--call", "4"), 2, "three.pcap: there is no call '4'", id="no such call"),
    pytest.param(("three.pcap", "--all", "-o", "-"), 2, "--all writes a file for each call", id="all to -"),
    pytest.param(("flows/short.yaml", "--all"), 2, "are about captures", id="all of no capture"),
    pytest.param(("none.pcap",), 2, "none.pcap", id="no such capture"),
    pytest.param(("broken.pcap",), 2, "broken.pcap", id="no capture"),
]


@pytest.mark.parametrize(("words", "code", "told"), REFUSED)
def test_wrong_usage_is_told(simkit: Simkit, folder: Path, words: tuple[str, ...], code: int, told: str) -> None:
    (folder / "broken.pcap").write_bytes(b"no capture at all")
    result = simkit("import", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
