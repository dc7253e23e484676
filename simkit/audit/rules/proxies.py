"""What proxies do to the messages that they pass on, where the tap sees both sides of them (RFC 4028 section 8)."""

from collections.abc import Callable, Iterator
from typing import Final

from ...sip.message import Message
from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, Refresher
from ..dialog import Transaction
from ..rule import AuditRule, Breach, rule
from ..sending import Passing, Sending, interval_s, lists_timer, min_se_s, refresher

_Check = Callable[[Message, Message], str | None]
"""Takes a message as a proxy got it and as it passed it on; returns what was wrong about that."""


# --- requests (section 8.1) ------------------------------------------------------------------------------------------


def inserted_with_refresher(before: Message, after: Message) -> str | None:
    """A Session-Expires of the proxy's own that names a refresher."""
    if interval_s(before) is not None or refresher(after) is None:
        return None
    return "inserted a Session-Expires with a refresher; whose job it is, is not for a proxy to say"


def reduced_too_far(before: Message, after: Message) -> str | None:
    """A Session-Expires reduced below Min-SE."""
    asked_s, passed_s = interval_s(before), interval_s(after)
    if asked_s is None or passed_s is None or passed_s >= asked_s or passed_s >= _least_s(after):
        return None
    return f"reduced Session-Expires to {passed_s} s, below the Min-SE of {_least_s(after)} s"


def increased(before: Message, after: Message) -> str | None:
    """A Session-Expires increased although it was large enough."""
    asked_s, passed_s = interval_s(before), interval_s(after)
    if asked_s is None or passed_s is None or passed_s <= asked_s or asked_s < _least_s(after):
        return None
    return f"increased Session-Expires from {asked_s} s to {passed_s} s, though it was not below Min-SE"


def refresher_edited(before: Message, after: Message) -> str | None:
    """A refresher added or changed."""
    if interval_s(before) is None or refresher(before) is refresher(after):
        return None
    return "edited the refresher of a request"


def min_se_lowered(before: Message, after: Message) -> str | None:
    """A Min-SE made smaller, or taken away."""
    least_s = min_se_s(before)
    if least_s is None or (min_se_s(after) or 0) >= least_s:
        return None
    return f"lowered the Min-SE of {least_s} s"


def interval_not_raised(before: Message, after: Message) -> str | None:
    """A Min-SE raised above the Session-Expires beside it."""
    passed_s, least_s = interval_s(after), min_se_s(after)
    if passed_s is None or least_s is None or passed_s >= least_s or least_s <= (min_se_s(before) or 0):
        return None
    return f"raised Min-SE to {least_s} s, and left Session-Expires at {passed_s} s"


def min_se_edited(before: Message, after: Message) -> str | None:
    """A Min-SE inserted or raised, though the request supports timers."""
    if not lists_timer(before) or (min_se_s(after) or 0) <= (min_se_s(before) or 0):
        return None
    return "edited the Min-SE of a request that lists timer in Supported; 422 is the way to say so"


def _least_s(message: Message) -> int:
    return min_se_s(message) or SESSION_INTERVAL_FLOOR_S


# --- 2xx responses (section 8.2) -------------------------------------------------------------------------------------


def inserted_for_wrong_side(before: Message, after: Message) -> str | None:
    """A Session-Expires put into a 2xx with another refresher than uac."""
    if interval_s(before) is not None or interval_s(after) is None or refresher(after) is Refresher.UAC:
        return None
    return "put Session-Expires into a 2xx without refresher=uac"


def inserted_unrequired(before: Message, after: Message) -> str | None:
    """A Session-Expires put into a 2xx without `Require: timer`."""
    if interval_s(before) is not None or interval_s(after) is None or lists_timer(after, "Require"):
        return None
    return "put Session-Expires into a 2xx without adding Require: timer"


def answer_edited(before: Message, after: Message) -> str | None:
    """A Session-Expires of a 2xx changed."""
    given_s, passed_s = interval_s(before), interval_s(after)
    if given_s is None or passed_s == given_s:
        return None
    return f"changed the Session-Expires of a 2xx from {given_s} s to {'none' if passed_s is None else f'{passed_s} s'}"


def timer_not_inserted(transaction: Transaction) -> Breach | None:
    """A 2xx passed on without Session-Expires to a UAC that supports timers, by a proxy that had asked for one."""
    final = transaction.final
    if final is None or not final.passed_on or not transaction.request.passed_on:
        return None
    asked, request = transaction.request.passed_on[-1], transaction.request.message
    if interval_s(request) is not None or interval_s(asked.message) is None or not lists_timer(request):
        return None
    if interval_s(final.arrived) is not None:
        return None
    text = "asked for a timer, and passed on a 2xx without Session-Expires to a UAC that supports it"
    return Breach(final.passed_on[-1], text)


def _on_request(check: _Check) -> Callable[[Transaction], Iterator[Breach]]:
    return lambda transaction: _passed_on(transaction.request, check)


def _on_success(check: _Check) -> Callable[[Transaction], Iterator[Breach]]:
    def checked(transaction: Transaction) -> Iterator[Breach]:
        if transaction.final is not None and transaction.succeeded:
            yield from _passed_on(transaction.final, check)

    return checked


def _passed_on(sending: Sending, check: _Check) -> Iterator[Breach]:
    before: Sending | Passing = sending
    for passing in sending.passed_on:
        text = check(before.message, passing.message)
        if text is not None:
            yield Breach(passing, text)
        before = passing


OF_PASSED_ON: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-8.1-3", _on_request(inserted_with_refresher)),
    rule("RFC4028-8.1-4", _on_request(reduced_too_far)),
    rule("RFC4028-8.1-5", _on_request(increased)),
    rule("RFC4028-8.1-7", _on_request(refresher_edited)),
    rule("RFC4028-8.1-12", _on_request(min_se_lowered)),
    rule("RFC4028-8.1-13", _on_request(interval_not_raised)),
    rule("RFC4028-8.1-14", _on_request(min_se_edited)),
    rule("RFC4028-8.2-2", timer_not_inserted),
    rule("RFC4028-8.2-3", _on_success(inserted_for_wrong_side)),
    rule("RFC4028-8.2-4", _on_success(inserted_unrequired)),
    rule("RFC4028-8.2-6", _on_success(answer_edited)),
)
"""Rules about INVITE and UPDATE transactions that went through a proxy in sight of the tap."""
