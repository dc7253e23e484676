"""What a header or a body must be, which headers a message is given, and what is saved of it."""

import re
import warnings
from collections import defaultdict
from typing import Final

from ..sip.headers import HeaderField
from .blocks import token
from .faults import Misread, quoted, unknown
from .model import Comparison, HeaderMatcher, Matcher, Saving
from .reading import Reading, kind_of
from .schema import MATCHER
from .variables import fill
from .yaml_source import List, Map, Node, Scalar

_NUMBERS: Final = frozenset({Comparison.AT_LEAST, Comparison.AT_MOST, Comparison.MORE_THAN})
_REPEATED_REPETITION = re.compile(r"(?<!\\)\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)[*+{]")
_SAVED_PART = re.compile(r"([^.\s]+)(?:\.([A-Za-z0-9_-]+))?")


def read_matcher(reading: Reading, node: Node) -> Matcher:
    """Read `1800`, `{contains: timer}`, `{one_of: [uac, uas]}`, ... Raises Misread."""
    if isinstance(node, Scalar):
        return Matcher(node.source, Comparison.EQUALS, (reading.text(node, keep_saved=True),))
    if not isinstance(node, Map) or len(node.entries) != 1:
        raise Misread(f"a matcher is a value or one comparison, such as {{at_least: 90}}, not {_shown(node)}")
    name, operand = node.entries[0]
    if name.text not in MATCHER:
        reading.refuse(name.source, unknown("comparison", name.text, MATCHER).message)
        return Matcher(node.source, Comparison.EQUALS, ("",))
    comparison = Comparison(name.text)
    if comparison is Comparison.ABSENT:
        return Matcher(node.source, comparison, negated=not reading.boolean(operand))
    if comparison is Comparison.ONE_OF:
        texts = reading.texts(operand, keep_saved=True)
        if isinstance(operand, List) and operand.items:
            return Matcher(node.source, comparison, texts)
        raise Misread("one_of takes a list: {one_of: [uac, uas]}")
    return Matcher(node.source, comparison, (_operand(reading, comparison, operand),))


def read_matchers(reading: Reading, node: Node) -> tuple[HeaderMatcher, ...]:
    """Read `has`: a map from header to matcher."""
    found = []
    for name, value in _entries(reading, node, "has"):
        matcher = reading.attempt(value, read_matcher, reading, value)
        if matcher is not None:
            found.append(HeaderMatcher(name, matcher))
    return tuple(found)


def read_headers(reading: Reading, node: Node) -> tuple[HeaderField, ...]:
    """Read `with`: a map from header to its value, or to a list of them for a header that is repeated."""
    return tuple(
        (name, value)
        for name, values in _entries(reading, node, "with")
        for item in (values.items if isinstance(values, List) else (values,))
        if (value := reading.attempt(item, _header_value, reading, item)) is not None
    )


def read_header_names(reading: Reading, node: Node) -> tuple[str, ...]:
    """Read `without`: a list of header names."""
    return reading.parsed_list(node, token)


def read_saves(reading: Reading, node: Node) -> tuple[Saving, ...]:
    """Read `save`: a map from name to Header, to Header.part, or to {Header: regular expression}."""
    if not isinstance(node, Map):
        reading.refuse(node.source, f"save is a map such as {{first: CSeq.number}}, not {kind_of(node)}")
        return ()
    found = []
    for name, value in node.entries:
        saved = reading.attempt(name, reading.name, name, "a saved value")
        if saved in reading.values:
            reading.refuse(name.source, f"'{saved}' is a value of vars or cases already: save it under another name")
        what = reading.attempt(value, _saved_part, reading, value)
        if saved is not None and what is not None:
            found.append(Saving(saved, *what))
    return tuple(found)


def _entries(reading: Reading, node: Node, what: str) -> list[tuple[str, Node]]:
    if not isinstance(node, Map):
        reading.refuse(node.source, f"{what} is a map from header to value, not {kind_of(node)}")
        return []
    named = [(reading.attempt(name, token, name.text), value) for name, value in node.entries]
    return [(name, value) for name, value in named if name is not None]


def _header_value(reading: Reading, node: Node) -> str:
    value = reading.text(node, keep_saved=True)
    if "\n" in value or "\r" in value:
        raise Misread("a header's value is one line")
    return value


def _saved_part(reading: Reading, node: Node) -> tuple[str, str | None, str | None]:
    """Read what is saved: a header, its part, and a regular expression."""
    if isinstance(node, Map) and len(node.entries) == 1:
        name, expression = node.entries[0]
        pattern = reading.text(expression)
        _check_expression(pattern)
        return token(name.text), None, pattern
    text = reading.text(node)
    found = _SAVED_PART.fullmatch(text)
    if found is None:
        raise Misread(f"{quoted(text)} is not a header or a part of one: write Session-Expires or CSeq.number")
    return found[1], found[2], None


def _operand(reading: Reading, comparison: Comparison, node: Node) -> str:
    text = reading.text(node, keep_saved=True)
    if comparison is Comparison.MATCHES:
        _check_expression(text)
    if "${" in text:
        return text  # known only while the flow runs
    if comparison in _NUMBERS and not (text.isascii() and text.isdigit()):
        raise Misread(f"{comparison.value} compares numbers, and {quoted(text)} is none", text)
    return text


def is_expression(text: str) -> bool:
    """Whether a flow takes a text as a regular expression."""
    try:
        _check_expression(text)
    except Misread:
        return False
    return True


def _check_expression(text: str) -> None:
    if _REPEATED_REPETITION.search(text):
        message = f"{quoted(text)} repeats a repetition, which can take for ever: write it with one '*' or '+'"
        raise Misread(message, text)
    some_value: defaultdict[str, str] = defaultdict(
        lambda: "x"
    )  # in the place of what is known only while the flow runs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what later versions of Python may read differently
        try:
            re.compile(fill(text, some_value))
        except (re.error, OverflowError, RecursionError) as error:
            raise Misread(f"{quoted(text)} is not a regular expression: {error}", text) from None


def _shown(node: Node) -> str:
    return f"{len(node.entries)} keys" if isinstance(node, Map) else kind_of(node)
