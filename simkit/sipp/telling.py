"""One side of a scenario told as far as that goes without knowing its peer.

Nobody knows what will come: it is told as if all that must come does, and nothing that goes on elsewhere.
"""

import re

from ..flows.patterns import METHODS
from ..units import format_duration
from .ladder import Line, When
from .player import Moment, Player
from .playing import Stage
from .scenario import Receive, Send
from .side import Ended, Sending, Waiting

_STATUS = re.compile(r"[1-6][0-9]{2}")


class Telling(Stage):
    """One side against a peer that nobody knows."""

    def tell(self, player: Player) -> None:
        """Put the whole of a scenario on the ladder."""
        side = player.side
        while not isinstance(event := side.next(), Ended):
            if self.is_full(side.scenario.source):
                return
            if isinstance(event, Sending):
                self.send(player, event)
            elif event.mandatory is None:
                self._glance(player, event)
                side.skipped(event)
            else:
                self._glance(player, event)
                self._expect(player, event.mandatory)

    def _glance(self, player: Player, waiting: Waiting) -> None:
        """Put what may come on the ladder."""
        for step in waiting.optional:
            if step.branch is not None:
                what = f"when {step} comes, SIPp goes on at label '{step.branch.label}': here it does not come"
                self._note(step.source, what)
            elif step.response != "100":
                line = self._line(player, step, optional=True)
                player.side.glanced(step, line)

    def _expect(self, player: Player, step: Receive) -> None:
        """Put what must come on the ladder."""
        side = player.side
        is_next = step.on_timeout is not None and side.is_next(step.on_timeout, step)
        width_us = step.timeout_us or None
        when = When(side.anchor, side.has_received_anchor, side.waited_us, width_us) if width_us else None
        line = self._line(player, step, optional=is_next, when=when)
        player.story.append(Moment(line, step, side.clock_us))
        if step.on_timeout is not None and not is_next:
            within = f" within {format_duration(step.timeout_us)}" if step.timeout_us else ""
            message = f"when {step} does not come{within}, SIPp goes on at label '{step.on_timeout}': here it must come"
            self._note(step.source, message, line)
        if is_next:
            side.glanced(step, line)
            side.timed_out(step)
        else:
            side.received(step, line)

    def _line(self, player: Player, step: Receive, *, optional: bool, when: When | None = None) -> Line:
        names = player.side.names
        method, status = self._meant(player, step)
        line = Line(self.ladder.next_number, names.peer, names.own, method, status, step.source, when, optional)
        return self.ladder.add(line)

    def _meant(self, player: Player, step: Receive) -> tuple[str, str]:
        """Return the method and status of what a step expects, as far as a flow can say it."""
        if step.request is not None:
            return self._requested(step), ""
        written = step.response or ""
        requests = [line.method for line in player.side.requests]
        if step.transaction is not None:
            named = [moment.line.method for moment in player.story if _starts(moment, step.transaction)]
            requests = requests + named
        earlier = [line.method for line in self.ladder.lines() if line.sender == player.name and not line.status]
        method = (requests or earlier or ["INVITE"])[-1]
        if _STATUS.fullmatch(written):
            return method, written
        shown = written[:1] + "xx" if step.is_expression and written[:1] in "123456" and written else "2xx"
        self._note(step.source, f"'{written[:40]}' is no status: it is taken for {shown}")
        return method, shown

    def _requested(self, step: Receive) -> str:
        written = (step.request or "").strip("^$() ")
        if written in METHODS:
            return written
        first = next((word for word in re.split(r"[|()^$]", written) if word in METHODS), None)
        if first is None:
            self._note(step.source, f"no flow knows a request '{written[:40]}': it is taken for INVITE")
        else:
            self._note(step.source, f"'{written[:40]}' allows for several: it is taken for {first}")
        return first or "INVITE"


def _starts(moment: Moment, transaction: str) -> bool:
    return isinstance(moment.step, Send) and moment.step.transaction == transaction and not moment.line.status
