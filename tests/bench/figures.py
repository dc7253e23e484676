"""What is measured: each bench is a function that yields its figures, beside what they are measured against."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .capturing import readers, recording
from .measuring import ROOT, Cost, Program, in_turns, measure, part

MILLION: Final = 1_000_000
LIVE_CALLS: Final = 1_000
"""So many are up at once over the loopback."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    """What is aimed at, on a machine of our day; in the same unit."""
    ratios: Mapping[str, float] = field(default_factory=dict)
    """The value divided by that of what was run beside it: these hardly depend on the machine."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    crowds: Mapping[int, int]
    """The rounds for each number of calls, from small to large."""
    captures: Mapping[int, int]
    """The same of those in a capture."""


QUICK: Final = Effort(rounds=3, crowds={1_000: 1}, captures={1_112: 3})
USUAL: Final = Effort(rounds=5, crowds={10_000: 3}, captures={1_112: 3, 11_112: 3})
FULL: Final = Effort(rounds=5, crowds={10_000: 3, 100_000: 1}, captures={1_112: 3, 11_112: 3, 111_120: 1})


def start(effort: Effort) -> Iterator[Figure]:
    """How long a command takes to begin, the interpreter included."""
    wanted = {"--help": 0.12, "simulate flows/expiry.yaml": 0.30}
    beside = [("-c", "pass"), ("-c", "import click")]
    programs = [*map(Program, beside), *(Program(("-m", "simkit", *words.split())) for words in wanted)]
    nothing, click, *costs = in_turns(programs, effort.rounds)
    for (words, goal_s), ours in zip(wanted.items(), costs, strict=True):
        ratios = {
            "python -c pass": ours.seconds / nothing.seconds,
            "python -c 'import click'": ours.seconds / click.seconds,
        }
        yield Figure(f"simkit {words}", ours.seconds, "s", goal_s, ratios)


def day(effort: Effort) -> Iterator[Figure]:
    """One call that is refreshed for 24 virtual hours."""
    events = measure(part("events", "day")).count
    ours, bare, loop = in_turns([part("day"), part("bare", 1, events), part("loop", MILLION)], effort.rounds)
    ratios = {_bare(events): ours.seconds / bare.seconds, "a loop of 1,000,000 turns": ours.seconds / loop.seconds}
    yield Figure(f"a call of 24 hours at SE 1800, {ours.count} messages", 1000 * ours.seconds, "ms", 30, ratios)


def flows(effort: Effort) -> Iterator[Figure]:
    """All the flows that are shipped."""
    programs = [Program(("-m", "simkit", "simulate", "-q", "flows")), part("loop", 10 * MILLION)]
    ours, loop = in_turns(programs, effort.rounds)
    ratios = {"a loop of 10,000,000 turns": ours.seconds / loop.seconds}
    yield Figure("simkit simulate flows/", ours.seconds, "s", 3, ratios)


def parser(effort: Effort) -> Iterator[Figure]:
    """Bytes read as messages."""
    costs = in_turns([part("parse", 500), part("sipmessage", 500)], effort.rounds)
    ours, theirs = (cost.count / cost.seconds for cost in costs)
    yield Figure("messages parsed a second", ours, "", 100_000, {f"sipmessage, {theirs:,.0f}": ours / theirs})


def exchange(effort: Effort) -> Iterator[Figure]:
    """A child process asked and answering; its own time is not counted."""
    ours, bare = in_turns([part("exchange", 10_000), part("pipes", 10_000)], effort.rounds)
    ratios = {"a line to the same child and back": ours.seconds / bare.seconds}
    yield Figure("an exchange with a child", MILLION * ours.seconds / ours.count, "us", 100, ratios)


def crowd(effort: Effort) -> Iterator[Figure]:
    """Many calls, each up for an hour."""
    smaller: Cost | None = None
    for calls, rounds in effort.crowds.items():
        events = measure(part("events", "crowd", calls)).count
        ours, bare = in_turns([part("crowd", calls), part("bare", calls, events)], rounds)
        time, memory = {_bare(events): ours.seconds / bare.seconds}, {_bare(events): ours.peak_bytes / bare.peak_bytes}
        if smaller:
            time["the crowd above"] = ours.seconds / smaller.seconds
            memory["the crowd above"] = ours.peak_bytes / smaller.peak_bytes
        scale = calls / 10_000
        goals = (10 * scale, 200 * scale) if scale >= 1 else (None, None)
        yield Figure(f"{calls:,} calls of an hour at SE 1800", ours.seconds, "s", goals[0], time)
        yield Figure("  most memory", ours.peak_bytes / MILLION, "MB", goals[1], memory)
        yield Figure("  messages a second", ours.count / ours.seconds, "", 50_000)
        yield Figure("  of the time, bare simpy would take", 100 * bare.seconds / ours.seconds, "%")
        smaller = ours


def _bare(events: int) -> str:
    return f"bare simpy, {events:,} events"


def audit(effort: Effort) -> Iterator[Figure]:
    """Captures of many calls, each call of nine messages, all between two addresses."""
    smaller: Cost | None = None
    for calls, rounds in effort.captures.items():
        with recording(calls) as path:
            beside = readers(path, calls)
            ours, *theirs = in_turns([Program(("-m", "simkit", "audit", "-q", path)), *beside.values()], rounds)
        messages = 9 * calls
        time = {name: ours.seconds / cost.seconds for name, cost in zip(beside, theirs, strict=True)}
        memory = {name: ours.peak_bytes / cost.peak_bytes for name, cost in zip(beside, theirs, strict=True)}
        if smaller:
            time["the capture above"] = ours.seconds / smaller.seconds
            memory["the capture above"] = ours.peak_bytes / smaller.peak_bytes
        yield Figure(f"audit of {messages:,} messages, {calls:,} calls", ours.seconds, "s", messages / 20_000, time)
        yield Figure("  most memory", ours.peak_bytes / MILLION, "MB", 300, memory)
        yield Figure("  messages a second", messages / ours.seconds, "", 20_000)
        smaller = ours


def replay(effort: Effort) -> Iterator[Figure]:
    """All recordings that are shipped, played over the loopback side by side, and compared."""
    flows = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "flows").glob("*.yaml"))]
    programs = [
        Program(("-m", "simkit", "replay", "-q", "captures"), by_the_clock=True),
        Program(("-m", "simkit", "simulate", "-q", *flows), by_the_clock=True),
    ]
    ours, virtual = in_turns(programs, 1)
    ratios = {"the flows in virtual time": ours.seconds / virtual.seconds}
    yield Figure("simkit replay captures/, by the clock", ours.seconds, "s", 60, ratios)


def punctual(effort: Effort) -> Iterator[Figure]:
    """Refreshes of many calls at once over the loopback, a hundred a second, in real time."""
    ours, bare = in_turns([part("punctual", LIVE_CALLS), part("wakings", LIVE_CALLS, 10)], 1)
    ratios = {"select(2), woken as often": ours.seconds / bare.seconds}
    what = f"99 % of {ours.count:,} refreshes, {LIVE_CALLS:,} calls at once: late by"
    yield Figure(what, 1000 * ours.seconds, "ms", 10, ratios)


BENCHES: Final[dict[str, Callable[[Effort], Iterator[Figure]]]] = {
    bench.__name__: bench for bench in (start, day, flows, parser, exchange, crowd, audit, replay, punctual)
}
