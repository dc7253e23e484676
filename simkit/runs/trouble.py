"""What keeps messages from a party's agent: `ignore METHOD`, and `reply STATUS to METHOD`, which answers for it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..flows.model import Stimulus
from ..sip.headers import HeaderField
from ..sip.message import Message, Request
from .times import Marks


@runtime_checkable
class Answerer(Protocol):
    """An agent that can be made to answer a request with something else than it would."""

    def reply(self, request: Request, status: int, headers: tuple[HeaderField, ...] = (), *, now: int) -> None:
        """Answer a request with this final status."""
        ...


Reply = Callable[[Request, Stimulus], None]
"""Answers a request as a `reply` line says."""


class Trouble:
    """`ignore METHOD` or `reply STATUS to METHOD`: so many requests, or those until some time, go no further."""

    __slots__ = ("_answered", "_left", "_marks", "_reply", "_stimulus")

    def __init__(self, stimulus: Stimulus, marks: Marks, reply: Reply | None) -> None:
        self._stimulus = stimulus
        self._marks = marks
        self._reply = reply
        self._left = stimulus.times
        self._answered: set[str] = set()

    def strikes(self, message: Message, *, now: int) -> bool:
        """Deal with a message that has arrived, if it is one of those; tell whether it was."""
        if not isinstance(message, Request) or message.method != self._stimulus.method or self._is_past(now):
            return False
        if self._reply is not None:
            branch = message.branch
            if branch in self._answered:
                return False  # the transaction that has sent our answer repeats it
            self._answered.add(branch)
            self._reply(message, self._stimulus)
        if self._left is not None:
            self._left -= 1
        return True

    def _is_past(self, now: int) -> bool:
        if self._left == 0:
            return True
        until_at = self._marks.resolve(self._stimulus.until) if self._stimulus.until else None
        return until_at is not None and now >= until_at


class Troubles:
    """Everything that keeps messages from one party's agent: what a network asks before it hands a message over."""

    __slots__ = ("_now", "_troubles")

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._troubles: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        """Put up with this from here on; earlier trouble strikes first."""
        self._troubles.append(trouble)

    def __call__(self, message: Message) -> bool:
        """Whether the message goes no further."""
        now = self._now()
        return any(trouble.strikes(message, now=now) for trouble in self._troubles)
