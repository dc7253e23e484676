"""A ladder written as a flow file: the parties, the lines, and beside each line what is to be known about its step."""

import json
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from ..errors import Source
from ..flows.twists import twist
from ..sip.transport import Transport
from ..units import format_duration
from .ladder import Deed, Ladder, Line, Note, When
from .partner import Partner

_PLAIN = re.compile(r"[A-Za-z<0-9$].*")
_PLAIN_IN_BRACES = re.compile(r"[A-Za-z0-9][A-Za-z0-9;=./ _-]*")
_NEXT_LINE: Final = "\n"
_WIDTH: Final = 116
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the lines."""

    name: str
    about: str
    sources: tuple[str, ...]
    """The files that it was made of."""
    actors: tuple[tuple[str, str], ...]
    """Name and declaration, "{role: scripted}"."""
    transport: Transport = Transport.UDP
    limit_us: int | None = None
    """How long it may run; None: as long as any flow."""
    cases: tuple[tuple[tuple[str, str], ...], ...] = ()
    """Names and values, once for each time the flow runs."""


def flow_text(heading: Heading, ladder: Ladder) -> str:
    """Return the whole file."""
    _mark(ladder)
    lines = [
        *(f"# Imported from {_comment(source)}" for source in heading.sources),
        "simkit: 1",
        f"name: {scalar(heading.name)}",
        f"about: {scalar(heading.about)}",
        *([] if heading.transport is Transport.UDP else [f"transport: {heading.transport.value}"]),
        *([] if heading.limit_us is None else [f"limit: {format_duration(heading.limit_us)}"]),
        *_values(heading.cases),
        "",
        "actors:",
        *(f"  {name}: {declaration}" for name, declaration in heading.actors),
        "",
        "flow:",
    ]
    writer = _Lines(one_file=len(heading.sources) == 1)
    for rung in ladder.rungs:
        lines += writer.deed(rung) if isinstance(rung, Deed) else writer.line(rung)
    lines += writer.remarks(ladder.rest())
    return "\n".join([*lines, ""])


def declared(partner: Partner) -> str:
    """Return a partner as its declaration."""
    parts = [f"role: {partner.role}"]
    if partner.session_timer:
        block = ", ".join(f"{key}: {_flat(value)}" for key, value in partner.session_timer.items())
        parts.append(f"session_timer: {{{block}}}")
    if partner.answers:
        parts.append(f"answers: {partner.answers}")
    if partner.account:
        parts += _account(partner.account)
    if partner.challenge:
        user, password = _account(partner.challenge)
        parts.append(f"challenge: {{realm: sipp, {user}, {password}, status: {partner.challenge_status}}}")
    return f"{{{', '.join(parts)}}}"


def declared_scripted(account: tuple[str, str] | None, *, retransmits: bool) -> str:
    """Return a scripted party as its declaration."""
    parts = ["role: scripted", *(["retransmits: true"] if retransmits else []), *(_account(account) if account else [])]
    return f"{{{', '.join(parts)}}}"


def _account(account: tuple[str, str]) -> list[str]:
    user, password = account
    return [f"user: {_in_braces(user)}", f"password: {_quoted(password.replace('${', '$${'))}"]


def _flat(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _values(cases: Sequence[tuple[tuple[str, str], ...]]) -> Iterator[str]:
    """Yield the values of the data file, a case for each of its lines."""
    if not cases:
        return
    yield "cases:" if len(cases) > 1 else "vars:"
    for case in cases:
        values = ", ".join(f"{name}: {_quoted(value)}" for name, value in case)
        yield f"  - {{{values}}}" if len(cases) > 1 else f"  {{{values}}}"


class _Lines:
    """Writes the lines of a flow."""

    def __init__(self, *, one_file: bool) -> None:
        self._one_file = one_file
        self._contents: dict[str, str] = {}
        """The bodies so far and their names."""

    def remarks(self, notes: Iterable[Note]) -> Iterator[str]:
        """Yield what is to be known about a step, as comments."""
        for note in sorted(notes, key=lambda note: (note.source.path, note.source.line)):
            text = _comment(f"{self._place(note.source)}: {note.remark.value}: {note.message}")
            yield from textwrap.wrap(text, _WIDTH, initial_indent="  # ", subsequent_indent="  #   ")

    def _place(self, source: Source) -> str:
        return f"line {source.line}" if self._one_file else f"{os.path.basename(source.path)}:{source.line}"

    def deed(self, deed: Deed) -> Iterator[str]:
        yield from self.remarks(deed.notes)
        yield f"  - {deed.text}"
        if deed.when is not None:
            yield f"    at: {_at(deed.when)}"

    def line(self, line: Line) -> Iterator[str]:
        yield from self.remarks(line.notes)
        if line.is_dropped:
            yield f'  - net: {{drop: "{line.sender} -> {line.receiver}: {line.pattern}"}}'
        head = f"  - {line.sender} -> {line.receiver}: {line.pattern}"
        yield f"{head:<38}  # {self._place(line.source)}"
        for key, value in self._parts(line):
            yield f"    {key}:{'' if value.startswith(_NEXT_LINE) else ' '}{value}"

    def _parts(self, line: Line) -> Iterator[tuple[str, str]]:
        if line.when is not None:
            yield "at", _at(line.when)
        if line.optional:
            yield "optional", "true"
        if line.mark:
            yield "mark", line.mark
        yield from self._tests(line)
        if line.saves:
            yield "save", _map((name, _saved(*what)) for what, name in line.saves.items())
        if line.shape is not None:
            yield from self._shape(line)

    def _tests(self, line: Line) -> Iterator[tuple[str, str]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for name, how, operand in line.has:
            found.setdefault(name, []).append((how, operand))
        headers = [(name, _matcher(tests)) for name, tests in found.items() if name != "body"]
        if headers:
            yield "has", _map(headers)
        if "body" in found:
            yield "body", _matcher(found["body"])

    def _shape(self, line: Line) -> Iterator[tuple[str, str]]:
        shape = line.shape
        assert shape is not None
        if shape.answers_challenge:
            yield "credentials", "true"
        if shape.headers:
            yield "with", _headers(shape.headers)
        if shape.without:
            yield "without", f"[{', '.join(shape.without)}]"
        if shape.content is not None:
            yield "body", self._content(shape.content)

    def _content(self, content: str) -> str:
        if not content:
            return '""'
        known = self._contents.get(content)
        if known is not None:
            return f"*{known}"
        name = self._contents[content] = f"body{len(self._contents) + 1}"
        if _is_block(content):
            lines = content.rstrip("\n").split("\n")
            chomped = "" if content.endswith("\n") else "-"
            return "\n".join([f"&{name} |{chomped}", *(f"      {each}" for each in lines)])
        return f"&{name} {_quoted(content)}"


def _map(entries: Iterable[tuple[str, str]]) -> str:
    """Write a map: on one line where there is room, else a line for each entry."""
    pairs = [f"{name}: {value}" for name, value in entries]
    text = f"{{{', '.join(pairs)}}}"
    return text if len(text) + len("    save: ") <= _WIDTH else "\n" + "\n".join(f"      {pair}" for pair in pairs)


def _headers(headers: list[tuple[str, str]]) -> str:
    """Write `with`: on one line where there is room, else a line for each header."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    flat = {name: [_in_braces(value) for value in each] for name, each in values.items()}
    text = ", ".join(f"{name}: {_one_or_list(each)}" for name, each in flat.items())
    if len(text) + len("    with: {}") <= _WIDTH and len(values) <= 3:
        return f"{{{text}}}"
    lines = [""]
    for name, each in values.items():
        if len(each) == 1:
            lines.append(f"      {name}: {scalar(each[0])}")
        else:
            lines += [f"      {name}:", *(f"        - {scalar(value)}" for value in each)]
    return "\n".join(lines)


def _one_or_list(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"[{', '.join(values)}]"


def _matcher(tests: list[tuple[str, str]]) -> str:
    """Write what a value must be; of several expressions each must match."""
    how, operand = tests[0]
    if how == "absent":
        return "{absent: true}"
    if len(tests) > 1:
        operand = "".join(f"(?=[\\s\\S]*(?:{each}))" for name, each in tests if name == how)
    return f"{{{how}: {_expression(operand)}}}"


def _saved(header: str, expression: str) -> str:
    return f"{{{header}: {_expression(expression)}}}" if expression else header


def _expression(text: str) -> str:
    return _quoted(text.replace("${", "$${"))


def _at(when: When) -> str:
    mark = "start" if when.anchor is None else when.anchor.mark + (".received" if when.is_received else "")
    earliest = format_duration(when.offset_us)
    if when.width_us is None:
        return f"{mark} + {earliest}"
    return f"{mark} + {earliest}..{format_duration(when.offset_us + when.width_us)}"


# --- marks -----------------------------------------------------------------------------------------------------------


def _mark(ladder: Ladder) -> None:
    """Give a mark to each line that a time is counted from."""
    taken: set[str] = {"start"}
    for rung in ladder.rungs:
        anchor = rung.when.anchor if rung.when else None
        if anchor is not None and not anchor.mark:
            anchor.mark = _free(_mark_name(anchor), taken)
            taken.add(anchor.mark)


def _mark_name(line: Line) -> str:
    if line.status.startswith("2") and line.method == "INVITE":
        return "up"
    return f"{line.method.lower()}{'_' + line.status if line.status else ''}"


def _free(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    number = 1
    while (free := name if number == 1 else f"{name}_{number}") in known:
        number += 1
    return free


# --- text ------------------------------------------------------------------------------------------------------------


def scalar(text: str) -> str:
    """Write a text as a value of a block map: plain where that means the same, else in double quotes."""
    is_plain = (
        _PLAIN.fullmatch(text)
        and text.isprintable()
        and ": " not in text
        and " #" not in text
        and not text.endswith((":", " "))
        and twist(text) is None
    )
    return text if is_plain else _quoted(text)


def _in_braces(text: str) -> str:
    is_plain = _PLAIN_IN_BRACES.fullmatch(text) and not text.endswith(" ") and twist(text) is None
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    """Write a text in double quotes, what cannot be printed escaped."""
    return "".join(each if each.isprintable() else _escaped(each) for each in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_block(text: str) -> bool:
    lines = text.rstrip("\n").split("\n")
    return (
        text.count("\n") - text.rstrip("\n").count("\n") <= 1
        and bool(lines[0])
        and not lines[0].startswith((" ", "\t"))
        and all(line.isprintable() for line in lines)
    )


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def flow_name(paths: Sequence[str]) -> str:
    """Return a name for a flow that is made of these files: what their names have in common."""
    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    alike = takewhile(lambda each: len(set(each)) == 1, zip(*stems, strict=False))
    common = "".join(each[0] for each in alike)
    return _NAME.sub("-", common).strip("-._") or _NAME.sub("-", stems[0]).strip("-._") or "imported"
