"""How the messages of a run say which flow they are of: by the information line of their session descriptions.

A pcap has no room for a comment, and a file may be renamed; what is in the messages stays with them, and Wireshark
shows it as "Session Information". RFC 8866 section 5.4 has the line for people; no stack acts by it.
"""

import re
from collections.abc import Iterable
from typing import Final

from .model import Flow

_SAYS: Final = "simkit flow "
_LINE = re.compile(rb"^i=simkit flow ([^\r\n]+)\r?$", re.MULTILINE)


def signature(flow: Flow) -> str:
    """Return what the session descriptions of a run say that they are about."""
    return _SAYS + " ".join(flow.title.split())


def signed(bodies: Iterable[bytes]) -> str | None:
    """Return the title of the flow that session descriptions are of; None where not all of them say the same one."""
    titles = set()
    for body in bodies:
        if body.startswith(b"v=0"):
            found = _LINE.search(body)
            titles.add(found[1].decode("utf-8", "replace") if found else None)
    return titles.pop() if len(titles) == 1 else None


def is_signed_by(flow: Flow, title: str) -> bool:
    """Whether a flow is the one that a recording says it is of."""
    return signature(flow) == _SAYS + title
