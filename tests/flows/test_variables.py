"""`${name}` while loading and while running."""

import pytest

from simkit.flows.faults import Misread
from simkit.flows.variables import MAX_TEXT, fill, substitute


def test_what_is_saved_stays_until_the_run_knows_it() -> None:
    text = substitute("${a} ${b} $${c}", {"a": "1"}, saved={"b"}, keep_saved=True)
    assert text == "1 ${b} $${c}"
    assert fill(text, {"b": "2"}) == "1 2 ${c}"


def test_what_is_saved_cannot_be_used_elsewhere() -> None:
    with pytest.raises(Misread, match="known only while the flow runs"):
        substitute("${b}", {}, saved={"b"})


def test_a_saved_value_is_not_searched_for_references() -> None:
    assert fill("${a}", {"a": "${b}"}) == "${b}"


def test_what_was_never_saved_is_told_by_name() -> None:
    with pytest.raises(KeyError, match="b"):
        fill("${b}", {})


def test_values_cannot_grow_without_end() -> None:
    with pytest.raises(Misread, match="longer than"):
        substitute("${a}" * 100_000, {"a": "x" * MAX_TEXT})
