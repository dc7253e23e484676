"""Who plays in a flow: the agents of its calls, built as its actors say, and where they are.

Every call has parties of its own, at the same addresses. All chance comes from sources seeded by the run's seed, the
call's number and a purpose, so that one call plays the same alone as among ten thousand.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ..drivers.network import Party
from ..errors import Fault, FlowError
from ..flows.addresses import places
from ..flows.model import Actor, Answer, Flow, Role
from ..flows.signature import signature
from ..foreign.outsider import Outsider
from ..sip.uri import SIP_PORT
from ..ua.identifiers import Identifiers
from ..ua.scripted import ScriptedParty
from ..ua.user_agent import UserAgent
from ..ua.user_agent_settings import UserAgentSettings
from ..units import S
from .logics import in_process, proxy_of, user_agent_of
from .run import Address

if TYPE_CHECKING:
    from ..drivers.virtual import VirtualDriver
    from ..foreign.endpoint import Endpoint
    from ..ua.proxy import Proxy
    from .seats import Seats
    from .systems import Systems

TEST_NETWORKS: Final = ("192.0.2.", "198.51.100.", "203.0.113.")  # RFC 5737: for documentation, never routed
HOSTS_MAX: Final = 254
EARLY_US: Final = 2 * S
"""How exactly a real system counts, and this machine sees it."""

FlowAgent: TypeAlias = "UserAgent | ScriptedParty | Proxy | Endpoint"


class SeededRandom:
    """Chance from a seed; set up when first drawn from, for most calls never need it."""

    __slots__ = ("_seed", "_source")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._source: random.Random | None = None

    def random(self) -> float:
        """Return the next number, from 0 up to but not including 1: the same in every version of Python."""
        if self._source is None:
            self._source = random.Random(self._seed)
        return self._source.random()


class Cast:
    """Who plays in a flow, and where: what all its calls have in common."""

    seats: "Seats | None" = None
    """Children that have a part in it, while calls are played in virtual time."""
    systems: "Systems | None" = None
    """Real systems that have a part in it, while calls are played over sockets."""

    def __init__(self, flow: Flow, *, seed: int, traced: bool, addresses: Mapping[str, Address] | None = None) -> None:
        """Take addresses that nobody has, unless they are given. Raise FlowError for more actors than there are."""
        self.addresses: Mapping[str, Address] = addresses or _addresses(flow)
        self._actors = flow.actors
        self.places = places(self.addresses)
        """What ${alice.address} and the like stand for."""
        self._seed = seed
        self._traced = traced
        self._times = flow.timers
        self._transport = flow.transport
        self._about = signature(flow)
        self._names = random.SystemRandom() if flow.systems else None
        """A real system that runs on remembers the names of the last run: they are new every time."""
        self._settings = {name: _settings(actor, flow, self._route(actor)) for name, actor in flow.actors.items()}
        self._logics = {name: in_process(actor) for name, actor in flow.actors.items()}
        proxies = {name for name, actor in flow.actors.items() if actor.is_proxy}
        self._proxies = {name: proxy_of(flow.actors[name]) for name in proxies}
        self._user_agents = {name: user_agent_of(flow.actors[name]) for name in flow.actors.keys() - proxies}

    def uri(self, name: str) -> str:
        """Return the SIP URI at which a party is called."""
        return self._transport.uri(self.addresses[name], user=name)

    def peer(self, name: str) -> str:
        """Return the party that another has in mind where it names none: the first beside it that is no proxy."""
        others = [other for other in self.addresses if other != name]
        return min(others, key=lambda other: self._actors[other].is_proxy)

    def target(self, sender: str, receiver: str) -> str:
        """Return the SIP URI that a first request to a party is for: a proxy only passes it on."""
        return self.uri(self.peer(sender) if self._actors[receiver].is_proxy else receiver)

    def _route(self, actor: Actor) -> tuple[str, ...]:
        return tuple(f"<{self._transport.uri(self.addresses[proxy])};lr>" for proxy in actor.route)

    def chance(self, call: int, purpose: str) -> SeededRandom:
        """Return a source of chance for one purpose of one call."""
        return SeededRandom(f"{self._seed}/{call}/{purpose}")

    def agent(self, name: str, call: int, *, life: int = 0) -> FlowAgent:
        """Build a party's agent; `life` counts its restarts, for it comes back with other identifiers."""
        purpose = f"{name}/{life}" if life else name
        identifiers = Identifiers(self._names or self.chance(call, f"identifiers/{purpose}"))
        address = self.addresses[name]
        actor = self._actors[name]
        if actor.role is Role.SCRIPTED:
            resends = self._times if actor.retransmits else None
            return ScriptedParty(
                name,
                address,
                self._about,
                identifiers=identifiers,
                route=self._route(actor),
                resends=resends,
                account=actor.account,
                transport=self._transport,
            )
        if actor.role is Role.PROXY:
            from ..ua.proxy import ProxySettings  # few flows have one

            settings = ProxySettings(self._times, actor.proxy_session, actor.challenge, self._transport)
            return self._proxies[name](name, address, settings, identifiers=identifiers, traced=self._traced)
        timer_logic = self._logics[name]
        if self.seats is not None:
            if self.seats.is_endpoint(name):
                return self.seats.endpoint(name, address, self.addresses[self.peer(name)])
            timer_logic = timer_logic or self.seats.timer_logic(name)
        return self._user_agents[name](
            name,
            address,
            self._settings[name],
            identifiers=identifiers,
            random=self.chance(call, purpose),
            timer_logic=timer_logic,
            traced=self._traced,
        )

    def witness(self, name: str) -> Outsider:
        """Return what looks on in the place of a real system."""
        has_calls = not self._actors[name].is_proxy
        return Outsider(timeout_us=self._times.timeout_us, early_us=EARLY_US, has_calls=has_calls)

    def attend(self, driver: "VirtualDriver") -> None:
        """The next call is played on this driver."""
        if self.seats is not None:
            self.seats.attend(driver)

    def seated(self, party: Party) -> None:
        """A party is in its place, or back in it."""
        if self.seats is not None:
            self.seats.take(party)

    def crashed(self, party: Party) -> None:
        """A party's host has died."""
        if self.seats is not None:
            self.seats.crashed(party)

    def call_is_over(self) -> None:
        """Nobody has anything to do any more."""
        if self.seats is not None:
            self.seats.call_is_over()


def _addresses(flow: Flow) -> dict[str, Address]:
    most = len(TEST_NETWORKS) * HOSTS_MAX
    if len(flow.actors) > most:
        raise FlowError([Fault(flow.source, f"{len(flow.actors)} actors are too many: there are {most} addresses")])
    return {
        name: (f"{TEST_NETWORKS[number // HOSTS_MAX]}{number % HOSTS_MAX + 1}", SIP_PORT)
        for number, name in enumerate(flow.actors)
    }


def _settings(actor: Actor, flow: Flow, route: tuple[str, ...]) -> UserAgentSettings:
    answers = actor.answers
    after_us = {Answer.AT_ONCE: 0, Answer.AFTER: answers.after_us}.get(answers.how)
    session_timer = actor.session_timer
    supported = (("timer",) if session_timer.enabled else ()) if actor.supports is None else actor.supports
    return UserAgentSettings(
        times=flow.timers,
        session_timer=replace(session_timer, enabled=session_timer.enabled and "timer" in supported),
        supported=supported,
        allow=actor.allow,
        answer_after_us=after_us,
        reject_with=answers.status if answers.how is Answer.REJECT else None,
        route=route,
        account=actor.account,
        challenge=actor.challenge,
        transport=flow.transport,
        about=signature(flow),
    )
