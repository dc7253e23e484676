"""What the parties of one call reported about it: the facts that `expect` and the summaries are judged by."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from ..flows.model import Outcome
from ..trace import Happening, What
from ..ua.events import CallEvent, Fact
from .run import CallSummary

WHAT: Final = {fact: What(fact.value) for fact in Fact}
"""What a trace calls each fact."""


@dataclass(slots=True)
class Dialog:
    """One call as SIP sees it, by Call-ID."""

    call_id: str
    parties: tuple[str, ...] = ()
    interval_s: int | None = None
    refresher: str | None = None
    refreshes: int = 0
    ended_by: str | None = None
    ended_at: int | None = None
    reason: str | None = None
    is_claimed: bool = False
    """Whether the party that ended it has said so itself."""

    def summary(self) -> CallSummary:
        """Return the call in numbers."""
        return CallSummary(
            self.call_id, self.interval_s, self.refresher, self.refreshes, self.ended_by, self.ended_at, self.reason
        )


@dataclass(slots=True)
class Standing:
    """How one party stands."""

    outcome: Outcome | None = None
    """None: it has taken no part in a call."""
    over_at: int | None = None
    refreshes: int = 0


class Ledger:
    """Keeps what the parties report, and adds it up."""

    __slots__ = ("_is_claimed", "_proxies", "dialogs", "ended_by", "reason", "retries", "standings")

    def __init__(self, parties: Iterable[str], *, proxies: Container[str] = ()) -> None:
        self._proxies = proxies
        self.standings = {name: Standing() for name in parties}
        self.dialogs: dict[str, Dialog] = {}
        self.retries = 0
        self.ended_by: str | None = None
        self._is_claimed = False
        self.reason: str | None = None

    def introduced(self, call_id: str, caller: str, callee: str) -> None:
        """An INVITE went from one party to another: now it is known who the two are, once it has passed all proxies."""
        dialog = self.dialogs.get(call_id)
        if dialog is None:
            self.dialogs[call_id] = Dialog(call_id, (caller, callee))
        elif dialog.parties and dialog.parties[1] in self._proxies:
            dialog.parties = dialog.parties[0], callee

    def happened(self, party: str, event: CallEvent, *, at: int) -> Happening:
        """Enter a fact; return it as a trace has it."""
        standing = self.standings[party]
        dialog = self.dialogs.get(event.call_id)
        if dialog is None:
            dialog = self.dialogs[event.call_id] = Dialog(event.call_id)
        refresher = None
        match event.fact:
            case Fact.UP:
                standing.outcome, standing.over_at = Outcome.UP, None
            case Fact.SESSION:
                refresher = _refresher(dialog, party, event)
                dialog.interval_s, dialog.refresher = event.interval_s, refresher
            case Fact.REFRESHED:
                standing.refreshes += 1
                dialog.refreshes += 1
            case Fact.RETRIED:
                self.retries += 1
            case Fact.ENDED:
                self._ended(standing, dialog, party, event, at)
            case Fact.OVER:
                standing.over_at = at
            case _:
                pass
        return Happening(at, party, WHAT[event.fact], event.detail, event.call_id, event.interval_s, refresher)

    def _ended(self, standing: Standing, dialog: Dialog, party: str, event: CallEvent, at: int) -> None:
        standing.outcome = Outcome.ENDED if standing.outcome is Outcome.UP else Outcome.FAILED
        if dialog.ended_at is None:
            dialog.ended_at, dialog.reason = at, event.detail
        if event.by_us and not dialog.is_claimed:
            dialog.is_claimed, dialog.ended_by, dialog.reason = True, party, event.detail
        elif dialog.ended_by is None:  # a scripted party ends calls without a word
            dialog.ended_by = _other(dialog, party)
        if self.reason is None or (event.by_us and not self._is_claimed):
            self.reason, self.ended_by, self._is_claimed = event.detail, dialog.ended_by, event.by_us

    def crashed(self, party: str) -> None:
        """A party's host has died, and its calls with it."""
        self.standings[party].outcome = Outcome.CRASHED

    def restarted(self, party: str) -> None:
        """A party has come back, and knows nothing of a call that was up."""
        if self.standings[party].outcome is Outcome.UP:
            self.crashed(party)

    @property
    def refreshes(self) -> int:
        """How many refreshes were answered with a 2xx, whoever sent them."""
        return sum(standing.refreshes for standing in self.standings.values())

    @property
    def over_at(self) -> int | None:
        """When the call was over for every living party that had part in it; None while it is not."""
        living = [
            standing.over_at for standing in self.standings.values() if standing.outcome not in (None, Outcome.CRASHED)
        ]
        times = [at for at in living if at is not None]
        return max(times) if times and len(times) == len(living) else None

    def summaries(self) -> list[CallSummary]:
        """Return each call in numbers, in the order in which they began."""
        return [dialog.summary() for dialog in self.dialogs.values()]


def _refresher(dialog: Dialog, party: str, event: CallEvent) -> str | None:
    if event.interval_s is None:
        return None
    return party if event.we_refresh else _other(dialog, party)


def _other(dialog: Dialog, party: str) -> str | None:
    return next((other for other in dialog.parties if other != party), None)
