"""Which flows a command is about: the files named, the values set, the cases and flows chosen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import Fault, FlowError, NothingToRunError
from ..flows.files import find_flow_files
from ..flows.loader import load_path
from ..flows.model import Flow
from .terminal import say


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for on the command line."""

    paths: tuple[str, ...]
    values: Mapping[str, str]
    """`--set`"""
    case: str | None = None
    text: str | None = None
    """`-k`"""
    tags: tuple[str, ...] = ()

    def flows(self) -> list[Flow]:
        """Return the flows chosen, in the order of their files; say what they warn of.

        Raises FlowError with the faults of all files, NothingToRunError where none is chosen.
        """
        return self.among(load_all(find_flow_files(self.paths), self.values))

    def among(self, flows: Sequence[Flow]) -> list[Flow]:
        """Return those of the flows that are chosen; say what they warn of. Raises NothingToRunError for none."""
        chosen = [flow for flow in flows if self._chooses(flow)]
        if not chosen:
            raise NothingToRunError(f"no flow has {self}; there are: {_some(self._alternatives(flows))}")
        warn(chosen)
        return chosen

    def _chooses(self, flow: Flow) -> bool:
        return (
            (self.case is None or (flow.case is not None and self.case in flow.case))
            and (self.text is None or self.text.lower() in f"{flow.path} {flow.title}".lower())
            and (not self.tags or not set(self.tags).isdisjoint(flow.tags))
        )

    def __str__(self) -> str:
        case = [] if self.case is None else [f"--case {self.case}"]
        text = [] if self.text is None else [f"-k {self.text}"]
        return " ".join([*case, *text, *(f"--tag {tag}" for tag in self.tags)])

    def _alternatives(self, flows: Sequence[Flow]) -> list[str]:
        if self.tags:
            return sorted({f"--tag {tag}" for flow in flows for tag in flow.tags})
        return [flow.title for flow in flows]


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def load_all(paths: Iterable[str], values: Mapping[str, str]) -> list[Flow]:
    """Return the flows of all files; raises FlowError with the faults of all of them."""
    flows: list[Flow] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            flows += load_path(path, overrides=values)
        except FlowError as error:
            faults += error.faults
    if faults:
        raise FlowError(faults)
    return flows


def warn(flows: Iterable[Flow]) -> None:
    """Say what the flows warn of, once for each place."""
    warn_of(dict.fromkeys(warning for flow in flows for warning in flow.warnings))


def warn_of(warnings: Iterable[Fault]) -> None:
    """Say what is allowed, but surprising."""
    for warning in warnings:
        say(str(Fault(warning.source, f"warning: {warning.message}")), err=True)
