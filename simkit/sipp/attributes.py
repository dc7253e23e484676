"""What stands in the attributes of a SIPp scenario, as SIPp reads it, and what is wrong there."""

from typing import Final

from ..errors import Fault
from ..units import MS
from .xml import Element

_MILLISECONDS_MAX: Final = 10 * 365 * 86_400_000


class Values:
    """Reads values of attributes, and collects every fault on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def boolean(self, element: Element, name: str) -> bool:
        """Return an attribute that is true or false; false where it is missing."""
        value = (element.value(name) or "false").strip().lower()
        if value not in ("true", "false", "yes", "no", "1", "0", "on", "off"):
            self.faults.append(Fault(element.place(name), f"'{name}' is true or false, not '{value[:40]}'"))
        return value in ("true", "yes", "1", "on")

    def number(self, element: Element, name: str, default: float) -> float:
        """Return an attribute that is a number."""
        written = element.value(name)
        if written is None:
            return default
        value = number_of(written)
        if value is None:
            self.faults.append(Fault(element.place(name), f"'{name}' is a number, not '{written[:40]}'"))
        return default if value is None else value

    def milliseconds(self, element: Element, name: str) -> int:
        """Return an attribute that is a duration, in microseconds; 0 where it is missing."""
        value = self.number(element, name, 0.0)
        if not 0 <= value <= _MILLISECONDS_MAX:
            self.faults.append(Fault(element.place(name), f"'{name}' is from 0 ms to ten years, not {value:g} ms"))
            return 0
        return round(value * MS)


def number_of(text: str) -> float | None:
    """Return a number as C reads it, or None."""
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if abs(value) < 1e18 else None  # neither infinite nor NaN


def names_in(text: str | None) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))
