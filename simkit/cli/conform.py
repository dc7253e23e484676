"""`simkit conform`: which rules of RFC 4028 does a timer logic keep?"""

from contextlib import ExitStack
from typing import Any, Final

import click

from ..conformance.suite import Abilities, load_suite, logic_of
from ..conformance.verdicts import Conformance, examine
from ..flows.faults import Misread
from ..flows.model import Role
from ..rulebook import rules_under
from ..runs.seats import LOGIC_TIMEOUT_S
from .main import EXIT_FAILED
from .outputs import STANDARD_OUTPUT, Output
from .terminal import say, style

_TIMEOUT: Final = "Give a command S seconds of real time for each answer."

Coverage = tuple[str, int]


def _least(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[Coverage]:
    """Read `--min-coverage rfc4028=95`."""
    wanted: list[Coverage] = []
    for value in values:
        section, equals, percent = value.partition("=")
        if not equals or not percent.strip().isdecimal() or int(percent) > 100:
            raise click.BadParameter(f"'{value}' is not SECTION=PERCENT", context, option)
        if not rules_under(section.strip()):
            raise click.BadParameter(f"no rules under '{section}'", context, option)
        wanted.append((section.strip(), int(percent)))
    return wanted


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--logic", metavar="L", default="", help="Put this timer logic to the test, not ours.")
@click.option(
    "--logic-timeout", type=click.FloatRange(0, min_open=True), default=LOGIC_TIMEOUT_S, metavar="S", help=_TIMEOUT
)
@click.option("--only", type=click.Choice(["uac", "uas", "proxy"]), help="It places calls only, or takes them only.")
@click.option("--without", multiple=True, type=click.Choice(["update"]), help="It has no UPDATE.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is random.")
@click.option("--min-coverage", multiple=True, metavar="SECTION=PERCENT", callback=_least, help="Fail below this.")
@click.option("--json", metavar="FILE", help="Write one JSON object.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML, a test case for each rule.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is broken, and the totals.")
@click.option("-v", "--verbose", is_flag=True, help="Say what each rule asks, and everything that breaks it.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(paths: tuple[str, ...], logic: str, only: str | None, without: tuple[str, ...], **given: Any) -> int:
    """Put a timer logic to the test, rule by rule.

    L is rfc4028, museum:ID, python:package.module:Class, or a command, which simkit runs in virtual time. It plays the
    party named `subject` in the conformance flows, or in those of PATH. A rule is exercised where the situation that it
    is about came about.

    Exit code: 0 every rule that was exercised is kept, 1 one is broken, or too few were exercised.
    """
    if STANDARD_OUTPUT == given["json"] == given["junit"]:
        raise click.UsageError("--json - and --junit - cannot share standard output")
    try:
        tested = logic_of(logic)
    except Misread as misread:
        raise click.UsageError(f"--logic: {misread.message}") from None
    abilities = Abilities(Role(only) if only else None, frozenset(without))
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(Output(given[name])) for name in ("json", "junit") if given[name]}
        conformance = examine(
            load_suite(paths), tested, abilities, seed=given["seed"], logic_timeout_s=given["logic_timeout"]
        )
        _write(conformance, outputs)
    if not any(output.path == STANDARD_OUTPUT for output in outputs.values()):
        _say(conformance, given)
    missed = [*_missed(conformance, given["min_coverage"])]
    for line in missed:
        say(line, err=True)
    return 0 if conformance.keeps_all and not missed else EXIT_FAILED


def _write(conformance: Conformance, outputs: dict[str, Output]) -> None:
    from ..reports.conformance import as_json, as_junit

    for name, output in outputs.items():
        output.write(as_json(conformance) if name == "json" else as_junit(conformance))


def _say(conformance: Conformance, given: dict[str, Any]) -> None:
    from ..reports.conformance import table

    say(table(conformance, style(given["colour"]), quiet=given["quiet"], verbose=given["verbose"]))


def _missed(conformance: Conformance, wanted: list[Coverage]) -> list[str]:
    from ..reports.conformance import format_percent

    missed = []
    for section, percent in wanted:
        exercised, applicable = conformance.coverage(section)
        if 100 * exercised < percent * applicable:
            share = format_percent(exercised, applicable)
            missed.append(f"coverage of {section} is {share}, below {percent}%: {exercised} of {applicable} rules")
    return missed
