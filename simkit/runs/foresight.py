"""What will children do next? Found out before time moves on, for only they know.

A child that says when it wants to be called is called then. One that cannot know is advanced to the time of the
earliest other event, and stops where it acts. Of two such children each may act on what the other sends: they advance
in steps no longer than a message is on its way, so that none hears of what for it has passed.
"""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ..drivers.driver import Outlook
from ..drivers.network import Condition, Party
from ..drivers.turns import Driver
from ..foreign.child import Child


class Foreseen(Protocol):
    """Something with a child that may act of its own accord."""

    child: Child

    @property
    def is_waiting(self) -> bool:
        """Whether it may act at all."""
        ...

    def advance(self, *, until: int) -> bool:
        """Let its clock run up to `until`, or to where it acts; return whether it did."""
        ...


@dataclass(slots=True)
class _Watched:
    """A child and the party whose clock it goes by."""

    foreseen: Foreseen
    party: Party

    @property
    def is_waiting(self) -> bool:
        return self.foreseen.is_waiting and self.party.condition is not Condition.FROZEN

    def due_at(self) -> int | None:
        """Return when it is to be called, in run time; None where it does not say."""
        at = self.foreseen.child.next_at
        return None if at is None else self.party.clock.run(at)


class Foresight:
    """Looks ahead on behalf of a driver (`VirtualDriver.look_ahead`)."""

    def __init__(self, driver: Driver, *, step_us: int) -> None:
        """`step_us` is the least time that a message is on its way."""
        self._driver = driver
        self._step_us = step_us
        self._watched: list[_Watched] = []

    def watch(self, foreseen: Foreseen, party: Party) -> None:
        """Look at this from here on, by the clock of this party."""
        self._watched.append(_Watched(foreseen, party))

    def forget(self, foreseen: Foreseen) -> None:
        """Look at this no more."""
        self._watched = [watched for watched in self._watched if watched.foreseen is not foreseen]

    def __call__(self, until: int) -> Outlook:
        """Nothing else happens before `until`: bring every child there, or to where the first of them acts.

        What they do is put on the driver's agenda.
        """
        now = self._driver.now
        while waiting := [watched for watched in self._watched if watched.is_waiting]:
            due = [(at, watched) for watched in waiting if (at := watched.due_at()) is not None]
            blind = [watched for watched in waiting if not watched.foreseen.child.knows_next]
            step_at = max(now, min((at for at, _ in due), default=until))
            step_at = min(until, step_at, now + self._step_us) if len(blind) > 1 else min(until, step_at)
            called = [watched for at, watched in due if at <= step_at]
            if self._advance(blind, step_at) or self._advance(called, step_at):
                return Outlook.SOON
            if step_at == until and not called:
                return Outlook.LATER if due else Outlook.NEVER
            now = step_at
        return Outlook.NEVER

    def _advance(self, chosen: list[_Watched], until: int) -> bool:
        """Advance these children; return whether one of them acts. What one does, the others are not to outrun."""
        acted = False
        for watched in chosen:
            party, child = watched.party, watched.foreseen.child
            local_until = max(child.now, party.clock.local(until))
            if child.is_settled and local_until == child.now:
                continue
            if watched.foreseen.advance(until=local_until):
                acted = True
                until = max(self._driver.now, min(until, party.clock.run(child.now)))
                self._driver.at(until, partial(self._driver.poke, party))
        return acted
