"""What is to be started, where it will be reached, and how it shows that it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from ..sip.transport import Transport
from ..units import S

Address = tuple[str, int]
"""An IP address and a port."""


class Ready(Enum):
    """How a stack that logs nothing of note shows that it is ready."""

    OPTIONS = auto()
    """It answers OPTIONS, whatever it says (RFC 3261 section 11)."""
    PORT = auto()
    """Its port is open: for one that takes every request for a call, such as a SIPp scenario."""


def ready_by(text: str | None) -> Ready | str:
    """Return what a user means by a word: nothing is the open port, "OPTIONS" its answer to that, others its log."""
    return Ready.PORT if text is None else Ready.OPTIONS if text == Ready.OPTIONS.name else text


@dataclass(frozen=True, slots=True)
class StartOrder:
    """A system under test, before it is started."""

    command: tuple[str, ...]
    """The program and its arguments; no shell looks at them. It must stay in the foreground."""
    address: Address
    """Where it listens."""
    ready: Ready | str = Ready.OPTIONS
    """How it shows that it is ready; a text: by writing that to its output or log."""
    log: str | None = None
    """A file that it logs to, beside its standard output and error."""
    warp: int = 1
    """Its time runs so many times as fast as real time, by libfaketime."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to our environment."""
    folder: str | None = None
    """Where its output is kept, as OUTPUT_NAME; None: in a private folder that is gone when it has ended."""
    within_us: int = 10 * S
    """How long it may take to be ready, in real time."""
    transport: Transport = Transport.UDP
    """By which it listens there."""
