"""One scenario as it is walked through: where it stands, what its variables hold, what it sends and waits for.

It is a machine that is asked for its `next` event and told what became of it. What depends on messages that nobody has
seen yet is unknown: there it goes straight on, and says so.
"""

from dataclasses import dataclass
from typing import Final

from ..errors import Source
from .expressions import grouped, header_of, translated
from .filling import Filling, Names
from .ladder import Ladder, Line, Remark, When
from .quotes import Kind, Quote, Quotes
from .scenario import (
    Action,
    AnyStep,
    Assignment,
    Check,
    Comparison,
    Foreign,
    Pause,
    Place,
    Receive,
    Scenario,
    Search,
    Send,
    Stop,
    Stranger,
)
from .variables import Value, calculated, compared

STEPS_MAX: Final = 100_000
"""So many steps are walked altogether: more than any scenario has turns."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A message is to be sent."""

    step: Send
    text: str
    """With quotes in it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One of these is to come: any number of optional ones, and a last one that must."""

    optional: tuple[Receive, ...]
    mandatory: Receive | None

    @property
    def timeout_us(self) -> int:
        """How long it is waited for at most; 0: for ever."""
        return self.mandatory.timeout_us if self.mandatory else 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The scenario is over."""


Event = Sending | Waiting | Ended


class Side:
    """One party that does as its scenario says."""

    def __init__(self, scenario: Scenario, names: Names, ladder: Ladder, quotes: Quotes) -> None:
        self.scenario = scenario
        self.names = names
        self.clock_us = 0
        """How far it has come, as far as its pauses tell."""
        self.anchor: Line | None = None
        """The last message that it sent or received."""
        self.has_received_anchor = False
        self.waited_us = 0
        """How long it has paused since."""
        self.last: Line | None = None
        """The last message that it received."""
        self.requests: list[Line] = []
        """Its requests that have no final response yet."""
        self._ladder = ladder
        self._quotes = quotes
        self._filling = Filling(names, ladder, quotes)
        self._position = 0
        self._steps = 0
        self._values: dict[str, Value] = {name: Value.of_number(0) for name in scenario.shared}
        self._perform(scenario.beginning, None)

    # --- what comes next ---

    def next(self) -> Event:
        """Return what it does next: send, wait, or nothing any more. Asked twice, it says the same."""
        while self._steps < STEPS_MAX:
            self._steps += 1
            step = self._step()
            if step is None:
                return Ended()
            if self._is_skipped(step):
                self._position += 1
            elif isinstance(step, Send):
                return Sending(step, self.filled_in(step))
            elif isinstance(step, Receive):
                return self._waiting()
            else:
                self._pass(step)
        self._note(self.scenario.source, "it goes round and round: the rest is left out")
        self._position = len(self.scenario.steps)
        return Ended()

    def _step(self) -> AnyStep | None:
        steps = self.scenario.steps
        return steps[self._position] if self._position < len(steps) else None

    def _is_skipped(self, step: AnyStep) -> bool:
        if step.condition is None:
            return False
        truth = self._truth(step.condition.variable)
        if truth is None:
            self._note(step.source, f"whether ${step.condition.variable} is set is known only in a run: it is done")
            return False
        return truth is step.condition.inverse

    def _waiting(self) -> Waiting:
        optional: list[Receive] = []
        for step in self.scenario.steps[self._position :]:
            if not isinstance(step, Receive):
                break
            if self._is_skipped(step):
                continue
            if not step.optional:
                return Waiting(tuple(optional), step)
            optional.append(step)
        return Waiting(tuple(optional), None)

    def _pass(self, step: AnyStep) -> None:
        """Do a step that needs nobody else."""
        if isinstance(step, Pause):
            duration_us = self._pause_us(step)
            self.waited_us += duration_us
            self.clock_us += duration_us
        elif isinstance(step, Foreign):
            self._note(step.source, f"<{step.name}> talks to another SIPp")
        if self._perform(step.actions, None):
            self._go_on(step)

    def _pause_us(self, pause: Pause) -> int:
        if pause.variable is not None:
            number = self._value(pause.variable).number
            if number is None:
                self._note(pause.source, f"how long this is, ${pause.variable} tells only in a run: there is no pause")
            return round(max(0.0, min(number or 0.0, 1e12)) * 1000)
        if pause.distribution:
            self._note(pause.source, f"a pause drawn from '{pause.distribution[:20]}': there is none")
        elif pause.latest_us > pause.duration_us:
            self._note(pause.source, "a pause drawn by chance: it is the shortest")
        return pause.duration_us

    # --- what became of it ---

    def sent(self, step: Send, line: Line) -> None:
        """Its message is on its way, as this line."""
        self._arrive_at(line, received=False)
        if not line.status and line.method != "ACK":
            self.requests.append(line)
        if self._perform(step.actions, None):
            self._go_on(step)

    def left_unsent(self, step: Send) -> None:
        """Its message could not be carried over."""
        self._go_on(step)

    def received(self, step: Receive, line: Line) -> None:
        """A message has come, as this line, and is the one that this step expects."""
        self._arrive_at(line, received=True)
        self.last = line
        if line.status and not line.status.startswith("1"):
            self._answered(line.method)
        if not self._perform(step.actions, line):
            return
        if not step.optional or (step.branch and self._branches(step)):
            self._position = self.scenario.steps.index(step)
            self._go_on(step)

    def glanced(self, step: Receive, line: Line) -> None:
        """A message that this step expects may come, as this line."""
        self._perform(step.actions, line)

    def skipped(self, waiting: Waiting) -> None:
        """None of these came, and none had to: only optional ones were expected."""
        self._position += len(waiting.optional) or 1

    def timed_out(self, step: Receive) -> None:
        """What this step expects did not come in its time."""
        self.waited_us += step.timeout_us
        self.clock_us += step.timeout_us
        if step.on_timeout is None:
            self._position = len(self.scenario.steps)  # SIPp gives the call up
        else:
            self._position = self.scenario.labels[step.on_timeout]

    def when(self) -> When | None:
        """Return when it is now, counted from its last message; None where no time has passed since."""
        if self.waited_us == 0:
            return None
        return When(self.anchor, self.has_received_anchor, self.waited_us)

    def is_next(self, label: str, step: Receive) -> bool:
        """Whether a label is where the walk goes from a step anyway."""
        return self.scenario.labels[label] == step.index + 1

    def _arrive_at(self, line: Line, *, received: bool) -> None:
        self.anchor, self.has_received_anchor, self.waited_us = line, received, 0

    def _answered(self, method: str) -> None:
        for request in reversed(self.requests):
            if request.method == method:
                self.requests.remove(request)
                return

    def _go_on(self, step: AnyStep) -> None:
        if self._branches(step):
            assert step.branch is not None
            self._position = self.scenario.labels[step.branch.label]
        else:
            self._position = step.index + 1

    def _branches(self, step: AnyStep) -> bool:
        branch = step.branch
        if branch is None:
            return False
        if branch.chance < 1:
            message = f"whether it goes on at label '{branch.label}' is left to chance: it goes straight on"
            self._note(step.source, message)
            return False
        truth = True if branch.test is None else self._truth(branch.test)
        if truth is None:
            what = f"whether it goes on at label '{branch.label}' depends on ${branch.test}"
            self._note(step.source, f"{what}, which only a run knows: it goes straight on")
        return bool(truth)

    # --- variables ---

    def _truth(self, variable: str) -> bool | None:
        return self._value(variable).truth

    def _value(self, variable: str) -> Value:
        return self._values.get(variable.strip(), Value.UNSET)

    def _perform(self, actions: tuple[Action, ...], line: Line | None) -> bool:
        """Do what the actions of a step say, `line` being the message that came; whether the call goes on."""
        for action in actions:
            match action:
                case Search():
                    self._search(action, line)
                case Assignment():
                    self._assign(action)
                case Comparison():
                    self._compare(action)
                case Stranger():
                    for target in action.targets:
                        self._values[target] = Value.UNKNOWN
                    self._note(action.source, f"no flow does what <{action.name}> does")
                case Stop():
                    self._position = len(self.scenario.steps)
                    return False
        return True

    def _assign(self, action: Assignment) -> None:
        operand = self._value(action.variable) if action.variable is not None else Value.UNSET
        if action.value is not None:
            text = self._filling.filled(action.value, 0, lambda _: action.source, last=self.last, values=self._values)
            operand = Value.of_text(text)
        self._values[action.target] = calculated(action.operation, self._value(action.target), operand)

    def _compare(self, action: Comparison) -> None:
        left = self._value(action.variable)
        right = Value.of_text(action.value) if action.value is not None else self._value(action.variable2 or "")
        result = compared(action, left, right)
        if result is None and action.check is not Check.NOTHING:
            self._note(action.source, f"what ${action.variable} holds is known only in a run: it is not checked")
        if action.target:
            self._values[action.target] = Value("", None, result)

    def _search(self, action: Search, line: Line | None) -> None:
        """Keep what an expression finds: in a flow, a value saved from the message that came."""
        found = translated(action.expression.text)
        header, expression = header_of(action, found)
        if line is None or found is None or header is None or action.occurrence > 1:
            self._forget(action, line)
            return
        if action.check is Check.MUST_HOLD:
            line.has.append((header, "matches", expression))
        elif action.check is Check.MUST_NOT_HOLD:
            self._must_not_hold(action, line, header, expression)
        for number, target in enumerate(action.targets):
            part = grouped(expression, number) if header != "body" else None  # a flow saves nothing of a body
            line.wishes.setdefault((header, part or ""), target)
            quote = Quote(Kind.HEADER, line.number, header, part or "")
            text = self._quotes.character(quote) if part is not None else None
            self._values[target] = Value(text, None, True if action.check is Check.MUST_HOLD else None)

    def _must_not_hold(self, action: Search, line: Line, header: str, expression: str) -> None:
        if header != "body" and expression in (".", ".*", ".+"):
            line.has.append((header, "absent", ""))
        else:
            self._note(action.source, f"a flow cannot ask that {header} does not match: it is not checked", line)

    def _forget(self, action: Search, line: Line | None) -> None:
        """Say that a search is not made; what depends on it is unknown."""
        for target in action.targets:
            self._values[target] = Value.UNKNOWN
        if action.place is Place.VARIABLE and self._value(action.where).text == "":
            return
        where = "another message" if line is None else f"'{action.where or action.place.value}'"
        self._note(action.source, f"what this finds in {where} is not looked for", line)

    def filled_in(self, step: Send) -> str:
        """Return the message of a step with its keywords filled in."""
        return self._filling.filled(step.message.text, step.index, step.place, last=self.last, values=self._values)

    def _note(self, source: Source, message: str, line: Line | None = None) -> None:
        self._ladder.note(Remark.NOT_CARRIED_OVER, source, message, line)
