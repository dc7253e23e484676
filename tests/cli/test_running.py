"""How work is divided among processes, and that nobody can tell from what is said."""

import pytest

from simkit.cli import running
from simkit.cli.running import Terms, run_each
from simkit.flows.loader import load_path
from simkit.reports.json_report import json_line


def test_a_crowd_of_calls_is_divided_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CROWD", 24)
    flows = load_path("flows/busy-hour.yaml")
    told: list[tuple[int, int]] = []

    def lines(jobs: int | None) -> list[str]:
        terms = Terms(calls=30)
        return [
            json_line(run) for run in run_each(flows, terms, jobs=jobs, progressed=lambda *so_far: told.append(so_far))
        ]

    alone = lines(1)
    assert told[-1] == (30, 30)
    told.clear()
    assert lines(2) == alone
    assert told == [(number, 30) for number in (6, 12, 18, 24, 30)]
    assert lines(None) == alone


@pytest.mark.parametrize(
    ("count", "jobs", "sizes"),
    [
        pytest.param(1999, 8, [1999], id="no crowd"),
        pytest.param(10_000, 1, [10_000], id="one process"),
        pytest.param(2000, 2, [500] * 4, id="just a crowd"),
        pytest.param(10_000, 2, [625] * 16, id="ten thousand"),
        pytest.param(2001, 4, [500] * 4 + [1], id="with a rest"),
    ],
)
def test_shares_are_large_enough_to_be_worth_it(count: int, jobs: int, sizes: list[int]) -> None:
    shares = running._shares(count, jobs)
    assert [len(share) for share in shares] == sizes
    assert [number for share in shares for number in share] == list(range(count))
