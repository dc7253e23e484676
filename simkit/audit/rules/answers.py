"""What a 2xx to INVITE or UPDATE may say of the session timer (RFC 4028 section 9, RFC 3261 section 8.2.4)."""

from typing import Final

from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, Refresher
from ..dialog import Transaction
from ..rule import ERROR, NOTE, WARNING, AuditRule, Breach, Fault, TermsRule, rule, terms_rule
from ..sending import Terms

# --- what the request asked for, and what the 2xx gives --------------------------------------------------------------


def required_without_interval(asked: Terms, given: Terms) -> Fault | None:
    """`Require: timer` in a 2xx that has no Session-Expires."""
    if given.interval_s is not None or not given.required:
        return None
    return Fault("requires timer in a 2xx without Session-Expires; to accept a timer it copies the interval")


def interval_too_small(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx below the Min-SE of its request, or below 90 s."""
    least_s = asked.min_se_s or SESSION_INTERVAL_FLOOR_S
    if asked.interval_s is None or given.interval_s is None or given.interval_s >= min(asked.interval_s, least_s):
        return None
    return Fault(f"reduced the session interval to {given.interval_s} s; at least {least_s} s was due")


def interval_raised(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx with more than was asked for.

    Not judged where the caller does not support timers: then a proxy may have raised Min-SE (erratum 1687, held).
    """
    asked_s, given_s = asked.interval_s, given.interval_s
    if asked_s is None or given_s is None or given_s <= asked_s or not asked.supported:
        return None
    text = f"raised the session interval from {asked_s} s to {given_s} s; it may only keep or reduce it"
    likely = "it lifts what is too short for it to its minimum, instead of answering 422"
    return Fault(text, likely if asked_s < SESSION_INTERVAL_FLOOR_S else "")


def interval_of_its_own(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx that asks for a timer where the request neither asked for one nor supports it."""
    if given.interval_s is None or asked.interval_s is not None or asked.supported:
        return None
    return Fault("set a session timer for a peer that supports none; it has to refresh alone")


def own_interval_too_small(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx that asks for a timer by itself, below the Min-SE of the request."""
    least_s = asked.min_se_s or SESSION_INTERVAL_FLOOR_S
    if asked.interval_s is not None or given.interval_s is None or given.interval_s >= least_s:
        return None
    return Fault(f"set a session interval of {given.interval_s} s; at least {least_s} s was due")


def refresher_missing(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx that names no refresher, or one that does not support timers (table 2)."""
    if given.interval_s is None:
        return None
    if given.refresher is None:
        return Fault("answered with a Session-Expires that names neither uac nor uas as refresher")
    if given.refresher is Refresher.UAC and not asked.supported and asked.refresher is None:
        text = "appointed its peer to refresh, which does not list timer in Supported: refresher=uas was due"
        return Fault(text, "it does not look at its peer's Supported; nobody will refresh")
    return None


def refresher_overruled(asked: Terms, given: Terms) -> Fault | None:
    """A 2xx with another refresher than the request chose."""
    chosen, named = asked.refresher, given.refresher
    if chosen is None or named is None or chosen is named or not asked.supported:
        return None
    return Fault(f"answered refresher={named.value} to a request that chose {chosen.value}; that choice binds")


def uac_refreshes_unrequired(asked: Terms, given: Terms) -> Fault | None:
    """refresher=uac in a 2xx without `Require: timer`; of a UAC that does not list timer nothing may be required."""
    if given.refresher is not Refresher.UAC or given.required or not asked.supported:
        return None
    return Fault("answered refresher=uac without Require: timer")


def uas_refreshes_unrequired(asked: Terms, given: Terms) -> Fault | None:
    """refresher=uas in a 2xx without `Require: timer`, though the peer supports timers."""
    if given.refresher is not Refresher.UAS or given.required or not asked.supported:
        return None
    return Fault("answered refresher=uas without Require: timer; its peer cannot know that it may count on refreshes")


# --- in view of the dialog -------------------------------------------------------------------------------------------


def timer_switched_off(transaction: Transaction) -> Breach | None:
    """A 2xx without Session-Expires to a refresh while a timer runs."""
    session, answer = transaction.session, transaction.final
    if answer is None or session is None or session.interval_us is None or answer.heard.interval_s is not None:
        return None
    text = f"answered {transaction.method} without Session-Expires: the timer is off, or its peer refreshes for itself"
    return Breach(answer, text)


def unlisted_extension(transaction: Transaction) -> Breach | None:
    """A 2xx that requires an option tag which the request did not list."""
    answer, request = transaction.final, transaction.request.arrived
    required = answer.message.tokens("Require") if answer else frozenset()
    unlisted = required - request.tokens("Supported") - request.tokens("Require") if required else required
    if answer is None or not unlisted:
        return None
    tags = ", ".join(sorted(unlisted))
    return Breach(answer, f"requires {tags} in its 2xx, which the request did not list as supported")


OF_TERMS: Final[tuple[TermsRule, ...]] = (
    terms_rule("RFC4028-9-4", required_without_interval, WARNING),
    terms_rule("RFC4028-9-5", interval_too_small),
    terms_rule("RFC4028-9-6", interval_raised),
    terms_rule("RFC4028-9-7", interval_of_its_own, NOTE),
    terms_rule("RFC4028-9-8", own_interval_too_small),
    terms_rule("RFC4028-9-9", refresher_missing),
    terms_rule("RFC4028-9-10", refresher_overruled, ERROR),
    terms_rule("RFC4028-9-11", uac_refreshes_unrequired),
    terms_rule("RFC4028-9-12", uas_refreshes_unrequired),
)
OF_ANSWERS: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.2-7", timer_switched_off, NOTE),  # section 7.2 leaves it open: to be told, not judged
    rule("3261-8.2.4", unlisted_extension),
)
