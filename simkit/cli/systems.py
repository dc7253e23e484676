"""`--target` and what goes with it: a real system in the place of an actor of the flows that are replayed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from ..flows.commands import split_command
from ..flows.faults import Misread
from ..flows.model import Flow, System
from ..flows.schema import MAX_WARP
from ..flows.systems import counterpart, with_system
from ..runs.run import Address


def command_of(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Read `--start "command"`."""
    try:
        return split_command(value) if value is not None else ()
    except Misread as misread:
        raise click.BadParameter(misread.message, context, option) from None


_OPTIONS = (
    click.option("--sut", metavar="ACTOR", help="Which actor of a flow the target is, where --as does not say."),
    click.option("--start", callback=command_of, metavar="COMMAND", help="Start the target, and end it afterwards."),
    click.option("--ready", metavar="TEXT", help="What it logs when ready, or OPTIONS: what it answers (open port)."),
    click.option("--warp", type=click.IntRange(1, MAX_WARP), metavar="N", help="Start it in N-fold time."),
    click.option("--log", metavar="FILE", help="The file that it logs to, beside its output."),
)


def of_systems(command: Any) -> Any:
    """Add the options that say what the target is, and how it is started."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Target:
    """The system that is to be put in the place of an actor, as the command line says."""

    at: Address | None
    side: str | None
    """Which side we play: "uac" or "uas"."""
    sut: str | None
    start: tuple[str, ...]
    ready: str | None
    warp: int | None
    log: str | None

    def check(self, flows: Sequence[Flow]) -> None:
        """Raise UsageError for options that say nothing about these flows."""
        if self.at is None and (self.start or self.sut or self.side) and not any(flow.systems for flow in flows):
            raise click.UsageError("say where the real system is to be found: --target HOST:PORT")
        for option, given in (("--ready", self.ready), ("--warp", self.warp)):
            if given is not None and not self.start and not any(_is_started(flow) for flow in flows):
                raise click.UsageError(f"{option} is about a system that is started: add --start COMMAND")

    def replaces(self, flow: Flow) -> Flow:
        """Return the flow with the system in its place; as it is where none was named. Raises FlowError."""
        if self.at is None and not flow.systems:
            return flow
        name = self.sut or (flow.systems[0].name if flow.systems else counterpart(flow, self.side or "uac"))
        actor = flow.actors.get(name)
        known = (actor.system if actor else None) or System()
        system = replace(
            known,
            start=self.start or known.start,
            ready=self.ready or known.ready,
            warp=self.warp or known.warp,
            log=self.log or known.log,
        )
        at = self.at or (actor.at if actor else None)
        return flow if at is None else with_system(flow, name, at, system)


def _is_started(flow: Flow) -> bool:
    return any(actor.system is not None and actor.system.start for actor in flow.systems)
