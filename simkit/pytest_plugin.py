"""The pytest plugin: each flow, or each case of it, is a test item, and `simulate_flow` runs one from Python.

`pytest flows/` collects .yaml and .yml files with `simkit:` at their top and leaves every other one alone. A failure
reads as on the command line. Tags are keywords, for `-k`. Nothing but pytest is imported before a YAML file turns up.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .flows.model import Flow
    from .runs.run import Run

SUFFIXES = (".yaml", ".yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--simkit-seed`."""
    group = parser.getgroup("simkit", "SIP session timers (simkit)")
    group.addoption("--simkit-seed", type=int, default=1, metavar="N", help="seed of all that is random in flows (1)")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "FlowFile | None":
    """Collect a flow file; None for any other."""
    if file_path.suffix not in SUFFIXES:
        return None
    from .flows.files import is_flow

    return FlowFile.from_parent(parent, path=file_path) if is_flow(str(file_path)) else None


class FlowFile(pytest.File):
    """A flow file: its cases are the items."""

    def collect(self) -> "Iterator[FlowItem]":
        """Load the file; its faults are the whole text of the collection error."""
        from .errors import SimkitError
        from .flows.loader import load_path

        try:
            flows = load_path(_as_seen_from(self.config.invocation_params.dir, self.path))
        except SimkitError as error:
            raise self.CollectError(str(error)) from None
        for flow in flows:
            yield FlowItem.from_parent(self, name=flow.title, flow=flow)


class FlowFailedError(Exception):
    """A run did not hold; the text is what the command line would say."""


class FlowItem(pytest.Item):
    """One flow, or one case of it."""

    def __init__(self, *, flow: "Flow", **given: Any) -> None:
        super().__init__(**given)
        self.flow = flow
        self.extra_keyword_matches.update(flow.tags)

    def runtest(self) -> None:
        """Simulate the flow; raises FlowFailedError where something did not hold. Real systems are not simulated."""
        if self.flow.systems:
            pytest.skip(f"'{self.flow.systems[0].name}' is a real system: use `simkit replay`")
        from .api import simulate
        from .reports.failure import failures
        from .reports.ladder import ladder
        from .reports.style import PLAIN
        from .reports.summary import verdict_line

        run = simulate(self.flow, seed=self.config.getoption("simkit_seed"))
        if not run.passed:
            call = next((failure.call for failure in run.failures), 0)
            self.add_report_section("call", "ladder", ladder(run, PLAIN, call=call))
            raise FlowFailedError(f"{failures(run, PLAIN)}\n\n{verdict_line(run, PLAIN)}".lstrip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure as the command line shows it: no traceback of ours."""
        from .errors import SimkitError

        if isinstance(excinfo.value, (FlowFailedError, SimkitError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, its line from 0, and the flow's title."""
        return self.path, self.flow.source.line - 1, self.flow.title


def _as_seen_from(folder: Path, path: Path) -> str:
    """Return the path as a person there would type it, so that editors and terminals can follow it."""
    relative = os.path.relpath(path, folder)
    return str(path) if relative.startswith(os.pardir) else relative


@pytest.fixture(scope="session")
def simulate_flow(request: pytest.FixtureRequest) -> "Callable[..., Run]":
    """Run a flow in virtual time: `simulate_flow("flows/expiry.yaml", case="se=90").passed`.

    Takes the path or the text of a flow and, by name, `case`, `set`, `seed` (by default `--simkit-seed`), `calls`, and
    `logic` (whose code sits in the seats of actors: {"bob": "./my-timer"}). Raises simkit.FlowError for a flow that
    cannot be loaded, and simkit.ForeignError where the logic fails; a failed expectation is in the Run returned.
    """
    default_seed: int = request.config.getoption("simkit_seed")

    def run(
        source: str | os.PathLike[str],
        *,
        case: str | None = None,
        set: Mapping[str, str] | None = None,
        seed: int = default_seed,
        calls: int | None = None,
        logic: Mapping[str, str] | None = None,
    ) -> "Run":
        from .api import load_flow, simulate

        return simulate(load_flow(source, case=case, set=set or {}), seed=seed, calls=calls, logic=logic or {})

    return run
