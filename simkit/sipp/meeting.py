"""Two sides played against each other: what one sends comes to the other, at once."""

import re

from .expressions import translated
from .ladder import Line
from .player import Moment, Player
from .playing import Stage
from .scenario import Receive
from .side import Sending, Waiting


class Meeting(Stage):
    """Two sides against each other."""

    def play(self, one: Player, other: Player) -> None:
        """Put on the ladder what the two say to each other, until neither has anything left to do."""
        while (chosen := self._soonest(one, other)) is not None:
            acting, event = chosen
            if self.is_full(acting.side.scenario.source):
                return
            if isinstance(event, Sending):
                line = self.send(acting, event)
                if line is not None and not line.is_dropped:
                    receiver = other if acting is one else one
                    receiver.inbox.append((acting.side.clock_us, line))
            elif acting.inbox:
                self._receive(acting, event, *acting.inbox.popleft())
            elif event.mandatory is not None:
                acting.side.timed_out(event.mandatory)
        self._tell_of_the_rest(one, other)

    def _soonest(self, one: Player, other: Player) -> tuple[Player, Sending | Waiting] | None:
        """Return who acts next, and what it does: send, look at what has come, or give up waiting."""
        chosen: tuple[tuple[int, int], Player, Sending | Waiting] | None = None
        for each in (one, other):
            event = each.side.next()
            now_us = each.side.clock_us
            if isinstance(event, Sending):
                due = now_us, 1
            elif isinstance(event, Waiting) and each.inbox:
                due = max(now_us, each.inbox[0][0]), 0
            elif isinstance(event, Waiting) and event.timeout_us:
                due = now_us + event.timeout_us, 2
            else:
                continue
            if chosen is None or due < chosen[0]:
                chosen = due, each, event
        return (chosen[1], chosen[2]) if chosen else None

    def _receive(self, player: Player, waiting: Waiting, at_us: int, line: Line) -> None:
        wanted = [*waiting.optional, *([waiting.mandatory] if waiting.mandatory else [])]
        step = next((step for step in wanted if _accepts(step, line)), None)
        side = player.side
        side.clock_us = max(side.clock_us, at_us)
        if step is None:
            expected = " or ".join(map(str, wanted))
            message = f"{player.name} expects {expected} here, and {line.pattern} comes: SIPp would give the call up"
            self._note(wanted[-1].source if wanted else line.source, message, line)
            return
        player.story.append(Moment(line, step, side.clock_us))
        side.received(step, line)

    def _tell_of_the_rest(self, *players: Player) -> None:
        for each in players:
            event = each.side.next()
            if isinstance(event, Waiting) and event.mandatory is not None:
                self._note(event.mandatory.source, f"{each.name} waits here for {event.mandatory}, which never comes")


def _matches(expression: str, method: str) -> bool:
    translation = translated(expression)
    return translation is not None and re.search(translation, method) is not None


def _accepts(step: Receive, line: Line) -> bool:
    if step.request is not None:
        if line.status:
            return False
        return step.request == line.method or (step.is_expression and _matches(step.request, line.method))
    return line.status == step.response
