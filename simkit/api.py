"""simkit from Python: load a flow, simulate it, look at the run.

    run = simulate("flows/expiry.yaml")
    assert run.passed, run.failures

Every error is a SimkitError whose text is meant to be read.
"""

import os
from collections.abc import Mapping
from typing import Final

from .errors import FlowError, ForeignError, NothingToRunError, SimkitError
from .flows.loader import load, load_path
from .flows.logic import with_logics
from .flows.model import Flow
from .runs.run import Run
from .runs.verdict import Verdict

__all__ = ["Flow", "FlowError", "ForeignError", "Run", "SimkitError", "Verdict", "load_flow", "load_flows", "simulate"]

FlowSource = str | os.PathLike[str]
"""The path of a flow file, or the text of a flow: what has a line end is text."""

_NO_VALUES: Final[Mapping[str, str]] = {}


def load_flow(source: FlowSource, *, case: str | None = None, set: Mapping[str, str] = _NO_VALUES) -> Flow:
    """Return a flow: with its plain `vars`, or the case whose label is `case` or contains it.

    `set` takes the place of values in `vars` and in cases. Raises FlowError with every fault of the file, and
    NothingToRunError where `case` fits no case, or several but none exactly.
    """
    if case is None:
        return _load(source, set, cases=False)[0]
    flows = load_flows(source, set=set)
    found = [flow for flow in flows if flow.case == case] or [flow for flow in flows if case in (flow.case or "")]
    if len(found) != 1:
        labels = ", ".join(flow.case or "(no cases)" for flow in found or flows)
        raise NothingToRunError(f"{len(found) or 'no'} cases of {flows[0].name} have '{case}': {labels}")
    return found[0]


def load_flows(source: FlowSource, *, set: Mapping[str, str] = _NO_VALUES) -> tuple[Flow, ...]:
    """Return the flows of a file, one for each case; raises FlowError with every fault of the file."""
    return _load(source, set, cases=True)


def simulate(
    flow: Flow | FlowSource,
    *,
    seed: int = 1,
    calls: int | None = None,
    timers: bool = False,
    audit: bool = False,
    logic: Mapping[str, str] = _NO_VALUES,
) -> Run:
    """Run a flow in virtual time and return what came of it; a path or a text is loaded by `load_flow`.

    `calls` takes the place of the flow's own count; with `timers` the trace holds every timer armed, fired and
    cancelled. `logic` puts other timer logic in the seats of actors: {"bob": "python:package.module:Class"}. The same
    flow and seed give the same run to the last byte.

    With `audit` the rules that its parties broke are in `Run.violations`, as they always are where they decide the
    verdict: the flow lists `violations`, or `logic` is somebody else's.

    A failed expectation raises nothing: see `Run.passed` and `Run.failures`. Raises FlowError for a flow that cannot be
    loaded, ForeignError where the logic of somebody else fails.
    """
    from .runs.simulate import simulate as run_flow

    flow = with_logics([flow if isinstance(flow, Flow) else load_flow(flow)], logic)[0]
    run = run_flow(flow, seed=seed, calls=calls, timers=timers)
    if audit or flow.awaits_audit:
        from .conformance.violations import judge_violations

        judge_violations(run)
    if run.broken is not None:
        raise run.broken
    if run.interrupted:
        raise KeyboardInterrupt
    return run


def _load(source: FlowSource, values: Mapping[str, str], *, cases: bool) -> tuple[Flow, ...]:
    text = os.fspath(source)
    if "\n" in text:
        return load(text, "<text>", overrides=values, cases=cases)
    return load_path(text, overrides=values, cases=cases)
