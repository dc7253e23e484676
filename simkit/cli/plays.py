"""What `simkit replay` plays: flows, each with the recording that it is held against."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import click

from ..captures.compare import compare_calls
from ..captures.comparison import Comparison, Kind
from ..errors import NothingToRunError
from ..flows.logic import with_logics
from ..flows.model import Calls, Flow
from ..runs.run import Expectation, Failure, Run, Verdict
from ..trace import Trace
from .recordings import find_captures, flow_named, is_capture, read_calls, recorded_flow, recording_path
from .selection import Selection


@dataclass(frozen=True, slots=True)
class Play:
    """A flow to play, and its recording."""

    flow: Flow
    path: str | None
    """Where its recording is, or belongs; None for a flow that is no file."""
    recorded: list[Trace] | None
    """The calls of the recording; None where there is none to compare with."""

    def compare(self, run: Run) -> Comparison | None:
        """Hold a run against the recording, and let its verdict say whether it is the same. None: there is none.

        Of a crowd a recording may have the first calls only.
        """
        if self.recorded is None or run.wire is None or run.interrupted:
            return None
        played = run.wire.calls()
        if run.flow.calls.count > 1:
            played = played[: len(self.recorded)]
        comparison = compare_calls(self.recorded, played, tolerance_us=run.wire.tolerance_us)
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
        plays = [self._of_flow(flow) for flow in replace(self.selection, paths=others).flows()] if others else []
        plays += self._of_captures(captures)
        flows_with_logics = with_logics([play.flow for play in plays], self.logics)
        return [replace(play, flow=flow) for play, flow in zip(plays, flows_with_logics, strict=True)]

    def _of_flow(self, flow: Flow) -> Play:
        path = recording_path(flow)
        as_recorded = self.compares and not self.selection.values
        return Play(flow, path, read_calls(path) if as_recorded and path and os.path.isfile(path) else None)

    def _of_captures(self, folders: Sequence[str]) -> Iterator[Play]:
        paths = [path for folder in folders for path in find_captures(folder)]
        flow_of = {path: self._flow_of(path) for path in paths}
        chosen = {id(flow) for flow in self.selection.among(list(flow_of.values()))} if paths else set()
        for path, flow in flow_of.items():
            if id(flow) not in chosen:
                continue
            recorded = read_calls(path)
            if flow.calls.count > 1:
                flow = replace(flow, calls=Calls(len(recorded), flow.calls.every_us))
            yield Play(flow, path, recorded if self.compares else None)

    def _flow_of(self, path: str) -> Flow:
        if self.flow:
            return flow_named(self.flow, self.selection.case)
        flow = recorded_flow(path)
        if flow is None:
            raise NothingToRunError(f"{path}: no flow has this name; say by --flow which one it is a recording of")
        return flow
