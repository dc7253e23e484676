"""`simkit import CAPTURE`: make a flow of a recorded call, or one of each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import click

from ..errors import CaptureError
from ..rebuild.anonymous import Anonymous
from ..rebuild.deviations import Deviation, Settled, flow_of, settle
from ..rebuild.relations import with_relations
from ..runs.run import Run
from ..runs.simulate import simulate
from ..trace import Trace
from ..units import MS, format_time
from .outputs import STANDARD_OUTPUT, write_new
from .recordings import read_calls
from .terminal import say

_TICK_US = 100 * MS
"""How late a machine may have been that recorded a call."""
_LISTED_MAX = 20


@dataclass(frozen=True, slots=True)
class Terms:
    """Which calls are meant, and how they are told."""

    call: str | None
    """`--call`: a number from 1, or a Call-ID."""
    every: bool
    """`--all`"""
    anonymise: bool
    speed: int
    output: str | None
    force: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """A call as a flow."""

    text: str
    run: Run
    """Its simulation."""
    settled: Settled


def import_calls(path: str, terms: Terms) -> int:
    """Write the flows of a capture's calls. Raises CaptureError where none can be written."""
    calls = read_calls(path)
    chosen = _chosen(path, calls, terms)
    stem = "call" if terms.anonymise else os.path.basename(path).partition(".")[0] or "call"
    anonymous = Anonymous()
    written = 0
    for number, trace in chosen:
        name = stem if len(calls) == 1 else f"{stem}-{number}"
        try:
            told = _told(anonymous.trace(trace) if terms.anonymise else trace, path, number, name, terms)
        except CaptureError as error:
            if len(chosen) == 1:
                raise CaptureError(f"{path}: {error}") from None
            say(f"{path}: call {number} is left out: {error}", err=True)
            continue
        target = _target(name, terms)
        write_new(target, told.text, force=terms.force)
        _tell(target, number, told, terms)
        written += 1
    if not written:
        raise CaptureError(f"{path}: no call of this capture can be made into a flow")
    return 0


def _chosen(path: str, calls: Sequence[Trace], terms: Terms) -> list[tuple[int, Trace]]:
    """Return the calls that are meant with their numbers from 1. Raises UsageError where it is not said, or amiss."""
    numbered = list(enumerate(calls, start=1))
    if terms.every or (terms.call is None and len(calls) == 1):
        return numbered
    chosen = [(number, trace) for number, trace in numbered if terms.call in (str(number), _call_id(trace))]
    if chosen:
        return chosen
    listed = [f"  {number:>3}  {_headline(trace)}" for number, trace in numbered[:_LISTED_MAX]]
    more = [f"  and {len(calls) - _LISTED_MAX} more"] if len(calls) > _LISTED_MAX else []
    what = f"there is no call '{terms.call}'" if terms.call else f"there are {len(calls)} calls: say --call or --all"
    raise click.UsageError("\n".join([f"{path}: {what}", *listed, *more]))


def _call_id(trace: Trace) -> str:
    return next(trace.messages()).message.header("Call-ID") or ""


def _headline(trace: Trace) -> str:
    first = next(trace.messages())
    count = sum(1 for _ in trace.messages())
    return f"{first.message.method} {first.sender} -> {first.receiver}, {count} messages, {_call_id(trace)}"


def _told(trace: Trace, path: str, number: int, name: str, terms: Terms) -> _Told:
    """Rebuild a call, and tell its times exactly if the flow then passes, else within the windows of the recording."""
    source = "a capture" if terms.anonymise else f"call {number} of {os.path.basename(path)}"
    settled = settle(trace, name=name, source=source, tolerance_us=_TICK_US, speed=terms.speed)
    told = None
    for exact in (True, False):
        text = with_relations(settled.rebuilt, exact=exact)
        told = _Told(text, simulate(flow_of(text, name)), settled)
        if told.run.passed:
            break
    assert told is not None
    return told


def _target(name: str, terms: Terms) -> str:
    if not terms.every:
        return terms.output or f"{name}.yaml"
    folder = terms.output or "."
    if folder == STANDARD_OUTPUT:
        raise click.UsageError("--all writes a file for each call: name a folder by -o")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, f"{name}.yaml")


def _tell(target: str, number: int, told: _Told, terms: Terms) -> None:
    """Say what was written, and whether it comes out; if not, or if our logic does not play it alone, why."""
    for deviation in told.settled.deviations:
        say(f"call {number}: {_why_told(deviation)}", err=True)
    if not told.run.passed:
        say(f"call {number}: the flow fails when it is simulated: {told.run.failures[0].headline}", err=True)
    if target == STANDARD_OUTPUT or terms.quiet:
        return
    messages = sum(1 for _ in told.run.trace.messages())
    how = "it passes in simulation" if told.run.passed else "it fails in simulation"
    say(f"wrote {target}: {messages} messages, {how}; now: simkit simulate {target}")


def _why_told(deviation: Deviation) -> str:
    """Say why a party says in the flow what it said: it did something else than our logic."""
    at = format_time(deviation.at)
    ends = f"so {deviation.actor} is scripted, and says what it said"
    if deviation.is_fault:
        finding = deviation.findings[0]
        return f"at {at} s {deviation.actor} broke {finding.rule}: {finding.text}; {ends}"
    return f"at {at} s {deviation.actor} chose otherwise than our timer logic, which the rules leave open; {ends}"
