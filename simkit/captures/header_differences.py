"""In what the headers of two messages differ: a header that only one side has, another value, another look.

Which headers hold names or chance is a table; of all others the meaning counts (`sip.equality`). CSeq counts in steps
and is the business of `differences`.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from typing import Final

from ..errors import PeerError
from ..sip.equality import values_equal
from ..sip.headers import CANONICAL_NAMES, COMMA_SEPARATED, canonical_name, split_list
from ..sip.message import Message
from .address_differences import OTHER_SPELLING, compare_addresses, compare_vias
from .comparison import Kind
from .findings import Findings

_Values = tuple[str, ...]
_Compare = Callable[[Findings, str, _Values, _Values], None]

_CHANCE: Final[Mapping[str, str]] = {  # may differ, and may be there or not
    "Date": "says when",
    "Timestamp": "says when",
    "User-Agent": "names the software",
    "Server": "names the software",
}
_MEANINGS: Final[Mapping[str, str]] = {
    "Session-Expires": "the session interval, and who refreshes (RFC 4028 section 4)",
    "Min-SE": "the smallest interval that is accepted (RFC 4028 section 5)",
    "Supported": "what the peer may make use of (RFC 3261 section 20.37)",
    "Require": "what the peer must make use of (RFC 3261 section 20.32)",
    "Allow": "the methods the peer may use (RFC 3261 section 20.5): without UPDATE, a refresh is a re-INVITE",
    "Retry-After": "when to try again (RFC 3261 section 20.33)",
    "Max-Forwards": "how many hops are left (RFC 3261 section 20.22)",
    "Route": "which way requests go (RFC 3261 section 20.34)",
    "Record-Route": "which way requests will go (RFC 3261 section 20.30)",
}
_OTHER_MEANING: Final = "a header means what it says; --ignore passes over it"


def compare_headers(findings: Findings, left: Message, right: Message, *, passed_over: frozenset[str]) -> None:
    """Compare all headers but those passed over, by their canonical names."""
    lefts, rights = _fields(left), _fields(right)
    for name, values in lefts.items():
        others = rights.get(name)
        if name not in passed_over and (values != others or name in _COMPARE):
            compare_values(findings, name, values, others)
    for name, others in rights.items():
        if name not in lefts and name not in passed_over:
            compare_values(findings, name, None, others)
    _compare_layout(findings, left, right, lefts.keys() & rights.keys() - passed_over)


def _fields(message: Message) -> dict[str, _Values]:
    found: dict[str, _Values] = {}
    for written, value in message.headers:
        name = CANONICAL_NAMES.get(written) or canonical_name(written)
        found[name] = (*found[name], value) if name in found else (value,)
    return found


def compare_values(findings: Findings, name: str, left: _Values | None, right: _Values | None) -> None:
    """Compare all values of one header; None where it is missing."""
    if name in _CHANCE:
        if left != right:
            findings.add(Kind.DYNAMIC, name, _text(left), _text(right), f"{_CHANCE[name]}, not what")
    elif left is None or right is None:
        _compare_presence(findings, name, left, right)
    elif (name, left, right) not in findings.settled:
        before = findings.count
        _compare_both(findings, name, left, right)
        if findings.count == before:
            findings.settled.add((name, left, right))


def _compare_both(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    try:
        _COMPARE.get(name, _compare_meaning)(findings, name, left, right)
    except PeerError as error:
        if left != right:
            why = f"one of them cannot be read ({error})"
            findings.add(Kind.SEMANTIC, name, _text(left), _text(right), why)


def _compare_presence(findings: Findings, name: str, left: _Values | None, right: _Values | None) -> None:
    if name == "Content-Length":
        kind, why = Kind.COSMETIC, "a datagram ends where its body does (RFC 3261 section 18.3)"
    else:
        kind, why = Kind.SEMANTIC, _MEANINGS.get(name, _OTHER_MEANING)
    findings.add(kind, name, _text(left), _text(right), why)


def _text(values: _Values | None) -> str | None:
    return None if values is None else ", ".join(values)


def _compare_meaning(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    lefts, rights = _elements(name, left), _elements(name, right)
    if name in _SETS and {_folded(name, each) for each in lefts} == {_folded(name, each) for each in rights}:
        kind, why = Kind.COSMETIC, "the order and the case of these say nothing"
    elif len(lefts) == len(rights) and all(map(partial(values_equal, name), lefts, rights)):
        kind, why = Kind.COSMETIC, OTHER_SPELLING
    else:
        kind, why = Kind.SEMANTIC, _MEANINGS.get(name, _OTHER_MEANING)
    findings.add(kind, name, _text(left), _text(right), why)


def _elements(name: str, values: _Values) -> _Values:
    if name not in COMMA_SEPARATED:
        return values
    return tuple(element for value in values for element in split_list(value))


_SETS: Final = frozenset("Allow Allow-Events Proxy-Require Require Supported Unsupported".split())


def _folded(name: str, token: str) -> str:
    return token if name == "Allow" else token.lower()  # methods keep their case (RFC 3261 section 7.1)


def _compare_listed(
    findings: Findings, name: str, left: _Values, right: _Values, *, compare: Callable[[Findings, str, str], None]
) -> None:
    """Compare element by element: their order matters."""
    lefts, rights = _elements(name, left), _elements(name, right)
    for here, there in zip_longest(lefts, rights):
        if here is None or there is None:
            findings.add(Kind.SEMANTIC, name, here, there, _MEANINGS.get(name, "a value that only one side has"))
        else:
            compare(findings, here, there)


def _addresses(name: str, what: str) -> _Compare:
    return partial(_compare_listed, compare=lambda findings, *values: compare_addresses(findings, name, what, *values))


def _compare_call_ids(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    findings.name("Call-ID", name, left[0], right[0])


def _compare_provisional(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    """Compare RSeq, or RAck: its number, and of the CSeq that it quotes the method (RFC 3262 section 7)."""
    (number, *quoted), (other, *other_quoted) = left[0].split() or [""], right[0].split() or [""]
    findings.name("provisional", name, number, other)
    if quoted[1:] != other_quoted[1:]:
        findings.add(Kind.SEMANTIC, name, left[0], right[0], "it acknowledges another method (RFC 3262 section 7.2)")


_DIGEST_CHANCE = re.compile(r'\b(nonce|cnonce|nc|opaque|response|uri|rspauth|nextnonce)\s*=\s*("[^"]*"|[^\s,]*)', re.I)


def _compare_digests(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    """Compare credentials or challenges, all but what is new each time (RFC 2617 section 3.2)."""
    lefts, rights = (tuple(_DIGEST_CHANCE.sub(r"\1", value) for value in values) for values in (left, right))
    if lefts != rights:
        _compare_meaning(findings, name, lefts, rights)
    elif left != right:
        findings.add(Kind.DYNAMIC, name, _text(left), _text(right), "nonces are new each time")


def _pass_over(findings: Findings, name: str, left: _Values, right: _Values) -> None:
    """Leave what both sides have to others."""


_DIGESTS: Final = "Authorization Authentication-Info Proxy-Authenticate Proxy-Authorization WWW-Authenticate".split()
_OTHER_ADDRESSES: Final = "Path Refer-To Referred-By Reply-To P-Asserted-Identity P-Preferred-Identity".split()
_COMPARE: Final[Mapping[str, _Compare]] = {
    "Via": partial(_compare_listed, compare=compare_vias),
    "From": _addresses("From", "address of record"),
    "To": _addresses("To", "address of record"),
    "Contact": _addresses("Contact", "contact"),
    "Route": _addresses("Route", "route"),
    "Record-Route": _addresses("Record-Route", "route"),
    "Call-ID": _compare_call_ids,
    "RSeq": _compare_provisional,
    "RAck": _compare_provisional,
    "CSeq": _pass_over,
    "Content-Length": _pass_over,
    **{canonical_name(name): _addresses(name, "address") for name in _OTHER_ADDRESSES},
    **dict.fromkeys(map(canonical_name, _DIGESTS), _compare_digests),
}


def _compare_layout(findings: Findings, left: Message, right: Message, shared: frozenset[str] | set[str]) -> None:
    """Compare how the headers that both sides have are spelled, ordered and spread over lines."""
    if [name for name, _ in left.headers] == [name for name, _ in right.headers]:
        return
    lefts, rights = ([name for name, _ in each.headers if canonical_name(name) in shared] for each in (left, right))
    here, there = ([canonical_name(name) for name in names] for names in (lefts, rights))
    if here != there:
        why = "headers of different names come in any order, and lists in any number of lines (RFC 3261 section 7.3.1)"
        findings.add(Kind.COSMETIC, "header order", _first_difference(here, there), _first_difference(there, here), why)
    spelled, respelled = ({canonical_name(name): name for name in names} for names in (lefts, rights))
    others = [name for name in spelled if spelled[name] != respelled[name]]
    if others:
        mine, theirs = (", ".join(names[name] for name in others) for names in (spelled, respelled))
        why = "names have no case, and some a compact form (RFC 3261 sections 7.3.1 and 7.3.3)"
        findings.add(Kind.COSMETIC, "header names", mine, theirs, why)


def _first_difference(names: list[str], others: list[str]) -> str | None:
    return next((name for name, other in zip_longest(names, others) if name != other), None)
