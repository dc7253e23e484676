"""In what two addresses, URIs or Via values differ (RFC 3261 sections 19.1, 20.10 and 20.42).

User, host, port, tag and branch are names; scheme, transport and all other parameters have a meaning of their own.
Raises PeerError where a value cannot be read.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ..sip.grammar import Parameters, normal_form
from ..sip.uri import SipUri, is_sip_uri, parse_name_address, parse_uri, parse_via
from .comparison import Kind
from .findings import Findings

OTHER_SPELLING: Final = "says the same in other words (RFC 3261 section 7.3.1)"

_NAMES: Final[Mapping[str, str]] = {"tag": "tag", "branch": "branch", "ftag": "tag", "did": "route"}
"""Parameters whose values are names, and of what; proxies put the last two into Record-Route."""
_SEEN_FROM: Final = ("received", "rport")  # RFC 3261 section 18.2.1, RFC 3581
_SEEN_FROM_PARAMETERS = re.compile(r";\s*(?:received|rport)\s*(?:=[^;,]*)?", re.I)


def compare_addresses(findings: Findings, field: str, what: str, left: str, right: str) -> None:
    """Compare two name-addresses with their parameters; `what` their URIs name is a word of NAMED."""
    before = findings.weight
    lefts, rights = parse_name_address(left), parse_name_address(right)
    compare_uris(findings, field, what, lefts.uri, rights.uri)
    compare_parameters(findings, field, lefts.parameters, rights.parameters)
    if lefts.display_name != rights.display_name:
        why = "a display name is for people (RFC 3261 section 20.10)"
        findings.add(Kind.COSMETIC, f"{field} display name", lefts.display_name, rights.display_name, why)
    elif findings.weight == before:
        names = ((*_names_in(each.uri), f"={each.tag}") for each in (lefts, rights))
        _compare_spelling(findings, field, (left, right), names)


def compare_uris(findings: Findings, field: str, what: str, left: str, right: str) -> None:
    """Compare two URIs, as addresses and in what their parameters ask for."""
    if not is_sip_uri(left) and not is_sip_uri(right):
        findings.name(what, field, left, right)
        return
    lefts, rights = parse_uri(left), parse_uri(right)
    if lefts.scheme != rights.scheme:
        why = "sips asks for TLS on every hop (RFC 3261 section 19.1)"
        findings.add(Kind.SEMANTIC, f"{field} scheme", lefts.scheme, rights.scheme, why)
    findings.name(what, f"{field} address", _place(lefts), _place(rights))
    compare_parameters(findings, f"{field} URI", lefts.parameters, rights.parameters)
    if lefts.headers != rights.headers:
        why = "they become headers of a request (RFC 3261 section 19.1.1)"
        findings.add(Kind.SEMANTIC, f"{field} URI headers", lefts.headers, rights.headers, why)


def _place(uri: SipUri) -> str:
    user = "" if uri.user is None else f"{uri.user}@"
    port = "" if uri.port is None else f":{uri.port}"
    return f"{user}{uri.host.lower()}{port}"


def compare_vias(findings: Findings, left: str, right: str) -> None:
    """Compare one Via value with another."""
    before = findings.weight
    lefts, rights = parse_via(left), parse_via(right)
    if lefts.transport != rights.transport:
        why = "another transport has other rules (RFC 3261 section 18)"
        findings.add(Kind.SEMANTIC, "Via transport", lefts.transport, rights.transport, why)
    places = [f"{via.host.lower()}:{via.port}" if via.port else via.host.lower() for via in (lefts, rights)]
    findings.name("sent-by", "Via sent-by", *places)
    compare_parameters(findings, "Via", lefts.parameters, rights.parameters)
    if findings.weight == before:
        names = ((f"={via.branch}", via.host, f":{via.port}") for via in (lefts, rights))
        _compare_spelling(findings, "Via", (left, right), names)


def compare_parameters(findings: Findings, field: str, left: Parameters, right: Parameters) -> None:
    """Compare parameters, in whatever order they come."""
    lefts, rights = ({name.lower(): value or "" for name, value in each} for each in (left, right))
    for name in dict.fromkeys((*lefts, *rights)):
        here, there = lefts.get(name), rights.get(name)
        if name in _SEEN_FROM:
            if here != there:
                why = "says where a request came from"
                findings.add(Kind.DYNAMIC, f"{field} {name}", here, there, why)
        elif here is None or there is None:
            findings.add(Kind.SEMANTIC, f"{field} {name}", here, there, "a parameter that only one side has")
        elif name in _NAMES:
            findings.name(_NAMES[name], f"{field} {name}", here, there)
        elif normal_form(here) != normal_form(there):
            findings.add(Kind.SEMANTIC, f"{field} {name}", here, there, "a parameter means what it says")


def _compare_spelling(findings: Findings, field: str, values: tuple[str, str], names: Iterable[Iterable[str]]) -> None:
    """Compare what is left of two values without their names: spacing, case, brackets, the order of parameters."""
    left, right = (_without(value, each) for value, each in zip(values, names, strict=True))
    if left != right:
        findings.add(Kind.COSMETIC, field, *values, OTHER_SPELLING)


def _names_in(uri: str) -> tuple[str, ...]:
    if not is_sip_uri(uri):
        return (uri,)
    parsed = parse_uri(uri)
    return (f"{parsed.user}@", parsed.host, f":{parsed.port}")


def _without(value: str, names: Iterable[str]) -> str:
    for name in names:
        value = value.replace(name, "", 1)
    return _SEEN_FROM_PARAMETERS.sub("", value)
