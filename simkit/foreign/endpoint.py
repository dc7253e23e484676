"""A child of kind "endpoint": a whole SIP endpoint without sockets, as one party of a call.

It is handed each message that arrives and each command of the flow, and hands out the messages that it sends. What
became of its calls it is not asked: that is read from its messages (`observed`).
"""

from collections.abc import Mapping
from typing import Any, Final

from ..errors import LocalError
from ..settings import SessionTimerSettings
from ..sip.message import Message, Request, Response
from ..sip.uri import host_port
from ..ua.events import Address, CallEvent, Outgoing
from . import actions
from .child import Child
from .observed import ObservedCalls
from .timer_logic import settings_as_written

REMEMBERED_MAX: Final = 1_000
"""So many requests are remembered with where they went: a response to one comes from there."""


class Endpoint:
    """One party, run by a process of its own: what a driver drives."""

    def __init__(
        self,
        child: Child,
        *,
        name: str,
        address: Address,
        peer: Address,
        settings: SessionTimerSettings,
        answers: Mapping[str, int | None],
        timeout_us: int,
    ) -> None:
        """Introduce a party; `answers` says how it is to answer calls, `timeout_us` how long a request may wait."""
        self.child = child
        self._peer = peer
        self._start: dict[str, Any] | None = {
            "name": name,
            "address": host_port(address),
            "peer": host_port(peer),
            "settings": settings_as_written(settings),
            **answers,
        }
        self._outgoing: list[Outgoing] = []
        self._calls = ObservedCalls(timeout_us)
        self._went_to: dict[str, Address] = {}
        self._has_ended = False

    # --- commands ---

    def command(self, verb: str, *, now: int, **details: str | int) -> None:
        """Have it do what a line of the flow says."""
        self._must_live(verb)
        self._calls.commanded(verb)
        self._ask("command", now=now, verb=verb, **details)

    def _must_live(self, verb: str) -> None:
        if self._has_ended:
            raise LocalError(f"cannot {verb}: its process has ended")

    def _ask(self, do: str, *, now: int, **fields: Any) -> None:
        start, self._start = self._start, None
        if start is not None:
            self._take(self.child.ask("start", actions.sendings, now=now, **start), now=now)
        self._take(self.child.ask(do, actions.sendings, now=now, **fields), now=now)

    def _take(self, done: tuple[list[Outgoing], list[str]], *, now: int) -> None:
        sent, logged = done
        for line in logged:
            self.child.note(line)
        for outgoing in sent:
            self._outgoing.append(outgoing)
            self._calls.sent(outgoing.message, now=now)
            if isinstance(outgoing.message, Request):
                self._went_to[outgoing.message.branch] = outgoing.destination
        while len(self._went_to) > REMEMBERED_MAX:
            del self._went_to[next(iter(self._went_to))]

    # --- what happened (drivers.driver.Agent) ---

    def receive(self, message: Message, *, now: int) -> None:
        """Hand over a message that has arrived."""
        if self._has_ended:
            return
        self._calls.received(message, now=now)
        text = message.to_bytes().decode("utf-8", "surrogateescape")
        self._ask("deliver", now=now, data=text, **{"from": host_port(self._origin(message))})

    def _origin(self, message: Message) -> Address:
        if isinstance(message, Response):
            return self._went_to.get(message.branch, self._peer)
        return message.via.address

    def disconnected(self, peer: Address, *, now: int) -> None:
        """Take no notice: the protocol has no word for it, so the child's own timers tell it."""

    def next_deadline(self) -> int | None:
        """Return when a call of its own is given up; what the child does, and when, is found out by `advance`."""
        return self._calls.next_deadline()

    def handle_deadline(self, *, now: int) -> None:
        """Give up a call that nobody answers any more."""
        self._calls.handle_deadline(now=now)

    def outgoing(self) -> list[Outgoing]:
        """Drain the messages to send, in order."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def events(self) -> list[CallEvent]:
        """Drain the facts about calls, as its messages tell them."""
        return self._calls.events()

    def timer_events(self) -> tuple[()]:
        """Return nothing: its timers are its own."""
        return ()

    # --- time ---

    @property
    def is_waiting(self) -> bool:
        """Whether it may act of its own accord."""
        return self._start is None and not self._has_ended

    def advance(self, *, until: int) -> bool:
        """Let its clock run up to `until`, or to where it acts; return whether it did."""
        done = self.child.advance(actions.sendings, until=until)
        self._take(done, now=self.child.now)
        return bool(self._outgoing)

    def vacate(self) -> bool:
        """The call is over, and with it the process: it cannot serve in another."""
        self.end()
        return False

    def end(self) -> None:
        """End its process: its host has crashed."""
        self._has_ended = True
        self.child.end()
