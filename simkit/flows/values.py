"""`vars`, `cases` and what `--set` puts in their place: what `${name}` stands for in each run of a flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..errors import Fault
from .faults import Misread, quoted, unknown
from .reading import SECRET_MISREAD, Reading, TooManyFaultsError, kind_of
from .secrets import SHOWN_AS
from .variables import NAME, substitute
from .yaml_source import List, Map, Node, Scalar

LABEL: Final = "name"
"""The key of a case that names it."""
MAX_CASES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a flow: its values, and what it is called; None for a flow without cases."""

    label: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


def read_cases(
    root: Map, path: str, overrides: Mapping[str, str], faults: list[Fault], *, with_cases: bool
) -> tuple[Case, ...]:
    """Return the cases of a flow with their values filled in; a single one without a label where there are none.

    Adds to `faults` what is wrong with `vars`, `cases` and `overrides`.
    """
    reading = Reading(path, {})
    try:
        return _read_cases(reading, root, overrides, with_cases)
    except TooManyFaultsError:
        return ()
    finally:
        faults += reading.faults


def _read_cases(reading: Reading, root: Map, overrides: Mapping[str, str], with_cases: bool) -> tuple[Case, ...]:
    variables, listed = root.value("vars"), root.value("cases")
    plain = _read_values(reading, variables, "vars") if variables else {}
    maps = _read_list(reading, listed) if listed else []
    known = dict.fromkeys((*plain, *(name for values in maps for name in values if name != LABEL)))
    for name in overrides:
        if name not in known:
            place = (variables or root).source
            reading.refuse(place, f"--set {name}: {unknown('value', name, known).message}")
    if not (listed and with_cases):
        return (Case(None, _fill(reading, plain, {}, overrides)),)
    cases = tuple(_case(reading, plain, values, overrides) for values in maps)
    if overrides:  # what told the cases apart may have been overridden
        return tuple({(case.label, *sorted(case.values.items())): case for case in cases}.values())
    _check_labels(reading, maps, cases)
    return cases


def _read_list(reading: Reading, node: Node) -> list[dict[str, Scalar]]:
    if not isinstance(node, List) or not node.items:
        reading.refuse(node.source, f"cases is a list of maps such as - {{se: 90}}, not {kind_of(node)}")
        return []
    if len(node.items) > MAX_CASES:
        reading.refuse(node.source, f"{len(node.items):,} cases are more than {MAX_CASES:,}")
        return []
    return [_read_values(reading, item, "a case") for item in node.items]


def _read_values(reading: Reading, node: Node, what: str) -> dict[str, Scalar]:
    if not isinstance(node, Map) or (what == "a case" and not node.entries):
        reading.refuse(node.source, f"{what} is a map from name to value, not {kind_of(node)}")
        return {}
    values = {}
    for name, value in node.entries:
        if not NAME.fullmatch(name.text):
            message = f"{quoted(name.text)} cannot name a value: use letters, digits and underscores"
            reading.refuse(name.source, message)
        elif isinstance(value, Scalar) and reading.attempt(value, _check_value, reading, value):
            values[name.text] = value
        elif not isinstance(value, Scalar):
            reading.refuse(value.source, f"'{name.text}' is one value, not {kind_of(value)}")
    return values


def _check_value(reading: Reading, node: Scalar) -> bool:
    if node.text not in ("true", "false") and "$" not in node.text:
        reading.text(node)
    return True


def _fill(
    reading: Reading, plain: Mapping[str, Scalar], case: Mapping[str, Scalar], overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return what each name stands for; a value may use those that stand above it."""
    values: dict[str, str] = {}
    for name, node in {**plain, **case}.items():
        text = overrides.get(name, node.text)
        try:
            values[name] = substitute(text, values)
        except Misread as misread:
            hidden = Misread(SECRET_MISREAD) if node.secret else misread
            reading.refuse(node.source, hidden.message, hidden.word)
            values[name] = text
    return values


def _case(
    reading: Reading, plain: Mapping[str, Scalar], case: Mapping[str, Scalar], overrides: Mapping[str, str]
) -> Case:
    own = {name: node for name, node in case.items() if name != LABEL}
    values = _fill(reading, plain, own, overrides)
    shown = {name: SHOWN_AS if node.secret else values[name] for name, node in own.items()}
    label = case[LABEL].text if LABEL in case else ",".join(f"{name}={value}" for name, value in shown.items())
    return Case(label, values)


def _check_labels(reading: Reading, maps: list[dict[str, Scalar]], cases: tuple[Case, ...]) -> None:
    """Results are told apart by their labels, so two cases must not share one."""
    seen: set[str | None] = set()
    for values, case in zip(maps, cases, strict=True):
        if case.label in seen and values:
            first = next(iter(values.values()))
            reading.refuse(first.source, f"two cases are called {quoted(case.label or '')}: add a `name` to one")
        seen.add(case.label)
