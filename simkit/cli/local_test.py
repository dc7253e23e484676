"""`bin/run_local_test`: start a SIP stack, play the list of checks against it, and say what holds."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import click

from ..checklist.judging import STACK
from ..checklist.running import Tested, run_list
from ..checklist.standing import Standing, standing, standing_at, standing_peer
from ..checklist.terms import Terms
from ..errors import SetupError, SimkitError
from ..flows.commands import with_places
from ..flows.configuration import load_configuration
from ..flows.schema import MAX_WARP
from ..reports.cells import wrap
from ..runs.run import Address
from ..sip.uri import SIP_PORT, host_port
from ..sut.known_peers import SIPP
from ..sut.order import StartOrder, ready_by
from ..sut.warp import WARP, pace
from ..units import MINUTE, S, format_duration
from .kept import keep
from .main import EXIT_FAILED, EXIT_INTERRUPTED, exit_by
from .places import HostAndPort
from .progress import Progress
from .selection import warn_of
from .systems import command_of
from .terminal import say, style

SLOW: Final = 5
"""At this speed no machine is too busy."""


@click.command()
@click.option("--config", metavar="FILE", help="Its configuration: YAML with a session_timer block.")
@click.option("--start", callback=command_of, metavar="COMMAND", help="Start this, instead of a callee made of SIPp.")
@click.option("--target", type=HostAndPort(), metavar="HOST:PORT", help="Where it is: 127.0.0.1 and sip_port, or 5060.")
@click.option("--ready", metavar="TEXT", help="What it logs when ready, or OPTIONS: what it answers (open port).")
@click.option("--log", metavar="FILE", help="The file that it logs to, beside its output.")
@click.option(
    "--warp", type=click.IntRange(1, MAX_WARP), metavar="N", help=f"Run it in N-fold time ({WARP}; 1 if it runs)."
)
@click.option("--save", metavar="DIR", help="Keep log, captures and report here.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(config: str | None, save: str | None, colour: bool | None, **given: Any) -> int:
    """Test the session timer of a SIP stack: all of it in one command.

    The stack is started (by default a callee made of SIPp, in twentyfold time), called, and stopped. The calls go on
    side by side: is a timer negotiated, is the session refreshed at half and again, does the stack hang up when
    refreshes stop, does it refuse a small interval, does it bear with callers that know no timers? A configuration says
    what is to be expected of it. Log, captures and report are kept in a folder.

    Exit code: 0 all holds, 1 something does not, 2 wrong usage, 3 the surroundings.
    """
    stack = Stack(config, **given)
    folder = _folder(save)
    look, progress = style(colour), Progress()
    title = stack.title
    with _emptied(folder), stack.standing(folder) as ready:
        say("\n".join(wrap(look.text(title), look.width)) + "\n")
        stack.announce()
        for system in ready.systems:
            for warning in system.warnings:
                say(f"warning: {warning}", err=True)
        tested = run_list(
            ready.place_of,
            stack.terms,
            speed=stack.warp,
            look_after=ready.look_after,
            progress=lambda over, of: progress.show(over, of, "calls"),
        )
    progress.clear()
    return _tell(folder, title, tested, ready, look)


def _tell(folder: str, title: str, tested: Tested, ready: Standing, look: Any) -> int:
    from ..reports.checklist import list_text

    log = [line.text for system in ready.systems for line in system.log_lines()]
    keep(folder, title, tested, log)
    say(f"{list_text(tested, look)}   kept in {look.text(folder)}")
    if tested.interrupted:
        return EXIT_INTERRUPTED
    if not tested.passed and tested.speed > SLOW:
        say(f"in {tested.speed}-fold time a busy machine may be to blame: --warp {SLOW} takes longer", err=True)
    return 0 if tested.passed else EXIT_FAILED


class Stack:
    """What the command line says of the stack, and its configuration."""

    def __init__(
        self,
        config: str | None,
        *,
        start: tuple[str, ...],
        target: Address | None,
        ready: str | None,
        log: str | None,
        warp: int | None,
    ) -> None:
        """Raise FlowError for a configuration that cannot be read, UsageError for what says nothing."""
        configuration = load_configuration(config) if config else None
        if configuration is not None:
            warn_of(configuration.warnings)
        self.terms = Terms(configuration.session_timer, configured=True) if configuration else Terms()
        port = configuration.sip_port if configuration else None
        self._start, self._ready, self._log = start, ready, log
        self._runs_already = target is not None and not start
        if ready and not start:
            raise click.UsageError("--ready is about a system that is started: add --start COMMAND")
        self._is_ours = target is None and not start
        self._address = target or ("127.0.0.1", port or SIP_PORT)
        self._port = port
        self.warp = warp or (1 if self._runs_already else WARP)

    @property
    def title(self) -> str:
        """Return what is tested, where, and how."""
        what = f"SIPp {SIPP.installed_version()} as a callee" if self._is_ours else " ".join(self._start) or "the stack"
        where = "" if self._is_ours and self._port is None else f" at {host_port(self._address)}"
        return f"{what}{where}, {pace(self.warp)}; its callers ask for {self.terms.interval_s} s"

    def announce(self) -> None:
        """Say what will take long."""
        longest_us = (self.terms.interval_s * 3 // 2 + 45) * S // self.warp
        if longest_us > MINUTE:
            say(f"this takes about {format_duration(longest_us // (10 * S) * 10 * S)}", err=True)

    @contextmanager
    def standing(self, folder: str) -> Iterator[Standing]:
        """Have it ready for calls. Raises SetupError."""
        if self._is_ours:
            if not SIPP.is_installed:
                raise SetupError(
                    "there is no SIPp to be the stack: apt install sip-tester, brew install sipp, "
                    "or name another by --start or --target"
                )
            with standing_peer(SIPP, folder, self.terms, warp=self.warp, port=self._port) as ready:
                yield ready
        elif self._runs_already:
            yield standing_at(self._address)
        else:
            with standing(self._order(folder)) as ready:
                yield ready

    def _order(self, folder: str) -> StartOrder:
        return StartOrder(
            with_places(self._start, {STACK: self._address}),
            self._address,
            ready=ready_by(self._ready),
            log=self._log,
            warp=self.warp,
            folder=folder,
        )


def _folder(save: str | None) -> str:
    """Return the folder that things are kept in. Raises SetupError where there can be none."""
    try:
        if save is None:
            return tempfile.mkdtemp(prefix="simkit-local-test-")
        os.makedirs(save, exist_ok=True)
        return save
    except OSError as error:
        raise SetupError(f"cannot write {save}: {error.strerror}") from None


@contextmanager
def _emptied(folder: str) -> Iterator[None]:
    """Take the folder away again where nothing came to be kept in it."""
    try:
        yield
    except SimkitError:
        with suppress(OSError):
            os.rmdir(folder)
        raise


def main() -> None:
    """Run it and exit."""
    exit_by(lambda: command.main(prog_name="run_local_test", standalone_mode=False))


if __name__ == "__main__":
    main()
