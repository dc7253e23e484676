"""Session-Expires and Min-SE (RFC 4028 sections 4 and 5): whole seconds, and who is to refresh."""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from ..errors import PeerError
from ..units import S
from .grammar import WHITE_SPACE, split_parameters

SESSION_INTERVAL_FLOOR_S: Final = 90  # RFC 4028 section 4: no smaller interval is allowed
BYE_LEAD_MAX_US: Final = 32 * S  # RFC 4028 section 10: the smaller of 32 s and a third of the interval
TIMER: Final = "timer"  # RFC 4028 section 7.1: the option tag of this extension


class Refresher(Enum):
    """Who refreshes: a role in the transaction that carries the word, not in the call (RFC 4028 section 7.4)."""

    UAC = "uac"
    UAS = "uas"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """Session-Expires: the session interval in seconds, who is to refresh, and other parameters as written."""

    interval_s: int
    refresher: Refresher | None = None
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        refresher = f";refresher={self.refresher.value}" if self.refresher else ""
        return f"{self.interval_s}{refresher}" + "".join(f";{parameter}" for parameter in self.parameters)


def bye_lead_us(interval_us: int) -> int:
    """Return how long before the session expires its BYE is due, from who does not refresh (RFC 4028 section 10).

    The machines and the auditor, which judge each other, each work it out for themselves.
    """
    return min(BYE_LEAD_MAX_US, interval_us // 3)


_DELTA_SECONDS = re.compile(r"[0-9]+\Z")
_DIGITS_MAX = 20  # the grammar sets no bound; a longer number is an attack, not an interval


@lru_cache(maxsize=1024)
def parse_session_expires(value: str) -> SessionExpires:
    """Read a Session-Expires value. Raises PeerError (400) where it is no whole number of seconds."""
    seconds, _, rest = value.partition(";")
    refresher, others = None, []
    for parameter in split_parameters(rest):
        name, _, argument = parameter.partition("=")
        if name.rstrip(WHITE_SPACE).lower() == "refresher" and refresher is None:
            refresher = _refresher(argument)
        else:
            others.append(parameter)
    return SessionExpires(_delta_seconds("Session-Expires", seconds), refresher, tuple(others))


@lru_cache(maxsize=1024)
def parse_min_se(value: str) -> int:
    """Read a Min-SE value as seconds; its parameters are ignored. Raises PeerError (400) where it is no number."""
    return _delta_seconds("Min-SE", value.partition(";")[0])


def _refresher(argument: str) -> Refresher | None:
    word = argument.strip(WHITE_SPACE).strip('"').lower()
    return Refresher(word) if word in ("uac", "uas") else None  # RFC 4028 section 4: other values are ignored


def _delta_seconds(name: str, text: str) -> int:
    text = text.strip(WHITE_SPACE)
    if len(text) > _DIGITS_MAX or not _DELTA_SECONDS.match(text):
        raise PeerError(f"{name}: '{text[:40]}' is not a whole number of seconds")
    return int(text)
