"""TimerLogic: the seat in which session-timer code sits, ours (`session_timer`) or somebody else's.

One logic serves one side of one dialog. It says which headers to add, whether to accept, when to refresh and when to
hang up; transactions, dialogs and messages stay with the user agent. It owns no clock: `now` is microseconds and
never goes back.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from ..sip.headers import HeaderField
from ..sip.message import Request, Response

SESSION_METHODS: Final = ("INVITE", "UPDATE")
"""What may refresh a session (RFC 4028 section 7.2); no set, for what foreign code calls a method may have no hash."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer the request with a 2xx that carries these headers."""

    headers: tuple[HeaderField, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """Answer the request with this status (422, or 400 where it cannot be read) and these headers."""

    status: int
    headers: tuple[HeaderField, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Send the request again, built anew."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Leave the request as failed: what was sent is not tried again."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Send a session refresh request of this method: "INVITE" or "UPDATE"."""

    method: str


@dataclass(frozen=True, slots=True)
class Bye:
    """End the call; the reason is one of `events.Reason`'s words, such as "session-expired"."""

    reason: str


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a logic believes of its dialog, for reports and invariants: interval (None: no timer) and who refreshes."""

    interval_s: int | None
    we_refresh: bool


class TimerLogic(Protocol):
    """Session-timer code for one side of one dialog (RFC 4028)."""

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        """Return the headers to add to a request of ours that is about to be sent (any method but ACK and CANCEL)."""
        ...

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        """Say what to do with an INVITE or UPDATE of the peer; nothing changes before its 2xx is sent."""
        ...

    def sent_response(self, response: Response, *, now: int) -> None:
        """Note that this final response to the peer's INVITE or UPDATE was sent (its first transmission only)."""
        ...

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        """Take the final response to our INVITE or UPDATE, whatever its aim (its first transmission only).

        Retry has the request sent again at once (422); None leaves it to the user agent, which knows what to do after
        491 or Retry-After for requests that are no refreshes.
        """
        ...

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        """Take the outcome of a refresh that this logic asked for: its final status, None where none came in time.

        Called after `receive_response`. Until it is called, no other refresh is asked for. A 2xx to another request
        refreshes as well: a refresh that has not been sent by then is dropped, and this is not called for it.
        """
        ...

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` wants to be called; None where nothing is waited for."""
        ...

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        """Return what has fallen due; calling early or twice is harmless. After a Bye nothing more falls due."""
        ...

    def state(self) -> SessionState:
        """Return what the logic believes now."""
        ...

    def close(self, *, now: int) -> None:
        """Forget everything: the dialog is over and no deadline is left."""
        ...
