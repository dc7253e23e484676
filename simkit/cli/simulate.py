"""`simkit simulate`: run flows in virtual time, say what came of them, and write it down where asked."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Final

import click

from ..errors import ForeignError
from ..flows.logic import with_logics
from ..flows.model import Flow
from ..runs.run import Run
from ..runs.seats import LOGIC_TIMEOUT_S
from .main import EXIT_FAILED, EXIT_INTERRUPTED
from .options import Reported, Values, of_flows, of_reports
from .outputs import Output
from .running import Terms, check_all, run_each
from .selection import Selection
from .terminal import say, style
from .words import Words

_TIMEOUT: Final = "Give a command S seconds of real time for each answer."


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@of_flows
@click.option("-j", "jobs", type=click.IntRange(0), metavar="N", help="Use N processes; 0: one per core.")
@click.option(
    "--logic-timeout", type=click.FloatRange(0, min_open=True), default=LOGIC_TIMEOUT_S, metavar="S", help=_TIMEOUT
)
@click.option("--pcap", metavar="FILE", help="Write the messages of one flow as a capture.")
@click.option("--wall", is_flag=True, help="Write wall-clock times too: then no two files are the same.")
@click.option("--tap", is_flag=True, help="Print TAP instead of words.")
@click.option("--github", is_flag=True, help="Print GitHub annotations too.")
@of_reports
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
    flows = _without_systems(flows)
    check_all(flows)
    return _simulate(flows, options)


def _without_systems(flows: list[Flow]) -> list[Flow]:
    """Leave out the flows with real systems, and say so; if there are no others, they are left for a fault."""
    others = [flow for flow in flows if not flow.systems]
    if not others:
        return flows
    for path in dict.fromkeys(flow.path for flow in flows if flow.systems):
        say(f"{path}: not simulated: it has a real system (simkit replay)", err=True)
    return others


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(Reported):
    """The options of `simulate` that say how flows are run and what is written."""

    seed: int
    calls: int | None
    logic_timeout: float
    jobs: int | None
    stop: bool
    timers: bool
    pcap: str | None
    wall: bool
    tap: bool
    github: bool

    def files(self) -> Mapping[str, str | None]:
        """Return what is written where, by the option that says so."""
        return {"--pcap": self.pcap, **Reported.files(self)}

    def formats(self) -> list[str]:
        """Return the options that take standard output for themselves."""
        flags = {"--tap": self.tap, "--github": self.github}
        return Reported.formats(self) + [name for name, is_on in flags.items() if is_on]

    def check(self, flows: Sequence[Flow]) -> None:
        """Raise UsageError for what cannot be done together."""
        self.check_files([flow.path for flow in flows], "the flow")
        if self.pcap and len(flows) > 1:
            raise click.UsageError(
                f"--pcap takes the messages of one flow, not of {len(flows)}: choose by --case or -k"
            )

    @property
    def is_silent(self) -> bool:
        """Whether nothing is said: annotations go among the words, any other format is alone."""
        return bool(self.formats()) and not self.github

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
