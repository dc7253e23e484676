"""The actions of a step: what SIPp does with the message that came, with variables, and with the call."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ..errors import Fault
from .scenario import Action, Assignment, Check, Comparison, Log, Place, Search, Stop, Stranger
from .xml import Element, Text

if TYPE_CHECKING:
    from .reading import Reading

_ARITHMETIC: Final = ("assign", "add", "subtract", "multiply", "divide")
_IN_PLACE: Final = ("trim", "urlencode", "urldecode")
_COMPARISONS: Final = ("equal", "not_equal", "greater_than", "less_than", "greater_than_equal", "less_than_equal")


def read_actions(reading: "Reading", step: Element) -> Iterator[Action]:
    """Yield what the first `<action>` of a step says; SIPp looks at no other."""
    block = next((child for child in step.children if child.name == "action"), None)
    for element in block.children if block else ():
        read = ACTIONS.get(element.name)
        if read is None:
            reading.faults.append(Fault(element.source, f"<{element.name}> is no action that SIPp knows"))
        else:
            yield read(reading, element)


def _search(reading: "Reading", element: Element) -> Search:
    expression = element.attributes.get("regexp")
    if expression is None:
        reading.faults.append(Fault(element.source, '<ereg> has no expression: regexp="..."'))
        expression = Text("", element.source)
    targets = names_in(element.value("assign_to"))
    if not targets:
        reading.faults.append(Fault(element.source, '<ereg> does not say where to keep what it finds: assign_to="..."'))
    place = _place(reading, element)
    where = element.value("variable" if place is Place.VARIABLE else "header") or ""
    if place is Place.HEADER and not where:
        reading.faults.append(Fault(element.source, 'search_in="hdr" needs header="Name:"'))
    occurrence = reading.number(element, "occurrence", reading.number(element, "occurence", 1))  # either spelling
    ignores_case = reading.boolean(element, "case_indep")
    return Search(
        element.source, expression, place, where, int(occurrence), ignores_case, _check(reading, element), targets
    )


def _place(reading: "Reading", element: Element) -> Place:
    word = element.value("search_in") or Place.MESSAGE.value
    try:
        return Place(word)
    except ValueError:
        words = ", ".join(place.value for place in Place)
        reading.faults.append(Fault(element.place("search_in"), f"'{word[:40]}' is none of {words}"))
        return Place.MESSAGE


def _check(reading: "Reading", element: Element) -> Check:
    for check in (Check.MUST_HOLD, Check.MUST_NOT_HOLD):
        if reading.boolean(element, check.value):
            return check
    return Check.NOTHING


def _assignment(reading: "Reading", element: Element) -> Assignment:
    target = element.value("assign_to") or (element.value("variable") if element.name in _IN_PLACE else None)
    if not target:
        reading.faults.append(Fault(element.source, f'<{element.name}> does not say which variable: assign_to="..."'))
    value, variable = element.value("value"), element.value("variable")
    if element.name in _ARITHMETIC and value is None and variable is None:
        reading.faults.append(Fault(element.source, f'<{element.name}> has neither value="..." nor variable="..."'))
    return Assignment(element.source, element.name, target or "", value, variable)


def _comparison(reading: "Reading", element: Element) -> Comparison:
    is_text = element.name == "strcmp"
    variable, compare = element.value("variable"), element.value("compare") or "equal"
    if variable is None:
        reading.faults.append(Fault(element.source, f'<{element.name}> does not say what to compare: variable="..."'))
    if compare not in _COMPARISONS:
        known = ", ".join(_COMPARISONS)
        reading.faults.append(Fault(element.place("compare"), f"'{compare[:40]}' is no comparison: write {known}"))
    value, variable2 = element.value("value"), element.value("variable2")
    if value is None and variable2 is None:
        reading.faults.append(Fault(element.source, f'<{element.name}> has neither value="..." nor variable2="..."'))
    check = _check(reading, element)
    target = element.value("assign_to")
    return Comparison(element.source, is_text, variable or "", compare, value, variable2, target, check)


def _log(reading: "Reading", element: Element) -> Log:
    return Log(element.source, element.value("message") or "")


def _stop(reading: "Reading", element: Element) -> Stop | Stranger:
    word = "error" if element.name == "error" else element.value("int_cmd")
    return _stranger(reading, element) if word is None else Stop(element.source, word)


def _stranger(reading: "Reading", element: Element) -> Stranger:
    which = next((name for name in element.attributes), "") if element.name in ("exec", "rtp_echo") else ""
    return Stranger(element.source, f"{element.name} {which}".strip(), names_in(element.value("assign_to")))


def names_in(text: str | None) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))


_STRANGE: Final = (
    *("sample", "gettimeofday", "index", "jump", "pauserestore", "verifyauth", "lookup", "insert", "replace"),
    *("setdest", "closecon", "rtp_echo"),
)
ACTIONS: Final[Mapping[str, Callable[["Reading", Element], Action]]] = {
    "ereg": _search,
    **dict.fromkeys((*_ARITHMETIC, *_IN_PLACE, "assignstr", "todouble"), _assignment),
    "test": _comparison,
    "strcmp": _comparison,
    "log": _log,
    "warning": _log,
    "error": _stop,
    "exec": _stop,
    **dict.fromkeys(_STRANGE, _stranger),
}
"""Each action that SIPp knows, and how it is read."""
