"""Which recorded call an incoming INVITE is: one to the same user, or from the same, where that tells calls apart."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ..sip.message import Request
from .uris import user_of

_MARKS: Final[tuple[Callable[[Request], str], ...]] = (
    lambda invite: user_of(invite.uri),
    lambda invite: user_of(invite.recipient.uri),
    lambda invite: user_of(invite.sender.uri),
)
"""What tells calls apart, and counts for more the earlier it stands here."""


class Match(NamedTuple):
    """A recorded call, by its place among all."""

    place: int
    is_like: bool
    """Whether it has a user in common with the incoming one, or there was none to tell calls apart by."""


def match(invite: Request, recorded: Sequence[Request], awaited: Sequence[int]) -> Match:
    """Return which of the recorded calls that are awaited, given by their places, an INVITE is: the first like it.

    Users that all recorded calls have in common tell nothing. What is like none is the first that is awaited.
    """
    candidates, is_like, is_told_apart = [*awaited], False, False
    for mark in _MARKS:
        users = [mark(each) for each in recorded]
        if len(set(users)) == 1:
            continue
        is_told_apart = True
        if alike := [place for place in candidates if users[place] == mark(invite)]:
            candidates, is_like = alike, True
    return Match(candidates[0], is_like or not is_told_apart)
