"""Scenarios played on paper: one side told as far as that goes without knowing its peer, or two against each other.

No time passes but that of pauses and timeouts, and no message is on its way for any time. Of one side alone nobody
knows what will come: it is told as if all that must come does, and nothing that goes on elsewhere.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from ..errors import Source
from ..flows.patterns import METHODS
from ..units import MS, S, format_duration
from .dialogue import Dialogue
from .expressions import translated
from .filling import Names
from .ladder import Ladder, Line, Remark, Shape, When
from .quotes import Kind, Quote, Quotes
from .scenario import Receive, Scenario, Send
from .sent import Sent, read_sent
from .side import Ended, Sending, Side, Waiting
from .words import Words

LINES_MAX: Final = 1_000
"""So many lines are written of a scenario that goes round and round."""
CHARACTERS_MAX: Final = 1_000_000
"""So much text of messages is looked at."""

_LOOKED_AT: Final = 4_000
"""So much of a message is searched for addresses."""

_T1_US: Final = 500 * MS
_T2_US: Final = 4 * S
_STATUS = re.compile(r"[1-6][0-9]{2}")
_VIA_HOST = re.compile(r"^(?:Via|v)\s*:\s*SIP/2\.0/\w+\s+([^\s;\[\]]+:[0-9]+)", re.MULTILINE | re.IGNORECASE)
_CONTACT_HOST = re.compile(
    r"^(?:Contact|m)\s*:[^:\n]*sips?:(?:[^@\s>\[\]]*@)?([^\s;>\[\]@]+:[0-9]+)", re.MULTILINE | re.IGNORECASE
)
_URI_HOST = re.compile(r"\S+ sips?:(?:\S*@)?([^\s;>\[\]@]+:[0-9]+)\S* SIP/2\.0")


@dataclass(frozen=True, slots=True)
class Moment:
    """A message in the story of one side: which step it belongs to, and, of one that it sent, what is in it."""

    line: Line
    step: Send | Receive
    clock_us: int
    """How far the side had come by its pauses and timeouts when it turned to this."""
    sent: Sent | None = None


@dataclass(slots=True)
class Player:
    """One side with all that tells its story."""

    side: Side
    dialogue: Dialogue
    words: Words
    quotes: Quotes
    local: str
    remote: str
    """Addresses that the scenario has instead of keywords; "" where it has none."""
    story: list[Moment] = field(default_factory=list)
    account: tuple[str, str] | None = None
    """User and password with which it answers challenges."""
    repeats: bool = False
    """It sends again what is not answered, step by step."""
    inbox: deque[tuple[int, Line]] = field(default_factory=deque)
    """What has come and is not looked at yet, with the time."""

    @property
    def lasts_us(self) -> int:
        """How long it may take by its pauses and timeouts."""
        timeouts = (moment.step.timeout_us for moment in self.story if isinstance(moment.step, Receive))
        return self.side.clock_us + sum(timeouts)

    @property
    def name(self) -> str:
        """Its name in the flow."""
        return self.side.names.own


def player(scenario: Scenario, names: Names, ladder: Ladder, quotes: Quotes) -> Player:
    """Return a side at its beginning."""
    side, dialogue = Side(scenario, names, ladder, quotes), Dialogue(names, ladder, quotes)
    local, remote = _addresses(scenario)
    return Player(side, dialogue, Words(names, ladder, quotes, dialogue), quotes, local, remote)


def _addresses(scenario: Scenario) -> tuple[str, str]:
    """Return the addresses that a scenario writes out for itself and for its peer."""
    texts = [step.message.text[:_LOOKED_AT] for step in scenario.steps if isinstance(step, Send)]
    requests = [text for text in texts if not text.startswith("SIP/2.0")]
    local = next((found[1] for text in requests if (found := _VIA_HOST.search(text))), "")
    local = local or next((found[1] for text in texts if (found := _CONTACT_HOST.search(text))), "")
    remote = next((found[1] for text in requests if (found := _URI_HOST.match(text))), "")
    return local, remote if remote != local else ""


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


# --- one side --------------------------------------------------------------------------------------------------------


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


# --- two sides -------------------------------------------------------------------------------------------------------


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
