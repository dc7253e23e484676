"""Whose code sits in the seat of an actor's session timer: `logic` in a flow, `--logic` at the command line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..errors import Fault, FlowError, Source
from .commands import checked_command, split_command
from .faults import Misread, likely_word, quoted, unknown
from .model import Actor, Flow, Logic, LogicKind, Role

_KINDS: Final = tuple(kind.value for kind in LogicKind if kind is not LogicKind.COMMAND)
_SEATED: Final = (Role.UAC, Role.UAS, Role.PROXY)
"""The roles that follow RFC 4028 by themselves."""
_FOR_PROXIES: Final = (LogicKind.RFC4028, LogicKind.MUSEUM)
"""A proxy has rules of its own, and no seat for a `TimerLogic`."""


def parse_logic(text: str, source: Source) -> Logic:
    """Read "rfc4028", "museum:M01", "python:package.module:Class", or a command, split as a shell would.

    Raises Misread.
    """
    word, colon, rest = text.strip().partition(":")
    if word in _KINDS and (colon or word == LogicKind.RFC4028.value):
        return _named(LogicKind(word), rest.strip(), colon, source)
    command = split_command(text)
    if len(command) == 1 and "/" not in text and (likely := likely_word(word, _KINDS)):
        raise Misread(f"unknown logic {quoted(text)} (did you mean {likely}?)")
    return command_logic(command, source)


def _named(kind: LogicKind, name: str, colon: str, source: Source) -> Logic:
    if kind is LogicKind.RFC4028:
        if colon:
            raise Misread("rfc4028 is the whole of it: nothing follows")
        return Logic(source, kind)
    if kind is LogicKind.PYTHON and not all(name.partition(":")[::2]):
        raise Misread("write python:package.module:Class")
    if not name:
        raise Misread("write museum:M01; `simkit museum` lists them")
    return Logic(source, kind, name)


def command_logic(command: Sequence[str], source: Source) -> Logic:
    """Return the logic of a child process. Raises Misread where there is no program."""
    return Logic(source, LogicKind.COMMAND, command=checked_command(command))


def with_logics(flows: Iterable[Flow], logics: Mapping[str, str]) -> list[Flow]:
    """Return the flows with these in the seats of their actors, by name; a flow without such a seat is left as it is.

    Raises FlowError for what is no logic, and for an actor that has a seat in none of the flows.
    """
    changed, faults = list(flows), []
    for name, text in logics.items():
        try:
            changed = _with_logic(changed, name, text)
        except Misread as misread:
            faults.append(Fault(changed[0].source, f"--logic {name}: {misread.message}"))
    if faults:
        raise FlowError(faults)
    return changed


def _with_logic(flows: list[Flow], name: str, text: str) -> list[Flow]:
    if not any(_seat(flow, name) for flow in flows):
        known = dict.fromkeys(other for flow in flows for other in flow.actors if _seat(flow, other))
        raise unknown("actor", name, known, where=" with a session timer")
    return [_with_seat_taken(flow, actor, text) if (actor := _seat(flow, name)) else flow for flow in flows]


def _with_seat_taken(flow: Flow, actor: Actor, text: str) -> Flow:
    logic = parse_logic(text, actor.source)
    check_has_seat(actor.role, logic)
    return replace(flow, actors={**flow.actors, actor.name: replace(actor, logic=logic)})


def _seat(flow: Flow, name: str) -> Actor | None:
    actor = flow.actors.get(name)
    return actor if actor is not None and actor.role in _SEATED else None


def check_has_seat(role: Role, logic: Logic) -> None:
    """Raise Misread for a party in which this logic has no seat."""
    if role not in _SEATED:
        raise Misread(f"a party whose role is {role.value} has no session timer, and so no logic")
    if role is Role.PROXY and logic.kind not in _FOR_PROXIES:
        raise Misread("a proxy's logic is rfc4028 or a museum piece: it runs no session timer of others")
