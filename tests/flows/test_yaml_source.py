"""YAML as nodes with places; hostile text is refused, and quickly."""

import contextlib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import Fault, FlowError
from simkit.flows import yaml_source
from simkit.flows.loader import load
from simkit.flows.yaml_source import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Map, Scalar, parse, size

from .samples import EVERYTHING, SMALL


def test_nodes_keep_their_places_and_their_quotes() -> None:
    root = parse("a: 1\nb: {c: 'x y'}\n", "f.yaml", [])
    inner = root.value("b")
    assert isinstance(inner, Map)
    value = inner.value("c")
    assert isinstance(value, Scalar)
    assert (value.text, value.plain, str(value.source), value.source.text) == (
        "x y",
        False,
        "f.yaml:2:8",
        "b: {c: 'x y'}",
    )


def test_an_alias_is_what_it_names() -> None:
    root = parse("a: &x {k: 1}\nb: *x\n", "f.yaml", [])
    assert root.value("a") is root.value("b")
    assert size(root) == 5


def test_a_duplicate_key_does_not_end_the_reading() -> None:
    faults: list[Fault] = []
    root = parse("a: 1\na: 2\nb: 3\n", "f.yaml", faults)
    assert [key.text for key, _ in root.entries] == ["a", "b"]
    assert [fault.message for fault in faults] == ["duplicate key 'a': it stands on line 1 already"]


def test_without_the_c_library_a_file_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_library = load(EVERYTHING, "f.yaml")
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    assert load(EVERYTHING, "f.yaml") == with_library


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines)


HOSTILE = [
    pytest.param(bomb(200), "aliases expand to more than 50,000 values", id="aliases that multiply"),
    pytest.param(
        "a: &a0 [x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200)),
        "nested more than 50 levels",
        id="aliases that nest",
    ),
    pytest.param("a: &a {b: *a}", "contains itself", id="an alias within its own anchor"),
    pytest.param("a: " + "[" * 500_000, "nested more than 50 levels", id="brackets"),
    pytest.param("- " * 500_000, "nested more than 50 levels", id="dashes"),
    pytest.param("? " * 500_000, "nested more than 50 levels", id="question marks"),
    pytest.param("a: {" * 200_000, "nested more than 50 levels", id="braces"),
    pytest.param("a: [" + "a," * 500_000, "the file has more than 50,000 values", id="many values"),
    pytest.param("%TAG !a! b\n" * 90_000, "YAML directives", id="directives"),
    pytest.param("a: 1\n...\n" + "%TAG !a! b\n" * 90_000, "YAML directives", id="directives at the end"),
    pytest.param("a" * MAX_BYTES, "a flow is a map of keys", id="one long word"),
    pytest.param("a: b\n" * 200_000, "the file has more than 50,000 values", id="one key, many times"),
    pytest.param("- {a: 1, a: 2}\n" * 50_000, "these are the first 100 faults", id="duplicate keys"),
    pytest.param("#" * MAX_BYTES, "the file is empty", id="a long comment"),
    pytest.param("a: " + "${a}" * 200_000, "unknown key", id="many references"),
    pytest.param("x" * (MAX_BYTES + 1), "over 1 MiB", id="too long"),
    pytest.param(b"\x00" * 1000, "UTF-16 or UTF-32", id="zeros"),
    pytest.param("a: \ud800", "U+D800", id="half a character"),
    pytest.param(b"a: \xed\xa0\x80", "byte 0xed is not UTF-8", id="half a character, in bytes"),
]


@pytest.mark.parametrize(("source", "message"), HOSTILE)
def test_hostile_text_is_refused(source: str | bytes, message: str) -> None:
    with pytest.raises(FlowError) as raised:
        load(source, "f.yaml")
    assert message in str(raised.value)
    assert len(str(raised.value)) < 100_000


def test_limits_are_reached_not_passed() -> None:
    parse("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "f.yaml", [])
    with pytest.raises(FlowError):
        parse("a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml", [])
    parse("a: [" + "a," * (MAX_VALUES - 4) + "]", "f.yaml", [])
    with pytest.raises(FlowError):
        parse("a: [" + "a," * MAX_VALUES + "]", "f.yaml", [])


def loads_or_is_refused(source: bytes | str) -> None:
    with contextlib.suppress(FlowError):
        load(source, "f.yaml")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_random_text_is_refused_in_order(source: bytes | str) -> None:
    loads_or_is_refused(source)


PIECES = st.sampled_from(
    [
        *(
            "\n",
            "  ",
            "- ",
            ": ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "&a ",
            "*a",
            "!t ",
            "|\n",
            "${",
            "$",
            '"',
            "'",
            "#",
            "~",
            "\t",
        ),
        *("simkit: 1\n", "actors:", "flow:\n", "expect:", "vars: ", "cases: ", "alice", "bob", " -> ", "role: uac"),
        *(
            "INVITE",
            "200 ",
            "call ",
            "repeat: 2\n",
            "net: ",
            "drop: ",
            "has: ",
            "mark: ",
            "save: ",
            "with: ",
            "never: ",
        ),
        *(
            "\t",
            "never: ",
            "at: ",
            "up",
            " + ",
            " - ",
            "..",
            "90s",
            "1:30",
            "0x",
            "1e999",
            "9" * 400,
            "٣",
            "matches: ",
            "(" * 200,
        ),
    ]
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_text_that_looks_like_a_flow_is_read_or_refused(tail: str) -> None:
    loads_or_is_refused(SMALL + tail)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, len(EVERYTHING)), st.integers(0, 30), st.lists(PIECES, max_size=4).map("".join))
def test_a_damaged_flow_is_read_or_refused(start: int, length: int, inserted: str) -> None:
    loads_or_is_refused(EVERYTHING[:start] + inserted + EVERYTHING[start + length :])


VALUES = st.recursive(
    PIECES.map(lambda piece: '"' + piece.replace("\\", "").replace('"', "").replace("\n", " ") + '"'),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(EVERYTHING.split("\n")), VALUES)
def test_a_strange_value_anywhere_is_read_or_refused(line: str, value: str) -> None:
    key = line.rpartition(": ")[0]
    loads_or_is_refused(EVERYTHING.replace(line, f"{key}: {value}", 1))
