"""Text in the cells of a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.reports.cells import cells, cut, pad, printable, wrap
from simkit.reports.style import Colour, Style

PRINTABLE = st.text(max_size=40).map(printable)
EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("INVITE", 6), ("é", 1), ("e\u0301", 1), ("日本", 4), ("▶", 1), ("🙂", 2)],
    ids=["nothing", "ASCII", "accent", "combining accent", "wide", "arrow", "emoji"],
)
def test_text_takes_as_many_cells_as_a_terminal_gives_it(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "shown", "in_ascii"),
    [
        ("plain", "plain", "plain"),
        ("a\x1b[2Jb", r"a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\r\nb\t", r"a\r\nb\t", r"a\r\nb\t"),
        ("\x7f\x9b", r"\x7f\x9b", r"\x7f\x9b"),
        ("\u202e\u2028", r"\u202e\u2028", r"\u202e\u2028"),
        ("\udc80\ufffe", r"\udc80\ufffe", r"\udc80\ufffe"),
        ("Zoë 日", "Zoë 日", r"Zo\xeb \u65e5"),
    ],
    ids=["plain", "escape", "line ends", "C1", "direction", "no characters", "letters"],
)
def test_what_cannot_be_shown_is_escaped(text: str, shown: str, in_ascii: str) -> None:
    assert printable(text) == shown
    assert printable(text, unicode=False) == in_ascii


def test_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert Style().cut("INVITE", 6) == "INVITE"
    assert Style().cut("INVITES", 6) == "INVIT…"
    assert Style(unicode=False).cut("INVITES", 6) == "INVI.."
    assert Style().cut("日本語", 4) == "日…"


def test_colour_is_left_out_where_it_is_off_or_paints_nothing() -> None:
    assert Style(colour=True).paint("x", Colour.BAD) == "\x1b[31mx\x1b[0m"
    assert Style(colour=True).paint(" ", Colour.BAD) == " "
    assert Style().paint("x", Colour.BAD) == "x"


def test_lines_are_broken_at_spaces_and_indented() -> None:
    assert wrap("bob -> alice  BYE", 11, indent=2) == ["bob ->", "  alice", "  BYE"]


def test_a_word_is_broken_only_where_no_line_holds_it() -> None:
    assert wrap("a retransmission", 10) == ["a", "retransmis", "sion"]


@EXAMPLES
@given(text=PRINTABLE, width=st.integers(4, 30), indent=st.integers(0, 2))
def test_wrapping_fits_the_width_and_loses_nothing(text: str, width: int, indent: int) -> None:
    lines = wrap(text, width, indent=indent)
    assert max(map(cells, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@EXAMPLES
@given(text=PRINTABLE, width=st.integers(0, 30))
def test_cutting_fits_the_width(text: str, width: int) -> None:
    assert cells(cut(text, width, "..")) <= width
    assert cells(pad(cut(text, width, ".."), width)) == width
