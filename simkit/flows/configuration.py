"""The configuration of a SIP server, as far as it is about session timers: a YAML file with a `session_timer` block.

Its keys are those of a LiveKit SIP configuration, and of an actor's `session_timer`. What else is in the file is left
alone.
"""

from dataclasses import dataclass
from typing import Final

from ..errors import Fault, FlowError
from ..settings import SessionTimerSettings
from .actors import read_session_timer
from .blocks import read_block
from .loader import read_source
from .reading import Reading
from .schema import SESSION_TIMER, Block, Key, Kind
from .yaml_source import Map, parse

_CONFIGURATION: Final[Block] = {
    "session_timer": Key(Kind.BLOCK, "Its session timer (RFC 4028).", block=SESSION_TIMER, required=True),
    "sip_port": Key(Kind.COUNT, "The UDP port on which it listens.", least=1, most=65_535),
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a server is set to."""

    session_timer: SessionTimerSettings
    sip_port: int | None = None
    warnings: tuple[Fault, ...] = ()
    """What is allowed, but surprising."""


def load_configuration(path: str) -> Configuration:
    """Read a configuration, "-" being standard input. Raises FlowError with all that is wrong with it."""
    faults: list[Fault] = []
    root = parse(read_source(path), path, faults)
    reading = Reading(path, {})
    ours = Map(root.source, tuple(entry for entry in root.entries if entry[0].text in _CONFIGURATION))
    fields = read_block(reading, ours, _CONFIGURATION, "a configuration")
    timer = read_session_timer(reading, fields["session_timer"]) if "session_timer" in fields else None
    faults += reading.faults
    if faults or timer is None:
        raise FlowError(faults)
    return Configuration(timer, fields.get("sip_port"), tuple(reading.warnings))
