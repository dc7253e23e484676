"""What a party is asked to do: a stimulus to a user agent or an endpoint, an order to a scripted party."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final, TypedDict

from ..drivers.driver import Agent
from ..errors import LocalError
from ..flows.model import Observation, Stimulus, Verb
from ..sip.headers import HeaderField
from ..ua.scripted import ScriptedParty
from ..ua.user_agent import UserAgent
from .cast import Cast
from .matching import filled_in


def command(agent: Agent, stimulus: Stimulus, cast: Cast, *, now: int) -> None:
    """Ask a party for what a stimulus says. Raises LocalError where it cannot do that."""
    if not isinstance(agent, UserAgent):
        _command_endpoint(agent, stimulus, cast, now=now)
    elif stimulus.verb is Verb.CALL:
        assert stimulus.target is not None
        agent.invite(cast.uri(stimulus.target), now=now)
    elif stimulus.verb is Verb.OPTIONS:
        agent.options(cast.uri(stimulus.target or cast.peer(stimulus.actor)), now=now)
    elif stimulus.verb is Verb.REJECT:
        assert stimulus.status is not None
        agent.reject(stimulus.status, stimulus.headers, now=now)
    else:
        _PLAIN_COMMANDS[stimulus.verb](agent, now)


def leave(agent: Agent, *, now: int) -> None:
    """Have a party end its call, whatever that takes."""
    if not isinstance(agent, UserAgent):
        return
    for end in (agent.hang_up, agent.cancel, partial(agent.reject, 480)):
        with suppress(LocalError):
            end(now=now)
            return


def _command_endpoint(agent: Agent, stimulus: Stimulus, cast: Cast, *, now: int) -> None:
    from ..foreign.endpoint import Endpoint

    assert isinstance(agent, Endpoint), "a scripted party is asked for nothing"
    details: dict[str, str | int] = {}
    if stimulus.target is not None or stimulus.verb is Verb.OPTIONS:
        details["target"] = cast.uri(stimulus.target or cast.peer(stimulus.actor))
    if stimulus.status is not None:
        details["status"] = stimulus.status
    agent.command(stimulus.verb.value, now=now, **details)


_PLAIN_COMMANDS: Final[Mapping[Verb, Callable[[UserAgent, int], None]]] = {
    Verb.RING: lambda agent, now: agent.ring(now=now),
    Verb.ANSWER: lambda agent, now: agent.answer(now=now),
    Verb.CANCEL: lambda agent, now: agent.cancel(now=now),
    Verb.HANG_UP: lambda agent, now: agent.hang_up(now=now),
    Verb.HOLD: lambda agent, now: agent.hold(now=now),
    Verb.RESUME: lambda agent, now: agent.resume(now=now),
    Verb.REFRESH: lambda agent, now: agent.refresh(now=now),
}


class _Shape(TypedDict):
    """What a line says of the message that it has sent."""

    headers: tuple[HeaderField, ...]
    without: tuple[str, ...]
    body: bytes | None


def send_as_ordered(agent: Agent, order: Observation, cast: Cast, saved: Mapping[str, str], *, now: int) -> None:
    """Have a scripted party send what its line says, saved values filled in. Raises LocalError where it cannot."""
    assert isinstance(agent, ScriptedParty)
    content = order.content
    shape = _Shape(
        headers=tuple((name, _filled_in(value, saved)) for name, value in order.headers),
        without=order.without,
        body=None if content is None else _filled_in(content, saved).replace("\n", "\r\n").encode(),
    )
    destination = cast.addresses[order.receiver]
    if order.raw is not None:
        agent.send_raw(_filled_in(order.raw, saved), destination, now=now)
    elif order.pattern.status is None:
        assert order.pattern.method is not None
        target = cast.target(order.sender, order.receiver)
        credentials = order.credentials
        agent.send_request(order.pattern.method, target, destination, credentials=credentials, now=now, **shape)
    else:
        assert order.pattern.method is not None
        status = int(order.pattern.status)
        agent.send_response(status, order.pattern.method, now=now, **shape)


def _filled_in(text: str, saved: Mapping[str, str]) -> str:
    filled = filled_in(text, saved)
    if filled is None:
        raise LocalError(f"'{text}' quotes what has not been saved")
    return filled
