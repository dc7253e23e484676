"""A child in lock-step: it is asked, it answers, and meanwhile no time passes for anybody.

Its clock is moved by what it is asked: every request says what time it is, and `advance` lets it run until something
falls due. What a kind of child is asked beside that, `timer_logic` and `endpoint` know.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from ..errors import ForeignError
from ..units import format_time
from .actions import Actions
from .process import ChildProcess
from .wire import Kind, Nonsense, Reply, read_hello, read_reply, write_request

T = TypeVar("T")

IDLE_STEPS_MAX: Final = 1_000
"""How often a child may be called at one instant without doing anything."""


class Child:
    """A process that has said what it is; `now` is its clock, in microseconds of its party's time."""

    def __init__(self, command: Sequence[str], *, whose: str, timeout_s: float) -> None:
        """Prepare to start it; errors begin with `whose` it is."""
        self._process = ChildProcess(command, whose=f"{whose} ('{' '.join(command)}')", timeout_s=timeout_s)
        self.now = 0
        self._shift = 0
        """How far its own time is ahead of that: it has served other calls before."""
        self._is_resting = False
        self.is_settled = True
        """Whether it has done all that it wants to do at the time that it is."""
        self.next_at: int | None = None
        """When it wants to be called; None: it waits for nothing, or cannot know."""
        self._requests = 0
        self._idle_steps = 0

    def start(self) -> None:
        """Start it, and hear what it is. Raises ForeignError."""
        self._process.start()
        line = self._process.read_line()
        self._hello = self._understood(lambda: read_hello(line))

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self._hello.kind

    @property
    def knows_next(self) -> bool:
        """Whether `next_at` can be relied on."""
        return self._hello.knows_next

    def ask(self, do: str, read: Callable[[Actions], T], *, now: int, **fields: Any) -> T:
        """Have it do something at a time that has not passed, and return what `read` makes of its actions.

        A child that has been advanced past `now`, as one of two that cannot know their deadlines may be, is asked at
        its own time. Raises ForeignError.
        """
        if self._is_resting:
            self._is_resting = False
            self._shift += self.now - now
            self.now = now
        self.now = max(self.now, now)
        return self._exchange(do, read, fields)

    def advance(self, read: Callable[[Actions], T], *, until: int) -> T:
        """Let it run up to `until`, or to where it acts: `now` says where it stopped. Raises ForeignError."""
        assert until >= self.now, "time does not go back"
        return self._exchange("advance", read, {"until": until})

    def _exchange(self, do: str, read: Callable[[Actions], T], fields: dict[str, Any]) -> T:
        try:
            return self._ask(do, read, fields)
        except ForeignError as error:
            until = fields.get("until")
            asked = f'asked for "{do}"' if until is None else f"when it was to run up to {format_time(until)} s"
            raise ForeignError(f"{error.what}, {asked}", error.log) from None
        except BaseException:  # an interruption: its answer would be taken for the next
            self._process.end(at_once=True)
            raise

    def _ask(self, do: str, read: Callable[[Actions], T], fields: dict[str, Any]) -> T:
        self._requests += 1
        now, shift = self.now + self._shift, self._shift
        until = fields["until"] + shift if "until" in fields else None
        moved = fields if until is None else {**fields, "until": until}
        line = self._process.exchange(write_request(self._requests, do, now, moved))

        def understand() -> T:
            reply = read_reply(line, self._requests, self._hello, now=now)
            reached = _reached(do, reply, now, until)
            self.now = reached - shift
            self.next_at = None if reply.next_at is None else reply.next_at - shift
            did_nothing = do == "advance" and not reply.actions
            self.is_settled = did_nothing and self.next_at != self.now
            self._note_idleness(did_nothing and reached == now)
            return read(reply.actions)

        return self._understood(understand)

    def _note_idleness(self, is_idle: bool) -> None:
        self._idle_steps = self._idle_steps + 1 if is_idle else 0
        if self._idle_steps > IDLE_STEPS_MAX:
            raise Nonsense(f"was called {IDLE_STEPS_MAX} times at one instant, as it wanted, and did nothing")

    def _understood(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except Nonsense as nonsense:
            raise self._process.failure(str(nonsense)) from None

    @property
    def has_ended(self) -> bool:
        """Whether it can be asked nothing any more."""
        return self._process.has_ended

    def rest(self) -> None:
        """Wait for another call: its time goes on where it is, whatever time that call begins at."""
        self._is_resting = True
        self.next_at = None

    def note(self, text: str) -> None:
        """Add a line to its log."""
        self._process.note(text)

    def end(self) -> None:
        """End the process, and all that it started."""
        self._process.end()


def _reached(do: str, reply: Reply, now: int, until: int | None) -> int:
    """Return where its clock has come to, in its own time. Raises Nonsense."""
    stopped_at = reply.now
    if until is None:
        if stopped_at not in (None, now):
            raise Nonsense(f'moved its clock from {now} to {stopped_at} in "{do}": only "advance" does')
        return now
    if stopped_at is None and reply.actions:
        raise Nonsense('acted, and did not say when: a reply to "advance" with actions has a "now"')
    reached = until if stopped_at is None else stopped_at
    if reached > until:
        raise Nonsense(f"ran ahead: it was to stop at {until}, and went on to {reached}")
    if reply.next_at is not None and reply.next_at < reached:
        raise Nonsense(f'went back in time: "next" is {reply.next_at}, and it was {reached} already')
    return reached
