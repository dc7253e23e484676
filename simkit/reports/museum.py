"""The museum's pieces, and who catches them, in words and as JSON."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from .. import __version__
from ..conformance.score import Catch, Score
from ..museum import ABSENT, PIECES, Piece, Visible
from .style import Colour, Style

_SEEN: Final = {
    Visible.FULLY: "A capture of the call shows it.",
    Visible.PARTLY: "A capture shows it in part: it takes more to tell it from what somebody may have wanted.",
    Visible.NOT: "No capture shows it, but what follows from it.",
}


def catalogue(style: Style) -> str:
    """Return every piece with its symptom, and what is not in the museum."""
    lines = [
        style.paint(f"{len(PIECES)} defects of real stacks, each a machine of ours with one thing wrong", Colour.NAME)
    ]
    lines += [line for piece in PIECES.values() for line in _entry(piece.id, piece.symptom, style)]
    lines += ["", style.paint("Not shown, and why", Colour.NAME)]
    lines += [line for absent in ABSENT for line in _entry(absent.id, f"{absent.symptom} {absent.why}", style)]
    return "\n".join([*lines, "", "simkit museum M01                               what it is, and where it was seen"])


def _entry(name: str, text: str, style: Style, *, column: int = 6) -> list[str]:
    first, rest = f"  {name:<{column}}", " " * (column + 2)
    columns = max(40, style.width)
    return textwrap.wrap(text, columns, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def label(piece: Piece, style: Style) -> str:
    """Return all there is to say of a piece."""
    who = "proxy" if piece.of_proxy else "bob"
    facts = (
        ("Symptom", piece.symptom),
        ("Cause", piece.cause),
        ("Breaks", ", ".join(piece.rules)),
        ("Seen in", piece.source),
        ("Audit", _SEEN[piece.visible]),
        ("Try", f"simkit simulate flows/ --logic {who}=museum:{piece.id}"),
    )
    lines = [line for name, text in facts for line in _entry(name, text, style, column=9)]
    return "\n".join([style.paint(piece.id, Colour.NAME), *lines])


# --- the score -------------------------------------------------------------------------------------------------------


def row(score: Score, style: Style) -> str:
    """Return who caught a piece, as a line."""
    word, colour = ("caught", Colour.GOOD) if score.is_good else ("MISSED", Colour.BAD)
    audit = f"audit: {score.named[0].rule}" if score.named else _silence(score.piece)
    first = score.caught[0] if score.caught else None
    flow = f"{len(score.caught)} of {score.played} runs: {_told(first)}" if first else f"none of {score.played} runs"
    head = f"  {score.piece.id:<6}"
    rest = style.cut(style.text(f"{audit:<22} {flow}"), max(20, style.width - 16))
    return f"{head}{style.paint(f'{word:<8}', colour)}{rest}"


def _silence(piece: Piece) -> str:
    return "audit: nothing" if piece.visible is Visible.FULLY else f"audit: {piece.visible} visible"


def _told(catch: Catch) -> str:
    return f"{catch.flow}, {catch.text}"


def totals(scores: Sequence[Score], false_alarms: Sequence[str], style: Style) -> Iterator[str]:
    """Yield the score in numbers, and the false alarms."""
    caught = sum(bool(score.caught) for score in scores)
    visible = [score for score in scores if score.piece.visible is Visible.FULLY]
    named = sum(bool(score.named) for score in visible)
    is_good = all(score.is_good for score in scores) and not false_alarms
    yield from (f"  false alarm: {alarm}" for alarm in false_alarms)
    word = style.paint("PASS", Colour.GOOD) if is_good else style.paint("FAIL", Colour.BAD)
    yield f"{word}  {caught} of {len(scores)} caught by a flow; {named} of {len(visible)} named by the auditor alone"
    yield f"      {len(false_alarms) or 'no'} false alarm{'s' if len(false_alarms) != 1 else ''} on healthy machines"


def scores_json(scores: Iterable[Score], false_alarms: Sequence[str]) -> str:
    """Return one JSON object, ended by a line end; times are integers of microseconds."""
    whole = {"simkit": __version__, "pieces": [_score(score) for score in scores], "false_alarms": list(false_alarms)}
    return json.dumps(whole, ensure_ascii=False) + "\n"


def _score(score: Score) -> dict[str, Any]:
    return {
        "id": score.piece.id,
        "verdict": "pass" if score.is_good else "fail",
        "visible": score.piece.visible,
        "runs": score.played,
        "caught": [_catch(catch) for catch in score.caught],
        "named": [_catch(catch) for catch in score.named],
    }


def _catch(catch: Catch) -> dict[str, Any]:
    return {"flow": catch.flow, "actor": catch.actor, "at_us": catch.at, "rule": catch.rule, "text": catch.text}
