"""`simkit replay`: what it says, keeps and returns."""

import json
import socket
from pathlib import Path

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture

from .conftest import Simkit

COMMAND = """\
simkit: 1
actors:
  alice: {role: uac, logic: [./timer]}
  bob: {role: uas}
flow:
  - alice: call bob
"""


def test_a_flow_is_played_drawn_and_said_how(simkit: Simkit) -> None:
    result = simkit("replay", "flows/short.yaml")
    assert result.exit_code == 0
    title, *_, verdict, how = result.stdout.splitlines()
    assert title == "short  A short call."
    assert "│── INVITE" in result.stdout
    assert verdict.startswith("PASS  6 of 6 expectations   10.0")
    assert verdict.endswith("   5 messages")
    assert how.startswith("on 127.0.0.1 in real time, idle time skipped; recorded by ")


def test_what_fails_is_told_with_its_line_and_exit_code_1(simkit: Simkit) -> None:
    result = simkit("replay", "flows/late.yaml")
    assert result.exit_code == 1
    assert "flows/late.yaml:16:5: alice sent BYE at 10.0" in result.stdout
    assert "give or take 100ms" in result.stdout


def test_the_tolerance_is_the_users_to_choose(simkit: Simkit) -> None:
    assert simkit("replay", "flows/late.yaml", "--tolerance", "2s").exit_code == 0


def test_a_speed_is_kept_to(simkit: Simkit) -> None:
    result = simkit("replay", "flows/short.yaml", "--speed", "100")
    assert result.exit_code == 0
    assert "on 127.0.0.1 in 100 times real time; " in result.stdout


def test_several_flows_end_in_a_table(simkit: Simkit) -> None:
    result = simkit("replay", "flows")
    assert result.exit_code == 1
    assert "FAIL  3 of 4 flows" in result.stdout
    assert "│── INVITE" not in result.stdout


def test_quiet_says_the_verdict_alone(simkit: Simkit) -> None:
    (line,) = simkit("replay", "flows/short.yaml", "-q").stdout.splitlines()
    assert line.startswith("PASS  6 of 6 expectations")


def test_the_first_failure_can_be_the_last(simkit: Simkit) -> None:
    assert "FAIL  2 of 3 flows" in simkit("replay", "flows", "-x").stdout


def test_what_was_seen_is_kept_as_a_capture_in_the_runs_time(simkit: Simkit, folder: Path) -> None:
    assert simkit("replay", "flows/short.yaml", "--save", "seen.pcap").exit_code == 0
    with read_capture(str(folder / "seen.pcap")) as reader:
        (call,) = captured_calls(reader)
    messages = list(call.trace.messages())
    assert [transit.message.start_line.split()[0] for transit in messages] == [
        "INVITE",
        "SIP/2.0",
        "ACK",
        "BYE",
        "SIP/2.0",
    ]
    assert messages[3].sent_at - messages[0].sent_at == pytest.approx(10_000_000, abs=100_000)
    assert {host for host, _ in call.parties.values()} == {"127.0.0.1"}


def test_what_was_seen_compares_equal_with_the_simulation(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "seen.pcap")
    result = simkit("compare", "seen.pcap", "flows/short.yaml")
    assert result.exit_code == 0, result.stdout


def test_json_says_how_it_was_played_and_has_standard_output_to_itself(simkit: Simkit) -> None:
    run = json.loads(simkit("replay", "flows/short.yaml", "--speed", "100", "--json", "-").stdout)
    assert (run["verdict"], run["driver"], run["speed"], run["tolerance_us"]) == ("pass", "loopback", 100, 10_000_000)
    assert run["strays"] == 0
    assert run["recorded_by"]


def test_junit_is_written_as_for_a_simulation(simkit: Simkit, folder: Path) -> None:
    assert simkit("replay", "flows/short.yaml", "--junit", "report.xml").exit_code == 0
    assert 'failures="0"' in (folder / "report.xml").read_text()


def test_a_port_can_be_asked_for_and_a_taken_one_is_told_with_exit_code_3(simkit: Simkit) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        result = simkit("replay", "flows/short.yaml", "--port", f"bob={port}")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith(f"bob cannot have 127.0.0.1:{port}: ")
    assert simkit("replay", "flows/short.yaml", "--port", f"bob={port}").exit_code == 0


WRONG = [
    pytest.param(("--speed", "0"), 2, "'0' is neither a whole number from 1 on nor 'auto'", id="no speed"),
    pytest.param(
        ("--speed", "fast"), 2, "'fast' is neither a whole number from 1 on nor 'auto'", id="a word for a speed"
    ),
    pytest.param(("--tolerance", "late"), 2, "'late' is not a duration", id="no tolerance"),
    pytest.param(("--port", "bob"), 2, "'bob' is not name=value", id="a port without a number"),
    pytest.param(("--port", "bob=0"), 2, "a port is a number from 1 to 65535", id="no port"),
    pytest.param(("--port", "bop=5060"), 2, "there is no actor 'bop' (did you mean 'bob'?)", id="a port for nobody"),
    pytest.param(("--save", "-", "--json", "-"), 2, "cannot share standard output", id="two on standard output"),
    pytest.param(("--host", "192.0.2.1"), 3, "192.0.2.1 is not this machine", id="another machine"),
    pytest.param(("--host", "localhost"), 3, "'localhost' is not an IP address", id="a name"),
]


@pytest.mark.parametrize(("words", "exit_code", "message"), WRONG)
def test_what_is_wrong_is_told_before_anything_is_sent(
    simkit: Simkit, words: tuple[str, ...], exit_code: int, message: str
) -> None:
    result = simkit("replay", "flows/short.yaml", *words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in " ".join(result.stderr.split())


def test_one_capture_keeps_one_flow(simkit: Simkit) -> None:
    result = simkit("replay", "flows", "--save", "seen.pcap")
    assert result.exit_code == 2
    assert "--save keeps the messages of one flow, not of 4" in result.stderr


def test_a_command_as_logic_is_refused_at_its_line(simkit: Simkit, folder: Path) -> None:
    (folder / "command.yaml").write_text(COMMAND)
    result = simkit("replay", "command.yaml", "flows/short.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "command.yaml:3:29: a command runs in virtual time only" in result.stderr
