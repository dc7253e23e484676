"""Signals that would end us while children live: they wait for a moment at which no child is lost.

Elsewhere than in the main thread, and where somebody has other plans for a signal, nothing is changed.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP)  # which by default end a process without a word

Receive = Callable[[int, Any], None]


class EndedBySignal(BaseException):
    """SIGTERM or SIGHUP has come."""


@contextlib.contextmanager
def orderly_ends() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end us only when this block has been left, and with it those in which children live."""
    received: list[int] = []

    def receive(number: int, _: Any) -> None:
        received.append(number)
        if len(received) == 1:
            raise EndedBySignal

    try:
        with _received_by(receive, *[number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]):
            yield
    finally:
        _pass_on(received[:1])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let what would interrupt this block, Ctrl-C too, do so when it is over."""
    received: list[int] = []
    with _received_by(lambda number, _: received.append(number), signal.SIGINT, *ENDING):
        yield
    _pass_on(received)


@contextlib.contextmanager
def _received_by(receive: Receive, *numbers: signal.Signals) -> Iterator[None]:
    before = {}
    try:
        with contextlib.suppress(ValueError):  # not in the main thread
            for number in numbers:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, receive)
        yield
    finally:
        for number, receiver in before.items():
            signal.signal(number, receiver)


def _pass_on(received: list[int]) -> None:
    for number in received:
        os.kill(os.getpid(), number)
