"""Errors that a user can put right: where, what, and which exit code."""

import pytest

from simkit.errors import (
    CaptureError,
    Fault,
    FlowError,
    LocalError,
    NothingToRunError,
    PeerError,
    SetupError,
    SimkitError,
    Source,
    caret,
)


def test_a_fault_shows_its_line_with_a_caret_under_its_column() -> None:
    fault = Fault(Source("flows/x.yaml", 14, 7, "  - alice -> bob: INVTE"), "unknown method 'INVTE'")
    assert str(fault) == ("flows/x.yaml:14:7: unknown method 'INVTE'\n   14 |   - alice -> bob: INVTE\n      |       ^")


def test_a_fault_without_its_line_is_told_in_one() -> None:
    assert str(Fault(Source("x.yaml", 3), "no flow")) == "x.yaml:3:1: no flow"


def test_a_caret_may_carry_a_note() -> None:
    assert caret(Source("x", 1, 1, "a"), "here").endswith("| ^ here")


def test_the_caret_stands_right_behind_tabs() -> None:
    _, shown, pointer = caret(Source("x", 1, 3, "\t\tkey: 1")).split("\n")
    assert shown.index("key") == pointer.index("^")


@pytest.mark.parametrize("column", [1, 79, 80, 81, 500, 1000])
def test_the_caret_of_a_very_long_line_stays_in_sight(column: int) -> None:
    text = "x" * (column - 1) + "!" + "x" * (1000 - column)
    _, shown, pointer = caret(Source("x", 1, column, text)).split("\n")
    assert len(shown) <= 170
    assert shown[pointer.index("^")] == "!"


def test_a_flow_error_tells_all_its_faults() -> None:
    faults = [Fault(Source("x.yaml", line), f"fault {line}") for line in (1, 2)]
    error = FlowError(faults)
    assert error.faults == tuple(faults)
    assert str(error) == "x.yaml:1:1: fault 1\nx.yaml:2:1: fault 2"


def test_a_flow_error_has_a_fault() -> None:
    with pytest.raises(AssertionError):
        FlowError([])


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (FlowError([Fault(Source("x", 1), "y")]), 2),
        (CaptureError("x"), 2),
        (SetupError("x"), 3),
        (NothingToRunError("x"), 5),
        (LocalError("x"), 2),
        (PeerError("x"), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_exit_code(error: SimkitError, exit_code: int) -> None:
    assert error.exit_code == exit_code


def test_a_peer_error_carries_the_status_to_answer() -> None:
    assert PeerError("x").status == 400
    assert PeerError("x", status=416).status == 416
