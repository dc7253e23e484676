"""The flows that exercise RFC 4028, who is under test in each, and how somebody's logic comes into that seat.

The party under test is named `subject`; in the flows about proxies it is the first proxy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..errors import Fault, FlowError, SetupError, Source
from ..flows.files import find_flow_files
from ..flows.loader import load_path
from ..flows.logic import parse_logic
from ..flows.model import Actor, Flow, Logic, LogicKind, Role

SUBJECT: Final = "subject"
SUITE: Final = ("rfc4028", "proxy")
"""The folders of the suite."""


def suite_folders() -> tuple[str, ...]:
    """Return where the flows of the suite are. Raises SetupError where they are not."""
    package = Path(__file__).parent.parent
    for home in (package / "flows" / "suite", package.parent / "flows"):  # as installed; in the source tree
        folders = [home / name for name in SUITE]
        if all(folder.is_dir() for folder in folders):
            return tuple(_near(folder) for folder in folders)
    raise SetupError("the conformance flows are not installed: name a folder that has them")


def _near(folder: Path) -> str:
    """Return a path as somebody here would write it."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def load_suite(paths: Sequence[str] = ()) -> list[Flow]:
    """Return the flows of the suite, or of these files and folders. Raises FlowError for what is no part of a suite."""
    flows = [flow for path in find_flow_files(paths or suite_folders()) for flow in load_path(path, cases=True)]
    faults = [Fault(flow.source, f"nobody is under test: name a party '{SUBJECT}'") for flow in flows if not _of(flow)]
    if faults:
        raise FlowError(list(dict.fromkeys(faults)))
    return flows


def subject_of(flow: Flow) -> Actor:
    """Return the party that is under test."""
    subject = _of(flow)
    assert subject is not None, flow.path
    return subject


def _of(flow: Flow) -> Actor | None:
    proxies = (actor for actor in flow.actors.values() if actor.role is Role.PROXY)
    return flow.actors.get(SUBJECT) or next(proxies, None)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the logic under test cannot do, as its owner says."""

    only: Role | None = None
    """It plays in this role alone: UAC places calls, UAS takes them."""
    without: frozenset[str] = frozenset()
    """Tags of flows that need what it has not: "update"."""

    def lacks(self, flow: Flow) -> str:
        """Return why a flow is not for it; "" where it is."""
        role = subject_of(flow).role
        if self.only is not None and role is not self.only:
            return f"it is {self.only.value} only"
        missing = sorted(self.without.intersection(flow.tags))
        return f"it has no {missing[0].upper()}" if missing else ""


ALL_ABLE: Final = Abilities()


def logic_of(text: str) -> Logic | None:
    """Read a logic as `--logic` has it; None: ours. Raises Misread."""
    return parse_logic(text, Source("--logic", 1)) if text else None


def seat(flow: Flow, logic: Logic | None) -> Flow | None:
    """Return a flow with this logic in the seat under test; None where it has no place there."""
    subject = subject_of(flow)
    if logic is None:
        return flow
    if (subject.role is Role.PROXY) is not _is_proxy(logic):
        return None
    return seat_in(flow, subject.name, logic)


def seat_in(flow: Flow, name: str, logic: Logic) -> Flow:
    """Return a flow with this logic in the seat of a party."""
    return replace(flow, actors={**flow.actors, name: replace(flow.actors[name], logic=logic)})


def _is_proxy(logic: Logic) -> bool:
    if logic.kind is not LogicKind.MUSEUM:
        return False
    from ..museum import PIECES

    return logic.name in PIECES and PIECES[logic.name].of_proxy


def seats(flow: Flow, logic: Logic) -> list[str]:
    """Return the parties in whose place a logic may sit: who is under test, or else whoever has rules to keep."""
    fitting = (actor for actor in flow.actors.values() if actor.role is not Role.SCRIPTED)
    names = [actor.name for actor in fitting if (actor.role is Role.PROXY) is _is_proxy(logic)]
    return [SUBJECT] if SUBJECT in names else names
