"""Durations on the command line, written as in flows: "100ms", "1m30s", "90"."""

from typing import Any

import click

from ..units import parse_duration


class Duration(click.ParamType):  # type: ignore[type-arg]  # newer clicks have it generic
    """A duration in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a duration; a usage error where it is none."""
        if isinstance(value, int):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Duration()
