"""Text with quotes in it, written as a flow has it: `${alice.address}`, `${number}`; what that needs is saved."""

import re
from collections.abc import Iterator
from typing import Final

from ..flows.variables import NAME
from .dialogue import Dialogue
from .filling import Names
from .ladder import Ladder, Line
from .quotes import Kind, Quote, Quotes

_NO_NAME = re.compile(r"[^a-z0-9]+")
_OWN: Final = {Kind.LOCAL_HOST: "host", Kind.LOCAL_PORT: "port"}
_PEERS: Final = {Kind.REMOTE_HOST: "host", Kind.REMOTE_PORT: "port"}


class Words:
    """Writes the texts of one side."""

    def __init__(self, names: Names, ladder: Ladder, quotes: Quotes, dialogue: Dialogue) -> None:
        self._names = names
        self._ladder = ladder
        self._quotes = quotes
        self._dialogue = dialogue

    def written(self, text: str, line: Line) -> str:
        """Return a text of this line as a flow has it; values of earlier lines are saved there."""
        return self._with_addresses("".join(self._character(each, line) for each in _escaped(text)))

    def _with_addresses(self, text: str) -> str:
        """Write the host and port of a party as one value."""
        for name in (self._names.own, self._names.peer):
            text = text.replace(f"${{{name}.host}}:${{{name}.port}}", f"${{{name}.address}}")
        return text

    def _character(self, character: str, line: Line) -> str:
        quote = self._quotes.quote(character)
        if quote is None:
            return character
        match quote.kind:
            case Kind.HEADER | Kind.LINES:
                return self._saved(self._ladder.line(quote.message), quote.header, quote.detail)
            case Kind.FIELD:
                return f"${{field{quote.detail}}}"
            case Kind.BRANCH:
                return self._branch(character, quote, line)
            case Kind.CALL_ID:
                return self._call_id(line)
            case Kind.PEER_TAG:
                return self._peer_tag(line)
            case Kind.NEXT_URI:
                return self._next_uri(line)
            case kind if kind in _OWN:
                return f"${{{self._names.own}.{_OWN[kind]}}}"
            case kind if kind in _PEERS:
                return f"${{{self._names.peer}.{_PEERS[kind]}}}"
        return ""

    def _call_id(self, line: Line) -> str:
        known = next(iter(self._ladder.lines()), line)
        return self._saved(known, "Call-ID", "") if known is not line else f"{self._names.process}-1@sipp"

    def _branch(self, character: str, quote: Quote, line: Line) -> str:
        first = self._dialogue.branch_line(character)
        if first is not None and first.number < line.number:
            return self._saved(first, "Via.branch", "")
        return f"z9hG4bK-{self._names.process}-1-{quote.detail}"

    def _peer_tag(self, before: Line) -> str:
        for line in self._received(before):
            if line.shows_tag:
                return f";tag={self._saved(line, 'To.tag' if line.status else 'From.tag', '')}"
        return ""

    def _next_uri(self, before: Line) -> str:
        for line in self._received(before):
            if line.shows_contact:
                return self._saved(line, "Contact.uri", "")
        return f"sip:{self._names.peer}@${{{self._names.peer}.address}}"

    def _received(self, before: Line) -> Iterator[Line]:
        """Yield what has come before a line for certain, the last first."""
        for number in reversed(range(before.number)):
            line = self._ladder.line(number)
            if line.receiver == self._names.own and not line.optional:
                yield line

    def _saved(self, line: Line, header: str, expression: str) -> str:
        """Have a line save a value, and return how it is quoted."""
        key = header, expression
        if key not in line.saves:
            line.saves[key] = self._new_name(line.wishes.get(key, ""), header)
        return f"${{{line.saves[key]}}}"

    def _new_name(self, wish: str, header: str) -> str:
        words = wish if NAME.fullmatch(wish) else _NO_NAME.sub("_", header.lower()).strip("_")
        taken = {name for line in self._ladder.lines() for name in line.saves.values()}
        number = 1
        while (name := words if number == 1 else f"{words}_{number}") in taken:
            number += 1
        return name


def _escaped(text: str) -> str:
    return text.replace("${", "$${")
