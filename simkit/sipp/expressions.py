"""Regular expressions: from those that SIPp takes (POSIX, extended) to those of a flow (Python's)."""

import re
import warnings
from typing import Final

from ..flows.matchers import is_expression
from ..sip.grammar import is_token
from .scenario import Place, Search

_CLASSES: Final = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "cntrl": r"\x00-\x1f",
}
_CLASS = re.compile(r"\[:([a-z]+):\]")
_WORD_EDGE = re.compile(r"\\[<>]")
_HEADER_FIRST = re.compile(r"\^?\(?([A-Za-z][A-Za-z-]*):(?:\[ ?\]|\[\[:space:\]\]|\\s| )?[*+?]?")
_GROUP = re.compile(r"(?<!\\)\((?!\?)")
_LONGEST: Final = 2_000


def translated(expression: str) -> str | None:
    """Return an expression as Python reads it; None for one that it cannot read, or that may take for ever."""
    if len(expression) > _LONGEST:
        return None
    with_classes = _CLASS.sub(lambda found: _CLASSES.get(found[1], found[0]), expression)
    written = _WORD_EDGE.sub(r"\\b", with_classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what later versions of Python may read differently
        return written if is_expression(written) else None


def header_of(search: Search, translation: str | None) -> tuple[str | None, str]:
    """Return the header that a search looks into, or "body", and the expression for its value; None: neither.

    A search in the whole message is one in a header where it begins with that header's name. So is one in a header
    that repeats the name, which SIPp has taken away: it finds nothing there, and is read as it was meant.
    """
    header, expression = _place_of(search, translation)
    if header is not None and search.ignores_case:
        expression = f"(?i:{expression})"
    return (header, expression) if is_expression(expression) else (None, "")


def _place_of(search: Search, translation: str | None) -> tuple[str | None, str]:
    if translation is None or search.place is Place.VARIABLE:
        return None, ""
    if search.place is Place.BODY:
        return "body", translation
    if search.place is Place.HEADER:
        header = search.where.strip().rstrip(":").strip()
        return (header, without_header(translation, header)) if is_token(header) else (None, "")
    named = _HEADER_FIRST.match(translation)
    return (named[1], without_header(translation, named[1])) if named else (None, "")


def without_header(expression: str, header: str) -> str:
    """Return an expression without the name of the header that it begins with."""
    named = _HEADER_FIRST.match(expression)
    if named is None or named[1].lower() != header.lower():
        return expression
    rest = expression[named.end() :]
    if named[0].lstrip("^").startswith("("):
        rest = f"({rest}"
    return rest or ".*"


def repeats_header(expression: str, header: str) -> bool:
    """Whether an expression begins with the name of the header in which it is looked for."""
    named = _HEADER_FIRST.match(expression)
    return named is not None and named[1].lower() == header.strip().rstrip(":").lower()


def group_count(expression: str) -> int:
    """Return how many groups an expression has."""
    return sum(1 for _ in _GROUP.finditer(expression))


def grouped(expression: str, number: int) -> str | None:
    """Return an expression that keeps its group of this number alone, or, for 0, all that it matches.

    "" says the whole value; None that there is no such group.
    """
    groups = list(_GROUP.finditer(expression))
    if number > len(groups):
        return None
    if number == 0 and expression in (".*", ".+", "(.*)", "(.+)"):
        return ""
    parts: list[str] = []
    end = 0
    for count, group in enumerate(groups, start=1):
        parts += expression[end : group.start()], "(" if count == number else "(?:"
        end = group.end()
    kept = "".join((*parts, expression[end:]))
    return kept if is_expression(kept) else None
