"""`simkit check`: load flows and say what is wrong with them, without running them."""

import click

from ..reports.counts import counted
from .terminal import say


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
def command(paths: tuple[str, ...], quiet: bool) -> int:
    """Check flow files without running them: files, folders, or - for standard input.

    Every fault of every file is named with its place; exit code 2 where there is one.
    """
    from ..flows.files import find_flow_files
    from .selection import load_all, warn

    files = find_flow_files(paths)
    flows = load_all(files, {})
    warn(flows)
    if not quiet:
        say(f"{counted(len(files), 'file')}, {counted(len(flows), 'flow')}: no faults")
    return 0
