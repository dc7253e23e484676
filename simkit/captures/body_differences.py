"""In what two bodies differ: session descriptions line by line (RFC 4566, RFC 3264), all others byte by byte.

Session id, addresses and ports are names, the origin's version counts in steps, keys and candidates are dynamic. The
order of attributes within a section, an unsaid a=sendrecv and what is for people to read are cosmetic.
"""

import re
from collections.abc import Sequence
from typing import Final

from ..sip.message import Message
from .comparison import Kind, Sending
from .findings import Findings

_UNSAID: Final = "a=sendrecv"  # RFC 3264 section 5.1
_DIRECTIONS: Final = frozenset((_UNSAID, "a=sendonly", "a=recvonly", "a=inactive"))
_CHANCE: Final = tuple(  # drawn for each session, or about where the machine happens to be
    f"a={name}:" for name in "candidate crypto fingerprint ice-pwd ice-ufrag msid rtcp ssrc".split()
)
_ORIGIN = re.compile(r"o=(\S+) +(\S+) +([0-9]+) +(\S+ +\S+) +(\S+)")
_CONNECTION = re.compile(r"c=(\S+ +\S+) +(\S+)")
_MEDIA = re.compile(r"(m=\S+) +([0-9]+)(\S* .+)")

_ONE_SIDED: Final = "a line that only one side has"
_FOR_PEOPLE: Final = "what the session is about, for people to read (RFC 8866 section 5.4)"


def compare_bodies(findings: Findings, left: Sending, right: Sending) -> None:
    """Compare the bodies of two messages."""
    here, there = left.transit.message, right.transit.message
    if bool(here.body) != bool(there.body):
        mine, theirs = (_size(each) if each.body else None for each in (here, there))
        findings.add(Kind.SEMANTIC, "body", mine, theirs, "a body that only one side has")
    elif here.body.startswith(b"v=0") and there.body.startswith(b"v=0"):
        _compare_versions(findings, left.version_step, right.version_step)
        _compare_descriptions(findings, (left.sender, left.receiver), here.body, there.body)
    elif here.body != there.body:
        findings.add(Kind.SEMANTIC, "body", _size(here), _size(there), "its bytes are others")


def _size(message: Message) -> str:
    return f"{len(message.body)} bytes of {message.header('Content-Type') or 'no type'}"


def _compare_versions(findings: Findings, left: int | None, right: int | None) -> None:
    if left is not None and right is not None and left != right:
        why = (
            "it goes up by one if the description changes, and stays if not (RFC 3264 section 8, RFC 4028 section 7.4)"
        )
        findings.add(Kind.SEMANTIC, "body o= version", f"{left:+}", f"{right:+}", why)


def _compare_descriptions(findings: Findings, party: tuple[int, int], left: bytes, right: bytes) -> None:
    """Compare two session descriptions, unless that has been done: most refreshes repeat theirs."""
    key, before = (party, left, right), findings.count
    if key not in findings.settled:
        _Descriptions(findings, party).compare(left, right)
        if findings.count == before:
            findings.settled.add(key)


class _Descriptions:
    """Compares two session descriptions of one party, whose names are its own."""

    def __init__(self, findings: Findings, party: tuple[int, int]) -> None:
        self._findings, self._party = findings, party

    def compare(self, left: bytes, right: bytes) -> None:
        """Compare section by section: the session, then each stream."""
        before, findings = self._findings.weight, self._findings
        lefts, rights = _sections(left), _sections(right)
        if len(lefts) != len(rights):
            streams, others = (str(len(each) - 1) for each in (lefts, rights))
            findings.add(Kind.SEMANTIC, "body m= lines", streams, others, "each is a stream (RFC 3264 section 6)")
        for here, there in zip(lefts, rights, strict=False):
            self._compare_lines(here, there)
            self._compare_attributes(here, there)
        for one, other in zip(_directions(lefts), _directions(rights), strict=False):
            if one != other:
                findings.add(Kind.SEMANTIC, "body direction", one, other, "who sends media (RFC 3264 section 5.1)")
        if findings.weight == before and _layout(left) != _layout(right):
            why = f"line ends, the order of attributes and {_UNSAID}, which goes unsaid, change nothing"
            findings.add(Kind.COSMETIC, "body", _size_of(left), _size_of(right), why)

    def _compare_lines(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Compare all but attributes; lines of one type come in order."""
        types = dict.fromkeys(line[:2] for line in (*left, *right))
        for kind in types:
            if kind == "a=":
                continue
            here, there = ([line for line in lines if line.startswith(kind)] for lines in (left, right))
            if kind == "i=":
                if here != there:
                    self._findings.add(Kind.COSMETIC, "body i=", _joined(here), _joined(there), _FOR_PEOPLE)
                continue
            if len(here) != len(there):
                self._findings.add(Kind.SEMANTIC, f"body {kind}", _joined(here), _joined(there), _ONE_SIDED)
                continue
            for one, other in zip(here, there, strict=True):
                self._compare_line(kind, one, other)

    def _compare_line(self, kind: str, left: str, right: str) -> None:
        pattern = {"o=": _ORIGIN, "c=": _CONNECTION, "m=": _MEDIA}.get(kind)
        mine, theirs = (pattern and pattern.fullmatch(line) for line in (left, right))
        if not mine or not theirs:
            if left != right:
                self._findings.add(Kind.SEMANTIC, f"body {kind}", left, right, "a line means what it says")
        elif kind == "o=":
            self._compare_origins(mine, theirs)
        elif kind == "c=":
            self._compare_places("body c=", mine.groups(), theirs.groups())
        else:
            self._compare_words("body m=", mine[1] + mine[3], theirs[1] + theirs[3])
            self._compare_ports(mine[2], theirs[2])

    def _compare_origins(self, left: re.Match[str], right: re.Match[str]) -> None:
        self._compare_places("body o=", left.groups()[3:], right.groups()[3:])
        self._name("session id", "body o= session id", left[2], right[2])
        if left[1] != right[1]:
            self._name("address of record", "body o= user name", left[1], right[1])

    def _compare_places(self, field: str, left: Sequence[str], right: Sequence[str]) -> None:
        """Compare types of address, and addresses: IPv6 in the place of IPv4 says where, not what."""
        if not (_is_apt(*left) and _is_apt(*right)):
            self._compare_words(field, left[0], right[0])
        self._name("media address", f"{field} address", left[1], right[1])

    def _compare_ports(self, left: str, right: str) -> None:
        if (left == "0") != (right == "0"):
            why = "port 0 rejects or ends the stream (RFC 3264 sections 6 and 8.2)"
            self._findings.add(Kind.SEMANTIC, "body m= port", left, right, why)
        elif left != "0":
            self._name("media port", "body m= port", left, right)

    def _compare_words(self, field: str, left: str, right: str) -> None:
        if left.split() != right.split():
            self._findings.add(Kind.SEMANTIC, field, left, right, "a line means what it says")

    def _compare_attributes(self, left: Sequence[str], right: Sequence[str]) -> None:
        (lefts, mine), (rights, theirs) = _attributes(left), _attributes(right)
        here = _joined([line for line in lefts if line not in rights])
        there = _joined([line for line in rights if line not in lefts])
        if here != there:
            self._findings.add(Kind.SEMANTIC, "body a=", here, there, "lines that only one side has")
        if mine != theirs:
            why = "keys and candidates are made for each session"
            self._findings.add(Kind.DYNAMIC, "body a=", _joined(mine), _joined(theirs), why)

    def _name(self, what: str, field: str, left: str, right: str) -> None:
        self._findings.name(what, field, left, right, owner=self._party)


def _is_apt(kind: str, address: str) -> bool:
    """Whether an address is of the type that stands before it (RFC 4566 section 5.7)."""
    return kind.split() == ["IN", "IP6" if ":" in address else "IP4"]


def _joined(lines: Sequence[str]) -> str | None:
    return "; ".join(lines) or None


def _lines(body: bytes) -> list[str]:
    lines = body.decode("utf-8", "surrogateescape").split("\n")
    return [line for raw in lines if (line := raw.rstrip(" \t\r"))]


def _sections(body: bytes) -> list[list[str]]:
    """Return the lines of the session, then those of each stream."""
    sections: list[list[str]] = [[]]
    for line in _lines(body):
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def _directions(sections: Sequence[Sequence[str]]) -> list[str]:
    """Return the direction of each stream: its own, else that of the session."""
    of_session, *own = (next((line for line in lines if line in _DIRECTIONS), None) for lines in sections)
    return [direction or of_session or _UNSAID for direction in own]


def _attributes(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the attributes of a section, less its direction: those with a meaning, and those made by chance."""
    attributes = [line for line in lines if line.startswith("a=") and line not in _DIRECTIONS]
    meant = [line for line in attributes if not line.startswith(_CHANCE)]
    return meant, [line for line in attributes if line.startswith(_CHANCE)]


def _layout(body: bytes) -> tuple[bool, list[str]]:
    """Return what is left of a description without its names."""
    lines = _lines(body)
    is_whole = [line.startswith("a=") and not line.startswith(_CHANCE) for line in lines]
    return b"\r" in body, [line if whole else line[:2] for line, whole in zip(lines, is_whole, strict=True)]


def _size_of(body: bytes) -> str:
    return f"{len(body)} bytes"
