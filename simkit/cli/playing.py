"""Flows played over the loopback one after the other, the calls of one capture side by side; runs come in order."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from ..flows.model import Calls, Flow
from ..runs.play import play
from ..runs.playable import speed_of
from ..runs.run import Run
from ..runs.side_by_side import Begun, play_side_by_side
from .plays import Play
from .words import Words

if TYPE_CHECKING:
    from ..conformance.audits import Audits


@dataclass(frozen=True, slots=True)
class Terms:
    """How every flow is played."""

    seed: int
    speed: int | None
    tolerance_us: int
    calls: int | None
    timers: bool
    host: str | None
    ports: Mapping[str, int]
    allow_host: bool


@dataclass(frozen=True, slots=True)
class Done:
    """A flow that was played, and what the rules say of its calls, where they were asked."""

    play: Play
    run: Run
    audits: "Audits | None"
    """None: they were not asked for."""


def play_each(plays: Sequence[Play], terms: Terms, words: Words) -> Generator[Done]:
    """Yield what came of each; the words tell meanwhile how far those have come that are played at a time.

    After an interruption, what had begun by then is still yielded. Raises SetupError where a socket cannot be had.
    """
    for _, group in groupby(plays, key=lambda each: each.capture or id(each)):
        together = list(group)
        audits = _audits_of_load(together[0].flow, terms)
        runs = _play(together, terms, words, audits)
        for each, run in zip(together, runs, strict=True):
            each.judge(run)
            yield Done(each, run, _judged(run, audits) if each.flow.awaits_audit else None)
        if any(run.interrupted for run in runs):
            return


def _play(together: Sequence[Play], terms: Terms, words: Words, audits: "Audits | None") -> list[Run]:
    ports = {name: port for name, port in terms.ports.items() if any(name in each.flow.actors for each in together)}
    if len(together) == 1:
        run = play(
            together[0].flow,
            seed=terms.seed,
            speed=terms.speed,
            tolerance_us=terms.tolerance_us,
            calls=terms.calls,
            timers=terms.timers,
            host=terms.host,
            ports=ports,
            allow_host=terms.allow_host,
            each=audits.add if audits is not None else None,
            progress=words.progressed,
            ticked=words.ticked,
        )
        return [run]
    first_at = min(each.begins_at for each in together)
    flows = [each.flow for each in together]
    if terms.calls:
        flows = [replace(flow, calls=Calls(terms.calls, flow.calls.every_us)) for flow in flows]
    return play_side_by_side(
        [Begun(flow, each.begins_at - first_at) for flow, each in zip(flows, together, strict=True)],
        seed=terms.seed,
        speed=terms.speed,
        tolerance_us=terms.tolerance_us,
        timers=terms.timers,
        host=terms.host,
        ports=ports,
        allow_host=terms.allow_host,
        progress=words.progressed,
        ticked=words.ticked,
    )


def _audits_of_load(flow: Flow, terms: Terms) -> "Audits | None":
    """Return what judges the calls of a crowd as they end, for not all of them are kept; None: all are."""
    if not flow.systems or (terms.calls or flow.calls.count) == 1:
        return None
    from ..conformance.audits import Audits, allowances

    return Audits(allowances(flow, terms.tolerance_us * (speed_of(flow, terms.speed) or 1)))


def _judged(run: Run, audits: "Audits | None") -> "Audits":
    from ..conformance.violations import judge_violations

    return judge_violations(run, audits)
