"""What `simkit replay` plays: flows, each with the recording that it is held against."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import click

from ..captures.compare import compare_calls
from ..captures.comparison import Comparison, Kind
from ..errors import CaptureError, NothingToRunError
from ..flows.logic import with_logics
from ..flows.model import Calls, Flow
from ..flows.signature import is_signed_by
from ..rebuild.deviations import Settled, settle
from ..reports.deviation import deviation_failure, deviation_object
from ..runs.run import Run
from ..runs.verdict import Expectation, Failure, Verdict
from ..trace import Trace
from ..units import MS
from .progress import Progress
from .recordings import (
    find_captures,
    flow_named,
    is_capture,
    read_calls,
    read_each,
    recorded_flow,
    recording_path,
    signed_title,
)
from .selection import Selection
from .terminal import say

_TICK_US: Final = 100 * MS
"""How late a machine may have been that recorded a call."""


@dataclass(frozen=True, slots=True)
class Play:
    """A flow to play, and its recording."""

    flow: Flow
    path: str | None
    """Where its recording is, or belongs; None for a flow that is no file."""
    recorded: list[Trace] | None
    """The calls of the recording; None where there is none to compare with."""
    rebuilt: Settled | None = None
    """What the flow was rebuilt from, if it was: then the flow is the comparison."""
    capture: str | None = None
    """The capture that it was rebuilt from; its calls are played side by side."""

    @property
    def begins_at(self) -> int:
        """When the call begins: microseconds since the capture does."""
        return self.rebuilt.rebuilt.began_at if self.rebuilt else 0

    def judge(self, run: Run) -> None:
        """Let the verdict on a rebuilt call say whether its parties did as our timer logic does."""
        if self.rebuilt is None or run.interrupted:
            return
        faults = [deviation for deviation in self.rebuilt.deviations if deviation.is_fault]
        for name, actor in run.flow.actors.items():
            verdict = Verdict.FAIL if any(fault.actor == name for fault in faults) else Verdict.PASS
            run.expectations.append(Expectation(actor.source, f"{name} does as our timer logic does", verdict))
        run.failures += [deviation_failure(fault, self.rebuilt, run) for fault in faults]
        if faults and run.verdict is Verdict.PASS:
            run.verdict = Verdict.FAIL

    def more(self) -> dict[str, object]:
        """Return what is to be said in JSON of a call that was rebuilt: of the recording, not of how it was played."""
        if self.rebuilt is None:
            return {}
        from ..reports.audit_json import finding_object

        return {
            "deviations": [deviation_object(each) for each in self.rebuilt.deviations],
            "violations": [finding_object(finding) for finding in self.rebuilt.rebuilt.audit.findings],
        }

    def compare(self, run: Run, *, ignore: Sequence[str] = ()) -> Comparison | None:
        """Hold a run against the recording, and let its verdict say whether it is the same. None: there is none.

        Of a crowd a recording may have the first calls only.
        """
        if self.recorded is None or run.wire is None or run.interrupted:
            return None
        played = run.wire.calls()
        if run.flow.calls.count > 1:
            played = played[: len(self.recorded)]
        comparison = compare_calls(self.recorded, played, tolerance_us=run.wire.tolerance_us, ignore=ignore)
        if run.flow.systems:
            return comparison  # somebody else's words: what the flow does not ask for is theirs to choose
        verdict = Verdict.PASS if comparison.equal else Verdict.FAIL
        run.expectations.append(Expectation(run.flow.source, f"as recorded in {self.path}", verdict))
        if not comparison.equal:
            counts = comparison.counts()
            what = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if kind in comparison.counted and counts[kind])
            told = Failure(run.flow.source, f"not as recorded in {self.path}: {what}", at=run.virtual_us)
            run.failures.append(told)
            run.verdict = Verdict.FAIL if run.verdict is Verdict.PASS else run.verdict
        return comparison


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was asked for on the command line: flows and captures, or folders of either."""

    selection: Selection
    logics: Mapping[str, str]
    flow: str | None
    """`--flow`: what the captures are recordings of."""
    rebuild: bool
    """`--rebuild`: captures are taken for other people's."""
    recorded_speed: int
    """`--recorded-speed`: the time in which captures were taken that are rebuilt."""
    seed: int
    compares: bool
    """Whether recordings are of use: not where they are made anew."""

    def plays(self) -> list[Play]:
        """Return all that is to be played, in the order in which it was named.

        Raises FlowError and CaptureError for what cannot be loaded, NothingToRunError for a capture without a flow.
        """
        captures = [path for path in self.selection.paths if is_capture(path)]
        others = tuple(path for path in self.selection.paths if path not in captures)
        if self.flow and len(captures) != 1:
            raise click.UsageError("--flow says which flow one capture is a recording of")
        if self.rebuild and not captures:
            raise click.UsageError("--rebuild is about captures, and none is named")
        if self.flow and self.rebuild:
            raise click.UsageError("--rebuild takes a capture for nobody's: --flow has no meaning with it")
        plays = [self._of_flow(flow) for flow in replace(self.selection, paths=others).flows()] if others else []
        plays += self._of_captures(captures)
        flows_with_logics = with_logics([play.flow for play in plays], self.logics)
        return [replace(play, flow=flow) for play, flow in zip(plays, flows_with_logics, strict=True)]

    def _of_flow(self, flow: Flow) -> Play:
        path = recording_path(flow)
        if path is None or not self.compares or self.selection.values or not os.path.isfile(path):
            return Play(flow, path, None)
        recorded = read_calls(path)
        title = signed_title(recorded)
        if title is not None and not is_signed_by(flow, title):
            say(f"{path}: a recording of '{title}', though it is where that of '{flow.title}' belongs", err=True)
        return Play(flow, path, recorded)

    def _of_captures(self, folders: Sequence[str]) -> list[Play]:
        if not folders:
            return []
        captures = [path for folder in folders for path in find_captures(folder)]
        plays = [play for path, calls in read_each(captures) for play in self._of_capture(path, calls)]
        if not plays:
            raise NothingToRunError("no call can be rebuilt")
        chosen = {id(flow) for flow in self.selection.among([play.flow for play in plays])}
        return [play for play in plays if id(play.flow) in chosen]

    def _of_capture(self, path: str, recorded: list[Trace]) -> Iterator[Play]:
        flow = None if self.rebuild else self._flow_of(path, recorded)
        if flow is None:
            yield from self._rebuilt(path, recorded)
            return
        if flow.calls.count > 1:
            flow = replace(flow, calls=Calls(len(recorded), flow.calls.every_us))
        yield Play(flow, path, recorded if self.compares else None)

    def _flow_of(self, path: str, recorded: Sequence[Trace]) -> Flow | None:
        return flow_named(self.flow, self.selection.case) if self.flow else recorded_flow(path, recorded)

    def _rebuilt(self, path: str, calls: Sequence[Trace]) -> Iterator[Play]:
        """Yield each call of somebody's capture as a flow; say which cannot be one."""
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(path).partition(".")[0]).strip("-") or "capture"
        shown, progress = os.path.basename(path), Progress()
        for number, trace in enumerate(calls, 1):
            progress.show(number, len(calls), "calls read")
            name, source = (f"{stem}-{number}", f"{shown}, call {number}") if len(calls) > 1 else (stem, shown)
            try:
                settled = self._settled(trace, name, source)
            except CaptureError as reason:
                progress.clear()
                say(f"{source}: not replayed: {reason}", err=True)
                continue
            progress.clear()
            if left_out := settled.rebuilt.left_out:
                methods = ", ".join(f"{count} {method}" for method, count in sorted(left_out.items()))
                say(f"{source}: left out: {methods}", err=True)
            flow = replace(settled.flow, warnings=())  # they are of the recorded stack's doing: the auditor tells
            yield Play(flow, None, None, settled, path)

    def _settled(self, trace: Trace, name: str, source: str) -> Settled:
        """Return a call that can be played to its end; where somebody's own logic is to play it, as that has it."""
        speed = self.recorded_speed
        return settle(
            trace,
            name=name,
            source=source,
            tolerance_us=_TICK_US * speed,
            speed=speed,
            seed=self.seed,
            untold=self.logics,
        )
