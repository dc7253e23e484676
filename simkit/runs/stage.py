"""Where a script is played: what it may ask for, and of whom."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from ..flows.model import NetChange, Observation, Stimulus, Verb
from ..trace import Transit

Action = Stimulus | NetChange | Observation
"""What is done, not waited for; an observation is an order to the scripted party that sends it."""

TROUBLE: Final = frozenset({Verb.CRASH, Verb.RESTART, Verb.FREEZE, Verb.THAW, Verb.IGNORE, Verb.REPLY})
"""What happens to a party, whatever its user agent is doing."""


class Stage(Protocol):
    """Where a script is played."""

    @property
    def now(self) -> int:
        """The run's time."""
        ...

    @property
    def places(self) -> Mapping[str, str]:
        """What is known of where the parties are, as a flow quotes it: {"alice.address": "192.0.2.1:5060", ...}."""
        ...

    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at a time that has not passed; `late`: after all that happens at that instant."""
        ...

    def perform(self, action: Action) -> None:
        """Do what a line says. Raises LocalError where that cannot be done."""
        ...

    def marked(self, mark: str, transit: Transit) -> None:
        """A message set a mark."""
        ...

    def failed(self) -> None:
        """The call has failed and is not judged any further."""
        ...


def asked(action: Action) -> str | None:
    """Return the actor whose user agent, or whose scripted party, an action asks for something."""
    if isinstance(action, Observation):
        return action.sender
    return action.actor if isinstance(action, Stimulus) and action.verb not in TROUBLE else None
