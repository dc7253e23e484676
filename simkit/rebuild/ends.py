"""Which party of a recorded call is behind an address: some have several, of which the first INVITE shows one each.

Over TCP and TLS a connection comes from a port of its own, and who was called may open another one for its requests;
over UDP a Contact may name another port, or the caller be reached without the proxy that stood for it (RFC 3261
sections 12.2.1.1 and 18.1.1).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..sip.message import Request
from ..trace import Transit

_WITHOUT_PROXY: Final = 2


def ends_of(path: Sequence[str], messages: Iterable[Transit]) -> Mapping[str, str]:
    """Return which address on the way of the first INVITE stands for which; those of nobody on that way are left out.

    `messages` begin with that INVITE.
    """
    known = {address: address for address in path}
    strangers: set[str] = set()
    tags: set[str | None] = set()
    """Those that the parties on the way have used among themselves."""
    caller_tag: str | None = None
    for each in messages:
        caller_tag = caller_tag or each.message.from_tag
        ends = {each.sender, each.receiver}
        if ends <= known.keys():
            tags |= _tags(each)
        elif len(path) == _WITHOUT_PROXY and _tags(each) <= tags and None not in _tags(each):
            is_forth = (each.message.from_tag == caller_tag) is isinstance(each.message, Request)
            meant = dict(zip((each.sender, each.receiver), path if is_forth else reversed(path), strict=True))
            known = meant | known
        elif each.connection and all(end in known or _only_at(end, path) for end in ends):
            known |= {end: _only_at(end, path) or end for end in ends - known.keys()}
        else:
            strangers |= ends - known.keys()
        if ends <= known.keys() and known[each.sender] == known[each.receiver]:
            strangers |= ends.difference(path)  # it passes on what is for this party, and is neither
    return {address: end for address, end in known.items() if address not in strangers}


def _tags(transit: Transit) -> set[str | None]:
    return {transit.message.from_tag, transit.message.to_tag}


def _only_at(address: str, path: Sequence[str]) -> str | None:
    """Return the only address of a path that is at the same host; None where there is none, or several."""
    host = address.rpartition(":")[0]
    found = [each for each in path if each.rpartition(":")[0] == host]
    return found[0] if len(found) == 1 else None
