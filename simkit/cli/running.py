"""Flows simulated one after the other or in parallel; the runs come in the order of the flows, whichever way."""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

from ..errors import Fault, FlowError, SetupError
from ..flows.model import Flow
from ..runs.run import Run
from ..runs.seats import LOGIC_TIMEOUT_S
from ..runs.simulate import check_playable, simulate

Progressed = Callable[[int, int], None]


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


def check_all(flows: Sequence[Flow]) -> None:
    """Raise FlowError with everything that the flows say and a simulation cannot do."""
    faults: list[Fault] = []
    for flow in flows:
        try:
            check_playable(flow)
        except FlowError as error:
            faults += error.faults
    if faults:
        raise FlowError(list(dict.fromkeys(faults)))


def run_each(flows: Sequence[Flow], terms: Terms, *, jobs: int, progressed: Progressed) -> Generator[Run]:
    """Yield the run of each flow. `jobs` processes work at once, 0: as many as there are processors.

    `progressed` is told how far a single flow has come, where one process does it all. An interruption ends the runs
    with one that is `interrupted`, or raises KeyboardInterrupt; workers are gone by then. Raises SetupError where a
    worker process dies.
    """
    jobs = min(jobs or processors(), len(flows))
    if jobs > 1:
        yield from _in_parallel(flows, terms, jobs)
    else:
        for flow in flows:
            yield _run(terms, flow, progressed)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(terms: Terms, flow: Flow, progressed: Progressed | None = None) -> Run:
    return simulate(
        flow,
        seed=terms.seed,
        calls=terms.calls,
        timers=terms.timers,
        keep_all=terms.keep_all,
        logic_timeout_s=terms.logic_timeout_s,
        progress=progressed,
    )


def _in_parallel(flows: Sequence[Flow], terms: Terms, jobs: int) -> Generator[Run]:
    from concurrent.futures import ProcessPoolExecutor  # takes 30 ms to import
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children

    with ProcessPoolExecutor(jobs, initializer=_leave_interruptions_to_the_parent) as pool:
        is_complete = False
        try:
            yield from pool.map(partial(_run, terms), flows)
            is_complete = True
        except BrokenProcessPool:
            raise SetupError("a worker process died; try again with -j 1") from None
        finally:
            if not is_complete:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in active_children():
                    worker.terminate()


def _leave_interruptions_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
