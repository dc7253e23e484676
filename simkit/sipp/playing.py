"""Scenarios played on paper: messages that a side sends become lines of the ladder, whomever it talks to.

No time passes but that of pauses and timeouts, and no message is on its way for any time. `telling` has one side alone,
`meeting` two against each other.
"""

import re
from typing import Final

from ..errors import Source
from ..flows.patterns import METHODS
from ..units import MS, S
from .ladder import Ladder, Line, Remark, Shape
from .player import Moment, Player
from .quotes import Kind, Quote
from .scenario import Send
from .sent import Sent, read_sent
from .side import Sending

LINES_MAX: Final = 1_000
"""So many lines are written of a scenario that goes round and round."""
CHARACTERS_MAX: Final = 1_000_000
"""So much text of messages is looked at."""

_T1_US: Final = 500 * MS
_T2_US: Final = 4 * S


class Stage:
    """What telling one side and having two meet have in common: messages sent become lines."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self._characters = 0

    def is_full(self, source: Source) -> bool:
        """Whether enough has been written; then that is noted."""
        if self.ladder.next_number >= LINES_MAX:
            self._note(source, f"it goes on for more than {LINES_MAX:,} messages: the rest is left out")
            return True
        if self._characters >= CHARACTERS_MAX:
            self._note(source, f"its messages are longer than {CHARACTERS_MAX:,} characters: the rest is left out")
            return True
        return False

    def send(self, player: Player, event: Sending) -> Line | None:
        """Put a message of a side on the ladder; None where no flow can have it."""
        step = event.step
        self._characters += len(event.text)
        sent = read_sent(_with_places(event.text, player), player.quotes, self.ladder)
        if sent is None or sent.method not in METHODS:
            what = sent.method if sent else ""
            why = f"no flow knows the method {what[:20]}" if what else "this is no message that a flow can name"
            self._note(step.source, why)
            player.side.left_unsent(step)
            return None
        if self._repeats_in_time(player, event, sent):
            player.side.left_unsent(step)
            return None
        names, when = player.side.names, player.side.when()
        line = Line(self.ladder.next_number, names.own, names.peer, sent.method, sent.status, step.source, when)
        self.ladder.add(line)
        line.shape = self._shape(player, line, sent, step)
        player.story.append(Moment(line, step, player.side.clock_us, sent))
        if step.lost > 0:
            self._lose(step, line)
        player.side.sent(step, line)
        return line

    def _repeats_in_time(self, player: Player, event: Sending, sent: Sent) -> bool:
        """Whether a message is the one before once more, when a party that retransmits sends that anyway."""
        last = player.story[-1] if player.story else None
        if last is None or last.sent is None or last.sent.whole != sent.whole or sent.method == "ACK":
            return False
        is_due = player.side.clock_us - last.clock_us in _due_again(
            is_invite=sent.method == "INVITE" and not sent.status
        )
        player.repeats = player.repeats or is_due
        return is_due

    def _shape(self, player: Player, line: Line, sent: Sent, step: Send) -> Shape:
        shape = player.dialogue.shape(line, sent)
        if sent.odd_line is not None:
            self._note(step.place(sent.odd_line), "this line is no header: it is left out", line)
        headers = [(name, player.words.written(value, line)) for name, value in shape.headers]
        if sent.account is not None:
            player.account = player.account or sent.account
            if player.account != sent.account:
                self._note(step.source, f"a party has one account: it is {player.account[0]} here, too", line)
        return Shape(headers, shape.without, answers_challenge=sent.account is not None)

    def _lose(self, step: Send, line: Line) -> None:
        if step.lost >= 100:
            line.is_dropped = True
        else:
            share = f"network: {{loss: {step.lost:g}%}}"
            self._note(step.source, f"{step.lost:g} % of these are lost: for all messages that is '{share}'", line)

    def _note(self, source: Source, message: str, line: Line | None = None) -> None:
        self.ladder.note(Remark.NOT_CARRIED_OVER, source, message, line)


def _due_again(*, is_invite: bool) -> set[int]:
    """Return when a message is sent again, as RFC 3261 has it (sections 17.1.1.2, 17.1.2.2 and 13.3.1.4)."""
    times, interval_us, at_us = set[int](), _T1_US, 0
    while (at_us := at_us + interval_us) < 64 * _T1_US:
        times.add(at_us)
        interval_us = 2 * interval_us if is_invite else min(2 * interval_us, _T2_US)
    return times


def _with_places(text: str, player: Player) -> str:
    """Return a message with the addresses that it writes out replaced by quotes of them."""
    quoted = player.quotes.character
    local = f"{quoted(Quote(Kind.LOCAL_HOST))}:{quoted(Quote(Kind.LOCAL_PORT))}"
    remote = f"{quoted(Quote(Kind.REMOTE_HOST))}:{quoted(Quote(Kind.REMOTE_PORT))}"
    if player.local:
        text = _replaced(text, player.local, local)
        head, blank, body = text.partition("\n\n")
        host = player.local.rpartition(":")[0]
        text = head + blank + _replaced(body, host, quoted(Quote(Kind.LOCAL_HOST)))
    return _replaced(text, player.remote, remote) if player.remote else text


def _replaced(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", new, text)
