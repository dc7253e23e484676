"""What proxies do to the messages that they pass on, where the tap sees both sides of them (RFC 4028 section 8)."""

from typing import Final

from ...sip.message import Message
from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, Refresher
from ..dialog import Transaction
from ..rule import AuditRule, Breach, Fault, TermsRule, rule, terms_rule
from ..sending import Terms, terms_of

# --- requests (section 8.1) ------------------------------------------------------------------------------------------


def inserted_with_refresher(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires of the proxy's own that names a refresher."""
    if before.interval_s is not None or after.refresher is None:
        return None
    return Fault("inserted a Session-Expires with a refresher; whose job it is, is not for a proxy to say")


def reduced_too_far(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires reduced below Min-SE."""
    asked_s, passed_s = before.interval_s, after.interval_s
    if asked_s is None or passed_s is None or passed_s >= asked_s or passed_s >= _least_s(after):
        return None
    return Fault(f"reduced Session-Expires to {passed_s} s, below the Min-SE of {_least_s(after)} s")


def increased(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires increased although it was large enough."""
    asked_s, passed_s = before.interval_s, after.interval_s
    if asked_s is None or passed_s is None or passed_s <= asked_s or asked_s < _least_s(after):
        return None
    return Fault(f"increased Session-Expires from {asked_s} s to {passed_s} s, though it was not below Min-SE")


def refresher_edited(before: Terms, after: Terms) -> Fault | None:
    """A refresher added or changed."""
    if before.interval_s is None or before.refresher is after.refresher:
        return None
    return Fault("edited the refresher of a request")


def min_se_lowered(before: Terms, after: Terms) -> Fault | None:
    """A Min-SE made smaller, or taken away."""
    if before.min_se_s is None or (after.min_se_s or 0) >= before.min_se_s:
        return None
    return Fault(f"lowered the Min-SE of {before.min_se_s} s")


def interval_not_lifted(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires below Min-SE passed on as it came."""
    passed_s, least_s = after.interval_s, before.min_se_s
    if passed_s is None or least_s is None or before.interval_s != passed_s or passed_s >= least_s:
        return None
    return Fault(f"passed on a Session-Expires of {passed_s} s, below the Min-SE of {least_s} s beside it")


def interval_not_raised(before: Terms, after: Terms) -> Fault | None:
    """A Min-SE raised above the Session-Expires beside it."""
    passed_s, least_s = after.interval_s, after.min_se_s
    if passed_s is None or least_s is None or passed_s >= least_s or least_s <= (before.min_se_s or 0):
        return None
    return Fault(f"raised Min-SE to {least_s} s, and left Session-Expires at {passed_s} s")


def min_se_edited(before: Terms, after: Terms) -> Fault | None:
    """A Min-SE inserted or raised, though the request supports timers."""
    if not before.supported or (after.min_se_s or 0) <= (before.min_se_s or 0):
        return None
    return Fault("edited the Min-SE of a request that lists timer in Supported; 422 is the way to say so")


def timer_required(before: Terms, after: Terms) -> Fault | None:
    """`Require: timer` added."""
    if before.required or not after.required:
        return None
    return Fault("added Require: timer to a request; the timer works without")


def _least_s(terms: Terms) -> int:
    return terms.min_se_s or SESSION_INTERVAL_FLOOR_S


# --- 2xx responses (section 8.2) -------------------------------------------------------------------------------------


def inserted_for_wrong_side(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires put into a 2xx with another refresher than uac."""
    if before.interval_s is not None or after.interval_s is None or after.refresher is Refresher.UAC:
        return None
    return Fault("put Session-Expires into a 2xx without refresher=uac")


def inserted_unrequired(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires put into a 2xx without `Require: timer`."""
    if before.interval_s is not None or after.interval_s is None or after.required:
        return None
    return Fault("put Session-Expires into a 2xx without adding Require: timer")


def answer_edited(before: Terms, after: Terms) -> Fault | None:
    """A Session-Expires of a 2xx changed."""
    if before.interval_s is None or after.interval_s == before.interval_s:
        return None
    passed = "none" if after.interval_s is None else f"{after.interval_s} s"
    return Fault(f"changed the Session-Expires of a 2xx from {before.interval_s} s to {passed}")


def not_on_the_route(transaction: Transaction) -> Breach | None:
    """A proxy that asks for a timer, and does not stay on the route."""
    request = transaction.request
    if not transaction.initial or request.said.interval_s is not None or request.heard.interval_s is None:
        return None
    before: Message = request.message
    for passing in request.passed_on:
        recorded = len(passing.message.values("Record-Route")) - len(before.values("Record-Route"))
        if recorded <= 0 and passing.said.interval_s is not None and terms_of(before).interval_s is None:
            return Breach(passing, "asked for a timer without Record-Route: it will see no refresh")
        before = passing.message
    return None


def timer_not_inserted(transaction: Transaction) -> Breach | None:
    """A 2xx passed on without Session-Expires to a UAC that supports timers, by a proxy that had asked for one."""
    final, asked, passed = transaction.final, transaction.request.said, transaction.request.heard
    if final is None or not transaction.succeeded or not final.passed_on or final.heard.interval_s is not None:
        return None
    if asked.interval_s is not None or passed.interval_s is None or not asked.supported:
        return None
    text = "asked for a timer, and passed on a 2xx without Session-Expires to a UAC that supports it"
    return Breach(final.passed_on[-1], text)


OF_REQUESTS: Final[tuple[TermsRule, ...]] = (
    terms_rule("RFC4028-8.1-3", inserted_with_refresher),
    terms_rule("RFC4028-8.1-4", reduced_too_far),
    terms_rule("RFC4028-8.1-5", increased),
    terms_rule("RFC4028-8.1-6", interval_not_lifted),
    terms_rule("RFC4028-8.1-7", refresher_edited),
    terms_rule("RFC4028-8.1-12", min_se_lowered),
    terms_rule("RFC4028-8.1-13", interval_not_raised),
    terms_rule("RFC4028-8.1-14", min_se_edited),
    terms_rule("RFC4028-8.1-17", timer_required),
)
OF_ANSWERS: Final[tuple[TermsRule, ...]] = (
    terms_rule("RFC4028-8.2-3", inserted_for_wrong_side),
    terms_rule("RFC4028-8.2-4", inserted_unrequired),
    terms_rule("RFC4028-8.2-6", answer_edited),
)
OF_TRANSACTIONS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-8-3", not_on_the_route),
    rule("RFC4028-8.2-2", timer_not_inserted),
)
