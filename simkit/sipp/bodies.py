"""The bodies of a side's messages: left to the scripted party where they are what it would say itself."""

import re
from typing import Final

from .ladder import Shape
from .player import Player
from .quotes import Kind, Quote

_MEDIA_PORT: Final = 40_000  # ua.offer_answer


def write_bodies(player: Player) -> None:
    """Put the body of each message into its line, unless all of them are what the party says by itself."""
    bodies = player.dialogue.bodies
    usual = _usual(player)
    if all(usual.fullmatch(body) for _, body in bodies):
        return
    for line, body in bodies:
        shape = line.shape or Shape()
        shape.content = player.words.written(body, line)


def _usual(player: Player) -> re.Pattern[str]:
    """Return what a scripted party's session description looks like; its session id is new in every run."""
    host = re.escape(player.quotes.character(Quote(Kind.LOCAL_HOST)))
    lines = (
        "v=0",
        f"o={player.name} [0-9]+ 1 IN IP4 {host}",
        "s=-(?:\ni=.*)?",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {_MEDIA_PORT} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "a=sendrecv",
        "",
    )
    return re.compile("\n".join(lines))
