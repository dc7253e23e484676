"""What is wrong with a flow file, in words: the likely word for an unknown one, and where the caret goes."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from ..errors import Source

_SHOWN: Final = 60  # characters of a bad value that a message repeats


class Misread(Exception):
    """A value that cannot be used. `word` is the part of it to point at; "": its beginning."""

    def __init__(self, message: str, word: str = "") -> None:
        self.message = message
        self.word = word
        super().__init__(message)


def quoted(text: str) -> str:
    """Return a value in quotes, on one line and not endless, for a message to repeat."""
    line = " ".join(text.split())
    return f"'{line[:_SHOWN]}...'" if len(line) > _SHOWN else f"'{line}'"


def unknown(kind: str, word: str, known: Iterable[str], *, where: str = "") -> Misread:
    """Return what to raise for an unknown word: with the likely one, else with all that would do."""
    names = tuple(known)
    if likely := likely_word(word, names):
        return Misread(f"unknown {kind} {quoted(word)}{where} (did you mean {likely}?)", word)
    choice = f"known: {', '.join(names)}" if names else "there is none"
    return Misread(f"unknown {kind} {quoted(word)}{where}; {choice}", word)


@lru_cache(maxsize=256)
def likely_word(word: str, known: tuple[str, ...]) -> str | None:
    """Return the known word that was probably meant, whatever its case; None where nothing is near."""
    import difflib  # only a faulty file needs it

    by_folded = {name.lower(): name for name in known}
    folded = word[:_SHOWN].lower()
    near = difflib.get_close_matches(folded, by_folded)
    near.sort(key=lambda name: sorted(name) != sorted(folded))  # letters in the wrong order come first
    return by_folded[near[0]] if near else None


def pointing_at(word: str, source: Source) -> Source:
    """Return the place of a word at or after a place on the same line; the place itself where it is not found."""
    if not word:
        return source
    found = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(source.text, source.column - 1)
    return Source(source.path, source.line, found.start() + 1, source.text) if found else source
