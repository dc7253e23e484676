"""One direction between two parties: how long a message takes, and whether it arrives, twice, late or never.

What chance decides comes from a seeded source, and a draw is made only where the settings leave something to chance:
an ideal link costs nothing and leaves the seed alone. Beside chance there are faults that a flow orders: the n-th
message of a kind is dropped, delayed or doubled.

A link keeps messages in order, jitter or not: one that would overtake arrives together with the one before it. Only a
message that is reordered or delayed by order is held back and lets later ones pass; over a connection none does.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from ..settings import LinkSettings
from ..sip.message import Message
from ..units import MS

REORDER_HOLD_US: Final = 100 * MS
"""How long a reordered message is held back: a burst passes it, and T1 (500 ms) does not yet run out."""

_MILLION: Final = 1_000_000

MessageTest = Callable[[Message], bool]


class Random(Protocol):
    """The one method of `random.Random` that yields the same numbers in every version of Python."""

    def random(self) -> float:
        """Return the next number, from 0 up to but not including 1."""
        ...


class Fate(NamedTuple):
    """What becomes of one message: when it arrives (twice, if doubled), or why it does not."""

    arrives_at: tuple[int, ...]
    lost: str | None = None


class _Fault:
    """Something that happens once, to the n-th message of a kind."""

    __slots__ = ("_countdown", "_test", "copies", "held_us")

    def __init__(self, test: MessageTest, nth: int, *, copies: int, held_us: int) -> None:
        assert nth >= 1, "messages count from 1"
        assert held_us >= 0, "a message cannot arrive before it is sent"
        self._test = test
        self._countdown = nth
        self.copies = copies
        self.held_us = held_us

    def strikes(self, message: Message) -> bool:
        """Count the message if it is of the kind; tell whether it is the one."""
        if not self._test(message):
            return False
        self._countdown -= 1
        return self._countdown == 0


class Link:
    """The way from one party to another."""

    __slots__ = ("_faults", "_in_order", "_leaves_to_chance", "_random", "_settings", "_settled_until", "cut")

    def __init__(self, settings: LinkSettings, random: Random, *, in_order: bool = False) -> None:
        """Behave as these settings say; `in_order`: nothing ever overtakes, as over a connection."""
        self._in_order = in_order
        self._settings = settings
        self._random = random
        self._leaves_to_chance = any(
            (settings.jitter_us, settings.loss_ppm, settings.duplicate_ppm, settings.reorder_ppm)
        )
        self._faults: list[_Fault] = []
        self._settled_until = 0
        self.cut = False
        """Whether the parties are cut off from each other: what is sent now is lost."""

    def drop(self, test: MessageTest, *, nth: int = 1) -> None:
        """Lose the n-th message from here on that passes the test, counting every sending."""
        self._faults.append(_Fault(test, nth, copies=0, held_us=0))

    def delay(self, test: MessageTest, *, by_us: int, nth: int = 1) -> None:
        """Hold the n-th such message back; later ones may overtake it."""
        self._faults.append(_Fault(test, nth, copies=1, held_us=by_us))

    def duplicate(self, test: MessageTest, *, nth: int = 1) -> None:
        """Deliver the n-th such message twice."""
        self._faults.append(_Fault(test, nth, copies=2, held_us=0))

    def send(self, message: Message, *, now: int) -> Fate:
        """Decide what becomes of a message that is sent now."""
        if not (self._leaves_to_chance or self._faults or self.cut or self._settled_until > now):
            return Fate((now + self._settings.latency_us,))
        struck = self._struck_by(message)
        if self.cut:
            return Fate((), "the parties are cut off from each other")
        if any(fault.copies == 0 for fault in struck):
            return Fate((), "dropped by order of the flow")
        if self._chance(self._settings.loss_ppm):
            return Fate((), "lost by the network")
        doubled = self._chance(self._settings.duplicate_ppm) or any(fault.copies == 2 for fault in struck)
        held_us = sum(fault.held_us for fault in struck)
        return Fate(tuple(self._arrival(now, held_us) for _ in range(1 + doubled)))

    def _struck_by(self, message: Message) -> list[_Fault]:
        struck = [fault for fault in self._faults if fault.strikes(message)]
        for fault in struck:
            self._faults.remove(fault)  # a link without faults is quick again
        return struck

    def _arrival(self, now: int, held_us: int) -> int:
        jitter_us = self._settings.jitter_us
        arrives_at = now + self._settings.latency_us
        if jitter_us:
            arrives_at += int(self._random.random() * (jitter_us + 1))
        if self._chance(self._settings.reorder_ppm):
            held_us += REORDER_HOLD_US
        arrives_at = max(arrives_at, self._settled_until) + held_us
        if self._in_order or not held_us:
            self._settled_until = arrives_at
        return arrives_at

    def _chance(self, share_ppm: int) -> bool:
        return share_ppm > 0 and self._random.random() * _MILLION < share_ppm
