"""Runs as GitHub workflow commands: each failure beside its line of the flow, each warning about a flow once."""

from collections.abc import Iterable, Iterator

from ..errors import Source
from ..runs.run import Run
from .cells import printable
from .failure import failure_lines
from .style import PLAIN
from .summary import verdict_line


def annotations(runs: Iterable[Run]) -> str:
    """Return one command a line; "" where there is nothing to say."""
    ordered = list(runs)
    commands = dict.fromkeys(_warnings(ordered))  # the cases of a flow share its warnings
    commands.update(dict.fromkeys(_errors(ordered)))
    return "".join(f"{command}\n" for command in commands)


def _warnings(runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        for fault in run.flow.warnings:
            yield _command("warning", fault.source, run.flow.name, [printable(fault.message)])


def _errors(runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        title = f"{run.flow.title}: {run.verdict.value}"
        for failure in run.failures:
            first, *others = failure_lines(failure, run)
            message = [first.removeprefix(printable(f"{failure.source}: ")), *others]
            yield _command("error", failure.source, title, message)
        if not run.passed and not run.failures:
            yield _command("error", run.flow.source, title, [verdict_line(run, PLAIN, wall=False)])


def _command(kind: str, source: Source, title: str, lines: Iterable[str]) -> str:
    place = f"file={_property(source.path)},line={source.line},col={source.column},title={_property(title)}"
    message = _data("\n".join(lines))
    return f"::{kind} {place}::{message}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
