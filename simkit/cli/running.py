"""Flows simulated one after the other or in parallel; the runs come in the order of the flows, whichever way."""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Final

from ..errors import Fault, FlowError, SetupError
from ..flows.model import Flow
from ..runs.joined import join
from ..runs.playable import check_playable
from ..runs.run import Run
from ..runs.seats import LOGIC_TIMEOUT_S
from ..runs.simulate import simulate
from ..runs.verdict import Verdict

CROWD: Final = 2_000
"""From so many calls on, a flow is divided among processes."""

Progressed = Callable[[int, int], None]
Part = tuple[Flow, range]
"""Some of the calls of a flow, by their numbers."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How every flow is run."""

    seed: int = 1
    calls: int | None = None
    timers: bool = False
    keep_all: bool = False
    """Keep the traces of all calls."""
    logic_timeout_s: float = LOGIC_TIMEOUT_S
    """How long a child in the seat of a party may take to answer."""
    audited: bool = False
    """Have the auditor look at every run, whatever its flow says."""

    def count(self, flow: Flow) -> int:
        """Return how many calls of a flow are played."""
        return self.calls or flow.calls.count


def check_all(flows: Sequence[Flow], check: Callable[[Flow], None] = check_playable) -> None:
    """Raise FlowError with everything that the flows say and a simulation, or whatever is checked, cannot do."""
    faults: list[Fault] = []
    for flow in flows:
        try:
            check(flow)
        except FlowError as error:
            faults += error.faults
    if faults:
        raise FlowError(list(dict.fromkeys(faults)))


def run_each(flows: Sequence[Flow], terms: Terms, *, jobs: int | None, progressed: Progressed) -> Generator[Run]:
    """Yield the run of each flow. `jobs` processes work at once; 0: as many as there are processors.

    None: one, unless a crowd of calls is large enough to be worth more. `progressed` is told how far a single flow has
    come. An interruption ends the runs with one that is `interrupted`, or raises KeyboardInterrupt; workers are gone by
    then. Raises SetupError where a worker process dies.
    """
    if jobs is None:
        jobs = 0 if any(terms.count(flow) >= CROWD for flow in flows) else 1
    jobs = jobs or processors()
    work = [[(flow, numbers) for numbers in _shares(terms.count(flow), jobs)] for flow in flows]
    jobs = min(jobs, sum(map(len, work)))
    if jobs > 1:
        yield from _in_parallel(work, terms, jobs, progressed)
    else:
        for (part,) in work:
            yield _run(terms, part, progressed)


def _shares(count: int, jobs: int) -> list[range]:
    """Divide the calls of a flow among processes, where they are many; finely, so that progress can be told."""
    size = count if jobs == 1 or count < CROWD else max(CROWD // 4, -(-count // (8 * jobs)))
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(terms: Terms, part: Part, progressed: Progressed | None = None) -> Run:
    flow, numbers = part
    run = simulate(
        flow,
        seed=terms.seed,
        calls=terms.calls,
        numbers=numbers,
        timers=terms.timers,
        keep_all=terms.keep_all,
        logic_timeout_s=terms.logic_timeout_s,
        progress=progressed,
    )
    if terms.audited or flow.awaits_audit:
        from ..conformance.violations import judge_violations

        judge_violations(run)
    return run


def _in_parallel(work: Sequence[Sequence[Part]], terms: Terms, jobs: int, progressed: Progressed) -> Generator[Run]:
    from concurrent.futures import ProcessPoolExecutor  # takes 30 ms to import
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    with ProcessPoolExecutor(jobs, initializer=_leave_interruptions_to_the_parent) as pool:
        is_complete = False
        try:
            began_ns = perf_counter_ns()
            runs = [[pool.submit(_run, terms, part) for part in parts] for parts in work]
            for parts, coming in zip(work, runs, strict=True):
                done = []
                try:
                    for (flow, numbers), run in zip(parts, coming, strict=True):
                        done.append(run.result())
                        if len(work) == 1:
                            progressed(numbers.stop, terms.count(flow))
                except KeyboardInterrupt:
                    if not done:
                        raise
                whole = join(done)
                if len(parts) > 1:
                    whole.wall_us = (perf_counter_ns() - began_ns) // 1000
                if len(done) < len(parts):
                    whole.interrupted, whole.verdict = True, Verdict.ERROR
                    yield whole
                    return
                yield whole
            is_complete = True
        except BrokenProcessPool:
            raise SetupError("a worker process died; try again with -j 1") from None
        finally:
            if not is_complete:
                pool.shutdown(wait=False)  # nothing is cancelled: a pool that then breaks says so on standard error
                for worker in active_children():
                    worker.terminate()


def _leave_interruptions_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
