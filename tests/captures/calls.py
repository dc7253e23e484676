"""Calls to compare: simulated once, then changed in one thing at a time."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from simkit import load_flow, simulate
from simkit.captures.compare import compare_calls
from simkit.captures.comparison import Comparison, Difference, Kind
from simkit.flows.model import Network
from simkit.settings import LinkSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.sip.parser import parse_message
from simkit.trace import Trace, Transit
from simkit.units import MS

FLOWS = Path(__file__).parent.parent.parent / "flows"
TOLERANCE_US = 100 * MS

REFRESHED = """\
simkit: 1
name: refreshed
about: Refused once, refreshed, put on hold and resumed, ended.
network: {latency: 20ms}
actors:
  alice:
    role: uac
    session_timer: {default_expires: 90, prefer_refresher: uac}
  bob:
    role: uas
    session_timer: {min_se: 120}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 422 INVITE
  - alice -> bob: ACK
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - bob: hold
    at: up + 70s
  - bob -> alice: INVITE
  - alice -> bob: 200 INVITE
  - bob -> alice: ACK
  - bob: resume
    at: up + 75s
  - bob -> alice: INVITE
  - alice -> bob: 200 INVITE
  - bob -> alice: ACK
  - alice: hang up
    at: up + 80s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""
"""Every kind of message that matters to a session timer."""


@cache
def played(flow: str = REFRESHED, seed: int = 1, jitter_ms: int | None = None) -> Trace:
    """The trace of a flow's only call, which passes; `flow` is a text or a path."""
    loaded = load_flow(flow)
    if jitter_ms is not None:
        loaded = replace(loaded, network=Network(LinkSettings(5 * MS, jitter_ms * MS)))
    run = simulate(loaded, seed=seed)
    assert run.passed
    return run.trace


def compared(left: Trace, right: Trace, *, tolerance_us: int = TOLERANCE_US, strict: bool = False) -> Comparison:
    return compare_calls([left], [right], tolerance_us=tolerance_us, strict=strict)


def differences(comparison: Comparison, *, dynamic: bool = False) -> list[Difference]:
    """All differences, but those that are dynamic only where asked for."""
    found = [difference for call in comparison.calls for difference in call.differences()]
    return found if dynamic else [difference for difference in found if difference.kind is not Kind.DYNAMIC]


def kinds(comparison: Comparison) -> set[Kind]:
    """The classes of all differences but the dynamic ones."""
    return {difference.kind for difference in differences(comparison)}


def messages(trace: Trace) -> list[Transit]:
    return list(trace.messages())


def edited(trace: Trace, position: int, edit: Callable[[Message], Message]) -> Trace:
    """The trace with one message changed."""
    transits = messages(trace)
    transits[position] = replace(transits[position], message=edit(transits[position].message))
    return Trace([*transits])


def everywhere(trace: Trace, edit: Callable[[Message], Message]) -> Trace:
    """The trace with every message changed in the same way."""
    return Trace([replace(transit, message=edit(transit.message)) for transit in trace.messages()])


def later(trace: Trace, positions: Iterable[int], by_us: int) -> Trace:
    """The trace with some messages sent later."""
    late = set(positions)
    return Trace(
        [
            replace(transit, sent_at=transit.sent_at + by_us * (position in late))
            for position, transit in enumerate(trace.messages())
        ]
    )


def with_body(message: Message, body: bytes) -> Message:
    """The message with another body, and a Content-Length that counts it."""
    length = ("Content-Length", str(len(body)))
    changed = message.with_headers(length)
    if isinstance(changed, Request):
        return Request(changed.method, changed.uri, changed.headers, body)
    assert isinstance(changed, Response)
    return Response(changed.status, changed.reason, changed.headers, body)


def with_fields(message: Message, fields: Iterable[HeaderField]) -> Message:
    """The message with exactly these headers."""
    if isinstance(message, Request):
        return Request(message.method, message.uri, tuple(fields), message.body)
    assert isinstance(message, Response)
    return Response(message.status, message.reason, tuple(fields), message.body)


def replaced(message: Message, *words: tuple[str, str]) -> Message:
    """The message with words replaced wherever they stand."""
    head, _, body = message.to_bytes().partition(b"\r\n\r\n")
    for word, other in words:
        head, body = (part.replace(word.encode(), other.encode()) for part in (head, body))
    padding = bytes(len(message.body))  # parsed by the old Content-Length, whatever that may be
    return with_body(parse_message(b"%b\r\n\r\n%b" % (head, body + padding)), body)
