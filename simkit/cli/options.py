"""Options that several commands share: which flows are meant, how they are played, what is said and written."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from .outputs import STANDARD_OUTPUT
from .words import Manner

Values = tuple[str, ...]
_Option = Callable[[Any], Any]


def assignments(context: click.Context, option: click.Parameter, values: Values) -> dict[str, str]:
    """Read `--set name=value`; the last of a name counts."""
    for value in values:
        if not value.partition("=")[0].strip() or "=" not in value:
            raise click.BadParameter(f"'{value}' is not name=value", context, option)
    return {name.strip(): value for name, _, value in (each.partition("=") for each in values)}


def _several(*options: _Option) -> _Option:
    """Return the options as one, listed by --help in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


seed = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is random.")
values = click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", callback=assignments, help="Set a flow's value."
)
ignore = click.option(
    "--ignore", multiple=True, metavar="HEADER", help="A header whose differences from the recording do not count."
)
colour = click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")

of_flows: _Option = _several(
    seed,
    values,
    click.option("--case", metavar="TEXT", help="Only cases whose label contains TEXT."),
    click.option("-k", "text", metavar="TEXT", help="Only flows with TEXT in their path, name or case."),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only flows with this tag (or this one ...)."),
    click.option("--calls", type=click.IntRange(1), metavar="N", help="N calls of each flow at once."),
    click.option("-x", "stop", is_flag=True, help="Stop at the first flow that fails."),
    click.option(
        "--logic", "logics", multiple=True, metavar="ACTOR=L", callback=assignments, help="Run this timer logic."
    ),
    click.option("--timers", is_flag=True, help="Show each timer armed, fired and cancelled."),
)
"""Which flows are meant, and how they are played wherever that is."""

of_reports: _Option = _several(
    click.option("--json", metavar="FILE", help="Write one JSON object a line for each run."),
    click.option("--junit", metavar="FILE", help="Write JUnit XML."),
    click.option("-q", "--quiet", is_flag=True, help="Say only what failed, and the totals."),
    click.option("-v", "--verbose", is_flag=True, help="Draw every ladder in full, and list every expectation."),
    colour,
)
"""What is said of runs, and what is written: the fields of Reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What is said of runs, and what is written."""

    json: str | None
    junit: str | None
    quiet: bool
    verbose: bool
    colour: bool | None

    def files(self) -> Mapping[str, str | None]:
        """Return what is written where, by the option that says so."""
        return {"--json": self.json, "--junit": self.junit}

    def formats(self) -> list[str]:
        """Return the options that take standard output for themselves."""
        return [f"{option} -" for option, path in self.files().items() if path == STANDARD_OUTPUT]

    def check_files(self, inputs: Iterable[str], what: str) -> None:
        """Raise UsageError where two want standard output or the same place, or one that of an input."""
        if len(self.formats()) > 1:
            raise click.UsageError(f"{' and '.join(self.formats())} cannot share standard output")
        check_places(self.files(), inputs, what)

    @property
    def is_silent(self) -> bool:
        """Whether nothing is said, for what is written has standard output to itself."""
        return bool(self.formats())

    @property
    def manner(self) -> Manner:
        """How much is said."""
        if self.is_silent:
            return Manner.SILENT
        return Manner.QUIET if self.quiet else Manner.VERBOSE if self.verbose else Manner.PLAIN


def check_places(files: Mapping[str, str | None], inputs: Iterable[str], what: str) -> None:
    """Raise UsageError where a file is to be written in the place of an input or of another one."""
    taken = {os.path.realpath(path): what for path in inputs}
    for option, path in files.items():
        if path and path != STANDARD_OUTPUT:
            place = os.path.realpath(path)
            if place in taken:
                raise click.UsageError(f"{option} {path} would write over {taken[place]}")
            taken[place] = option
