"""`simkit simulate`: run flows in virtual time, say what came of them, and write it down where asked."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Final

import click

from ..errors import ForeignError
from ..flows.logic import with_logics
from ..flows.model import Flow
from ..runs.run import Run
from ..runs.seats import LOGIC_TIMEOUT_S
from .main import EXIT_INTERRUPTED
from .outputs import STANDARD_OUTPUT, Output
from .running import Terms, check_all, run_each
from .selection import Selection
from .terminal import say, style
from .words import Manner, Words

EXIT_FAILED: Final = 1
_TIMEOUT: Final = "Give a command S seconds of real time for each answer."

Values = tuple[str, ...]


def assignments(context: click.Context, option: click.Parameter, values: Values) -> dict[str, str]:
    """Read `--set name=value`; the last of a name counts."""
    for value in values:
        if not value.partition("=")[0].strip() or "=" not in value:
            raise click.BadParameter(f"'{value}' is not name=value", context, option)
    return {name.strip(): value for name, _, value in (each.partition("=") for each in values)}


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is random.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", callback=assignments, help="Set a flow's value.")
@click.option("--case", metavar="TEXT", help="Run only cases whose label contains TEXT.")
@click.option("-k", "text", metavar="TEXT", help="Run only flows with TEXT in their path, name or case.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Run only flows with this tag (or this one ...).")
@click.option("--calls", type=click.IntRange(1), metavar="N", help="Run N calls of each flow at once.")
@click.option("-j", "jobs", type=click.IntRange(0), metavar="N", help="Use N processes; 0: one per core.")
@click.option("-x", "stop", is_flag=True, help="Stop at the first flow that fails.")
@click.option("--logic", "logics", multiple=True, metavar="ACTOR=L", callback=assignments, help="Run this timer logic.")
@click.option(
    "--logic-timeout", type=click.FloatRange(0, min_open=True), default=LOGIC_TIMEOUT_S, metavar="S", help=_TIMEOUT
)
@click.option("--timers", is_flag=True, help="Show each timer armed, fired and cancelled.")
@click.option("--pcap", metavar="FILE", help="Write the messages of one flow as a capture.")
@click.option("--json", metavar="FILE", help="Write one JSON object a line for each run.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option("--wall", is_flag=True, help="Write wall-clock times too: then no two files are the same.")
@click.option("--tap", is_flag=True, help="Print TAP instead of words.")
@click.option("--github", is_flag=True, help="Print GitHub annotations too.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what failed, and the totals.")
@click.option("-v", "--verbose", is_flag=True, help="Draw every ladder in full, and list every expectation.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(
    paths: Values,
    values: dict[str, str],
    case: str | None,
    text: str | None,
    tags: Values,
    logics: dict[str, str],
    **given: Any,
) -> int:
    """Run flows in virtual time: files, folders, or - for standard input.

    L is rfc4028, museum:ID, python:package.module:Class, or a command, which simkit runs in virtual time.

    FILE may be - for standard output, which then holds nothing else. Exit code: 0 all held, 1 something did not,
    2 wrong usage or a flow that cannot be loaded (then nothing is run), 3 the surroundings, 5 nothing to run.
    """
    flows = with_logics(Selection(paths, values, case, text, tags).flows(), logics)
    options = Options(**given)
    options.check(flows)
    check_all(flows)
    return _simulate(flows, options)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `simulate` that say how flows are run and what is written."""

    seed: int
    calls: int | None
    logic_timeout: float
    jobs: int | None
    stop: bool
    timers: bool
    pcap: str | None
    json: str | None
    junit: str | None
    wall: bool
    tap: bool
    github: bool
    quiet: bool
    verbose: bool
    colour: bool | None

    def check(self, flows: Sequence[Flow]) -> None:
        """Raise UsageError for what cannot be done together."""
        if len(self._on_standard_output()) > 1:
            raise click.UsageError(f"{' and '.join(self._on_standard_output())} cannot share standard output")
        self._check_places(flows)
        if self.pcap and len(flows) > 1:
            raise click.UsageError(
                f"--pcap takes the messages of one flow, not of {len(flows)}: choose by --case or -k"
            )

    def _check_places(self, flows: Sequence[Flow]) -> None:
        """Nothing is written over a flow, nor over another output."""
        taken = {os.path.realpath(flow.path): "the flow" for flow in flows}
        for option, path in (("--pcap", self.pcap), ("--json", self.json), ("--junit", self.junit)):
            if path and path != STANDARD_OUTPUT:
                place = os.path.realpath(path)
                if place in taken:
                    raise click.UsageError(f"{option} {path} would write over {taken[place]}")
                taken[place] = option

    def _on_standard_output(self) -> list[str]:
        files = {"--pcap -": self.pcap, "--json -": self.json, "--junit -": self.junit}
        flags = {"--tap": self.tap, "--github": self.github}
        return [name for name, path in files.items() if path == STANDARD_OUTPUT] + [n for n, on in flags.items() if on]

    @property
    def manner(self) -> Manner:
        """How much is said. Annotations go among the words; any other format has standard output to itself."""
        if self._on_standard_output() and not self.github:
            return Manner.SILENT
        return Manner.QUIET if self.quiet else Manner.VERBOSE if self.verbose else Manner.PLAIN

    @property
    def _is_audited(self) -> bool:
        return self.verbose or self.json is not None or self.junit is not None

    @property
    def terms(self) -> Terms:
        """How every flow is run."""
        return Terms(self.seed, self.calls, self.timers, self.pcap is not None, self.logic_timeout, self._is_audited)


def _simulate(flows: Sequence[Flow], options: Options) -> int:
    writers = ((_write_pcap, options.pcap), (_write_json, options.json), (_write_junit, options.junit))
    words = Words(len(flows), options.manner, style(options.colour), timers=options.timers)
    with ExitStack() as stack:
        outputs = [(write, stack.enter_context(Output(path))) for write, path in writers if path]
        runs, ended_by = _collect(flows, options, words)
        for write, output in outputs:
            write(output, runs, options)
    words.end(runs)
    _print(options, runs)
    if isinstance(ended_by, ForeignError):
        raise ended_by
    if ended_by is not None:
        return EXIT_INTERRUPTED
    if any(run.broken for run in runs):
        return ForeignError.exit_code
    return 0 if all(run.passed for run in runs) else EXIT_FAILED


def _collect(flows: Sequence[Flow], options: Options, words: Words) -> tuple[list[Run], BaseException | None]:
    """Return the runs, and what ended them before the last."""
    runs: list[Run] = []
    with closing(run_each(flows, options.terms, jobs=options.jobs, progressed=words.progressed)) as coming:
        try:
            for run in coming:
                runs.append(run)
                words.add(run, len(runs))
                if run.interrupted:
                    return runs, KeyboardInterrupt()
                if options.stop and not run.passed:
                    break
        except (KeyboardInterrupt, ForeignError) as error:
            return runs, error
    return runs, None


def _print(options: Options, runs: Sequence[Run]) -> None:
    if options.tap:
        from ..reports.tap import tap

        say(tap(runs).rstrip("\n"))
    if options.github:
        from ..reports.github import annotations

        if text := annotations(runs):
            say(text.rstrip("\n"))


def _write_pcap(output: Output, runs: Sequence[Run], _: Options) -> None:
    from ..captures.writer import write_pcap

    for run in runs:  # there is one, or none where it was interrupted
        with output.writing() as stream:
            write_pcap(stream, run.traces.values(), run.addresses)


def _write_json(output: Output, runs: Sequence[Run], options: Options) -> None:
    from ..reports.json_report import json_line

    output.write("".join(json_line(run, wall=options.wall) for run in runs))


def _write_junit(output: Output, runs: Sequence[Run], options: Options) -> None:
    from ..reports.junit import junit

    output.write(junit(runs, wall=options.wall))
