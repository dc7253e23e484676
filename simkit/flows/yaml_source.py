"""YAML text as nodes that know their places: the door for PyYAML.

Reads the events of one document and builds its tree without recursion, so that size, depth and the expansion of aliases
are bounded while it is read. Scalars stay text, as written; what they mean is for the caller to say. Duplicate keys
are faults; tags, directives and further documents are refused. Nothing is ever constructed from a tag.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from ..errors import Fault, FlowError, Source
from .secrets import Shown, shown, shown_line

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 50
MAX_VALUES: Final = 50_000  # with aliases expanded; a flow of a thousand lines has about 5,000
MAX_FAULTS: Final = 100

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile(r"\r\n|\n|\r")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)

_IN_OUR_WORDS: Final = (
    # (part of PyYAML's problem, what to say instead)
    ("mapping values are not allowed", "a second ': ' on this line: put quotes round a value that contains one"),
    ("sequence entries are not allowed", "a list begins on a line of its own, each item after '- '"),
    ("' or '}'", "a ',' or '}' is missing before this"),
    ("' or ']'", "a ',' or ']' is missing before this"),
    ("node content", "a value is missing before this"),
    ("undefined tag handle", "YAML tags are not read: put a value that begins with '!' in quotes"),
    ("scanning an anchor", "a value cannot begin with '&': put it in quotes"),
    ("scanning an alias", "a value cannot begin with '*': put it in quotes"),
    ("tab character", "a tab indents this line: use spaces"),
    ("block scalar", "after '|' or '>' the text begins on the next line"),
    ("unknown escape character", "inside double quotes a backslash begins an escape: write \\\\ or use single quotes"),
    ("expected '-' indicator", "this is indented like the list above it, but does not begin with '- '"),
    ("expected <block end>", "this is not indented like the lines above it"),
    ("did not find expected key", "this is not indented like the keys above it"),
    ("could not find expected ':'", "a ':' is missing after this key"),
    ("cannot start any token", "a tab indents this line: use spaces"),
    ("<document start>", "this does not belong to what stands above it: check the indentation and the brackets"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One value, as text. `plain`: written without quotes, so that YAML may see something else in it."""

    source: Source
    text: str
    plain: bool = True
    secret: bool = False
    """A password, or part of one: no message repeats it."""


@dataclass(frozen=True, slots=True, eq=False)
class List:
    """Values in order."""

    source: Source
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Keys with their values, in order; no key twice."""

    source: Source
    entries: "tuple[tuple[Scalar, Node], ...]"

    def value(self, name: str) -> "Node | None":
        """Return the value of a key; None where there is no such key."""
        return next((value for key, value in self.entries if key.text == name), None)


Node = Scalar | List | Map


def parse(source: bytes | str, path: str, faults: list[Fault]) -> Map:
    """Read one document whose top is a map.

    Duplicate keys are added to `faults`. Raises FlowError, with those, where the text cannot be read further.
    """
    try:
        text = _decode(source, path)
        lines = _LINE_END.split(text)
        _check_characters(text, lines, path)
        return _Builder(path, shown(lines, yaml.parse(text, Loader=_LOADER)), faults).build(text)
    except _Unreadable as unreadable:
        raise FlowError([*faults, unreadable.fault]) from None


def size(node: Node) -> int:
    """Count the values of a tree, aliases expanded."""
    total, waiting = 0, [node]
    while waiting:
        current = waiting.pop()
        total += 1
        if isinstance(current, List):
            waiting.extend(current.items)
        elif isinstance(current, Map):
            waiting.extend(value for _, value in current.entries)
    return total


class _Unreadable(Exception):
    def __init__(self, source: Source, message: str) -> None:
        self.fault = Fault(source, message)
        super().__init__(message)


def _decode(source: bytes | str, path: str) -> str:
    start = Source(path, 1)
    if len(source) > MAX_BYTES:
        raise _Unreadable(start, "the file is over 1 MiB: no flow is that long")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    if source.startswith((b"\xff\xfe", b"\xfe\xff")) or source[:1] == b"\0" or source[1:2] == b"\0":
        raise _Unreadable(start, "the file is UTF-16 or UTF-32: save it as UTF-8")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Where the bytes before the fault are fine, they tell its line and column.
        before = _LINE_END.split(error.object[: error.start].decode("utf-8"))
        byte = error.object[error.start]
        place = Source(path, len(before), len(before[-1]) + 1, shown_line(before[-1]))
        raise _Unreadable(place, f"byte 0x{byte:02x} is not UTF-8: save the file as UTF-8") from None


def _check_characters(text: str, lines: list[str], path: str) -> None:
    if found := _FORBIDDEN.search(text):
        place = _place(text, found.start(), lines, path)
        raise _Unreadable(place, f"the character U+{ord(found.group()):04X} cannot be part of a flow file")
    if found := _DIRECTIVE.search(text):
        raise _Unreadable(
            _place(text, found.start(), lines, path), "YAML directives ('%...') are not read: leave it out"
        )


def _place(text: str, offset: int, lines: list[str], path: str) -> Source:
    before = _LINE_END.split(text[:offset])
    return Source(path, len(before), len(before[-1]) + 1, shown_line(lines[len(before) - 1]))


@dataclass(slots=True, eq=False)
class _Frame:
    """A list or map that is being read; `height` is how many levels it has below itself."""

    source: Source
    is_map: bool
    anchor: str | None
    children: list[Node] = field(default_factory=list)
    values: int = 1
    height: int = 1


class _Builder:
    def __init__(self, path: str, shown: Shown, faults: list[Fault]) -> None:
        self._path = path
        self._lines = shown.lines
        self._secrets = shown.secrets
        self._faults = faults
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._root: Node | None = None
        self._documents = 0

    def build(self, text: str) -> Map:
        try:
            self._read(yaml.parse(text, Loader=_LOADER))
        except yaml.MarkedYAMLError as error:
            raise self._in_our_words(error) from None
        except yaml.YAMLError as error:  # pragma: no cover - characters were checked before
            raise _Unreadable(Source(self._path, 1), f"this is not YAML: {error}") from None
        start = Source(self._path, 1, 1, self._lines[0])
        if self._root is None or (isinstance(self._root, Scalar) and not self._root.text):
            raise _Unreadable(start, "the file is empty: a flow begins with 'simkit: 1'")
        if not isinstance(self._root, Map):
            raise _Unreadable(self._root.source, "a flow is a map of keys: it begins with 'simkit: 1'")
        return self._root

    def _read(self, events: Iterable[Any]) -> None:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._refuse_tag(event)
                plain = event.implicit[0] and event.style in (None, "")
                source = self._source(event)
                secret = (source.line, source.column) in self._secrets
                self._add(Scalar(source, event.value, plain, secret), 1, 0, event.anchor)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.AliasEvent):
                self._expand(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise _Unreadable(self._source(event), "a second document begins here: one file holds one flow")

    def _start(self, event: Any) -> None:
        self._refuse_tag(event)
        source = self._source(event)
        self._check_depth(1, source)
        if event.anchor:
            self._anchors.pop(event.anchor, None)  # until it ends, an alias to it would contain itself
        self._open.append(_Frame(source, isinstance(event, yaml.MappingStartEvent), event.anchor))

    def _end(self) -> None:
        frame = self._open.pop()
        node = self._map(frame) if frame.is_map else List(frame.source, tuple(frame.children))
        self._add(node, frame.values, frame.height, frame.anchor)

    def _map(self, frame: _Frame) -> Map:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(frame.children[::2], frame.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _Unreadable(key.source, "a key is plain text, not a list or a map")
            if key.text == "<<":
                self._note(Fault(key.source, "YAML's merge key '<<' is not read: write the keys out"))
            elif first := entries.get(key.text):
                message = f"duplicate key '{key.text}': it stands on line {first[0].source.line} already"
                self._note(Fault(key.source, message))
            else:
                entries[key.text] = key, value
        return Map(frame.source, tuple(entries.values()))

    def _note(self, fault: Fault) -> None:
        self._faults.append(fault)
        if len(self._faults) >= MAX_FAULTS:
            raise _Unreadable(fault.source, f"... these are the first {MAX_FAULTS} faults")

    def _expand(self, event: Any) -> None:
        source = self._source(event)
        if any(frame.anchor == event.anchor for frame in self._open):
            raise _Unreadable(source, f"the alias '*{event.anchor}' contains itself")
        if event.anchor not in self._anchors:
            raise _Unreadable(source, f"the alias '*{event.anchor}' names nothing that stands above it")
        node, values, height = self._anchors[event.anchor]
        self._check_depth(height, source)
        self._add(node, values, height, None, source)

    def _add(self, node: Node, values: int, height: int, anchor: str | None, alias: Source | None = None) -> None:
        if anchor:
            self._anchors[anchor] = node, values, height
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        frame.children.append(node)
        frame.values += values
        frame.height = max(frame.height, height + 1)
        if frame.values > MAX_VALUES:
            what = "aliases expand to" if alias else "the file has"
            raise _Unreadable(alias or node.source, f"{what} more than {MAX_VALUES:,} values")

    def _check_depth(self, levels: int, source: Source) -> None:
        if len(self._open) + levels > MAX_DEPTH:
            raise _Unreadable(source, f"nested more than {MAX_DEPTH} levels deep")

    def _refuse_tag(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            raise _Unreadable(self._source(event), f"YAML tags ('{event.tag[:60]}') are not read: write a plain value")

    def _source(self, event: Any) -> Source:
        return self._at(event.start_mark)

    def _at(self, mark: Any) -> Source:
        line = min(mark.line, len(self._lines) - 1)
        text = self._lines[line]
        return Source(self._path, line + 1, min(mark.column, len(text)) + 1, text)

    def _in_our_words(self, error: yaml.MarkedYAMLError) -> _Unreadable:
        problem = f"{error.context or ''}: {error.problem or 'it cannot be read'}"
        mark = error.problem_mark or error.context_mark
        place = self._at(mark) if mark else Source(self._path, 1)
        here = place.text[place.column - 1 : place.column]
        in_brackets = "' or '}'" in problem or "' or ']'" in problem
        if error.context_mark and ("end of stream" in problem or (in_brackets and not here)):
            opened = self._at(error.context_mark)
            return _Unreadable(opened, f"the {opened.text[opened.column - 1]} that is opened here is never closed")
        if in_brackets and "${" in place.text:
            return _Unreadable(place, 'inside {...} and [...] a value with ${name} needs quotes: "${name}"')
        if "cannot start any token" in problem and here != "\t":
            return _Unreadable(place, f"a value cannot begin with '{here}': put it in quotes")
        if in_brackets and here == ":":
            problem = "mapping values are not allowed"
        words = next((words for part, words in _IN_OUR_WORDS if part in problem), None)
        return _Unreadable(place, words or f"this is not YAML: {error.problem}")
