"""`simkit compare`: two captures, or a capture and a flow, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from ..captures.compare import compare_calls
from ..reports.flow_lines import Origin, Side
from ..trace import Trace
from ..units import MS
from . import options
from .outputs import STANDARD_OUTPUT, Output
from .recordings import read_calls
from .terminal import say, style
from .times import DURATION

EXIT_DIFFERENT = 1
TOLERANCE_US = 100 * MS


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: its calls, how much faster than time it was recorded, and its flow where it is one."""

    calls: list[Trace]
    speed: int
    origin: Origin | None = None


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option(
    "--tolerance", type=DURATION, default=TOLERANCE_US, metavar="TIME", help="Later than this counts (100ms)."
)
@options.ignore
@click.option("--strict", is_flag=True, help="Cosmetic differences count too.")
@click.option("--speed", type=click.IntRange(1), default=1, metavar="N", help="The captures were taken in N-fold time.")
@options.seed
@options.values
@click.option("--case", metavar="TEXT", help="Which case of a flow.")
@click.option("--json", metavar="FILE", help="Write the comparison as a JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing: the exit code tells.")
@click.option("-v", "--verbose", is_flag=True, help="Leave nothing out.")
@options.colour
def command(left: str, right: str, **given: Any) -> int:
    """Compare two captures, or a capture and a flow as it is simulated, call by call and message by message.

    A difference is dynamic (names and addresses that differ in every run), cosmetic (the same in other words),
    semantic, or one of timing. Exit code 1 for the last two. A and B are captures or flows (.yaml, .yml).
    """
    from ..reports.comparison import comparison_text
    from ..reports.comparison_json import comparison_object

    if left == right == STANDARD_OUTPUT:
        raise click.UsageError("standard input can be one side only")
    options.check_places({"--json": given["json"]}, (left, right), "what is compared")
    sides = [_read(path, side, given) for path, side in ((left, Side.A), (right, Side.B))]
    comparison = compare_calls(
        sides[0].calls,
        sides[1].calls,
        tolerance_us=given["tolerance"],
        ignore=given["ignore"],
        strict=given["strict"],
        speeds=(sides[0].speed, sides[1].speed),
    )
    names, origin = (left, right), sides[1].origin or sides[0].origin
    if given["json"]:
        import json

        with Output(given["json"]) as output:
            output.write(json.dumps(comparison_object(comparison, names=names, origin=origin)) + "\n")
    if not given["quiet"] and given["json"] != STANDARD_OUTPUT:
        say(comparison_text(comparison, style(given["colour"]), names=names, origin=origin, verbose=given["verbose"]))
    return 0 if comparison.equal else EXIT_DIFFERENT


def _read(path: str, side: Side, given: Mapping[str, Any]) -> _Side:
    if path.endswith((".yaml", ".yml")):
        return _simulated(path, side, given)
    return _Side(read_calls(path), given["speed"])


def _simulated(path: str, side: Side, given: Mapping[str, Any]) -> _Side:
    from ..api import load_flow
    from ..runs.simulate import simulate

    flow = load_flow(path, case=given["case"], set=given["values"])
    run = simulate(flow, seed=given["seed"], keep_all=True)
    return _Side(list(run.traces.values()), 1, Origin(flow, side))
