"""What a 2xx to INVITE or UPDATE may say of the session timer (RFC 4028 section 9, RFC 3261 section 8.2.4)."""

from typing import Final

from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, Refresher
from ..dialog import Transaction
from ..rule import ERROR, NOTE, WARNING, AuditRule, Breach, rule
from ..sending import Sending, interval_s, lists_timer, min_se_s, refresher


def _answer(transaction: Transaction) -> Sending:
    assert transaction.final is not None
    return transaction.final


def required_without_interval(transaction: Transaction) -> Breach | None:
    """`Require: timer` in a 2xx that has no Session-Expires."""
    answer = _answer(transaction)
    if interval_s(answer.message) is not None or not lists_timer(answer.message, "Require"):
        return None
    return Breach(answer, "requires timer in a 2xx without Session-Expires; to accept a timer it copies the interval")


def interval_too_small(transaction: Transaction) -> Breach | None:
    """A 2xx below the Min-SE of its request, or below 90 s."""
    asked_s, given_s = interval_s(transaction.request.arrived), interval_s(_answer(transaction).message)
    least_s = min_se_s(transaction.request.arrived) or SESSION_INTERVAL_FLOOR_S
    if asked_s is None or given_s is None or given_s >= min(asked_s, least_s):
        return None
    return Breach(_answer(transaction), f"reduced the session interval to {given_s} s; at least {least_s} s was due")


def interval_raised(transaction: Transaction) -> Breach | None:
    """A 2xx with more than was asked for.

    Not judged where the caller does not support timers: then a proxy may have raised Min-SE (erratum 1687, held).
    """
    asked_s, given_s = interval_s(transaction.request.arrived), interval_s(_answer(transaction).message)
    if asked_s is None or given_s is None or given_s <= asked_s or not lists_timer(transaction.request.arrived):
        return None
    text = f"raised the session interval from {asked_s} s to {given_s} s; it may only keep or reduce it"
    likely = "it lifts what is too short for it to its minimum, instead of answering 422"
    return Breach(_answer(transaction), text, likely if asked_s < SESSION_INTERVAL_FLOOR_S else "")


def interval_of_its_own(transaction: Transaction) -> Breach | None:
    """A 2xx that asks for a timer where the request neither asked for one nor supports it."""
    answer, request = _answer(transaction), transaction.request.arrived
    if interval_s(answer.message) is None or interval_s(request) is not None or lists_timer(request):
        return None
    return Breach(answer, "set a session timer for a peer that supports none; it has to refresh alone")


def own_interval_too_small(transaction: Transaction) -> Breach | None:
    """A 2xx that asks for a timer by itself, below the Min-SE of the request."""
    given_s, request = interval_s(_answer(transaction).message), transaction.request.arrived
    least_s = min_se_s(request) or SESSION_INTERVAL_FLOOR_S
    if given_s is None or given_s >= least_s or interval_s(request) is not None:
        return None
    return Breach(_answer(transaction), f"set a session interval of {given_s} s; at least {least_s} s was due")


def refresher_missing(transaction: Transaction) -> Breach | None:
    """A 2xx that names no refresher, or one that does not support timers (table 2)."""
    answer, request = _answer(transaction), transaction.request.arrived
    if interval_s(answer.message) is None:
        return None
    role = refresher(answer.message)
    if role is None:
        written = answer.message.header("Session-Expires")
        return Breach(answer, f"answered 'Session-Expires: {written}', which names neither uac nor uas as refresher")
    if role is Refresher.UAC and not lists_timer(request) and refresher(request) is None:
        text = "appointed its peer to refresh, which does not list timer in Supported: refresher=uas was due"
        return Breach(answer, text, "it does not look at its peer's Supported; nobody will refresh")
    return None


def refresher_overruled(transaction: Transaction) -> Breach | None:
    """A 2xx with another refresher than the request chose."""
    chosen, given = refresher(transaction.request.arrived), refresher(_answer(transaction).message)
    if chosen is None or given is None or chosen is given or not lists_timer(transaction.request.arrived):
        return None
    text = f"answered refresher={given.value} to a request that chose {chosen.value}; that choice binds"
    return Breach(_answer(transaction), text)


def uac_refreshes_unrequired(transaction: Transaction) -> Breach | None:
    """refresher=uac in a 2xx without `Require: timer`."""
    answer = _answer(transaction)
    if refresher(answer.message) is not Refresher.UAC or lists_timer(answer.message, "Require"):
        return None
    if not lists_timer(transaction.request.arrived):
        return None  # nothing may be required of such a peer (RFC 3261 section 8.2.4)
    return Breach(answer, "answered refresher=uac without Require: timer")


def uas_refreshes_unrequired(transaction: Transaction) -> Breach | None:
    """refresher=uas in a 2xx without `Require: timer`, though the peer supports timers."""
    answer = _answer(transaction)
    if refresher(answer.message) is not Refresher.UAS or lists_timer(answer.message, "Require"):
        return None
    if not lists_timer(transaction.request.arrived):
        return None
    text = "answered refresher=uas without Require: timer; its peer cannot know that it may count on refreshes"
    return Breach(answer, text)


def timer_switched_off(transaction: Transaction) -> Breach | None:
    """A 2xx without Session-Expires to a refresh while a timer runs."""
    session, answer = transaction.session, _answer(transaction)
    if transaction.initial or session is None or session.interval_us is None or interval_s(answer.arrived) is not None:
        return None
    text = f"answered {transaction.method} without Session-Expires: the timer is off, or its peer refreshes for itself"
    return Breach(answer, text)


def unlisted_extension(transaction: Transaction) -> Breach | None:
    """A response that requires an option tag which the request did not list."""
    final, request = _answer(transaction), transaction.request.arrived
    required = final.message.tokens("Require")
    if not required:
        return None
    unlisted = required - request.tokens("Supported") - request.tokens("Require") - request.tokens("Proxy-Require")
    if not unlisted:
        return None
    tags = ", ".join(sorted(unlisted))
    return Breach(final, f"requires {tags} in its response, which the request did not list as supported")


OF_ANSWERS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.2-7", timer_switched_off, NOTE),  # section 7.2 leaves it open: to be told, not judged
    rule("RFC4028-9-4", required_without_interval, WARNING),
    rule("RFC4028-9-5", interval_too_small),
    rule("RFC4028-9-6", interval_raised),
    rule("RFC4028-9-7", interval_of_its_own, NOTE),
    rule("RFC4028-9-8", own_interval_too_small),
    rule("RFC4028-9-9", refresher_missing),
    rule("RFC4028-9-10", refresher_overruled, ERROR),
    rule("RFC4028-9-11", uac_refreshes_unrequired),
    rule("RFC4028-9-12", uas_refreshes_unrequired),
    rule("3261-8.2.4", unlisted_extension),
)
"""Rules about every 2xx to INVITE or UPDATE."""
