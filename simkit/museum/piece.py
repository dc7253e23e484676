"""A museum piece: one of our machines with one thing wrong, and where the world has seen that."""

from dataclasses import dataclass, field
from enum import StrEnum

from ..ua.call import Call
from ..ua.callee import CalleeCall
from ..ua.caller import CallerCall
from ..ua.offer_answer import OfferAnswer
from ..ua.proxy import Proxy
from ..ua.session_timer import SessionTimer
from ..ua.user_agent import UserAgent

Machine = type[UserAgent] | type[Proxy]
"""What takes the place of a party's machine; it is made with the same arguments."""


class Visible(StrEnum):
    """What a capture of the call shows of a defect."""

    FULLY = "fully"  # who looks at the messages alone can name it
    PARTLY = "partly"  # only beside what was meant: a setting, a rejected request, what did not come
    NOT = "not"  # only what follows from it


@dataclass(frozen=True, slots=True)
class Piece:
    """A defect that real stacks had, or could not be told from one that had it."""

    id: str
    symptom: str
    """What people saw."""
    cause: str
    """What was wrong in the code."""
    rules: tuple[str, ...]
    """The rules that it breaks: an auditor names it rightly who names one of them."""
    source: str
    """Where it was seen: a repository and the number of an issue, or a file."""
    machine: Machine = field(repr=False)
    visible: Visible = Visible.FULLY

    @property
    def of_proxy(self) -> bool:
        """Whether it takes the place of a proxy, not of a user agent."""
        return issubclass(self.machine, Proxy)


@dataclass(frozen=True, slots=True)
class Absence:
    """A defect that cannot be shown here, and why."""

    id: str
    symptom: str
    why: str


# --- machines with one part that is not ours -------------------------------------------------------------------------


def with_timer(timer: type[SessionTimer]) -> type[UserAgent]:
    """Return a user agent with this session timer."""
    return type(timer.__name__, (UserAgent,), {"__slots__": (), "session_timer": timer})


def with_media(offer_answer: type[OfferAnswer]) -> type[UserAgent]:
    """Return a user agent that describes its sessions so."""
    return type(offer_answer.__name__, (UserAgent,), {"__slots__": (), "offer_answer": offer_answer})


def with_calls(defect: type[Call]) -> type[UserAgent]:
    """Return a user agent whose calls have this defect: those it places, those it takes, or both."""
    sides: dict[str, type[Call]] = {"caller_call": CallerCall, "callee_call": CalleeCall}
    parts = {name: defect for name, side in sides.items() if issubclass(defect, side)}
    if not parts:
        parts = {name: _both(defect, side) for name, side in sides.items()}
    return type(defect.__name__, (UserAgent,), {"__slots__": (), **parts})


def _both(defect: type[Call], side: type[Call]) -> type[Call]:
    return type(f"{defect.__name__}{side.__name__}", (defect, side), {"__slots__": ()})
