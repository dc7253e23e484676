"""Session descriptions: what a session refresh needs of SDP (RFC 4566, RFC 3264 sections 5.1 and 8).

One audio stream with its origin and direction. Codecs, bandwidth, ICE and what else an offer may hold are not read.
How an offer is answered is the business of the user agent.
"""

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import Final

from ..errors import PeerError
from .grammar import WHITE_SPACE

_VERSION_MAX: Final = 2**64  # RFC 4566 section 5.2 counts in 64 bits


class Direction(Enum):
    """Who sends media, as the describing side sees it (RFC 3264 section 5.1)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the describing side sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the describing side receives."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(*, sends: bool, receives: bool) -> "Direction":
        """Return the direction of a side that does, or does not, send and receive."""
        return _DIRECTIONS[sends, receives]


_DIRECTIONS: Final = {(direction.sends, direction.receives): direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """An origin, an address and port for media, and a direction."""

    username: str
    session_id: str
    version: int
    address: str
    port: int
    direction: Direction = Direction.SENDRECV
    about: str = ""
    """What the session is about, in a line for people (RFC 8866 section 5.4); "": it does not say."""
    _written: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_written", _write(self))  # an unchanged description goes out hundreds of times

    def to_bytes(self) -> bytes:
        """Write it; the same description is always the same bytes (RFC 4028 section 7.4)."""
        return self._written

    def with_direction(self, direction: Direction) -> "SessionDescription":
        """Return it with another direction and the version raised by one; itself where nothing changes (section 8)."""
        if direction is self.direction:
            return self
        return replace(self, direction=direction, version=self.version + 1)


def _write(description: SessionDescription) -> bytes:
    family = "IP6" if ":" in description.address else "IP4"
    lines = (
        "v=0",
        f"o={description.username} {description.session_id} {description.version} IN {family} {description.address}",
        "s=-",  # RFC 3264 section 5 has a unicast session without a name
        *([f"i={description.about}"] if description.about else []),
        f"c=IN {family} {description.address}",
        "t=0 0",
        f"m=audio {description.port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        f"a={description.direction.value}",
        "",
    )
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


_ORIGIN = re.compile(r"(\S+) +(\S+) +([0-9]{1,20}) +(\S+) +(\S+) +(\S+)")
_MEDIA = re.compile(r"\S+ +([0-9]{1,5})(?:/[0-9]+)? .*")


@lru_cache(maxsize=4096)
def parse_session_description(body: bytes) -> SessionDescription:
    """Read a body as SDP: its origin, and port and direction of its first media stream; other lines are passed over.

    Raises PeerError (400) where there is no readable origin or media line.
    """
    lines = [line.rstrip(WHITE_SPACE) for line in body.decode("utf-8", "surrogateescape").split("\n")]
    media = [number for number, line in enumerate(lines) if line.startswith("m=")]
    origin = _ORIGIN.fullmatch(next((line[2:] for line in lines if line.startswith("o=")), ""))
    stream = _MEDIA.fullmatch(lines[media[0]][2:]) if media else None
    if origin is None or int(origin[3]) >= _VERSION_MAX:
        raise PeerError("SDP: no 'o=' line with user name, session id, version and address")
    if stream is None:
        raise PeerError("SDP: no 'm=' line with a port")
    session_level = lines[: media[0]]
    stream_level = lines[media[0] : (media[1] if len(media) > 1 else len(lines))]
    direction = _direction(stream_level) or _direction(session_level) or Direction.SENDRECV  # RFC 3264 section 5.1
    about = next((line[2:] for line in session_level if line.startswith("i=")), "")
    return SessionDescription(origin[1], origin[2], int(origin[3]), origin[6], int(stream[1]), direction, about)


def _direction(lines: list[str]) -> Direction | None:
    words = {f"a={direction.value}": direction for direction in Direction}
    return next((words[line] for line in lines if line in words), None)
