"""What programs cost, in turns: each in a process of its own, A B A B, and of each the median.

A machine is slow for a while and then fast again. Programs that take turns have the same share of both, so that the
ratio of their costs says more than either cost. What is counted is time on the processor, unless it is said that it is
time on the clock.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from time import perf_counter

ROOT = Path(__file__).parent.parent.parent

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`: macOS counts bytes, Linux kilobytes."""


@dataclass(frozen=True, slots=True)
class Program:
    """Words for Python, or for another program."""

    words: tuple[str, ...]
    times_itself: bool = False
    """It prints {"seconds": ..., "count": ...}: the cost of the part at issue."""
    by_the_clock: bool = False
    """What counts is how long it takes, busy or not."""
    executable: str = sys.executable

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line."""
        return (self.executable, *self.words)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a program took."""

    seconds: float
    peak_bytes: int
    """The most memory that its process held at any time; never less than ours, which it grew out of."""
    count: int = 0
    """Of what it did, if it says so: messages, or events."""


def part(name: str, *values: object) -> Program:
    """Return a program of `programs`, by the name of its function there."""
    return Program(("-m", f"{__package__}.programs", name, *map(str, values)), times_itself=True)


def measure(program: Program) -> Cost:
    """Run a program to its end; raises CalledProcessError, with what it complained of, where it fails."""
    began = perf_counter()
    with TemporaryFile("w+") as errors:
        with subprocess.Popen(
            program.command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, stderr=errors
        ) as process:
            assert process.stdout is not None
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise subprocess.CalledProcessError(process.returncode, program.command, stderr=errors.read())
    peak_bytes = usage.ru_maxrss * MAXRSS_UNIT
    if program.times_itself:
        said = json.loads(output)
        return Cost(said["seconds"], peak_bytes, said["count"])
    took_s = perf_counter() - began
    return Cost(took_s if program.by_the_clock else usage.ru_utime + usage.ru_stime, peak_bytes)


def _environment() -> dict[str, str]:
    """Ours, but that bytecode is written: else every start would compile what has changed since bin/prepare was run."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_turns(programs: Sequence[Program], rounds: int) -> list[Cost]:
    """Run the programs one after the other, `rounds` times over, and return the median cost of each."""
    turns = [[measure(program) for program in programs] for _ in range(rounds)]
    return [middle(costs) for costs in zip(*turns, strict=True)]


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the medians of what several runs of the same program took."""
    return Cost(
        seconds=median(cost.seconds for cost in costs),
        peak_bytes=int(median(cost.peak_bytes for cost in costs)),
        count=costs[0].count,
    )
