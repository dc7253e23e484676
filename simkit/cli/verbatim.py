"""`simkit replay --verbatim`: send the messages of captures again as they are, and compare what arrives."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..audit.auditor import audit_call
from ..captures.compare import compare_calls
from ..captures.reader import read_capture
from ..reports.replayed import ReplayedCall
from ..runs.verbatim import Repeated, Spoken, send_again
from ..trace import Trace, Transit
from .options import Reported
from .plans import plan_text
from .progress import Progress
from .recordings import read_each
from .replayed import PlayedCapture, Replay
from .terminal import say


@dataclass(frozen=True, slots=True)
class Terms:
    """How messages are sent again."""

    speed: int | None
    tolerance_us: int
    host: str
    allow_host: bool
    dry_run: bool
    ignore: Sequence[str]
    recorded_speed: int


@dataclass(frozen=True, slots=True)
class _Recording:
    """A capture: its calls, and each of their messages as bytes, in the order of time."""

    calls: list[Trace]
    spoken: list[Spoken]


def replay_verbatim(captures: Sequence[str], terms: Terms, options: Reported, *, save: str | None, stop: bool) -> int:
    """Send the messages of each capture again, all calls side by side; return the exit code.

    Raises CaptureError for what is no capture, SetupError where a socket cannot be had.
    """
    recordings = {path: _read(path, calls) for path, calls in read_each(captures)}
    if terms.dry_run:
        for path, recording in recordings.items():
            say(_plan(path, recording.spoken, terms))
        return 0
    return Replay([*recordings], options, save, stop, lambda path: _play(path, recordings[path], terms)).run()


def _read(path: str, calls: list[Trace]) -> _Recording:
    with read_capture(path) as reader:
        raw = {(each.frame, each.message.to_bytes()): each.raw for each in reader}
    spoken = [
        Spoken(each, raw[each.number, each.message.to_bytes()], call)
        for call, trace in enumerate(calls)
        for each in trace.messages()
    ]
    return _Recording(calls, sorted(spoken, key=lambda each: each.transit.sent_at))


def _plan(path: str, spoken: Sequence[Spoken], terms: Terms) -> str:
    """Return what would be sent, a message a line."""
    steps = [each.transit for each in spoken]
    return plan_text(f"{path}: on {terms.host} would go", steps)


def _play(path: str, recording: _Recording, terms: Terms) -> PlayedCapture:
    progress = Progress()
    try:
        seen = send_again(
            recording.spoken,
            speed=terms.speed,
            host=terms.host,
            allow_host=terms.allow_host,
            progress=progress.show_time,
        )
    finally:
        progress.clear()
    return PlayedCapture(_compared(path, recording, seen, terms), _by_call(recording, seen), seen.addresses)


def _by_call(recording: _Recording, seen: Repeated) -> list[Trace]:
    traces = [Trace() for _ in recording.calls]
    for each, arrived in zip(recording.spoken, seen.arrived, strict=True):
        if arrived is not None:
            traces[each.call].records.append(arrived)
    return traces


def _compared(path: str, recording: _Recording, seen: Repeated, terms: Terms) -> list[ReplayedCall]:
    traces = _by_call(recording, seen)
    pairs = [(number, number if trace.records else None) for number, trace in enumerate(traces)]
    tolerance_us = terms.tolerance_us * (terms.speed or 1)
    comparison = compare_calls(recording.calls, traces, tolerance_us=tolerance_us, ignore=terms.ignore, pairs=pairs)
    came: list[list[tuple[Transit, int | None]]] = [[] for _ in traces]
    for each, arrived in zip(recording.spoken, seen.arrived, strict=True):
        came[each.call].append((each.transit, None if arrived is None else arrived.sent_at))
    return [
        ReplayedCall(
            capture=path,
            number=number + 1,
            of=len(traces),
            seen=trace,
            came=tuple(came[number]),
            comparison=comparison.of_call(number),
            audit=audit_call(trace, speed=terms.recorded_speed),
            speed=terms.speed,
            interrupted=seen.interrupted,
        )
        for number, trace in enumerate(traces)
    ]
