"""`simkit museum`: the defects that real stacks had, and who catches them."""

import os
from contextlib import ExitStack

import click

from ..conformance.suite import load_suite
from ..flows.files import find_flow_files
from ..flows.loader import load_path
from ..flows.model import Flow
from ..museum import PIECES, Piece
from .main import EXIT_FAILED, likely
from .outputs import STANDARD_OUTPUT, Output
from .terminal import say, style


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--score", is_flag=True, help="Put each into every seat of every flow, and audit what comes of it.")
@click.option("--flows", "paths", multiple=True, metavar="PATH", help="Score by these flows, not by ours.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is random.")
@click.option("--json", metavar="FILE", help="Write the score as one JSON object.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(
    ids: tuple[str, ...], paths: tuple[str, ...], json: str | None, *, score: bool, seed: int, colour: bool | None
) -> int:
    """Show the defects that real stacks had, and who catches them.

    Without ID all are listed. With --score: exit code 1 where no flow fails for a piece, where the auditor does not
    name one that a capture shows, or where it finds fault with a healthy machine.
    """
    pieces = [_piece(id) for id in ids]
    if score:
        return _score(pieces or list(PIECES.values()), paths, seed, json, colour)
    if json or paths:
        raise click.UsageError(f"{'--json' if json else '--flows'} goes with --score")
    from ..reports.museum import catalogue, label

    shown = style(colour)
    say("\n\n".join(label(piece, shown) for piece in pieces) or catalogue(shown))
    return 0


def _piece(id: str) -> Piece:
    known = {name.lower(): piece for name, piece in PIECES.items()}
    piece = known.get(id.lower())
    if piece is None:
        raise click.UsageError(f"no museum piece '{id}'{likely(id.upper(), PIECES)}; `simkit museum` lists them")
    return piece


def _score(pieces: list[Piece], paths: tuple[str, ...], seed: int, json: str | None, colour: bool | None) -> int:
    from ..conformance.score import Scorer
    from ..reports.museum import row, scores_json, totals

    silent, shown = json == STANDARD_OUTPUT, style(colour)
    with ExitStack() as stack:
        output = stack.enter_context(Output(json)) if json else None
        scorer = Scorer(_flows(paths), seed=seed)
        scores = []
        for piece in pieces:
            scores.append(scorer.score(piece))
            if not silent:
                say(row(scores[-1], shown))
        alarms = [f"{flow}: {finding.actor} {finding.text} ({finding.rule})" for flow, finding in scorer.false_alarms()]
        if output is not None:
            output.write(scores_json(scores, alarms))
    if not silent:
        say("\n".join(totals(scores, alarms, shown)))
    return EXIT_FAILED if alarms or not all(each.is_good for each in scores) else 0


def _flows(paths: tuple[str, ...]) -> list[Flow]:
    """Return the flows to score by: all that come with simkit, the suite at least."""
    if not paths:
        suite = load_suite()
        shipped = os.path.dirname(os.path.dirname(suite[0].path))
        paths = (shipped or os.curdir,)
    return [flow for path in find_flow_files(paths) for flow in load_path(path, cases=True)]
