"""`simkit replay --verbatim`: the messages of captures as they are."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simkit.captures.writer import write_pcap
from simkit.cli.recordings import read_calls
from simkit.drivers import streams
from simkit.drivers.streams import Connection
from simkit.trace import Trace

from .conftest import Simkit


def test_verbatim_sends_what_was_recorded_as_it_is(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--verbatim", "theirs.pcap")
    assert (result.exit_code, result.stdout) == (0, "PASS  theirs.pcap: 5 of 5 messages arrived\n")
    assert "not counted:" not in result.stdout


def test_verbatim_keeps_the_timing(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--verbatim", "theirs.pcap", "--speed", "100", "-v")
    assert result.exit_code == 0, result.stdout
    assert "10.0" in result.stdout


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_what_went_over_a_connection_goes_over_one_again(simkit: Simkit, folder: Path, transport: str) -> None:
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text().replace("name: short", f"name: short\ntransport: {transport}"))
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--verbatim", "theirs.pcap", "--save", "seen.pcap")
    assert (result.exit_code, result.stdout) == (0, "PASS  theirs.pcap: 5 of 5 messages arrived\n")
    seen = [*read_calls("seen.pcap")[0].messages()]
    assert {(each.transport.value, each.connection) for each in seen} == {(transport, 1)}


def test_connections_are_as_many_as_were_recorded_and_datagrams_stay_datagrams(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Connection] = []

    class Counted(Connection):
        def __init__(self, *words: Any) -> None:
            opened.append(self)
            super().__init__(*words)

    monkeypatch.setattr(streams, "Connection", Counted)
    assert simkit("replay", "flows/short.yaml", "--save", "udp.pcap").exit_code == 0
    (trace,) = read_calls("udp.pcap")
    steps = [
        replace(step, connection=connection, message=step.message.with_headers(("Call-ID", "mixed")))
        for step, connection in zip(trace.messages(), (1, 1, 0, 2, 2), strict=True)
    ]
    ends = {step.sender: (step.sender.partition(":")[0], int(step.sender.partition(":")[2])) for step in steps}
    write_pcap("theirs.pcap", [Trace([*steps])], ends)
    result = simkit("replay", "--verbatim", "theirs.pcap")
    assert (result.exit_code, result.stdout) == (0, "PASS  theirs.pcap: 5 of 5 messages arrived\n")
    assert len(opened) == 2 * 2  # both ends of each
    assert all(each.fileno() == -1 for each in opened)


def test_verbatim_takes_captures_only(simkit: Simkit) -> None:
    result = simkit("replay", "--verbatim", "flows/short.yaml")
    assert result.exit_code == 2
    assert "not a capture" in result.stderr


def test_all_calls_go_side_by_side_and_each_has_its_verdict(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--calls", "3", "--save", "theirs.pcap")
    result = simkit("replay", "--verbatim", "theirs.pcap", "--json", "seen.json", "--save", "seen.pcap")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines()[0] == "PASS  theirs.pcap, call 1: 5 of 5 messages arrived"
    assert result.stdout.splitlines()[-1] == "PASS  3 of 3 calls   15 messages"
    runs = [json.loads(line) for line in (folder / "seen.json").read_text().splitlines()]
    assert [(run["call"], run["verdict"], run["messages"], run["target"]) for run in runs] == [
        (number, "pass", 5, None) for number in (1, 2, 3)
    ]
    assert [len([*trace.messages()]) for trace in read_calls("seen.pcap")] == [5] * 3


def test_a_dry_run_of_messages_sends_nothing(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    lines = simkit("replay", "--verbatim", "theirs.pcap", "--dry-run").stdout.splitlines()
    assert lines[0] == "theirs.pcap: on 127.0.0.1 would go"
    assert [line.split(": ")[1] for line in lines[1:]] == ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]


WRONG = [
    pytest.param(("--logic", "bob=museum:M01"), 2, "--logic has no meaning with --verbatim", id="a logic"),
    pytest.param(("--update",), 2, "--update has no meaning with --verbatim", id="a new recording"),
    pytest.param(("--port", "bob=5060"), 2, "there is no actor 'bob'", id="a port"),
    pytest.param(("--save", "theirs.pcap"), 2, "--save theirs.pcap would write over the capture", id="over itself"),
    pytest.param(("--host", "192.0.2.1"), 3, "nothing is sent beyond 127.0.0.0/8 and ::1", id="another host"),
    pytest.param(("-k", "mine"), 5, "no capture has -k mine", id="nothing chosen"),
    pytest.param(("again.pcap", "--save", "x.pcap"), 2, "keeps the messages of one capture, not of 2", id="two"),
]


@pytest.mark.parametrize(("words", "exit_code", "message"), WRONG)
def test_what_is_wrong_is_told_before_anything_is_sent(
    simkit: Simkit, words: tuple[str, ...], exit_code: int, message: str
) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    shutil.copy("theirs.pcap", "again.pcap")
    result = simkit("replay", "--verbatim", "theirs.pcap", *words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert message in " ".join(result.stderr.split())


def test_what_was_seen_before_an_interruption_is_told_and_written(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    words = ("replay", "--verbatim", "theirs.pcap", "--speed", "1", "--json", "seen.json", "--save", "seen.pcap")
    program = """
import sys
from simkit.runs import verbatim
from simkit.cli.main import main
wait = verbatim._wait
def announced(clock, until_at, *others):
    if until_at > 1_000_000:
        print("waiting", file=sys.stderr, flush=True)
    wait(clock, until_at, *others)
verbatim._wait = announced
main(sys.argv[1:])
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "ERROR  theirs.pcap: 3 of 5 messages arrived; interrupted" in said
    assert json.loads((folder / "seen.json").read_text())["verdict"] == "error"
    assert [len([*trace.messages()]) for trace in read_calls("seen.pcap")] == [3]
