"""Every piece of the museum is caught by a conformance flow, and named by the auditor where a capture shows it."""

from functools import cache

import pytest

from simkit.conformance.score import Score, Scorer
from simkit.conformance.suite import load_suite, suite_folders
from simkit.museum import PIECES, Piece, Visible

USER_AGENTS, PROXIES = suite_folders()


@cache
def scorers(folder: str) -> list[tuple[frozenset[str], Scorer]]:
    """Return one scorer for each flow of the suite, with the rules that the flow covers."""
    return [(frozenset(flow.covers), Scorer([flow])) for flow in load_suite([folder])]


def score_of(piece: Piece) -> Score:
    """Return who catches a piece, once that will do: the flows that cover what it breaks are played first."""
    score = Score(piece)
    of_its_kind = scorers(PROXIES if piece.of_proxy else USER_AGENTS)
    for _, scorer in sorted(of_its_kind, key=lambda each: each[0].isdisjoint(piece.rules)):
        found = scorer.score(piece)
        score.caught += found.caught
        score.named += found.named
        if score.is_good:
            break
    return score


@pytest.mark.parametrize("piece", [pytest.param(piece, id=id) for id, piece in PIECES.items()])
def test_a_piece_is_caught_by_a_flow_and_named_by_the_auditor(piece: Piece) -> None:
    score = score_of(piece)
    assert score.caught, "no flow fails"
    if piece.visible is Visible.FULLY:
        assert score.named, "the auditor finds nothing of it"
    assert score.is_good


@pytest.mark.parametrize("folder", [USER_AGENTS, PROXIES])
def test_the_auditor_finds_nothing_wrong_with_healthy_machines(folder: str) -> None:
    assert [alarm for _, scorer in scorers(folder) for alarm in scorer.false_alarms()] == []
