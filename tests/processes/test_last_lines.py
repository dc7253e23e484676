"""The end of a log, fit for a terminal."""

import pytest

from simkit.processes.last_lines import COLUMNS_SHOWN, last_lines

LINES = [
    pytest.param([], ("its log is empty",), id="empty"),
    pytest.param(["one", "two"], ("its log:", "one", "two"), id="short"),
    pytest.param([f"{n}" for n in range(12)], ("the last 10 lines of its log:", *map(str, range(2, 12))), id="long"),
    pytest.param(["\x1b[31mred\x1b[0;1m"], ("its log:", "red"), id="colours"),
    pytest.param(["10 %\r20 %\r30 %\r"], ("its log:", "30 %"), id="progress, written over"),
    pytest.param(["a\tb\x07\x1b(c"], ("its log:", "a b  (c"), id="control characters"),
    pytest.param(["x" * 999], ("its log:", "x" * COLUMNS_SHOWN), id="a very long line"),
]


@pytest.mark.parametrize(("log", "expected"), LINES)
def test_lines_are_shown(log: list[str], expected: tuple[str, ...]) -> None:
    assert last_lines(log) == expected
