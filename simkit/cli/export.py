"""`simkit export`: make SIPp scenarios of a flow."""

import os
from collections.abc import Sequence

import click

from ..errors import SetupError
from ..flows.model import Flow
from ..runs.simulate import simulate
from ..sipp.exporting import Exported, export_run
from ..sipp.unexportable import check_exportable
from . import options
from .outputs import Output
from .running import check_all
from .selection import Selection
from .terminal import say

EXIT_FAILED = 1


@click.command()
@click.argument("flow", metavar="FLOW")
@click.option("--to", "target", type=click.Choice(("sipp",)), required=True, help="What plays it then: SIPp.")
@click.option("-o", "--output", "folder", default=".", metavar="FOLDER", help="Where the scenarios go (here).")
@click.option("--case", metavar="TEXT", help="Only cases whose label contains TEXT.")
@options.values
@options.seed
@click.option("--force", is_flag=True, help="Write over what is there already.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what cannot be exported.")
def command(
    flow: str,
    target: str,
    folder: str,
    case: str | None,
    values: dict[str, str],
    seed: int,
    force: bool,
    quiet: bool,
) -> int:
    """Make SIPp scenarios of a flow, one for each side: what its parties say to each other when it is simulated.

    A flow with cases makes two scenarios of each. What two SIPps cannot do is listed with its line. Each scenario says
    how it is started.

    Exit code: 0 scenarios were written, 1 the flow fails when it is simulated, 2 wrong usage or a flow that cannot be
    exported, 3 a scenario cannot be written.
    """
    flows = Selection((flow,), values, case).flows()
    check_all(flows)
    check_all(flows, check_exportable)
    exports = [_exported(each, seed) for each in flows]
    if any(exported is None for exported in exports):
        return EXIT_FAILED
    done = [exported for exported in exports if exported is not None]
    _check_free(folder, done, force=force)
    for exported in done:
        for side in exported.sides:
            with Output(os.path.join(folder, side.file)) as output:
                output.write(side.text)
    _tell(folder, done, quiet=quiet)
    return 0


def _exported(flow: Flow, seed: int) -> Exported | None:
    """Simulate a flow and return its scenarios; None, and a word about it, where it fails."""
    run = simulate(flow, seed=seed, calls=1)
    if run.passed:
        return export_run(flow, run.trace, run.addresses, source=flow.path)
    failure = run.failures[0]
    say(f"{failure.source}: {flow.title} fails when it is simulated: {failure.headline}", err=True)
    return None


def _check_free(folder: str, exports: Sequence[Exported], *, force: bool) -> None:
    """Make the folder; raise UsageError for a scenario that is there already."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot make {folder}: {error.strerror}") from None
    paths = [os.path.join(folder, side.file) for exported in exports for side in exported.sides]
    for path in paths:
        if os.path.exists(path) and not force:
            raise click.UsageError(f"{path} is there already: name another folder by -o, or say --force")


def _tell(folder: str, exports: Sequence[Exported], *, quiet: bool) -> None:
    for fault in dict.fromkeys(fault for exported in exports for fault in exported.left_out):
        say(str(fault), err=True)
    if quiet:
        return
    files = [side.file for exported in exports for side in exported.sides]
    say(f"wrote {len(files)} scenarios into {folder}; start the first of each pair first:")
    for exported in exports:
        say("")
        for side in exported.sides:
            say(f"  {side.command}")
