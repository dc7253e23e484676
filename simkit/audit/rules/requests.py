"""What a request has to say about the session timer (RFC 4028 sections 7.1 and 7.4; RFC 3311 section 4)."""

from typing import Final

from ...sip.message import Message
from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher
from ...units import S
from ..dialog import Side, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..sending import has_description, interval_s, lists_timer, min_se_s, refresher

ADVISED_INTERVAL_S: Final = 1800  # RFC 4028 section 4


def timer_not_listed(transaction: Transaction) -> Breach | None:
    """A request without `timer` in Supported, of a party that supports it or names a refresher."""
    request = transaction.request
    if lists_timer(request.message) or _insists(request.message):
        return None
    if transaction.refreshes and refresher(request.message) is not None:
        return Breach(request, "named a refresher, but does not list timer in Supported")
    if not transaction.supports_timer:
        return None
    text = f"does not list timer in the Supported of its {transaction.method}; a UAC that supports it always does"
    return Breach(request, text, severity=None if transaction.refreshes else NOTE)


def _insists(message: Message) -> bool:
    return lists_timer(message, "Require") or lists_timer(message, "Proxy-Require")


def timer_insisted_on(transaction: Transaction) -> Breach | None:
    """`timer` in Require or Proxy-Require of a request."""
    if not _insists(transaction.request.message):
        return None
    return Breach(transaction.request, "requires timer of everybody; supporting it oneself is enough")


def timer_required_unlisted(transaction: Transaction) -> Breach | None:
    """`timer` in Require or Proxy-Require, but not in Supported."""
    message = transaction.request.message
    if not _insists(message) or lists_timer(message):
        return None
    return Breach(transaction.request, "requires timer without listing it in Supported")


def interval_below_min_se(transaction: Transaction) -> Breach | None:
    """Session-Expires below the Min-SE beside it."""
    asked_s, least_s = interval_s(transaction.request.message), min_se_s(transaction.request.message)
    if asked_s is None or least_s is None or asked_s >= least_s:
        return None
    text = f"asked for {asked_s} s with a Min-SE of {least_s} s; the interval is never below its Min-SE"
    likely = "after a 422 it raised Min-SE, but not Session-Expires" if transaction.least_s == least_s else ""
    return Breach(transaction.request, text, likely)


def refresher_chosen_at_once(transaction: Transaction) -> Breach | None:
    """An initial request that names the refresher."""
    if not _is_first(transaction) or refresher(transaction.request.message) is None:
        return None
    return Breach(transaction.request, "chose the refresher in its initial request; leaving it out lets the UAS choose")


def short_interval(transaction: Transaction) -> Breach | None:
    """A call that begins with less than half an hour; later requests only go on with what was agreed."""
    asked_s = interval_s(transaction.request.message)
    if not _is_first(transaction) or asked_s is None or not SESSION_INTERVAL_FLOOR_S <= asked_s < ADVISED_INTERVAL_S:
        return None
    return Breach(transaction.request, f"chose a session interval of {asked_s} s; less than 1800 s is not advised")


def _is_first(transaction: Transaction) -> bool:
    return transaction.initial and transaction.previous is None


def tags_changed(transaction: Transaction) -> Breach | None:
    """A refresh by the caller with other option tags than its initial INVITE."""
    setup, message = transaction.dialog.setup, transaction.request.message
    if setup is None or transaction.initial or transaction.uac is Side.CALLEE:
        return None
    for name in ("Supported", "Require", "Proxy-Require"):
        if message.tokens(name) - {TIMER} != setup.request.message.tokens(name) - {TIMER}:
            return Breach(transaction.request, f"has another {name} in its refresh than in its initial INVITE")
    return None


def interval_left_out(transaction: Transaction) -> Breach | None:
    """A refresh without Session-Expires while a timer runs."""
    session = transaction.session
    if session is None or session.interval_us is None or interval_s(transaction.request.message) is not None:
        return None
    text = f"sent {transaction.method} without Session-Expires, though a session timer runs; that may switch it off"
    return Breach(transaction.request, text)


def other_interval(transaction: Transaction) -> Breach | None:
    """A refresh that asks for another interval than the one in force, or the Min-SE above it."""
    session, message = transaction.session, transaction.request.message
    asked_s = interval_s(message)
    if session is None or session.interval_us is None or asked_s is None:
        return None
    current_s = session.interval_us // S
    due_s = max(min_se_s(message) or SESSION_INTERVAL_FLOOR_S, current_s)
    if asked_s == due_s:
        return None
    text = f"asked for {asked_s} s in its refresh; the session interval is {current_s} s, so {due_s} s was due"
    first_s = _first_asked_s(transaction)
    likely = "it asks for its configured interval instead of the agreed one" if asked_s == first_s else ""
    return Breach(transaction.request, text, likely)


def _first_asked_s(transaction: Transaction) -> int | None:
    first = next((t for t in transaction.dialog.transactions if t.uac is transaction.uac and t.refreshes), transaction)
    return interval_s(first.request.message)


def role_swapped(transaction: Transaction) -> Breach | None:
    """A refresh whose refresher is not who refreshes now."""
    session, role = transaction.session, refresher(transaction.request.message)
    if session is None or session.refresher is None or role is None:
        return None
    due = Refresher.UAC if session.refresher is transaction.uac else Refresher.UAS
    if role is due:
        return None
    who = "itself" if due is Refresher.UAC else "its peer"
    text = f"wrote refresher={role.value} in its {transaction.method}, though {who} refreshes now: {due.value} was due"
    as_in_the_call = Refresher.UAC if transaction.uac is Side.CALLER else Refresher.UAS
    likely = "it takes uac for who placed the call and uas for who was called, not for roles in this transaction"
    return Breach(transaction.request, text, likely if role is as_in_the_call and due is Refresher.UAC else "")


def method_for_refresh(transaction: Transaction) -> Breach | None:
    """UPDATE to a peer that does not allow it; re-INVITE, though the peer allows UPDATE and nothing changes."""
    allows = transaction.peer_allows
    if transaction.initial or allows is None or transaction.session is None:
        return None
    if transaction.method == "UPDATE" and "update" not in allows:
        text = "sent UPDATE to a peer whose Allow has none; it can count on re-INVITE only"
        return Breach(transaction.request, text, "it does not look at its peer's Allow", severity=WARNING)
    if transaction.method == "INVITE" and "update" in allows and _only_refreshes(transaction):
        return Breach(transaction.request, "refreshed by re-INVITE; its peer allows UPDATE, which needs less")
    return None


def _only_refreshes(transaction: Transaction) -> bool:
    session = transaction.session
    return session is not None and session.interval_us is not None and not transaction.changes_media


def offer_in_update(transaction: Transaction) -> Breach | None:
    """An UPDATE that changes nothing, and yet has an offer."""
    if transaction.method != "UPDATE" or not has_description(transaction.request.message):
        return None
    if not _only_refreshes(transaction):
        return None
    return Breach(transaction.request, "put an offer into an UPDATE that only refreshes; it needs none")


def offer_left_out(transaction: Transaction) -> Breach | None:
    """A re-INVITE by the refresher without an offer."""
    session = transaction.session
    if session is None or session.interval_us is None or session.refresher is not transaction.uac:
        return None
    if transaction.method != "INVITE" or has_description(transaction.request.message):
        return None
    return Breach(transaction.request, "refreshed by a re-INVITE without an offer; now its peer has to make one")


def update_not_allowed(transaction: Transaction) -> Breach | None:
    """An UPDATE sent, or taken, by a party whose own Allow does not list it."""
    if transaction.method != "UPDATE" or transaction.initial:
        return None
    if transaction.allowed is not None and "update" not in transaction.allowed:
        return Breach(transaction.request, "sends UPDATE, but does not list it in its Allow")
    allows = transaction.peer_allows
    if transaction.final is None or not transaction.succeeded or allows is None or "update" in allows:
        return None
    return Breach(transaction.final, "takes UPDATE, but does not list it in its Allow")


OF_ALL: Final[tuple[AuditRule[Transaction], ...]] = (rule("RFC4028-7.1-1", timer_not_listed),)
"""Rules about every request but ACK."""

OF_REFRESHES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-4-6", short_interval, NOTE),  # deployed everywhere, and harmless
    rule("RFC4028-7.1-5", timer_insisted_on),
    rule("RFC4028-7.1-6", timer_required_unlisted),
    rule("RFC4028-7.1-9", interval_below_min_se),
    rule("RFC4028-7.1-11", refresher_chosen_at_once, NOTE),  # deployed everywhere, and harmless
    rule("RFC4028-7.4-1", tags_changed, WARNING),  # what differs is not the timer's: 7.1-1 has an eye on that
    rule("RFC4028-7.4-7", interval_left_out),
    rule("RFC4028-7.4-8", other_interval),
    rule("RFC4028-7.4-9", role_swapped),
    rule("RFC4028-7.4-13", method_for_refresh, NOTE),  # many stacks know re-INVITE only
    rule("RFC4028-7.4-14", offer_in_update),
    rule("RFC4028-7.4-15", offer_left_out),
    rule("3311-4", update_not_allowed),
)
"""Rules about every INVITE and UPDATE."""
