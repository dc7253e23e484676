"""Who falls silent in a recorded call, and how a flow has them do so: crash, sleep for a while, or miss a request."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..trace import Transit
from ..units import MS, S, format_duration
from .call import Party
from .sessions import Causes

_SILENT_AFTER_US: Final = 1 * S
"""Who falls silent does so after its last message; when exactly, nobody knows."""


def stimulus(actor: str, verb: str, at: int = 0) -> Iterator[str]:
    """Yield the lines of a stimulus: so many microseconds after the call began, or at once."""
    yield f"  - {actor}: {verb}"
    if at >= MS:
        yield f"    at: start + {format_duration(at // MS * MS)}"


class Happened(NamedTuple):
    """What happens to a party at some time of the call."""

    at: int
    lines: tuple[str, ...]


class Silences:
    """Goes through the requests of a call, and says what becomes of those who do not answer."""

    def __init__(self, causes: Causes) -> None:
        self.crashed: set[str] = set()
        """Who is not heard of any more."""
        self._causes, self._call = causes, causes.call
        self._asleep_until: dict[str, int] = {}

    def of(self, transit: Transit) -> Iterator[Happened]:
        """Yield what becomes of the receiver of a message, so that it does not answer, or only late."""
        receiver = self._call.party(transit.receiver)
        if receiver.name in self.crashed or transit.sent_at < self._asleep_until.get(receiver.name, 0):
            return
        if transit.message.is_request and self._call.was_answered_late(transit):
            yield _happened(receiver.name, "freeze", _silent_at(receiver, transit))
        elif transit.message.is_request and self._call.was_ignored(transit) and self._call.onward(transit) is None:
            yield from self._unheard(receiver, transit)
        elif transit.message.method == "BYE" and self._call.is_open(transit):
            self.crashed.add(receiver.name)
            yield Happened(transit.sent_at - 1, (f"  - {receiver.name}: crash  # its answer was not captured",))

    def _unheard(self, receiver: Party, request: Transit) -> Iterator[Happened]:
        later = next((each for each in receiver.sent if self._is_sign_of_life(each, request)), None)
        if later is None:
            self.crashed.add(receiver.name)
            yield _happened(receiver.name, "crash", _silent_at(receiver, request))
        elif nap_us := self._nap_us(later):
            yield from self._sleep(receiver, request, nap_us)
        else:
            times = 1 + self._call.resent[request.number]
            yield Happened(request.sent_at, (f"  - {receiver.name}: ignore {request.message.method} {times} times",))

    def _is_sign_of_life(self, later: Transit, request: Transit) -> bool:
        """Whether a message shows that its sender was there after it had left a request unanswered."""
        late = self._call.final(request)
        return later.number > request.number and (late is None or later.number < late.number)

    def _nap_us(self, later: Transit) -> int | None:
        """Return how long a party's clock stood still that then did by its timer what was long due."""
        agreement = self._causes.agreement(later)
        if agreement is None or agreement.refresher != later.sender or agreement.refresh_due_at is None:
            return None
        late_us = later.sent_at - agreement.refresh_due_at
        return late_us if self._causes.is_of_itself(later) and late_us > self._causes.window_us else None

    def _sleep(self, party: Party, request: Transit, nap_us: int) -> Iterator[Happened]:
        """Have a party sleep through a request and all its repetitions."""
        awake_at = max(_silent_at(party, request) + nap_us, self._call.last_sent_at(request) + _SILENT_AFTER_US)
        self._asleep_until[party.name] = awake_at
        yield _happened(party.name, "freeze", awake_at - nap_us)
        yield _happened(party.name, "thaw", awake_at)


def _happened(actor: str, verb: str, at: int) -> Happened:
    return Happened(at, tuple(stimulus(actor, verb, at)))


def _silent_at(party: Party, request: Transit) -> int:
    """Return when a party fell silent that did not answer a request: soon after it was last heard of."""
    last_at = max((each.sent_at for each in party.sent if each.number < request.number), default=0)
    return min(last_at + _SILENT_AFTER_US, (last_at + request.sent_at) // 2)
