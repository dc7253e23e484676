"""Every piece of the museum is caught by a conformance flow, and named by the auditor where a capture shows it."""

from functools import cache

import pytest

from simkit.conformance.score import Scorer
from simkit.conformance.suite import load_suite, suite_folders
from simkit.museum import PIECES, Piece, Visible

USER_AGENTS, PROXIES = suite_folders()


@cache
def scorer(folder: str) -> Scorer:
    return Scorer(load_suite([folder]))


@pytest.mark.parametrize("piece", [pytest.param(piece, id=id) for id, piece in PIECES.items()])
def test_a_piece_is_caught_by_a_flow_and_named_by_the_auditor(piece: Piece) -> None:
    score = scorer(PROXIES if piece.of_proxy else USER_AGENTS).score(piece)
    assert score.caught, "no flow fails"
    if piece.visible is Visible.FULLY:
        assert score.named, "the auditor finds nothing of it"
    assert score.is_good


@pytest.mark.parametrize("folder", [USER_AGENTS, PROXIES])
def test_the_auditor_finds_nothing_wrong_with_healthy_machines(folder: str) -> None:
    assert list(scorer(folder).false_alarms()) == []
