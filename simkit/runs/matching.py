"""Whether a message is the one a flow means: patterns ("4xx INVITE") and matchers (`has`, `body`), compiled once.

A test is made once per line of a flow and shared by all its calls. It answers None where all is well, so that the
words of a failure are only put together when there is one. Operands may quote saved values as `${name}`; they are
filled in when the message has come. Comparing header values as SIP does is the business of `sip.equality`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..flows.model import Comparison, HeaderMatcher, Matcher, MessagePattern, Observation, Saving
from ..flows.variables import fill
from ..sip.equality import header_part, values_equal
from ..sip.headers import COMMA_SEPARATED, REQUEST_URI, canonical_name
from ..sip.message import Message, Request, Response

Saved = Mapping[str, str]
"""What the run has saved so far, by name."""

SEARCHED_MAX: Final = 65_536
"""How much of a value a regular expression is let loose on: a UDP datagram holds no more."""

TOKEN_LISTS: Final = frozenset(
    canonical_name(name)
    for name in "Accept-Encoding Allow Allow-Events In-Reply-To Proxy-Require Require Supported Unsupported".split()
)
"""Headers whose elements are bare tokens: there, `contains` asks for an element (RFC 3261 section 25.1)."""

_NUMBER = re.compile(r"\s*([0-9]{1,20})")


# --- patterns --------------------------------------------------------------------------------------------------------


class PatternTest:
    """Whether a message is of a kind: "INVITE", "200 INVITE", "18x INVITE", "481"."""

    __slots__ = ("_highest", "_lowest", "_method")

    def __init__(self, pattern: MessagePattern) -> None:
        self._method = pattern.method
        self._lowest = int(pattern.status.replace("x", "0")) if pattern.status else 0
        self._highest = int(pattern.status.replace("x", "9")) if pattern.status else 0

    def accepts(self, message: Message) -> bool:
        """Whether the message is of this kind."""
        if self._method is not None and message.method != self._method:
            return False
        return self._lowest <= status_of(message) <= self._highest


class PatternSet:
    """Several patterns, as in `allow` and `never`; every kind of message is looked at only once."""

    __slots__ = ("_known", "_tests")

    def __init__(self, patterns: Iterable[MessagePattern]) -> None:
        self._tests = tuple((pattern, PatternTest(pattern)) for pattern in patterns)
        self._known: dict[tuple[str, int], MessagePattern | None] = {}

    def find(self, message: Message) -> MessagePattern | None:
        """Return the first pattern that means this message."""
        if not self._tests:
            return None
        kind = message.method, status_of(message)
        if kind not in self._known:
            self._known[kind] = next((pattern for pattern, test in self._tests if test.accepts(message)), None)
        return self._known[kind]


def status_of(message: Message) -> int:
    """Return a response's status, 0 for a request."""
    return message.status if isinstance(message, Response) else 0


def kind_of(message: Message) -> str:
    """Say in a flow's words what a message is: "INVITE", "200 INVITE"."""
    return message.method if isinstance(message, Request) else f"{status_of(message)} {message.method}"


# --- matchers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a message is not as it should be."""

    matcher: Matcher
    found: str
    """What is wrong, as the end of a sentence: "with Session-Expires: 90", "without Min-SE"."""
    expected: str
    """"expected 1800;refresher=uac"."""
    header: str | None = None
    """The header at fault; None for the body."""


Holds = Callable[[str, str], bool]
"""Whether an actual value (first) is as an operand (second) asks."""


class ValueTest:
    """One matcher, ready to judge values of one header, or bodies."""

    __slots__ = ("_holds", "_refers", "matcher")

    def __init__(self, matcher: Matcher, holds: Holds) -> None:
        self.matcher = matcher
        self._holds = holds
        self._refers = any("${" in operand for operand in matcher.operands)

    def passes(self, value: str | None, saved: Saved) -> bool:
        """Whether the value (None: there is none) is as the flow wants it."""
        if self.matcher.comparison is Comparison.ABSENT:
            return (value is None) is not self.matcher.negated
        if value is None:
            return False
        holds = self._holds
        return any(holds(value, operand) for operand in self.operands(saved) if operand is not None)

    def operands(self, saved: Saved) -> tuple[str | None, ...]:
        """Return the operands with saved values filled in; None for one that quotes what was never saved."""
        if not self._refers:
            return self.matcher.operands
        pattern = self.matcher.comparison is Comparison.MATCHES
        return tuple(filled_in(operand, saved, as_pattern=pattern) for operand in self.matcher.operands)

    def wish(self, saved: Saved) -> str:
        """Say what is expected, as a caret's note."""
        comparison = self.matcher.comparison
        if comparison is Comparison.ABSENT:
            return "expected to be there" if self.matcher.negated else "expected to be absent"
        if None in (operands := self.operands(saved)):
            return f"'{' '.join(self.matcher.operands)}' quotes what has not been saved"
        return f"expected {_WISHES[comparison]}{' or '.join(map(str, operands))}"


_WISHES: Final = {
    Comparison.EQUALS: "",
    Comparison.CONTAINS: "to contain ",
    Comparison.AT_LEAST: "at least ",
    Comparison.AT_MOST: "at most ",
    Comparison.MORE_THAN: "more than ",
    Comparison.MATCHES: "to match ",
    Comparison.ONE_OF: "one of ",
}


class HeaderTest:
    """One entry of `has`."""

    __slots__ = ("_is_list", "_name", "_test", "_written")

    def __init__(self, matcher: HeaderMatcher) -> None:
        self._written = matcher.header
        self._name = canonical_name(matcher.header)
        self._is_list = self._name in COMMA_SEPARATED
        self._test = ValueTest(matcher.matcher, _header_comparison(self._name, matcher.matcher))

    def judge(self, message: Message, saved: Saved) -> Mismatch | None:
        """Return why the message is not as it should be; None where it is."""
        value = _value(message, self._written)
        if value is not None and self._is_list:
            value = ", ".join(message.values(self._name))
        if self._test.passes(value, saved):
            return None
        found = f"without {self._written}" if value is None else f"with {self._written}: {value}"
        return Mismatch(self._test.matcher, found, self._test.wish(saved), self._name)


class BodyTest:
    """The `body` of a line: the body as text, its line ends as LF."""

    __slots__ = ("_test",)

    def __init__(self, matcher: Matcher) -> None:
        self._test = ValueTest(matcher, _body_comparison(matcher))

    def judge(self, message: Message, saved: Saved) -> Mismatch | None:
        """Return why the body is not as it should be; None where it is."""
        body = message.body.decode("utf-8", "replace").replace("\r\n", "\n").strip() or None
        if self._test.passes(body, saved):
            return None
        found = "without a body" if body is None else f"with a body of {len(message.body)} bytes"
        return Mismatch(self._test.matcher, found, self._test.wish(saved))


def value_to_save(message: Message, saving: Saving) -> str | None:
    """Return what an entry of `save` keeps of a message; None where it is not there."""
    value = _value(message, saving.header)
    if value is None:
        return None
    if saving.pattern is not None:
        found = re.search(saving.pattern, value[:SEARCHED_MAX])
        return found[1 if found.re.groups else 0] if found else None
    return header_part(saving.header, value, saving.part) if saving.part else value


def _value(message: Message, name: str) -> str | None:
    if name == REQUEST_URI and isinstance(message, Request):
        return message.uri
    return message.header(name)


def compile_tests(line: Observation) -> tuple[HeaderTest | BodyTest, ...]:
    """Return what a line asks of its message, in the order in which it is written."""
    headers = tuple(HeaderTest(matcher) for matcher in line.has)
    return (*headers, BodyTest(line.body)) if line.body else headers


def _header_comparison(name: str, matcher: Matcher) -> Holds:
    if matcher.comparison in (Comparison.EQUALS, Comparison.ONE_OF):
        return lambda value, operand: values_equal(name, value, operand)
    if matcher.comparison is Comparison.CONTAINS and name in TOKEN_LISTS:
        return lambda value, operand: (
            operand.strip().lower() in (element.strip() for element in value.lower().split(","))
        )
    return _COMPARISONS[matcher.comparison]


def _body_comparison(matcher: Matcher) -> Holds:
    if matcher.comparison in (Comparison.EQUALS, Comparison.ONE_OF):
        return lambda value, operand: value == operand.strip()
    return _COMPARISONS[matcher.comparison]


def _number(text: str) -> int | None:
    found = _NUMBER.match(text)
    return int(found.group(1)) if found else None


def _at_least(value: str, operand: str) -> bool:
    number, bound = _number(value), _number(operand)
    return number is not None and bound is not None and number >= bound


def _at_most(value: str, operand: str) -> bool:
    number, bound = _number(value), _number(operand)
    return number is not None and bound is not None and number <= bound


def _more_than(value: str, operand: str) -> bool:
    number, bound = _number(value), _number(operand)
    return number is not None and bound is not None and number > bound


def _matches(value: str, operand: str) -> bool:
    return re.search(operand, value[:SEARCHED_MAX]) is not None  # `re` keeps compiled patterns


_COMPARISONS: Final[Mapping[Comparison, Holds]] = {
    Comparison.CONTAINS: lambda value, operand: operand.lower() in value.lower(),
    Comparison.AT_LEAST: _at_least,
    Comparison.AT_MOST: _at_most,
    Comparison.MORE_THAN: _more_than,
    Comparison.MATCHES: _matches,
    Comparison.ABSENT: lambda _value, _operand: False,  # never asked: it looks at no operand
}


def filled_in(text: str, saved: Saved, *, as_pattern: bool = False) -> str | None:
    """Put saved values in the place of `${name}`; None where one was never saved."""
    try:
        return fill(text, {name: re.escape(value) for name, value in saved.items()} if as_pattern else saved)
    except KeyError:
        return None
