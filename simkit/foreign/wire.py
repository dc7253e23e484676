"""The lines between simkit and a child process: JSON, one object a line, version 1 of the protocol.

A child speaks first, to say what it is; then it answers each request with one reply. Here lines are written and read;
pipes are `process`'s, and what the actions of a reply mean is `actions`'s.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

VERSION: Final = 1
NAME_LENGTH_MAX: Final = 60

_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode

Action = Mapping[str, Any]
"""One thing that a child does, as it says it."""


class Nonsense(Exception):
    """A line that breaks the protocol; the text completes "the child ..."."""


class Kind(StrEnum):
    """What a child is."""

    TIMER_LOGIC = "timer-logic"  # it fills the seat of session timers; messages and transactions stay ours
    ENDPOINT = "endpoint"  # it is a whole party, without sockets


@dataclass(frozen=True, slots=True)
class Hello:
    """A child's first line."""

    kind: Kind
    name: str
    knows_next: bool
    """Whether each reply says when the child wants to be called next."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A child's answer to one request."""

    actions: tuple[Action, ...]
    now: int | None
    """With `advance`: when it stopped, and acted; None: it did not say."""
    next_at: int | None
    """When it wants to be called; None: it waits for nothing, or cannot know."""


def read_hello(line: bytes) -> Hello:
    """Read a child's first line. Raises Nonsense."""
    said = _object(line, "instead of saying what it is")
    if said.get("simkit") != VERSION:
        raise Nonsense(f"speaks version {_shown(said.get('simkit'))} of the protocol; this simkit speaks {VERSION}")
    try:
        kind = Kind(said.get("kind", ""))
    except ValueError:
        kinds = " or ".join(f'"{kind}"' for kind in Kind)
        raise Nonsense(f"is of kind {_shown(said.get('kind'))}, which is neither {kinds}") from None
    knows_next = said.get("knows_next")
    if not isinstance(knows_next, bool):
        raise Nonsense('did not say "knows_next": true or false')
    name = said.get("name")
    return Hello(kind, name[:NAME_LENGTH_MAX] if isinstance(name, str) else "", knows_next)


def write_request(number: int, do: str, now: int, fields: Mapping[str, Any]) -> bytes:
    """Write a request as a line."""
    return f"{_encode({'id': number, 'now': now, 'do': do, **fields})}\n".encode()


def read_reply(line: bytes, number: int, hello: Hello, *, now: int) -> Reply:
    """Read the reply to the request of this number, which was asked at `now`. Raises Nonsense."""
    said = _object(line, "instead of a reply")
    if said.get("id") != number:
        raise Nonsense(f"answered request {_shown(said.get('id'))} when it was asked request {number}")
    if "error" in said:
        raise Nonsense(f"reported an error: {_shown(said['error'])}")
    actions = said.get("actions")
    if not (isinstance(actions, list) and all(isinstance(action, dict) for action in actions)):
        raise Nonsense(f'replied without a list of actions: "actions" is {_shown(actions)}')
    if hello.knows_next and "next" not in said:
        raise Nonsense('left out "next", although it said that it knows it')
    next_at = _time(said, "next", now) if hello.knows_next else None
    return Reply(tuple(actions), _time(said, "now", now), next_at)


def _time(said: Mapping[str, Any], key: str, now: int) -> int | None:
    at = said.get(key)
    if at is None:
        return None
    if not isinstance(at, int) or isinstance(at, bool):
        raise Nonsense(f'gave {_shown(at)} as "{key}", which is no whole number of microseconds')
    if at < now:
        raise Nonsense(f'went back in time: "{key}" is {at}, and it was {now} already')
    return at


def _object(line: bytes, instead: str) -> Mapping[str, Any]:
    try:
        said = _decode(line.decode())
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Nonsense(f"wrote {shown_line(line)} {instead}")
    return said


def shown_line(line: bytes) -> str:
    """Return a line that a child wrote, in quotes, for a message to repeat."""
    return _shown(line.decode("utf-8", "replace"))


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = "".join(character if character.isprintable() else " " for character in text[:200]).strip()
    quote = "'" if isinstance(value, str) else ""
    return f"{quote}{text[:100]}...{quote}" if len(text) > 100 else f"{quote}{text}{quote}"
