"""XML as SIPp takes it, which need not be well-formed: elements, attributes and CDATA with their places.

SIPp does not parse XML, it looks for tags: text between tags is passed over, `<` and `&` may stand in attributes, a
quotation mark in one is escaped by a backslash, the end of the root may be missing, and bytes are what they are,
whatever the encoding says. So it is read here, in one pass whose work grows with the size alone. Entities are never
declared nor expanded, beside the five of XML; a DOCTYPE is passed over.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from ..errors import Fault, FlowError, Source

MAX_BYTES: Final = 1 << 20  # SIPp itself takes 64 KiB
MAX_ELEMENTS: Final = 10_000
MAX_DEPTH: Final = 32

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
_SPACE = re.compile(r"[ \t\r\n]*")
_VALUES: Final = {'"': re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL), "'": re.compile(r"[^']*")}
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENTITY = re.compile(r"&(amp|lt|gt|quot|apos);")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r"}
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ue000-\uf8ff\U000f0000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text and where each of its lines stands."""

    text: str
    source: Source
    """Of its first line."""


@dataclass(slots=True)
class Element:
    """An element: what stands in its tag, and what is in it."""

    name: str
    source: Source
    attributes: Mapping[str, Text] = field(default_factory=dict)
    children: "list[Element]" = field(default_factory=list)
    cdata: Text | None = None

    def value(self, name: str) -> str | None:
        """Return the value of an attribute; None where it is missing."""
        found = self.attributes.get(name)
        return found.text if found else None

    def place(self, name: str) -> Source:
        """Return where an attribute stands, or, where it is missing, the element."""
        found = self.attributes.get(name)
        return found.source if found else self.source


@dataclass(frozen=True, slots=True)
class Document:
    """The root of a file, and what is odd about the file."""

    root: Element
    oddities: tuple[Fault, ...]
    """What SIPp takes without a word, or not at all, and was read nevertheless."""


def read_xml(data: bytes, path: str) -> Document:
    """Read a file. Raises FlowError with the place where it cannot be read any further."""
    return _Reader(_decode(data, path), path).read()


def _decode(data: bytes, path: str) -> str:
    if len(data) > MAX_BYTES:
        raise FlowError([Fault(Source(path, 1), f"is over {MAX_BYTES >> 20} MiB: no scenario is that long")])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        raise FlowError([Fault(Source(path, 1), "is UTF-16 or no text at all: SIPp reads bytes, so save it as UTF-8")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # never fails; it is what most scenarios declare
    return _NOT_TEXT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


class _Reader:
    """One pass over a file."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._oddities: list[Fault] = []
        self._open: list[Element] = []
        self._root: Element | None = None
        self._count = 0

    def read(self) -> Document:
        self._check_beginning()
        at = 0
        while (at := self._text.find("<", at)) >= 0 and not (self._root and not self._open):
            at = self._markup(at)
        if self._root is None:
            self._refuse(0, "there is no element in this file: a SIPp scenario begins with <scenario name=...>")
        for element in reversed(self._open):
            self._note(element.source, f"<{element.name}> is never closed: SIPp does not mind, other readers of XML do")
        return Document(self._root, tuple(self._oddities))

    def _check_beginning(self) -> None:
        if not self._text.startswith("<?xml"):
            self._note(self._source(0), 'SIPp reads only files whose first bytes are <?xml version="1.0"?>')

    def _markup(self, at: int) -> int:
        """Read what begins with "<" at a place; return where to go on."""
        if self._text.startswith("<![CDATA[", at):
            return self._cdata(at)
        if self._text.startswith("<!--", at):
            return self._passed_over(at, "-->", "a comment")
        if self._text.startswith("<?", at):
            return self._passed_over(at, "?>", "an instruction")
        if self._text.startswith("<!", at):
            return self._declaration(at)
        if self._text.startswith("</", at):
            return self._end_tag(at)
        return self._start_tag(at)

    def _passed_over(self, at: int, end: str, what: str) -> int:
        found = self._text.find(end, at + 2)
        if found < 0:
            self._refuse(at, f"{what} begins here that never ends: {end} is missing")
        return found + len(end)

    def _declaration(self, at: int) -> int:
        """Pass over a DOCTYPE with all that it declares."""
        subset = self._text.find("[", at)
        end = self._text.find(">", at)
        if 0 <= subset < end:
            end = self._text.find("]", subset)
            end = self._text.find(">", end) if end >= 0 else end
        if end < 0:
            self._refuse(at, "a declaration begins here that never ends: '>' is missing")
        return end + 1

    def _cdata(self, at: int) -> int:
        start = at + len("<![CDATA[")
        end = self._passed_over(at, "]]>", "a CDATA section") - 3
        if self._open and self._open[-1].cdata is None:  # SIPp takes the first
            self._open[-1].cdata = Text(self._text[start:end], self._source(start))
        return end + 3

    def _start_tag(self, at: int) -> int:
        name = _NAME.match(self._text, at + 1)
        if name is None:
            self._refuse(at, "'<' begins no element here: write &lt; for a plain one")
        self._count += 1
        if self._count > MAX_ELEMENTS:
            self._refuse(at, f"more than {MAX_ELEMENTS:,} elements: no scenario is that long")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(at, f"elements within elements, more than {MAX_DEPTH} deep: no scenario is like that")
        attributes: dict[str, Text] = {}
        end, is_closed = self._attributes(at, name.end(), attributes)
        element = Element(name[0], self._source(at), attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        if not is_closed:
            self._open.append(element)
        return end

    def _attributes(self, tag: int, at: int, found: dict[str, Text]) -> tuple[int, bool]:
        """Read the rest of a start tag; return where it ends, and whether the element ends with it."""
        while True:
            at = self._after_space(at)
            if self._text.startswith("/>", at):
                return at + 2, True
            if self._text.startswith(">", at):
                return at + 1, False
            if at >= len(self._text):
                self._refuse(tag, "this tag never ends: '>' is missing")
            name = _NAME.match(self._text, at)
            equals = self._after_space(name.end()) if name else at
            if name is None or not self._text.startswith("=", equals):
                self._refuse(at, 'expected name="value", or the end of the tag')
            start = self._after_space(equals + 1)
            text, at = self._quoted(start)
            found.setdefault(name[0], Text(text, self._source(name.start())))  # SIPp takes the first

    def _quoted(self, start: int) -> tuple[str, int]:
        """Read the value of an attribute; return it and where it ends."""
        mark = self._text[start : start + 1]
        if mark not in ('"', "'"):
            self._refuse(start, "expected a value in double quotes")
        if mark == "'":
            self._note(self._source(start), "SIPp reads a value in single quotes on to the next double quote")
        found = _VALUES[mark].match(self._text, start + 1)
        assert found is not None
        if not self._text.startswith(mark, found.end()):
            self._refuse(start, "this value never ends: its closing quotation mark is missing")
        value = found[0]
        if "<" in value:
            self._note(self._source(start), "SIPp 3.6 may not read past '<' in a value: write &lt;")
        return _unescape(value), found.end() + 1

    def _end_tag(self, at: int) -> int:
        name = _NAME.match(self._text, at + 2)
        end = self._text.find(">", at)
        if name is None or end < 0:
            self._refuse(at, "this closing tag is broken")
        depth = next((depth for depth in range(len(self._open), 0, -1) if self._open[depth - 1].name == name[0]), None)
        if depth != len(self._open):
            wanted = f"</{self._open[-1].name}> is due here" if self._open else "nothing is open here"
            self._note(self._source(at), f"</{name[0]}> closes nothing: {wanted}")
        if depth is not None:
            del self._open[depth - 1 :]
        elif self._open:
            self._open.pop()  # as SIPp does: the names of closing tags do not matter to it
        return end + 1

    def _after_space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        assert found is not None
        return found.end()

    def _source(self, at: int) -> Source:
        line = bisect_right(self._starts, at) - 1
        return Source(self._path, line + 1, at - self._starts[line] + 1, self._lines[line])

    def _note(self, source: Source, message: str) -> None:
        self._oddities.append(Fault(source, message))

    def _refuse(self, at: int, message: str) -> NoReturn:
        raise FlowError([Fault(self._source(min(at, len(self._text))), message)])


def _unescape(value: str) -> str:
    if "\\" in value:
        value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), value)
    if "&" in value:
        value = _ENTITY.sub(lambda found: _ENTITIES[found[1]], value)
    return value


def lines_of(text: Text) -> Iterator[tuple[str, Source]]:
    """Yield each line of a CDATA section with its place; only the first has its source line."""
    for number, line in enumerate(text.text.split("\n")):
        source = text.source
        yield line, source if number == 0 else Source(source.path, source.line + number, 1 + _indent(line), line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
