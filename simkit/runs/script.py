"""The script of one call: it has the lines of a flow done when their turn comes, and judges what is seen.

A stimulus, a change of the network, or an order to a scripted party is an *action*: it is done at its time, or at once.
Everything else waits for a message. Messages are judged at the instant of sending, in the order of the lines. Two
parties that send at the same instant have no order: a message may overtake lines of other senders, if those are met
before that instant is over. An instant is a microsecond, or as long as the tolerance where time is real.

An action that asks something of a user agent (`answer`, `hang up`) and follows a message to it waits until that has
arrived: nobody answers a call that has not reached them. Trouble (`crash`, `ignore`) strikes at once.
"""

from ..errors import LocalError, PeerError
from ..trace import Transit
from . import failures
from .course import Course, Met
from .fates import Fates
from .matching import Mismatch, value_to_save
from .plan import Line, Plan, Turn
from .stage import Stage, asked
from .times import Due
from .verdict import Failure, Verdict


class Script(Course):
    """The lines of a flow as one call plays them."""

    __slots__ = (
        "_fates",
        "_is_held_up",
        "_ordered",
        "_owed",
        "_stage",
        "_under_way",
        "_waits_for",
        "_wakes_for",
        "culprit",
        "failure",
        "mismatch",
        "missed",
        "offence",
        "saved",
        "verdict",
    )

    def __init__(self, plan: Plan, stage: Stage, *, start_at: int) -> None:
        super().__init__(plan, start_at=start_at)
        self.saved: dict[str, str] = dict(stage.places)
        self.failure: Failure | None = None
        self.verdict = Verdict.PASS
        self.culprit: Line | None = None
        """The line at which the call failed."""
        self.offence: Transit | None = None
        """The message that made it fail."""
        self.missed: Due | None = None
        """When the message was due whose absence made it fail."""
        self.mismatch: Mismatch | None = None
        """What was wrong with the offence, if not its coming."""
        self._stage = stage
        self._waits_for: Turn | None = None
        self._wakes_for: Turn | None = None
        self._ordered: list[Turn] = []
        """What scripted parties were told to send and have not sent yet: a frozen one does when it thaws."""
        self._owed: list[tuple[Turn, Transit]] = []
        """Lines that were overtaken at this instant, and by which message."""
        self._is_held_up = False
        self._under_way: dict[str, Transit] = {}
        """By receiver: the message that most recently met a line, until it arrives or is lost."""
        self._fates = Fates()

    def begin(self) -> None:
        """Do what comes first."""
        self._proceed()

    def sent(self, transit: Transit) -> None:
        """Judge a message at the instant of its sending."""
        if self.failure is not None:
            return
        ordered = next((turn for turn in self._ordered if turn.line.sender == transit.sender), None)
        if ordered is not None:
            self._ordered.remove(ordered)
            self._meet(ordered, transit)
        elif transit.retransmission:
            self._sent_again(transit)
        elif self.plan.forbidden.find(transit.message) is not None:
            self._fail(failures.forbidden(self, transit), transit=transit)
        elif (index := self.find(transit)) is not None:
            self._take(index, transit)
        elif not self.is_free(transit):
            self._fail(failures.unexpected(self, transit), transit=transit)

    def settled(self, transit: Transit) -> None:
        """A message has arrived or is lost: what waited for that may go on."""
        if self._under_way.get(transit.receiver) is transit:
            del self._under_way[transit.receiver]
        self.marks.arrived(transit)
        if self._owed and transit.received_at is not None:
            self._collect(received=transit)
        if self._is_held_up:
            self._is_held_up = False
            self._stage.at(self._stage.now, self._proceed)

    def finish(self, *, last_at: int, limit_at: int | None, waited_us: int) -> None:
        """Judge what only the end can tell; `limit_at` is None where nothing is left that could happen.

        Others, who may always do something, have been waited for so long.
        """
        if self.failure is not None:
            return
        turn = self.cursor.waiting()
        if turn is not None:
            self._fail(failures.never_came(self, turn, last_at=last_at, limit_at=limit_at, waited_us=waited_us), turn)
            return
        for fate in self._fates:
            failure = failures.wrong_fate(fate)
            if failure is not None:
                self._fail(failure, fate.turn)
                return

    def break_off(self, failure: Failure) -> None:
        """The call cannot go on."""
        if self.failure is None:
            self._fail(failure, verdict=Verdict.ERROR)

    def unmet(self) -> set[Line]:
        """Return the lines that a failed call still had before it, and that at which it failed. Ask once."""
        if self.failure is None:
            return set()
        rest = self.cursor.rest(2 * len(self.plan.observations))  # the whole of a repeat that is under way
        rest |= {line for line in self.plan.observations if not line.optional and line not in self.met}
        return rest | {self.culprit} if self.culprit else rest

    # --- doing -------------------------------------------------------------------------------------------------------

    def _proceed(self, *, late: bool = False) -> None:
        """Do what is to be done now. An action may send messages, so this is never called from an agent's turn."""
        while self.failure is None and (index := self._next_action(late=late)) is not None:
            self._perform(self.cursor.take(index))

    def _perform(self, turn: Turn) -> None:
        if turn.line.is_order:
            self._ordered.append(turn)
        try:
            self._stage.perform(turn.line.step)
        except (LocalError, PeerError) as error:  # the second: no message can be made of what a line has sent
            self._fail(failures.refused(self, turn, str(error), now=self._stage.now), turn, verdict=Verdict.ERROR)

    def _next_action(self, *, late: bool = False) -> int | None:
        """Return the place of the action that is to be done now; else see to it that the next line is not missed."""
        now, index, patience_ends = self._stage.now, 0, None
        while (turn := self.cursor.peek(index)) is not None and turn.line.optional:
            due = self.due(turn, now=now)
            instant_ends = now if late else now + self.plan.tolerance_us
            patience_ends = max(now, due.latest if due else instant_ends, patience_ends or now)
            index += 1
        if turn is None:
            return None
        due = self.due(turn, now=now)
        if due is None and turn.is_timed:
            self._is_held_up = True  # by a mark that is not known yet
        elif turn.line.is_awaited:
            self._await(turn, due)
        elif self._is_ripe(turn, due, None if late and patience_ends == now else patience_ends):
            return index
        return None

    def _is_ripe(self, turn: Turn, due: Due | None, patience_ends: int | None) -> bool:
        """Whether an action is to be done now; `patience_ends`: so long may optional lines before it still be met."""
        now = self._stage.now
        if due is not None:
            if now > due.latest:
                self._fail(failures.turn_too_late(self, turn, due, now=now), turn)
            elif now < due.stated:
                self._wake(turn, due.stated)
            return due.stated <= now <= due.latest
        if asked(turn.line.step) in self._under_way:
            self._is_held_up = True
            return False
        if patience_ends is not None:
            self._wake(turn, patience_ends, late=True)
        return patience_ends is None

    def _wake(self, turn: Turn, at: int, *, late: bool = False) -> None:
        if self._wakes_for is not turn:
            self._wakes_for = turn
            self._stage.at(at, lambda: self._awake(late=late), late=late)

    def _awake(self, *, late: bool) -> None:
        self._wakes_for = None
        self._proceed(late=late)

    def _await(self, turn: Turn, due: Due | None) -> None:
        if due is None or self._waits_for is turn:
            return
        self._waits_for = turn
        now = self._stage.now
        if now > due.latest:
            self._fail(failures.turn_too_late(self, turn, due, now=now), turn)
        else:
            self._stage.at(due.latest, lambda: self._overdue(turn, due), late=True)

    def _overdue(self, turn: Turn, due: Due) -> None:
        if self.failure is None and turn in self.cursor:
            self.missed = due
            self._fail(failures.missing(self, turn, due), turn)

    # --- judging -----------------------------------------------------------------------------------------------------

    def _take(self, index: int, transit: Transit) -> None:
        """A message has met the line at this place: the optional ones before it are skipped, the others are owed."""
        turn = self.cursor.take(index)
        if index:
            self._pass(index, transit)
        self._meet(turn, transit)

    def _pass(self, count: int, transit: Transit) -> None:
        owed = self.cursor.before(count)
        if not owed:
            self.cursor.skip(count)
            return
        self._owed += [(passed, transit) for passed in owed]
        self._stage.at(self._stage.now + self.plan.tolerance_us, self._collect, late=True)

    def _collect(self, *, received: Transit | None = None) -> None:
        """The instant is over, so what was overtaken must have come; or what overtook it has been received.

        Who has received a message does not send anything at the same time as that any more, but after it.
        """
        if self.failure is not None:
            return
        over_at = self._stage.now - self.plan.tolerance_us
        for turn, overtaker in self._owed:
            if received is None:
                late = overtaker.sent_at <= over_at
            else:
                late = received is overtaker and turn.line.comes_from(received.receiver)
            if late and turn in self.cursor:
                self._fail(failures.overtook(self, overtaker, turn), turn, transit=overtaker)
                return
        if received is None:
            self._owed = [(turn, overtaker) for turn, overtaker in self._owed if overtaker.sent_at > over_at]

    def _meet(self, turn: Turn, transit: Transit) -> None:
        line = turn.line
        due = self.due(turn, now=transit.sent_at)
        failure = failures.wrong_time(self, turn, transit, due) if turn.is_timed and not line.is_order else None
        failure = failure or self._wrong_content(turn, transit) or self._note(turn, transit)
        self.met[line] = Met(transit.sent_at, due)
        if failure is not None:
            self._fail(failure, turn, transit=transit)
        elif self._next_action() is not None:
            self._stage.at(self._stage.now, self._proceed)

    def _wrong_content(self, turn: Turn, transit: Transit) -> Failure | None:
        for test in turn.line.tests:
            mismatch = test.judge(transit.message, self.saved)
            if mismatch is not None:
                self.mismatch = mismatch
                return failures.wrong_content(self, turn, transit, mismatch)
        return None

    def _note(self, turn: Turn, transit: Transit) -> Failure | None:
        """Keep what later lines refer to; return a failure where there is nothing to save."""
        observation = turn.line.observation
        assert observation is not None
        self._under_way[transit.receiver] = transit
        if observation.mark:
            self.marks.set(observation.mark, transit)
            self._stage.marked(observation.mark, transit)
        for saving in observation.save:
            value = value_to_save(transit.message, saving)
            if value is None:
                return failures.nothing_to_save(self, turn, transit, saving)
            self.saved[saving.name] = value
        if observation.lost is not None or observation.retransmits is not None:
            self._fates.follow(turn, transit)
        return None

    def _sent_again(self, transit: Transit) -> None:
        for fate in self._fates.sent_again(transit):
            failure = failures.too_many(self, fate, transit)
            if failure is not None:
                self._fail(failure, fate.turn, transit=transit)

    def _fail(
        self,
        failure: Failure,
        turn: Turn | None = None,
        *,
        transit: Transit | None = None,
        verdict: Verdict = Verdict.FAIL,
    ) -> None:
        turn = turn or self.cursor.waiting()
        self.failure, self.verdict, self.offence = failure, verdict, transit
        self.culprit = turn.line if turn else None
        self._stage.failed()
