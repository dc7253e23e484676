"""What `simkit replay` can be told: how fast, where and under which terms flows and captures are played."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from .main import likely
from .options import Reported, Values, assignments
from .playing import Terms
from .plays import Play

AUTO: Final = "auto"


class Speed(click.ParamType):  # type: ignore[type-arg]  # newer clicks have it generic
    """How many times as fast as real time; None for "auto"."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Read a speed; a usage error where it is none."""
        if value == AUTO or value is None:
            return None
        if not str(value).isdecimal() or int(value) < 1:
            self.fail(f"'{value}' is neither a whole number from 1 on nor '{AUTO}'", param, ctx)
        return int(value)


def ports(context: click.Context, option: click.Parameter, values: Values) -> dict[str, int]:
    """Read `--port actor=port`."""
    given = assignments(context, option, values)
    for actor, port in given.items():
        if not port.isdecimal() or not 1 <= int(port) <= 65_535:
            raise click.BadParameter(f"'{actor}={port}': a port is a number from 1 to 65535", context, option)
    return {actor: int(port) for actor, port in given.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(Reported):
    """The options of `replay` that say how flows are played and what is written."""

    speed: int | None
    tolerance: int
    host: str | None
    ports: dict[str, int]
    allow_host: bool
    dry_run: bool
    recorded_speed: int
    seed: int
    calls: int | None
    stop: bool
    update: bool
    timers: bool
    ignore: Values
    save: str | None

    @property
    def terms(self) -> Terms:
        """How every flow is played."""
        return Terms(
            self.seed, self.speed, self.tolerance, self.calls, self.timers, self.host, self.ports, self.allow_host
        )

    def files(self) -> Mapping[str, str | None]:
        """Return what is written where, by the option that says so."""
        return {"--save": self.save, **Reported.files(self)}

    def check(self, plays: Sequence[Play]) -> None:
        """Raise UsageError for what cannot be done together, or names nobody."""
        self.check_files([play.flow.path for play in plays], "the flow")
        if self.save and len({play.capture or id(play) for play in plays}) > 1:
            raise click.UsageError(
                f"--save keeps the messages of one flow, not of {len(plays)}: choose by --case or -k"
            )
        if self.update and any(play.rebuilt for play in plays):
            raise click.UsageError("--update makes recordings of flows: calls that are rebuilt have none")
        self.check_ports({name for play in plays for name in play.flow.actors})

    def check_ports(self, actors: Collection[str]) -> None:
        """Raise UsageError for a port of somebody who does not take part."""
        for name in self.ports.keys() - actors:
            raise click.UsageError(f"--port {name}=...: there is no actor '{name}'{likely(name, actors)}")
