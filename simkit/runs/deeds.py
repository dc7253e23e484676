"""What the lines of one call have done: asked of a party, done to it, or to the network between two.

Trouble befalls a party whatever its agent is doing. To a real system it is done for real: its process is killed,
stopped or started again. What such a system is asked, it does by itself, or what is awaited does not come.
"""

from collections.abc import Callable, Mapping
from functools import partial

from ..drivers.network import Condition, Network, Party
from ..drivers.turns import Driver
from ..errors import LocalError
from ..flows.model import NetChange, NetVerb, Observation, Stimulus, Verb
from ..sip.message import Request
from ..trace import Happening, What
from .cast import Cast
from .commands import command, send_as_ordered
from .ledger import Ledger
from .matching import PatternTest
from .script import Script
from .stage import TROUBLE, Action
from .trouble import Answerer, Trouble, Troubles


class Deeds:
    """Does what lines say, to the parties of one call."""

    __slots__ = ("_cast", "_driver", "_ledger", "_lives", "_network", "_number", "_parties", "_record", "_script")

    def __init__(
        self,
        number: int,
        parties: Mapping[str, Party],
        network: Network,
        *,
        cast: Cast,
        driver: Driver,
        ledger: Ledger,
        script: Script,
        record: Callable[[Happening], None],
    ) -> None:
        """`number` is that of the call; what is done is told to `record` and to the ledger."""
        self._number = number
        self._parties = parties
        self._network = network
        self._cast = cast
        self._driver = driver
        self._ledger = ledger
        self._script = script
        self._record = record
        self._lives: dict[str, int] = {}

    @property
    def _now(self) -> int:
        return self._driver.now

    def perform(self, action: Action) -> None:
        """Do what a line says. Raises LocalError where that cannot be done."""
        if isinstance(action, NetChange):
            self._change(action)
        elif isinstance(action, Observation):
            party = self._living(action.sender)
            send_as_ordered(party.agent, action, self._cast, self._script.saved, now=party.clock.local(self._now))
            self._driver.poke(party)
        elif action.verb in TROUBLE:
            self._strike(action)
        else:
            self._ask(action)

    def _ask(self, stimulus: Stimulus) -> None:
        party = self._living(stimulus.actor)
        self._record(Happening(self._now, stimulus.actor, What.STIMULUS, stimulus.text))
        if party.witness is not None:
            party.witness.commanded(stimulus.verb.value)  # it does so by itself, or what follows will not be met
            return
        command(party.agent, stimulus, self._cast, now=party.clock.local(self._now))
        self._driver.poke(party)

    def _living(self, name: str) -> Party:
        party = self._parties[name]
        if party.condition is Condition.CRASHED:
            raise LocalError(f"{name} has crashed")
        return party

    # --- trouble ---

    def _strike(self, stimulus: Stimulus) -> None:
        party, name = self._parties[stimulus.actor], stimulus.actor
        if party.witness is not None:
            assert self._cast.systems is not None
            self._cast.systems.strike(name, stimulus.verb)
        match stimulus.verb:
            case Verb.CRASH:
                self._record(Happening(self._now, name, What.CRASHED))
                self._ledger.crashed(name)
                self._driver.crash(party)
                self._cast.crashed(party)
            case Verb.RESTART:
                self._record(Happening(self._now, name, What.RESTARTED))
                self._lives[name] = self._lives.get(name, 0) + 1
                self._ledger.restarted(name)
                self._cast.crashed(party)
                if party.witness is not None:
                    party.witness = witness = self._cast.witness(name)
                    self._driver.restart(party, witness)
                else:
                    self._driver.restart(party, self._cast.agent(name, self._number, life=self._lives[name]))
                self._cast.seated(party)
            case Verb.FREEZE:
                self._record(Happening(self._now, name, What.FROZEN))
                self._driver.freeze(party)
            case Verb.THAW:
                self._record(Happening(self._now, name, What.THAWED))
                self._driver.thaw(party)
            case _:
                self._record(Happening(self._now, name, What.STIMULUS, stimulus.text))
                self._burden(party, stimulus)

    def _burden(self, party: Party, stimulus: Stimulus) -> None:
        """Put `ignore` or `reply` between the network and a party."""
        if party.filter is None:
            party.filter = Troubles(lambda: self._now)
        if stimulus.verb is Verb.REPLY and not isinstance(party.agent, Answerer):
            raise LocalError(f"nobody can reply in the place of {party.name}, which is a child as a whole")
        assert isinstance(party.filter, Troubles)
        reply = partial(self._reply, party) if stimulus.verb is Verb.REPLY else None
        party.filter.add(Trouble(stimulus, self._script.marks, reply))

    def _reply(self, party: Party, request: Request, stimulus: Stimulus) -> None:
        agent = party.agent
        assert isinstance(agent, Answerer)
        assert stimulus.status is not None
        agent.reply(request, stimulus.status, stimulus.headers, now=party.clock.local(self._now))
        self._driver.poke(party)

    def _change(self, change: NetChange) -> None:
        self._record(Happening(self._now, "net", What.NOTE, change.text))
        if change.parties is not None:
            self._change_between(change.verb, *change.parties)
            return
        assert change.messages is not None
        link = self._network.link(change.messages.sender, change.messages.receiver)
        test = PatternTest(change.messages.pattern).accepts
        match change.verb:
            case NetVerb.DROP:
                link.drop(test, nth=change.nth)
            case NetVerb.DELAY:
                link.delay(test, by_us=change.by_us, nth=change.nth)
            case _:
                link.duplicate(test, nth=change.nth)

    def _change_between(self, verb: NetVerb, one: str, other: str) -> None:
        match verb:
            case NetVerb.PARTITION:
                self._network.partition(one, other)
            case NetVerb.HEAL:
                self._network.heal(one, other, now=self._now)
            case _:
                self._driver.disconnect(self._parties[one], self._parties[other])
