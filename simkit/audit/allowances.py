"""How exactly a tap can tell when something was due: what is within these is not held against anybody."""

from dataclasses import dataclass

from ..units import MS, S


@dataclass(frozen=True, slots=True)
class Allowances:
    """Durations in microseconds of SIP's time, whatever the speed of the capture."""

    session_us: int = S
    """How far a refresh or a BYE for the session timer may be off: some stacks count in whole seconds."""
    turn_us: int = 250 * MS
    """How long a message may be on its way, or its receiver take to turn it round."""
    spread_us: int = 5 * S
    """How far from half the interval some stacks spread their refreshes, so that two sides do not meet."""
    t1_us: int = 500 * MS
    """T1 (RFC 3261 section 17.1.1.1)."""

    @property
    def timeout_us(self) -> int:
        """64*T1: how long a transaction waits for its final response (RFC 3261 sections 17.1.1.2 and 17.1.2.2)."""
        return 64 * self.t1_us
