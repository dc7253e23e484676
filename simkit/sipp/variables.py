"""The variables of a scenario, as far as they are known before it is run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from .attributes import number_of
from .quotes import FIRST
from .scenario import Comparison

_LONGEST: Final = 4_096  # characters: longer than any header that somebody would look at


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable holds; what is None is known only in a run."""

    text: str | None
    number: float | None
    truth: bool | None
    """Whether SIPp takes it as set."""

    UNSET: ClassVar["Value"]
    UNKNOWN: ClassVar["Value"]

    @staticmethod
    def of_number(number: float) -> "Value":
        """Return a number; SIPp writes whole ones without a fraction, others with six places."""
        if not math.isfinite(number):
            return Value.UNKNOWN
        return Value(f"{number:.0f}" if number == int(number) else f"{number:f}", number, True)

    @staticmethod
    def of_text(text: str) -> "Value":
        """Return a text, and the number that it says if it does; one that grows and grows is not followed."""
        if len(text) > _LONGEST:
            return Value.UNKNOWN
        return Value(text, number_of(text), True)


Value.UNSET = Value("", None, False)
Value.UNKNOWN = Value(None, None, None)


def calculated(operation: str, old: Value, operand: Value) -> Value:
    """Return what an assignment makes of a variable."""
    if operation in _ARITHMETIC:
        if old.number is None or operand.number is None:
            return Value.UNKNOWN
        return Value.of_number(_ARITHMETIC[operation](old.number, operand.number))
    if operation in ("assign", "todouble"):
        return Value.UNKNOWN if operand.number is None else Value.of_number(operand.number)
    if operation == "assignstr":
        return operand
    if operation == "trim" and old.text is not None:
        return Value(old.text.strip(), old.number, old.truth)
    return Value.UNKNOWN


_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "add": lambda old, operand: old + operand,
    "subtract": lambda old, operand: old - operand,
    "multiply": lambda old, operand: old * operand,
    "divide": lambda old, operand: old / operand if operand else old,
}


def compared(comparison: Comparison, left: Value, right: Value) -> bool | None:
    """Return whether a comparison holds; None where that is known only in a run."""
    if comparison.is_text:
        if not (_is_known(left) and _is_known(right)):
            return None
        assert left.text is not None
        assert right.text is not None
        return _HOLDS[comparison.compare]((left.text > right.text) - (left.text < right.text))
    if left.number is None or right.number is None:
        return None
    return _HOLDS[comparison.compare]((left.number > right.number) - (left.number < right.number))


def _is_known(value: Value) -> bool:
    return value.text is not None and all(ord(character) < FIRST for character in value.text)


_HOLDS: Final[Mapping[str, Callable[[int], bool]]] = {
    "equal": lambda order: order == 0,
    "not_equal": lambda order: order != 0,
    "greater_than": lambda order: order > 0,
    "less_than": lambda order: order < 0,
    "greater_than_equal": lambda order: order >= 0,
    "less_than_equal": lambda order: order <= 0,
}
