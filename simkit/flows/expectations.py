"""`expect`: what must hold when the run is over."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .blocks import read_block
from .faults import unknown
from .model import Expect, Outcome
from .reading import Reading, kind_of
from .schema import EXPECT
from .yaml_source import Map, Node, Scalar

T = TypeVar("T")


def read_expect(reading: Reading, node: Node) -> Expect:
    """Read `expect`; every mark of the flow is known to it."""
    reading.may_be_before_mark = True
    fields = read_block(reading, node, EXPECT, "expect")
    if outcome := fields.pop("outcome", None):
        fields["outcome"] = _per_actor(reading, outcome, "outcome", partial(_read_outcome, reading))
    if refreshes := fields.pop("refreshes", None):
        fields["refreshes"] = _read_refreshes(reading, refreshes)
    sources = {key.text: key.source for key, _ in node.entries} if isinstance(node, Map) else {}
    return Expect(sources, **fields)


def _read_outcome(reading: Reading, node: Node) -> Outcome:
    text = reading.text(node)
    if text not in EXPECT["outcome"].choices:
        raise unknown("outcome", text, EXPECT["outcome"].choices)
    return Outcome(text)


def _read_refreshes(reading: Reading, node: Node) -> int | dict[str, int] | None:
    read = partial(_read_count, reading)
    if isinstance(node, Scalar):
        return reading.attempt(node, read, node)
    return _per_actor(reading, node, "refreshes", read)


def _read_count(reading: Reading, node: Node) -> int:
    return reading.count(node, EXPECT["refreshes"].least, EXPECT["refreshes"].most)


def _per_actor(reading: Reading, node: Node, what: str, read: Callable[[Node], T]) -> dict[str, T]:
    if not isinstance(node, Map):
        reading.refuse(node.source, f"{what} is a map from actor to what is expected, not {kind_of(node)}")
        return {}
    found = {}
    for name, value in node.entries:
        actor = reading.attempt(name, reading.actor, name.text)
        expected = reading.attempt(value, read, value)
        if actor is not None and expected is not None:
            found[actor] = expected
    return found
