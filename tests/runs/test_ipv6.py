"""Flows over ::1: the same calls, written in brackets, recorded, judged and compared (RFC 3261, RFC 4566)."""

import io
import os
import socket
from pathlib import Path

import pytest

from simkit.audit.auditor import audit_call
from simkit.captures.calls import captured_calls
from simkit.captures.compare import compare_calls
from simkit.captures.reader import read_capture
from simkit.captures.writer import write_pcap
from simkit.flows.loader import load_path
from simkit.flows.model import Flow
from simkit.rulebook import Severity
from simkit.runs.play import play
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.sip.message import Request
from simkit.sip.uri import parse_uri
from simkit.trace import Trace
from simkit.units import MS

FLOWS = Path(__file__).parents[2] / "flows"
NAMES = ("refresh.yaml", "glare.yaml", "digest/refreshes.yaml", "transports/each.yaml", "proxy/call.yaml")
SOME = [load_path(str(FLOWS / name))[-1] for name in NAMES]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_ipv6() and not os.environ.get("CI"), reason="this machine has no ::1")


def over_ipv6(flow: Flow) -> Run:
    run = play(flow, host="::1", sniff=False)
    assert run.passed, run.failures
    return run


@pytest.mark.parametrize("flow", SOME, ids=lambda flow: flow.title)
def test_addresses_stand_in_brackets_wherever_a_port_may_follow(flow: Flow) -> None:
    run = over_ipv6(flow)
    assert {host for host, _ in run.addresses.values()} == {"::1"}
    places = {f"[::1]:{port}" for _, port in run.addresses.values()}
    for transit in run.trace.messages():
        message = transit.message
        assert message.via.host == "[::1]"
        assert f"{message.via.host}:{message.via.port}" in places
        uris = [message.contact.uri] if message.contact is not None else []
        uris += [message.uri] if isinstance(message, Request) else []
        for uri in uris:
            assert parse_uri(uri).address in run.addresses.values()
            assert "[::1]:" in uri
        if message.body:
            assert message.body.count(b"IN IP6 ::1\r\n") == 2
            assert b"IP4" not in message.body


@pytest.mark.parametrize("flow", SOME, ids=lambda flow: flow.title)
def test_what_is_recorded_is_read_audited_and_equal_to_the_same_call_over_ipv4(flow: Flow) -> None:
    run, expected = over_ipv6(flow), simulate(flow)
    assert run.wire is not None
    file = io.BytesIO()
    assert write_pcap(file, [run.wire.recording], run.addresses) == run.messages
    file.seek(0)
    with read_capture(file) as reader:
        (call,) = captured_calls(reader)
    assert [each.message for each in call.trace.messages()] == [each.message for each in run.wire.recording.messages()]
    findings = audit_call(call.trace, ended_at=call.watched_until).findings
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    there = Trace([*expected.trace.messages()])
    assert compare_calls([call.trace], [there], tolerance_us=100 * MS).equal
