"""The real systems under test of a run: started, watched, struck as the flow says, and ended."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from ..drivers.run_clock import RunClock
from ..errors import ForeignError, SetupError
from ..flows.commands import with_places
from ..flows.model import Address, Flow, System, Verb
from ..flows.systems import first_invite
from ..sip.transport import Transport
from ..sip.uri import host_port
from ..sut.order import StartOrder, ready_by
from ..sut.readiness import prober
from ..sut.system import System as Started
from ..sut.system import started
from ..units import MS, S
from .run import Logged, Tested

if TYPE_CHECKING:
    from ..drivers.outside import Hearsay

GLANCE_US: Final = 250 * MS
"""How often is looked whether a system is still there, in real time,"""
GLANCE_MOST_US: Final = 2 * S
"""... and at least so often in its time."""
GOODBYE_US: Final = 50 * MS
"""So long, in real time, is waited for what goes out when a call that has failed is hung up."""
SILENCE_US: Final = 7 * S
"""So long after the first message to it a system may say nothing at all: an INVITE has been sent four times by then."""
SILENCE_REAL_US: Final = 2 * S
"""... but at least so long of real time,"""
SILENCE_MOST_US: Final = 30 * S
"""... and less than it takes until timer B fires (RFC 3261 section 17.1.1.2)."""
PROBE_S: Final = 0.1
CALL_WITHIN_US: Final = 60 * S
"""So long a system that is to call us is waited for, in real time."""


class Systems:
    """The real systems of a run: started where the flow says how, and ended when the `with` block is left."""

    heard: "Hearsay | None" = None
    """What they have said, once somebody listens."""
    hurry: Callable[[], None]
    """Called when none of them is waited for any more."""

    def __init__(self, flow: Flow, addresses: Mapping[str, Address], *, speed: int) -> None:
        self.glance_us = min(GLANCE_US * speed, GLANCE_MOST_US)
        self.goodbye_us = GOODBYE_US * speed
        self.call_within_us = CALL_WITHIN_US * speed
        self._silence_us = min(SILENCE_MOST_US, max(SILENCE_US, SILENCE_REAL_US * speed))
        self._actors = flow.systems
        self._calls = flow.calls.count
        self._transport = flow.transport
        first = first_invite(flow)
        self._caller = first.sender if first else None
        self.calls_us = any(actor.name == self._caller for actor in self._actors)
        """Whether calls begin when a system likes."""
        self._addresses = addresses
        self._started: dict[str, Started] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Systems":
        """Start those that are to be started. Raises SetupError, also where nobody is at the address of another."""
        with self._stack:
            for actor in self._actors:
                assert actor.system is not None
                if actor.system.start:
                    order = self._order(actor.name, actor.system)
                    self._started[actor.name] = self._stack.enter_context(started(order))
                elif actor.name != self._caller:  # who calls us may be started when we wait for it
                    check_is_there(actor.name, self._addresses[actor.name], self._transport)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _order(self, name: str, system: System) -> StartOrder:
        return StartOrder(
            with_places(system.start, self._addresses),
            self._addresses[name],
            ready=ready_by(system.ready),
            log=system.log,
            warp=system.warp,
            transport=self._transport,
        )

    def strike(self, name: str, verb: Verb) -> None:
        """Do to the process of a system what a line says. Raises ForeignError where it does not start again."""
        system = self._started[name]
        match verb:
            case Verb.CRASH:
                system.kill()
            case Verb.RESTART:
                with _as_failure():
                    system.restart()
            case Verb.FREEZE:
                system.freeze()
            case Verb.THAW:
                system.thaw()
            case _:
                raise AssertionError(verb)

    def check(self, *, first_sent_at: int | None, now: int) -> None:
        """Raise ForeignError where a system has died or says nothing; the first message to one went at that time."""
        for system in self._started.values():
            with _as_failure():
                system.check_alive()
        assert self.heard is not None
        is_silent = not (self.heard.messages or self.heard.unreadable)
        if is_silent and first_sent_at is not None and now - first_sent_at > self._silence_us:
            places = [f"{actor.name}, at {host_port(self._addresses[actor.name])}," for actor in self._actors]
            log = tuple(line for system in self._started.values() for line in system.last_lines())
            raise ForeignError(
                f"{' and '.join(places)} says nothing: does it speak SIP over {self._transport.name}?", log
            )

    def call_is_over(self) -> None:
        """One more call waits for nobody."""
        self._calls -= 1
        if not self._calls:
            self.hurry()

    def met(self, clock: RunClock) -> tuple[Tested, ...]:
        """Return what is to be told of each, with what it logged at the time of the run."""
        return tuple(self._tested(actor.name, clock) for actor in self._actors)

    def _tested(self, name: str, clock: RunClock) -> Tested:
        system = self._started.get(name)
        if system is None:
            return Tested(name)
        log = tuple(Logged(clock.at_real_ns(line.at_ns), line.text) for line in system.log_lines())
        return Tested(name, shlex.join(system.order.command), system.order.warp, system.warnings, log)


@contextmanager
def _as_failure() -> Iterator[None]:
    """Have a run end by what has become of a system, and tell what was seen until then."""
    try:
        yield
    except SetupError as error:
        what, *log = str(error).split("\n")
        raise ForeignError(what, tuple(line.strip() for line in log)) from None


def check_is_there(name: str, address: Address, transport: Transport = Transport.UDP) -> None:
    """Raise SetupError where nobody listens at an address, as far as the system says so."""
    place = host_port(address)
    try:
        with prober(address, transport) as asking:
            is_there = asking.is_open(within_s=PROBE_S)
    except OSError as error:
        raise SetupError(f"cannot ask {place}: {error.strerror or error}") from None
    if not is_there:
        raise SetupError(
            f"nobody is at {place}, where {name} should be: start it, or have it started (`start`, --start)"
        )
