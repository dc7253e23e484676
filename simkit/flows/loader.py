"""YAML to `Flow`: one flow for each case of a file, or every fault of the file with its place."""

import os
import sys
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from ..errors import Fault, FlowError, Source
from ..settings import BaseTimes
from ..sip.transport import Transport
from .actors import read_actors
from .blocks import read_block
from .expectations import read_expect
from .faults import quoted
from .files import STDIN
from .lines import read_lines
from .model import LIMIT_US, Flow, Role
from .network import read_calls, read_network
from .reading import Reading, TooManyFaultsError
from .schema import FLOW, TIMERS
from .systems import faults_of
from .values import Case, read_cases
from .yaml_source import MAX_BYTES, MAX_FAULTS, Map, parse, size

MAX_WORK: Final = 1_000_000  # values read over all cases: some ten seconds


def load(
    source: bytes | str, path: str, *, overrides: Mapping[str, str] | None = None, cases: bool = True
) -> tuple[Flow, ...]:
    """Return the flows of a file, one for each case, in order; one alone without `cases`.

    `overrides` take the place of values in `vars` and in cases. With `cases=False` the cases are left out.
    Raises FlowError with all faults of the file.
    """
    faults: list[Fault] = []
    root = parse(source, path, faults)
    chosen = read_cases(root, path, overrides or {}, faults, with_cases=cases)
    _check_work(root, len(chosen), faults)
    flows: list[Flow] = []
    by_case: list[list[Fault]] = []
    for case in chosen:
        reading = Reading(path, case.values)
        flow = _read_flow(reading, root, case)
        by_case.append(reading.faults)
        if flow is not None:
            flows.append(flow)
    faults += _merge(by_case, chosen)
    if faults:
        raise FlowError(_in_order(faults))
    assert len(flows) == len(chosen)
    return tuple(flows)


def _check_work(root: Map, cases: int, faults: list[Fault]) -> None:
    """Refuse cases so many that reading them would take minutes."""
    once = Map(root.source, tuple(entry for entry in root.entries if entry[0].text != "cases"))
    if cases * size(once) > MAX_WORK:
        raise FlowError([*faults, Fault(root.source, f"{cases:,} cases of a flow as long as this are too many")])


def load_path(path: str, *, overrides: Mapping[str, str] | None = None, cases: bool = True) -> tuple[Flow, ...]:
    """Return the flows of a file, "-" being standard input; as `load`, with FlowError for what cannot be read."""
    return load(read_source(path), path, overrides=overrides, cases=cases)


def read_source(path: str) -> bytes:
    """Return what is in a file, "-" being standard input. Raises FlowError where it cannot be read."""
    try:
        if path == STDIN:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise FlowError([Fault(Source(path, 1), f"cannot be read: {reason}")]) from None


def _read_flow(reading: Reading, root: Map, case: Case) -> Flow | None:
    """Return the flow of one case, or None where the reading found faults."""
    try:
        fields = _read_fields(reading, root)
    except TooManyFaultsError:
        return None
    if reading.faults:
        return None
    path = reading.path
    fields.setdefault("name", os.path.splitext(os.path.basename(path))[0] if path != STDIN else "flow")
    fields.setdefault("about", "")
    sources = {key.text: key.source for key, _ in root.entries}
    return Flow(root.source, path, case=case.label, warnings=tuple(reading.warnings), sources=sources, **fields)


def _read_fields(reading: Reading, root: Map) -> dict[str, Any]:
    given = read_block(reading, root, FLOW, "a flow")
    fields: dict[str, Any] = {name: given[name] for name in _AS_THEY_ARE if name in given}
    fields["limit_us"] = given.get("limit_us", LIMIT_US)
    transport = fields["transport"] = reading.transport = Transport(given.get("transport", Transport.UDP.value))
    times = read_block(reading, given["timers"], TIMERS, "timers") if "timers" in given else {}
    fields["timers"] = BaseTimes(**times, reliable=transport.is_reliable)
    if "actors" in given:
        fields["actors"] = read_actors(reading, given["actors"])
    if "network" in given:
        fields["network"] = read_network(reading, given["network"])
    if "calls" in given:
        fields["calls"] = read_calls(reading, given["calls"])
    if "flow" in given:
        fields["steps"] = read_lines(reading, given["flow"])
        for actor in fields.get("actors", {}).values():
            if actor.role is Role.SUT:
                reading.faults += faults_of(actor, fields["steps"])
    if "expect" in given:
        fields["expect"] = read_expect(reading, given["expect"])
    return fields


_AS_THEY_ARE: Final = ("name", "about", "tags", "covers", "allow", "never")


def _merge(by_case: list[list[Fault]], cases: tuple[Case, ...]) -> list[Fault]:
    """Return the faults of all cases: once where every case has them, else with the case that does."""
    holders: dict[Fault, list[Case]] = {}
    for faults, case in zip(by_case, cases, strict=True):
        for fault in dict.fromkeys(faults):
            holders.setdefault(fault, []).append(case)
    merged = []
    for fault, holding in holders.items():
        where = "" if len(holding) == len(cases) else f" (case {_names(holding)})"
        merged.append(Fault(fault.source, fault.message + where))
    return merged


def _names(cases: list[Case]) -> str:
    shown = ", ".join(quoted(case.label or "")[1:-1] for case in islice(cases, 3))
    return shown if len(cases) <= 3 else f"{shown} and {len(cases) - 3} more"


def _in_order(faults: list[Fault]) -> list[Fault]:
    ordered = sorted(faults, key=lambda fault: (fault.source.line, fault.source.column))
    if len(ordered) < MAX_FAULTS:
        return ordered
    last = ordered[MAX_FAULTS - 1].source
    return [*ordered[:MAX_FAULTS], Fault(last, f"... these are the first {MAX_FAULTS} faults")]
