"""A request of ours and what became of it, from the wish to its final response."""

from dataclasses import dataclass
from enum import Enum

from ..sip.message import Request
from .dialog import Dialog


class Aim(Enum):
    """What a request of ours is for."""

    CALL = "call"  # the initial INVITE
    REFRESH = "refresh"  # a re-INVITE or UPDATE that only keeps the session alive
    MODIFY = "modify"  # a re-INVITE that holds or resumes, and refreshes as well (RFC 4028 section 7.2)
    BYE = "bye"
    CANCEL = "cancel"
    BRANCH = "branch"  # a BYE to another branch of a forked INVITE, whose fate does not matter
    OPTIONS = "options"
    FORWARD = "forward"  # somebody else's request, which we pass on as a proxy


@dataclass(slots=True, eq=False)
class Exchange:
    """A request that is wanted, under way, or to be tried again."""

    aim: Aim
    method: str
    asked_by_logic: bool = False
    """The timer logic asked for it and is to hear of its result."""
    hold: bool | None = None
    """With MODIFY: hold or resume."""
    tries: int = 0
    request: Request | None = None
    """As last sent."""
    dialog: Dialog | None = None
    """Which numbers the request, and does so again when it is challenged; None: it never is (CANCEL)."""
    proceeding: bool = False
    """A provisional response has come, so that it may be cancelled (RFC 3261 section 9.1)."""
    cancel_wanted: bool = False
    abandoned: bool = False
    """Its call is over: it is not sent again, whatever comes."""
