"""Requests of both sides that were on their way at the same time, and how a flow has them meet again.

A capture is taken at one place, so which of two came first there is chance. A flow that is to have them cross needs a
network that takes its time, and what somebody did has to be done just when the other side's timer acts.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ..sip.message import Request, Response
from ..trace import Transit
from ..units import MS
from .sessions import Causes

LATENCY_US: Final = 20 * MS
"""How long messages take in a flow where some cross."""

_TOGETHER_US: Final = 500 * MS
"""Requests further apart than T1 did not cross: the second would have been answered in the meantime."""


def crossings(causes: Causes) -> list[tuple[Transit, Transit]]:
    """Return the pairs of requests that crossed; first the one that a timer sent, if one did."""
    found: list[tuple[Transit, Transit]] = []
    if causes.call.proxies:
        return found  # each hop takes its time: what crossed on one need not have on another
    requests = [each for each in causes.call.transits if _opens(each)]
    for first, second in pairwise(requests):
        if first.sender == second.sender or second.sent_at - first.sent_at > _TOGETHER_US:
            continue
        if not _has_answered(causes, first, second):
            turned = causes.is_of_itself(second) and not causes.is_of_itself(first)
            found.append((second, first) if turned else (first, second))
    return found


def in_playing_order(transits: Sequence[Transit], crossed: Sequence[tuple[Transit, Transit]]) -> list[Transit]:
    """Return the messages of a call in the order in which a flow has them: of a crossing pair, in the pair's order."""
    ordered = list(transits)
    for first, second in crossed:
        there, here = ordered.index(first), ordered.index(second)
        if here < there:
            ordered.insert(here, ordered.pop(there))
    return ordered


def _opens(transit: Transit) -> bool:
    return isinstance(transit.message, Request) and transit.message.method not in ("ACK", "CANCEL")


def _has_answered(causes: Causes, request: Transit, until: Transit) -> bool:
    """Whether the other side had said anything to a request before it sent this."""
    return any(
        isinstance(each.message, Response) and each.sent_at <= until.sent_at for each in causes.call.answers(request)
    )
