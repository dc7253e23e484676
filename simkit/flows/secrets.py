"""What is repeated nowhere: passwords, and the named values that they are made of.

Messages show lines of the file; here these are made fit to be shown. Asterisks take the place of each character, so
that columns stay what they are.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import yaml

from .variables import references

SHOWN_AS: Final = "***"

_NAMES: Final = r"pas+(?:w\w*|phrase|code)?|pwd?|secret"  # the misspelled ones too
_KEY: Final = re.compile(_NAMES, re.IGNORECASE)
_REST: Final = re.compile(rf"(\b(?:{_NAMES})[\"']?\s*:\s*[\"'\[{{]?)(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as it may be shown."""

    lines: list[str]
    secrets: frozenset[tuple[int, int]] = frozenset()
    """Where its secrets begin: line and column, from 1."""


def shown_line(line: str) -> str:
    """Return a line of a text that need not be YAML: what stands behind the key of a secret is hidden."""
    return _REST.sub(lambda found: found[1] + "*" * len(found[2]), line)


def shown(lines: list[str], events: Iterable[Any]) -> Shown:
    """Return a file of these YAML events; where they break off, what stands behind the key of a secret is hidden."""
    if not any(map(_KEY.search, lines)):
        return Shown(lines)
    try:
        secret = _secret(list(_values(events)))
    except yaml.YAMLError:
        return Shown([shown_line(line) for line in lines])
    hidden = list(lines)
    for each in secret:
        _hide(hidden, each.event.start_mark, each.event.end_mark)
    starts = (each.event.start_mark for each in secret)
    return Shown(hidden, frozenset((start.line + 1, start.column + 1) for start in starts))


def _hide(lines: list[str], start: Any, end: Any) -> None:
    for number in range(start.line, min(end.line + 1, len(lines))):
        line = lines[number]
        first = start.column if number == start.line else 0
        last = end.column if number == end.line else len(line)
        lines[number] = line[:first] + "*" * (last - first) + line[last:]


class _Value(NamedTuple):
    """A value where it is written, and the keys that lead to it."""

    keys: tuple[str, ...]
    event: Any


def _values(events: Iterable[Any]) -> Iterator[_Value]:
    keys: list[str | None] = []  # one for each open collection: the key whose value comes next, "" in a list
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            keys.append(None if isinstance(event, yaml.MappingStartEvent) else "")
        elif isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            _next(keys)
        elif keys and isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            if keys[-1] is None:
                keys[-1] = getattr(event, "value", "")
            else:
                yield _Value(tuple(key for key in keys if key), event)
                _next(keys)


def _next(keys: list[str | None]) -> None:
    """A value has ended: in a map, a key comes next."""
    if keys and keys[-1] != "":
        keys[-1] = None


def _secret(values: list[_Value]) -> list[_Value]:
    """Return the values of secret keys, and what these refer to by name or by alias."""
    names: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()
    while True:
        secret = [
            value
            for value in values
            if value.event.anchor in anchors or any(key in names or _KEY.fullmatch(key) for key in value.keys)
        ]
        named = frozenset(name for value in secret for name in references(getattr(value.event, "value", "")))
        aliased = frozenset(str(value.event.anchor) for value in secret if isinstance(value.event, yaml.AliasEvent))
        if named == names and aliased == anchors:
            return secret
        names, anchors = named, aliased
