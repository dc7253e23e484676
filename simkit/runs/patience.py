"""How long a call waits for what a real system is to say, where no line says when: nobody knows what it is about to do.

While parties of ours have something to do, such as to refresh, anything may come of that. When they have nothing left,
a system is waited for as long as any of its transactions may take (64*T1, RFC 3261 section 17.1), counted from the last
thing that happened; until it calls, longer.
"""

from typing import TYPE_CHECKING, Protocol

from ..drivers.turns import Driver

if TYPE_CHECKING:
    from .systems import Systems


class Waiting(Protocol):
    """A call that waits."""

    last_at: int
    messages: int
    waited_us: int

    @property
    def waits_for_others(self) -> bool:
        """Whether a line is ahead that says no time, and no party of ours has anything to do."""
        ...

    @property
    def waits_in_vain(self) -> bool:
        """Whether the next line is a response, and no party of ours waits for one."""
        ...

    @property
    def has_ended(self) -> bool:
        """Whether nothing is waited for any more."""
        ...

    @property
    def first_sent_at(self) -> int | None:
        """When the first message to a real system was sent."""
        ...


class Patience:
    """Keeps a run from ending while a real system may still say something, and looks whether it is still there."""

    def __init__(self, call: Waiting, driver: Driver, systems: "Systems", *, timeout_us: int) -> None:
        """`timeout_us` is 64*T1."""
        self._call = call
        self._driver = driver
        self._systems = systems
        self._timeout_us = timeout_us

    def begin(self) -> None:
        """Look every now and then, from here on."""
        self._driver.at(self._driver.now + self._systems.glance_us, self._glance)

    def _glance(self) -> None:
        call, now = self._call, self._driver.now
        if call.has_ended:
            self._systems.call_is_over()
            return
        self._systems.check(first_sent_at=call.first_sent_at, now=now)
        patience_us = self._timeout_us if call.messages else self._systems.call_within_us
        if call.waits_in_vain:
            patience_us = 0
        if not call.waits_for_others or now - call.last_at < patience_us:
            self.begin()
        else:
            call.waited_us = patience_us
            self._systems.call_is_over()
