"""The actions of a step: what SIPp does with the message that came, with variables, and with the call."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ..errors import Fault
from .attributes import Values, names_in
from .scenario import Action, Assignment, Check, Comparison, Log, Place, Search, Stop, Stranger
from .xml import Element, Text

_ARITHMETIC: Final = ("assign", "add", "subtract", "multiply", "divide")
_IN_PLACE: Final = ("trim", "urlencode", "urldecode")
_COMPARISONS: Final = ("equal", "not_equal", "greater_than", "less_than", "greater_than_equal", "less_than_equal")


def read_actions(values: Values, step: Element) -> Iterator[Action]:
    """Yield what the first `<action>` of a step says; SIPp looks at no other."""
    block = next((child for child in step.children if child.name == "action"), None)
    for element in block.children if block else ():
        read = ACTIONS.get(element.name)
        if read is None:
            values.faults.append(Fault(element.source, f"<{element.name}> is no action that SIPp knows"))
        else:
            yield read(values, element)


def _search(values: Values, element: Element) -> Search:
    expression = element.attributes.get("regexp")
    if expression is None:
        values.faults.append(Fault(element.source, '<ereg> has no expression: regexp="..."'))
        expression = Text("", element.source)
    targets = names_in(element.value("assign_to"))
    if not targets:
        values.faults.append(Fault(element.source, '<ereg> does not say where to keep what it finds: assign_to="..."'))
    place = _place(values, element)
    where = element.value("variable" if place is Place.VARIABLE else "header") or ""
    if place is Place.HEADER and not where:
        values.faults.append(Fault(element.source, 'search_in="hdr" needs header="Name:"'))
    occurrence = values.number(element, "occurrence", values.number(element, "occurence", 1))  # either spelling
    ignores_case = values.boolean(element, "case_indep")
    return Search(
        element.source, expression, place, where, int(occurrence), ignores_case, _check(values, element), targets
    )


def _place(values: Values, element: Element) -> Place:
    word = element.value("search_in") or Place.MESSAGE.value
    try:
        return Place(word)
    except ValueError:
        words = ", ".join(place.value for place in Place)
        values.faults.append(Fault(element.place("search_in"), f"'{word[:40]}' is none of {words}"))
        return Place.MESSAGE


def _check(values: Values, element: Element) -> Check:
    for check in (Check.MUST_HOLD, Check.MUST_NOT_HOLD):
        if values.boolean(element, check.value):
            return check
    return Check.NOTHING


def _assignment(values: Values, element: Element) -> Assignment:
    target = element.value("assign_to") or (element.value("variable") if element.name in _IN_PLACE else None)
    if not target:
        values.faults.append(Fault(element.source, f'<{element.name}> does not say which variable: assign_to="..."'))
    value, variable = element.value("value"), element.value("variable")
    if element.name in _ARITHMETIC and value is None and variable is None:
        values.faults.append(Fault(element.source, f'<{element.name}> has neither value="..." nor variable="..."'))
    return Assignment(element.source, element.name, target or "", value, variable)


def _comparison(values: Values, element: Element) -> Comparison:
    is_text = element.name == "strcmp"
    variable, compare = element.value("variable"), element.value("compare") or "equal"
    if variable is None:
        values.faults.append(Fault(element.source, f'<{element.name}> does not say what to compare: variable="..."'))
    if compare not in _COMPARISONS:
        known = ", ".join(_COMPARISONS)
        values.faults.append(Fault(element.place("compare"), f"'{compare[:40]}' is no comparison: write {known}"))
    value, variable2 = element.value("value"), element.value("variable2")
    if value is None and variable2 is None:
        values.faults.append(Fault(element.source, f'<{element.name}> has neither value="..." nor variable2="..."'))
    check = _check(values, element)
    target = element.value("assign_to")
    return Comparison(element.source, is_text, variable or "", compare, value, variable2, target, check)


def _log(values: Values, element: Element) -> Log:
    return Log(element.source, element.value("message") or "")


def _stop(values: Values, element: Element) -> Stop | Stranger:
    word = "error" if element.name == "error" else element.value("int_cmd")
    return _stranger(values, element) if word is None else Stop(element.source, word)


def _stranger(values: Values, element: Element) -> Stranger:
    which = next((name for name in element.attributes), "") if element.name in ("exec", "rtp_echo") else ""
    return Stranger(element.source, f"{element.name} {which}".strip(), names_in(element.value("assign_to")))


_STRANGE: Final = (
    *("sample", "gettimeofday", "index", "jump", "pauserestore", "verifyauth", "lookup", "insert", "replace"),
    *("setdest", "closecon", "rtp_echo"),
)
ACTIONS: Final[Mapping[str, Callable[[Values, Element], Action]]] = {
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
