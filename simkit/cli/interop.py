"""`bin/interop`: the list of checks against every real stack that is installed, as a matrix."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from ..checklist.running import Tested, run_list
from ..checklist.standing import standing_peer
from ..checklist.terms import Terms
from ..errors import SetupError
from ..flows.schema import MAX_WARP
from ..reports.checklist import matrix, matrix_markdown, remarks_text, verdict_line
from ..reports.style import Style
from ..sut.known_peers import PEERS
from ..sut.peer import Peer
from ..sut.warp import WARP, pace
from .kept import keep
from .main import EXIT_INTERRUPTED, exit_by
from .outputs import Output
from .progress import Progress
from .terminal import say, style

README: Final = Path(__file__).parent.parent.parent / "README.md"
BEGIN, END = "<!-- interop: written by bin/interop --write -->\n", "<!-- end of interop -->\n"

_NAMES: Final = tuple(peer.name for peer in PEERS)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(_NAMES), metavar="[STACK]...")
@click.option("--warp", type=click.IntRange(1, MAX_WARP), default=WARP, show_default=True, help="In N-fold time.")
@click.option("--save", metavar="DIR", help="Keep log, captures and report of each stack here.")
@click.option("--write", is_flag=True, help="Write the matrix into the README.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(names: tuple[str, ...], warp: int, save: str | None, write: bool, colour: bool | None) -> int:
    """Test the session timers of the real stacks that are installed, by the list of bin/run_local_test.

    STACK is sipp, kamailio, linphone, sofia, baresip or pjsua; all of them where none is named. The matrix shows what
    each does, and when; below it, what it does not, and the rules that it breaks. Under CI=true those that Debian ships
    must be there.

    Exit code: 0 all were tested, whatever came of it, 2 wrong usage, 3 the surroundings: a stack is missing, or does
    not start.
    """
    look = style(colour)
    wanted = [peer for peer in PEERS if peer.name in names or not names]
    installed = _installed(wanted, must=bool(names))
    stacks: dict[str, Tested] = {}
    with tempfile.TemporaryDirectory(prefix="simkit-interop-") as private:
        for peer in installed:
            tested = _test(peer, os.path.join(save or private, peer.name), warp, kept=save is not None, look=look)
            stacks[peer.title] = tested
            if tested.interrupted:
                break
    say(f"\n{matrix(stacks, look)}\n\n{remarks_text(stacks, look)}")
    if any(tested.interrupted for tested in stacks.values()):
        return EXIT_INTERRUPTED
    if write:
        _write(stacks, [f"{peer.title} {peer.installed_version()}" for peer in installed])
    return 0


def _installed(peers: Sequence[Peer], *, must: bool) -> list[Peer]:
    """Return those that are installed; say which are not. Raises SetupError for those that must be."""
    missing = [peer for peer in peers if not peer.is_installed]
    packages = " ".join(peer.package for peer in missing if peer.package)
    if missing:
        hint = f" (apt install {packages})" if packages else ""
        told = f"not installed: {', '.join(peer.title for peer in missing)}{hint}"
        if must or len(missing) == len(peers) or (packages and os.environ.get("CI") == "true"):
            raise SetupError(told)
        say(told, err=True)
    return [peer for peer in peers if peer not in missing]


def _test(peer: Peer, folder: str, warp: int, *, kept: bool, look: Style) -> Tested:
    progress, terms = Progress(), Terms()
    title = f"{peer.title} {peer.installed_version()}".rstrip()
    with standing_peer(peer, folder, terms, warp=warp) as ready:
        tested = run_list(
            ready.place_of,
            terms,
            is_proxy=peer.is_proxy,
            speed=warp,
            look_after=ready.look_after,
            progress=lambda over, of: progress.show(over, of, f"calls with {title}"),
        )
    progress.clear()
    tested.note = peer.in_warp if warp > 1 else ""
    if kept:
        log = [line.text for system in ready.systems for line in system.log_lines()]
        keep(folder, f"{title}, {pace(warp)}", tested, log)
    say(f"{title}: {verdict_line(tested, look)}")
    return tested


def _write(stacks: dict[str, Tested], versions: Sequence[str]) -> None:
    """Put the matrix between its marks in the README. Raises SetupError where there are none."""
    text = README.read_text("utf-8") if README.exists() else ""
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", re.DOTALL)
    content = f"\n{matrix_markdown(stacks)}\n\nSeen of {', '.join(versions)}.\n\n"
    changed, count = pattern.subn(lambda _: content, text)
    if count != 1:
        raise SetupError(f"{README} has no place for the matrix, or several")
    with Output(str(README)) as output:
        output.write(changed)


def main() -> None:
    """Run it and exit."""
    exit_by(lambda: command.main(prog_name="interop", standalone_mode=False))


if __name__ == "__main__":
    main()
