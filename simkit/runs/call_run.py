"""One call of a flow as it is played: its parties in a network of their own, its script, and what is kept of it.

It is the observer of its network, which tells it everything, and the stage of its script, which has it act.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..drivers.clock import PartyClock
from ..drivers.network import Condition, Party
from ..drivers.turns import Driver
from ..errors import ForeignError, Source
from ..flows.model import Actor, Role, Stimulus
from ..sip.message import Response
from ..trace import Happening, TimerRecord, Trace, Transit, What
from ..ua.events import CallEvent, Fact
from .cast import Cast
from .commands import leave
from .deeds import Deeds
from .failures import broken
from .ledger import Ledger
from .patience import Patience
from .plan import Plan
from .script import Script
from .stage import TROUBLE, Action
from .stake_of_call import stake_of_call
from .verdict import Failure

AFTERMATH_MESSAGES_MAX: Final = 200
"""So many messages at most are recorded of a call that has failed, for it may storm."""


class CallRun:
    """One call of a flow."""

    __slots__ = (
        "_called",
        "_cast",
        "_deeds",
        "_driver",
        "_in_flight",
        "_is_closed",
        "_is_over",
        "_last_message",
        "_may_be_answered",
        "_network",
        "_over",
        "_parties",
        "first_sent_at",
        "last_at",
        "ledger",
        "messages",
        "number",
        "script",
        "trace",
        "waited_us",
    )

    def __init__(
        self,
        plan: Plan,
        cast: Cast,
        driver: Driver,
        number: int,
        *,
        recorded: bool,
        over: "Callable[[CallRun], None]",
        called: "Callable[[CallRun], None]",
    ) -> None:
        flow = plan.flow
        self.number = number
        self.last_at = driver.now
        self.messages = 0
        self._in_flight = 0
        self.trace = Trace() if recorded else None
        self.ledger = Ledger(flow.actors, proxies=plan.proxies)
        self._cast = cast
        self.script = Script(plan, self, start_at=driver.now)
        self._driver = driver
        self._is_closed = False
        self._is_over = False
        self._may_be_answered = False
        """Whether a request waits for its final response without a timer."""
        self._last_message: int | None = None
        self.waited_us = 0
        """How long real systems have been waited for since the last thing happened, in vain."""
        self.first_sent_at: int | None = None
        """When the first message to a real system was sent."""
        self._over = over
        self._called = called
        network = flow.network
        self._network = driver.network(
            self,
            cast.chance(number, "network"),
            default=network.default,
            links=network.links,
            connected=flow.transport.is_reliable,
        )
        self._parties = {name: self._seat(actor) for name, actor in flow.actors.items()}
        self._deeds = Deeds(
            number,
            self._parties,
            self._network,
            cast=cast,
            driver=driver,
            ledger=self.ledger,
            script=self.script,
            record=self._record,
        )
        for party in self._parties.values():
            cast.seated(party)

    def _seat(self, actor: Actor) -> Party:
        name, address = actor.name, self._cast.addresses[actor.name]
        if actor.role is Role.SUT:
            outsider = self._network.add_outsider(name, address, self._cast.witness(name))
            self._driver.admit(outsider)
            return outsider
        clock = PartyClock(actor.clock.skew_us, actor.clock.drift_ppm)
        return self._network.add_party(name, address, self._cast.agent(name, self.number), clock=clock)

    def begin(self) -> None:
        """Let the first line happen."""
        self.script.begin()
        if self._cast.systems is not None:
            Patience(self, self._driver, self._cast.systems, timeout_us=self.script.plan.flow.timers.timeout_us).begin()

    def finish(self, *, limit_at: int | None) -> None:
        """The run is over; `limit_at` is None where nothing is left that could happen."""
        for party in self._parties.values():
            if party.witness is not None:
                self._driver.dismiss(party)
        if self._is_closed:
            return
        self.script.finish(last_at=self.last_at, limit_at=limit_at, waited_us=self.waited_us)
        if self.script.failure is not None:
            self._close()
        self._cast.call_is_over()

    @property
    def is_done(self) -> bool:
        """Whether every line is met and the call is over, though its transactions may linger."""
        return self._is_over and self.script.cursor.waiting() is None

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing more can happen: no line is ahead, no message is under way, no agent waits for anything."""
        if self._is_closed:
            return True
        idle = self._in_flight == 0 and not self._is_expected_to_act
        return idle and self.script.cursor.peek(0) is None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is waited for any more."""
        return self._is_closed or self.is_done

    @property
    def waits_for_others(self) -> bool:
        """Whether no line ahead says when, and no party of ours has anything to do."""
        turn = self.script.cursor.peek(0)
        return not (turn is not None and turn.is_timed) and self._in_flight == 0 and not self._is_expected_to_act

    @property
    def waits_in_vain(self) -> bool:
        """Whether the next line is a response, and no party of ours waits for one."""
        turn = self.script.cursor.waiting()
        observation = turn.line.observation if turn is not None else None
        is_response = observation is not None and observation.pattern.status is not None
        return is_response and not self._is_expected_to_act and not self._may_be_answered

    @property
    def _is_expected_to_act(self) -> bool:
        return any(party.wake_at is not None for party in self._parties.values())

    def give_up(self, why: str) -> None:
        """End the call, for it cannot go on."""
        self.script.break_off(Failure(self.script.plan.flow.source, why, at=self.now))
        self._close()

    def break_off(self, error: ForeignError) -> None:
        """End the call, for the code of a party has failed."""
        self.script.break_off(broken(error, at=self.now))
        self._close()

    def whereabouts(self) -> tuple[Source, str]:
        """Return the line that the call has come to, and what to say there."""
        turn = self.script.cursor.waiting()
        if turn is None:
            return self.script.plan.flow.source, ""
        return turn.line.source, "the flow had come to this line"

    @property
    def failure(self) -> Failure | None:
        """At which line a call that was recorded failed, if it did, with the rule at stake."""
        failure = self.script.failure
        if failure is None:
            return None
        assert self.trace is not None
        rule, note = stake_of_call(self.script, self.trace) or (None, "")
        return replace(failure, rule=rule, rule_note=note, call=self.number)

    # --- what the network tells (drivers.driver.Observer) ---

    def sent(self, transit: Transit) -> None:
        """A message was sent."""
        if self._is_closed:
            return
        if not self.messages and self._parties[transit.sender].witness is not None:
            self.script.marks.begin(transit.sent_at)  # a real system calls when it likes
            self._called(self)
        self.last_at = transit.sent_at
        self.messages += 1
        self._in_flight += 1
        message = transit.message
        if self.trace is not None:
            self.trace.records.append(transit)
        if message.method == "INVITE" and message.is_request:
            self.ledger.introduced(message.header("Call-ID") or "", transit.sender, transit.receiver)
        if self._cast.systems is not None:
            self._note_waiting(transit)
        self.script.sent(transit)
        if self.messages == self._last_message:
            self._driver.at(self.now, self._close)

    def _note_waiting(self, transit: Transit) -> None:
        """An INVITE that rings has no timer any more (RFC 3261 section 17.1.1.2), and scripted parties have none."""
        message, actors = transit.message, self.script.plan.flow.actors
        if isinstance(message, Response):
            is_timeless = message.method == "INVITE" or actors[transit.receiver].role is Role.SCRIPTED
            self._may_be_answered = message.status < 200 and is_timeless
        elif message.method != "ACK":
            self._may_be_answered = actors[transit.sender].role is Role.SCRIPTED

    def delivered(self, transit: Transit) -> None:
        """A message has arrived; at a real system, as far as anybody can see."""
        if self._is_closed:
            return
        if self.first_sent_at is None and self._parties[transit.receiver].witness is not None:
            self.first_sent_at = transit.sent_at
        self._settled(transit)

    def lost(self, transit: Transit) -> None:
        """A message will never arrive."""
        if self._is_closed:
            transit.lost = None  # it was on its way when the run stopped; nobody had crashed
        else:
            self._settled(transit)

    def _settled(self, transit: Transit) -> None:
        self.last_at = self._driver.now
        self._in_flight -= 1
        self.script.settled(transit)

    def happened(self, party: str, event: CallEvent, *, at: int) -> None:
        """A party reported a fact about a call."""
        if self._is_closed:
            return
        self.last_at = at
        self._record(self.ledger.happened(party, event, at=at))
        if event.fact is Fact.OVER and self.ledger.over_at is not None:
            self._note_end()

    def _note_end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._over(self)

    def timer(self, record: TimerRecord) -> None:
        """A timer was armed, fired or cancelled."""
        if self.trace is not None and not self._is_closed:
            self.trace.records.append(record)

    def _record(self, happening: Happening) -> None:
        if self.trace is not None:
            self.trace.records.append(happening)

    # --- what the script asks (stage.Stage) ---

    @property
    def places(self) -> Mapping[str, str]:
        """What is known of where the parties are, as a flow quotes it."""
        return self._cast.places

    @property
    def now(self) -> int:
        """The run's time."""
        return self._driver.now

    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at a time that has not passed; `late`: after all that happens at that instant."""
        self._driver.at(when, action, late=late)

    def marked(self, mark: str, transit: Transit) -> None:
        """A message set a mark."""
        self._record(Happening(transit.sent_at, transit.sender, What.NOTE, mark=mark))

    def failed(self) -> None:
        """Fall silent once the agent's turn that is under way is over, or the aftermath that somebody wants to see."""
        self._last_message = self.messages + AFTERMATH_MESSAGES_MAX
        close_at = self.now + self.script.plan.aftermath_us
        if self._cast.systems is None:
            self._driver.at(close_at, self._close)
        else:  # what is under way arrives first: a 2xx is to be acknowledged
            self._driver.at(close_at, lambda: self._driver.at(close_at, self._close))

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        systems = self._cast.systems
        if systems is None:
            self._fall_silent()
        else:  # hang up what is left of the call: the real system is to be free for the next
            for party in self._parties.values():
                if party.witness is None and party.condition is Condition.RUNNING:
                    leave(party.agent, now=party.clock.local(self.now))
                    self._driver.poke(party)
            self._driver.at(self.now + systems.goodbye_us, self._fall_silent)

    def _fall_silent(self) -> None:
        for party in self._parties.values():
            self._driver.crash(party)
        self._cast.call_is_over()
        self._note_end()

    def perform(self, action: Action) -> None:
        """Do what a line says. Raises LocalError where that cannot be done."""
        if isinstance(action, Stimulus) and action.verb in TROUBLE:
            self.last_at = self.now
        self._deeds.perform(action)
