"""A flow made ready to be played: its lines compiled once, shared by all its calls, and unfolded as their turn comes.

A repeat is not unrolled: a call walks through it turn by turn, so a million turns cost no memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import Source
from ..flows.model import Flow, NetChange, Observation, Repeat, Role, Step, Stimulus
from ..sip.message import Message
from ..units import format_duration
from .matching import BodyTest, HeaderTest, PatternSet, PatternTest, compile_tests
from .times import Beginning, Due, Marks


class Line:
    """One line of a flow: what it says, and whom it is about."""

    __slots__ = (
        "accepts",
        "is_awaited",
        "is_order",
        "number",
        "observation",
        "optional",
        "receiver",
        "sender",
        "step",
        "tests",
        "within_us",
    )

    def __init__(self, step: Stimulus | Observation | NetChange, number: int, *, is_order: bool) -> None:
        self.step = step
        self.number = number
        """Which expectation of the flow it is, from 0; meaningless for a line that expects nothing."""
        self.observation = step if isinstance(step, Observation) else None
        self.is_order = is_order
        """Its sender is scripted: the line has it send the message."""
        self.is_awaited = self.observation is not None and not is_order
        """It waits for a message that somebody sends of their own accord."""
        self.optional = self.is_awaited and self.observation is not None and self.observation.optional
        self.within_us = (self.observation.within_us or 0) if self.observation else 0
        if self.observation:
            self.sender, self.receiver = self.observation.sender, self.observation.receiver
            self.accepts = PatternTest(self.observation.pattern).accepts
            self.tests: tuple[HeaderTest | BodyTest, ...] = compile_tests(self.observation)

    @property
    def source(self) -> Source:
        """Where the line stands."""
        return self.step.source

    def comes_from(self, party: str) -> bool:
        """Whether the line waits for a message of this party."""
        return self.is_awaited and self.sender == party

    def means(self, sender: str, receiver: str, message: Message) -> bool:
        """Whether a line that waits for a message waits for this one, going by its kind alone."""
        return sender == self.sender and receiver == self.receiver and self.accepts(message)


@dataclass(frozen=True, slots=True)
class Rounds:
    """A repeat, its lines compiled."""

    repeat: Repeat
    lines: "tuple[Line | Rounds, ...]"
    spacing: str
    """How `every` is written; "" without it."""

    def begin(self) -> Beginning | None:
        """Return what the turns are counted from, where they have times."""
        return Beginning(self.repeat, self.spacing) if self.repeat.every_us is not None else None


class Turn:
    """A line as it comes in one call: once, or once for every turn of its repeat."""

    __slots__ = ("beginning", "is_timed", "line", "number")

    def __init__(self, line: Line, beginning: Beginning | None = None, number: int = 0) -> None:
        self.line = line
        self.beginning = beginning
        """The repeat whose turn this line opens."""
        self.number = number
        """Which turn of the repeat, from 1."""
        self.is_timed = beginning is not None or line.step.at is not None
        """Whether the flow says when."""

    def due(self, marks: Marks, *, now: int) -> Due | None:
        """Return when the line is due; None where a mark it counts from is unknown. Only for a line that is timed."""
        line = self.line
        if line.step.at is not None:
            return marks.due(line.step.at, line.within_us)
        assert self.beginning is not None
        return self.beginning.due(self.number, marks, within_us=line.within_us, now=now)


class Plan:
    """A flow, compiled."""

    def __init__(self, flow: Flow, *, tolerance_us: int = 0, aftermath_us: int = 0) -> None:
        self.flow = flow
        self.tolerance_us = tolerance_us
        """What is this close in time is simultaneous: 0 where time is exact."""
        self.aftermath_us = aftermath_us
        """How long a call that has failed goes on, recorded but not judged."""
        self.allowed = PatternSet(flow.allow)
        self.forbidden = PatternSet((*flow.never, *flow.expect.never))
        self.observations: list[Line] = []
        """Every line that is an expectation, by its number."""
        self.proxies = frozenset(name for name, actor in flow.actors.items() if actor.is_proxy)
        self.systems = frozenset(actor.name for actor in flow.systems)
        self._scripted = {name for name, actor in flow.actors.items() if actor.role is Role.SCRIPTED}
        self._lines = self._compile(flow.steps)

    def turns(self) -> Iterator[Turn]:
        """Return the lines in the order in which their turn comes, for one call."""
        return _unfold(self._lines)

    def _compile(self, steps: Sequence[Step]) -> tuple[Line | Rounds, ...]:
        return tuple(self._rounds(step) if isinstance(step, Repeat) else self._line(step) for step in steps)

    def _rounds(self, repeat: Repeat) -> Rounds:
        return Rounds(repeat, self._compile(repeat.steps), format_duration(repeat.every_us or 0))

    def _line(self, step: Stimulus | Observation | NetChange) -> Line:
        line = Line(
            step, len(self.observations), is_order=isinstance(step, Observation) and step.sender in self._scripted
        )
        if line.observation:
            self.observations.append(line)
        return line


def _unfold(lines: Sequence[Line | Rounds], beginning: Beginning | None = None, number: int = 0) -> Iterator[Turn]:
    """Yield a turn for every line; the first that is no change of the network gets the time of its repeat's turn."""
    for line in lines:
        if isinstance(line, Line):
            if beginning and not isinstance(line.step, NetChange):
                yield Turn(line, beginning, number)
                beginning = None
            else:
                yield Turn(line)
            continue
        own = line.begin()
        for count in range(1, line.repeat.times + 1):
            if own:
                yield from _unfold(line.lines, own, count)
            else:
                yield from _unfold(line.lines, beginning, number)
            beginning = None
