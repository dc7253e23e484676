"""Who may import whom, by which door a library comes in, and what a file looks like: checked in the source itself.

Each rule is a function from a module to what is wrong with it: the line, what it is, and how to mend it. Circles show
only when one looks at all modules together.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

FOR_EVERYBODY = ("errors", "units", "__version__")
MAY_IMPORT = {  # beside itself and what is for everybody
    "errors": (),
    "units": (),
    "settings": (),
    "rulebook": (),
    "sip": (),
    "trace": ("sip",),
    "ua": ("sip", "settings"),
    "flows": ("sip", "settings", "rulebook"),  # never ua: a flow says what should happen, whoever makes it so
    "processes": (),
    "drivers": ("ua", "sip", "trace", "settings", "processes.certificate", "processes.port_holder"),
    "foreign": ("ua.timer_logic", "ua.events", "sip", "settings", "processes"),
    "sut": ("sip", "settings", "processes"),
    "runs": ("flows", "drivers", "foreign", "sut", "museum", "ua", "sip", "trace", "settings", "processes"),
    "captures": ("trace", "sip"),
    "rebuild": ("audit", "runs", "flows", "rulebook", "trace", "sip"),
    "audit": ("trace", "sip", "rulebook"),  # never ua: it judges ua, and would share its errors
    "reports": (
        *("runs", "checklist", "conformance", "museum", "captures", "rebuild", "audit"),
        *("flows", "sip", "trace", "rulebook"),
    ),
    "museum": ("ua", "sip"),
    "conformance": ("runs", "museum", "audit", "flows", "trace", "rulebook"),
    "checklist": ("runs", "sut", "audit", "flows", "sip", "settings", "rulebook"),
    "sipp": ("flows", "trace", "sip"),
    "__init__": ("api",),
}
OUTERMOST = ("api", "cli", "pytest_plugin", "__main__")
"""The front doors: they may import every part but the machines and what drives them."""
NOT_FOR_OUTERMOST = ("ua", "drivers")

DOORS = {
    "yaml": ("flows",),
    "simpy": ("drivers",),
    "scapy": ("captures", "drivers"),
    "tabulate": ("reports",),
    "click": ("cli",),
    "pytest": ("pytest_plugin",),
    "subprocess": ("processes",),
}
WHEN_USED = ("scapy", "tabulate", "simkit.api", "simkit.drivers.tls")
"""Slow to load, and few need them. simpy is loaded by `drivers.virtual` alone, as that is when it is used."""

SANS_IO = ("sip", "ua", "units", "errors", "settings", "trace")
IMPURE = {"time", "datetime", "random", "socket", "threading", "asyncio", "os", "sys"}

LINE_LENGTH_MAX, FILE_LINES_MAX, FUNCTION_LINES_MAX = 120, 400, 70
BANNED_WORDS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "handler", "handlers"}


@dataclass(frozen=True)
class Module:
    """A source file under simkit/, by its path from the root of the project."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """("simkit", "sip", "uri"); a package ends in "__init__"."""
        return Path(self.path).with_suffix("").parts

    @property
    def part(self) -> str:
        """The folder or file right under simkit/."""
        return self.names[1]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All that the tree is made of."""
        return [*ast.walk(self.tree)]

    @cached_property
    def imports(self) -> list[tuple[ast.stmt, str]]:
        """Each import statement, and the full dotted name that it brings in."""
        return [*self._imports()]

    def _imports(self) -> Iterator[tuple[ast.stmt, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.names[: -node.level] if node.level else ()
                base = ".".join((*above, *filter(None, [node.module])))
                yield from ((node, f"{base}.{alias.name}") for alias in node.names)


Fault = tuple[int, str]
"""A line, and what is wrong there and how to mend it."""
Rule = Callable[[Module], Iterator[Fault]]


def is_within(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def arrows(module: Module) -> Iterator[Fault]:
    """A part of simkit imports only those below it."""
    if module.part not in (*MAY_IMPORT, *OUTERMOST):
        yield 1, f"'{module.part}' is new here; say in MAY_IMPORT of {Path(__file__).name} what it may import"
        return
    for node, name in module.imports:
        top, _, target = name.partition(".")
        if top != "simkit" or is_within(target, (module.part,)):
            continue
        what = f"{module.part} may not import {target or 'all of simkit'}"
        if module.part in OUTERMOST:
            if not target or is_within(target, NOT_FOR_OUTERMOST):
                yield node.lineno, f"{what}; go through runs"
        elif module.part in FOR_EVERYBODY or not is_within(target, FOR_EVERYBODY + MAY_IMPORT.get(module.part, ())):
            allowed = ", ".join(MAY_IMPORT.get(module.part, ())) or "no other part"
            yield node.lineno, f"{what}, but {allowed}; take it as an argument, or move it to where both may reach it"


def doors(module: Module) -> Iterator[Fault]:
    """A third-party library comes in by one door."""
    for node, name in module.imports:
        library = name.partition(".")[0]
        if library in DOORS and module.part not in DOORS[library]:
            yield node.lineno, f"{library} comes in by {' and '.join(DOORS[library])} only; ask there for what you need"
        elif library not in DOORS and library != "simkit" and library not in sys.stdlib_module_names:
            yield node.lineno, f"simkit does not depend on {library}; do without it"


def when_used(module: Module) -> Iterator[Fault]:
    """A library that is slow to load is imported by the function that needs it."""
    slow = [(node, name) for node, name in module.imports if is_within(name, WHEN_USED)]
    if not slow:
        return
    inside = {
        node
        for function in module.nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(function)
        for node in ast.walk(function)
    }
    for node, name in slow:
        if node not in inside:
            yield node.lineno, f"{name} is slow to load; import it in the function that uses it"


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def sans_io(module: Module) -> Iterator[Fault]:
    """What is said and who speaks own no clock, no chance and no socket."""
    if module.part not in SANS_IO:
        return
    for node, name in module.imports:
        top = name.partition(".")[0]
        if top in IMPURE:
            yield node.lineno, f"{module.part} may not import {top}; take `now`, or what it gave, as an argument"
        elif top != "simkit" and top not in sys.stdlib_module_names:
            yield node.lineno, f"{module.part} imports the standard library only, not {top}; leave that to its door"


def docstring(module: Module) -> Iterator[Fault]:
    """A module opens with what it is; an empty `__init__.py` says it by its folder."""
    if module.tree.body and ast.get_docstring(module.tree) is None:
        yield 1, "a docstring is missing; say what this is, by which RFC sections, and what it leaves out"


def sizes(module: Module) -> Iterator[Fault]:
    """Lines, functions and files stay small."""
    lines = module.source.splitlines()
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LENGTH_MAX:
            yield number, f"the line has {len(line)} columns, over {LINE_LENGTH_MAX}; break it"
    if len(lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"the file has {len(lines)} lines, over {FILE_LINES_MAX}; one concept a file"
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {length} lines, over {FUNCTION_LINES_MAX}; split it"


def words(module: Module) -> Iterator[Fault]:
    """A module is named for what it is about."""
    for name in module.names:
        for word in BANNED_WORDS.intersection(name.split("_")):
            yield 1, f"'{word}' says nothing; name the module for what it is about"


def printing(module: Module) -> Iterator[Fault]:
    """Only the command line prints."""
    for node in () if module.part == "cli" else module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print() is for cli/ alone; return the text"


class Links(NamedTuple):
    """What a module imports: each full dotted name, and its line."""

    path: str
    name: str
    imported: tuple[tuple[int, str], ...]


def links(module: Module) -> Links:
    name = ".".join(module.names).removesuffix(".__init__")
    return Links(module.path, name, tuple((node.lineno, name) for node, name in module.imports))


def circles(modules: Sequence[Links]) -> list[str]:
    """No file imports another that leads back to it, be it in a function or for the type checker only."""
    paths = {module.name: module.path for module in modules}
    lines = {module.name: targets(module, paths) for module in modules}
    found: list[str] = []
    while True:
        try:
            TopologicalSorter(lines).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][:0:-1]  # each imports the next
            first = circle.index(min(circle))
            way = [*circle[first:], *circle[: first + 1]]
            what = ", which imports ".join(name.removeprefix("simkit.") for name in way[1:])
            place = f"{paths[way[0]]}:{lines[way[0]].pop(way[1])}"
            found.append(f"{place}: this imports {what}; move what both need to a file of its own")
        else:
            return sorted(found)


def targets(module: Links, known: Container[str]) -> dict[str, int]:
    """Return the modules that a module imports, and in which line it first does."""
    lines: dict[str, int] = {}
    for line, name in module.imported:
        target = next((each for each in (name, name.rpartition(".")[0]) if each in known), None)
        if target is not None and target != module.name:
            lines[target] = min(line, lines.get(target, line))
    return lines


RULES: tuple[Rule, ...] = (arrows, doors, when_used, sans_io, docstring, sizes, words, printing)


def faults(rule: Rule, module: Module) -> list[str]:
    return [f"{module.path}:{line}: {message}" for line, message in rule(module)]


def modules() -> Iterator[Module]:
    """Yield all of simkit, one after the other: their trees are large."""
    for path in sorted((ROOT / "simkit").rglob("*.py")):
        if "templates" not in path.parts:  # what users copy stands outside, as their own code does
            yield Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> dict[object, list[str]]:
    """What is wrong in simkit, by rule."""
    found: dict[object, list[str]] = {rule: [] for rule in RULES}
    linked = []
    for module in modules():
        for rule in RULES:
            found[rule] += faults(rule, module)
        linked.append(links(module))
    return {**found, circles: circles(linked)}


@pytest.mark.parametrize("rule", [*RULES, circles], ids=lambda rule: rule.__name__)
def test_simkit_keeps_the_rule(rule: object, found: dict[object, list[str]]) -> None:
    assert not found[rule], "\n".join(["", *found[rule]])


def test_every_part_in_the_table_of_arrows_points_at_parts_in_the_table() -> None:
    targets = {target.partition(".")[0] for allowed in MAY_IMPORT.values() for target in allowed}
    assert targets <= {*MAY_IMPORT, *OUTERMOST}


ARROW = "; take it as an argument, or move it to where both may reach it"
BROKEN = [
    pytest.param(
        arrows,
        Module("simkit/sip/uri.py", "from ..ua import dialog"),
        [f"simkit/sip/uri.py:1: sip may not import ua.dialog, but no other part{ARROW}"],
        id="sip imports ua",
    ),
    pytest.param(
        arrows,
        Module(
            "simkit/audit/rules.py", '"""Rules."""\n\ndef late():\n    from simkit.ua.session_timer import SessionTimer'
        ),
        [
            "simkit/audit/rules.py:4: audit may not import ua.session_timer.SessionTimer, "
            f"but trace, sip, rulebook{ARROW}"
        ],
        id="audit imports ua, inside a function",
    ),
    pytest.param(
        arrows,
        Module("simkit/captures/deep/read.py", "from ...runs.run import Run"),
        [f"simkit/captures/deep/read.py:1: captures may not import runs.run.Run, but trace, sip{ARROW}"],
        id="captures import runs, from a folder below",
    ),
    pytest.param(
        arrows,
        Module("simkit/flows/__init__.py", "from ..ua.timers import Timer"),
        [f"simkit/flows/__init__.py:1: flows may not import ua.timers.Timer, but sip, settings, rulebook{ARROW}"],
        id="flows import ua, from their __init__",
    ),
    pytest.param(
        arrows,
        Module("simkit/foreign/wire.py", "from ..ua.timer_logic import Accept\nfrom ..ua.timers import Timer"),
        [
            "simkit/foreign/wire.py:2: foreign may not import ua.timers.Timer, "
            f"but ua.timer_logic, ua.events, sip, settings, processes{ARROW}"
        ],
        id="foreign imports more of ua than its seat",
    ),
    pytest.param(
        arrows,
        Module("simkit/units.py", "from .errors import Fault"),
        [f"simkit/units.py:1: units may not import errors.Fault, but no other part{ARROW}"],
        id="units import errors",
    ),
    pytest.param(
        arrows,
        Module("simkit/cli/simulate.py", "from ..drivers.virtual import VirtualDriver\nimport simkit.ua"),
        [
            "simkit/cli/simulate.py:1: cli may not import drivers.virtual.VirtualDriver; go through runs",
            "simkit/cli/simulate.py:2: cli may not import ua; go through runs",
        ],
        id="cli imports drivers and ua",
    ),
    pytest.param(
        arrows,
        Module("simkit/gadgets/gear.py", "import re"),
        [
            "simkit/gadgets/gear.py:1: 'gadgets' is new here; "
            "say in MAY_IMPORT of test_architecture.py what it may import"
        ],
        id="a part that nobody has placed",
    ),
    pytest.param(
        doors,
        Module("simkit/reports/ladder.py", "import yaml\nfrom click import echo"),
        [
            "simkit/reports/ladder.py:1: yaml comes in by flows only; ask there for what you need",
            "simkit/reports/ladder.py:2: click comes in by cli only; ask there for what you need",
        ],
        id="libraries by the wrong door",
    ),
    pytest.param(
        doors,
        Module("simkit/captures/read.py", "def read():\n    import dpkt"),
        ["simkit/captures/read.py:2: simkit does not depend on dpkt; do without it"],
        id="a library that is no dependency",
    ),
    pytest.param(
        when_used,
        Module("simkit/captures/read.py", "from scapy.utils import rdpcap"),
        ["simkit/captures/read.py:1: scapy.utils.rdpcap is slow to load; import it in the function that uses it"],
        id="scapy at the top",
    ),
    pytest.param(
        when_used,
        Module("simkit/__init__.py", "from .api import simulate"),
        ["simkit/__init__.py:1: simkit.api.simulate is slow to load; import it in the function that uses it"],
        id="everything at the first import",
    ),
    pytest.param(
        sans_io,
        Module("simkit/ua/timers.py", "import random\nfrom time import monotonic"),
        [
            "simkit/ua/timers.py:1: ua may not import random; take `now`, or what it gave, as an argument",
            "simkit/ua/timers.py:2: ua may not import time; take `now`, or what it gave, as an argument",
        ],
        id="ua with a clock and dice",
    ),
    pytest.param(
        docstring,
        Module("simkit/runs/run.py", "import re"),
        [
            "simkit/runs/run.py:1: a docstring is missing; "
            "say what this is, by which RFC sections, and what it leaves out"
        ],
        id="no docstring",
    ),
    pytest.param(
        sizes,
        Module("simkit/runs/run.py", f'"""Run."""\nx = {"1" * 117}'),
        ["simkit/runs/run.py:2: the line has 121 columns, over 120; break it"],
        id="a line one column too long",
    ),
    pytest.param(
        sizes,
        Module("simkit/runs/run.py", '"""Run."""\n' + "x = 1\n" * 400),
        ["simkit/runs/run.py:401: the file has 401 lines, over 400; one concept a file"],
        id="a file one line too long",
    ),
    pytest.param(
        sizes,
        Module("simkit/runs/run.py", '"""Run."""\n\ndef run():\n' + "    x = 1\n" * 70),
        ["simkit/runs/run.py:3: run has 71 lines, over 70; split it"],
        id="a function one line too long",
    ),
    pytest.param(
        words,
        Module("simkit/runs/call_manager.py", '"""Calls."""'),
        ["simkit/runs/call_manager.py:1: 'manager' says nothing; name the module for what it is about"],
        id="a name that says nothing",
    ),
    pytest.param(
        printing,
        Module("simkit/runs/run.py", '"""Run."""\n\ndef run():\n    print("hello")'),
        ["simkit/runs/run.py:4: print() is for cli/ alone; return the text"],
        id="print outside cli",
    ),
]
APART = "; move what both need to a file of its own"
CIRCLES = [
    pytest.param(
        [
            Module("simkit/runs/run.py", '"""Run."""\nimport re\nfrom .load import Load'),
            Module("simkit/runs/load.py", '"""Load."""\nfrom .run import Failure'),
        ],
        [f"simkit/runs/load.py:2: this imports runs.run, which imports runs.load{APART}"],
        id="two files",
    ),
    pytest.param(
        [
            Module("simkit/flows/a.py", "from ..flows import b\nfrom ..errors import Fault"),
            Module("simkit/flows/b.py", "from simkit.sip.c import C"),
            Module("simkit/sip/c.py", "import simkit.flows.a"),
            Module("simkit/errors.py", "import re"),
        ],
        [f"simkit/flows/a.py:1: this imports flows.b, which imports sip.c, which imports flows.a{APART}"],
        id="three files of two parts, each by another way to write it",
    ),
    pytest.param(
        [
            Module("simkit/sipp/a.py", "def late():\n    from .b import B"),
            Module("simkit/sipp/b.py", "if TYPE_CHECKING:\n    from .a import A"),
        ],
        [f"simkit/sipp/a.py:2: this imports sipp.b, which imports sipp.a{APART}"],
        id="in a function, and for the type checker only",
    ),
    pytest.param(
        [
            Module("simkit/ua/__init__.py", "from .a import A"),
            Module("simkit/ua/a.py", "from . import B"),
            Module("simkit/ua/c.py", "from .d import D"),
            Module("simkit/ua/d.py", "from .c import C\nfrom .c import E"),
        ],
        [
            f"simkit/ua/__init__.py:1: this imports ua.a, which imports ua{APART}",
            f"simkit/ua/c.py:1: this imports ua.d, which imports ua.c{APART}",
        ],
        id="two circles, one of them by the face of a package",
    ),
    pytest.param(
        [
            Module("simkit/ua/a.py", "from .b import B\nfrom .c import C"),
            Module("simkit/ua/b.py", "from .d import D"),
            Module("simkit/ua/c.py", "from .d import D"),
            Module("simkit/ua/d.py", "from . import __file__"),
        ],
        [],
        id="two ways to one file are no circle",
    ),
]
KEPT = [
    pytest.param(Module("simkit/sip/__init__.py", ""), id="an empty __init__"),
    pytest.param(Module("simkit/sip/uri.py", '"""U."""\nfrom ..units import S\nfrom .headers import x'), id="arrows"),
    pytest.param(Module("simkit/cli/run.py", '"""R."""\nimport click\nfrom ..runs import run\nprint(1)'), id="cli"),
    pytest.param(Module("simkit/reports/table.py", '"""T."""\ndef table():\n    import tabulate'), id="when used"),
    pytest.param(
        Module("simkit/captures/read.py", '"""R."""\nif TYPE_CHECKING:\n    from scapy.packet import Packet'),
        id="for the type checker only",
    ),
    pytest.param(Module("simkit/runs/run.py", f'"""Run."""\nx = {"1" * 116}'), id="a line of just 120 columns"),
    pytest.param(Module("simkit/runs/run.py", '"""Run."""\n' + "x = 1\n" * 399), id="a file of just 400 lines"),
    pytest.param(
        Module("simkit/runs/run.py", '"""Run."""\ndef run():\n' + "    x = 1\n" * 69), id="a function of just 70 lines"
    ),
    pytest.param(Module("simkit/runs/commonly_used.py", '"""C."""'), id="a banned word inside another"),
]


@pytest.mark.parametrize(("rule", "module", "expected"), BROKEN)
def test_a_broken_rule_is_told_with_file_line_and_remedy(rule: Rule, module: Module, expected: list[str]) -> None:
    assert faults(rule, module) == expected


@pytest.mark.parametrize(("modules", "expected"), CIRCLES)
def test_a_circle_is_told_with_its_way_and_remedy(modules: list[Module], expected: list[str]) -> None:
    assert circles([links(module) for module in modules]) == expected


@pytest.mark.parametrize("module", KEPT)
def test_what_keeps_the_rules_is_left_in_peace(module: Module) -> None:
    assert [fault for rule in RULES for fault in faults(rule, module)] == []


def test_every_rule_is_broken_by_some_example() -> None:
    assert {example.values[0] for example in BROKEN} == set(RULES)


def test_help_loads_no_library_but_click() -> None:
    """The start of every command is paid by everybody."""
    names = ", ".join(repr(name) for name in DOORS if name not in ("click", "subprocess"))
    program = (
        "import sys; from simkit.cli.main import main; sys.argv = ['simkit', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"sys.stderr.write(' '.join(sorted({{{names}}} & sys.modules.keys())))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert done.stderr == ""
