"""What a request has to say about the session timer (RFC 4028 sections 7.1 and 7.4; RFC 3311 section 4)."""

from typing import Final

from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher
from ...units import S
from ..dialog import Session, Side, Transaction
from ..rule import NOTE, WARNING, AuditRule, Breach, rule
from ..sending import has_description

ADVISED_INTERVAL_S: Final = 1800  # RFC 4028 section 4


# --- every request ---------------------------------------------------------------------------------------------------


def timer_not_listed(transaction: Transaction) -> Breach | None:
    """A request without `timer` in Supported, of a party that supports it or names a refresher."""
    request, said = transaction.request, transaction.request.said
    if said.supported:
        return None
    if said.refresher is not None:
        return Breach(request, "named a refresher, but does not list timer in Supported")
    if not transaction.supports_timer or _insists(transaction):
        return None
    text = f"does not list timer in the Supported of its {transaction.method}; a UAC that supports it always does"
    return Breach(request, text, severity=None if transaction.refreshes else NOTE)


def _insists(transaction: Transaction) -> bool:
    return transaction.request.said.required or TIMER in transaction.request.message.tokens("Proxy-Require")


# --- every INVITE and UPDATE -----------------------------------------------------------------------------------------


def timer_insisted_on(transaction: Transaction) -> Breach | None:
    """`timer` in Require or Proxy-Require of a request."""
    if not _insists(transaction):
        return None
    return Breach(transaction.request, "requires timer of everybody; supporting it oneself is enough")


def timer_required_unlisted(transaction: Transaction) -> Breach | None:
    """`timer` in Require or Proxy-Require, but not in Supported."""
    if transaction.request.said.supported or not _insists(transaction):
        return None
    return Breach(transaction.request, "requires timer without listing it in Supported")


def interval_below_min_se(transaction: Transaction) -> Breach | None:
    """Session-Expires below the Min-SE beside it."""
    asked_s, least_s = transaction.request.said.interval_s, transaction.request.said.min_se_s
    if asked_s is None or least_s is None or asked_s >= least_s:
        return None
    text = f"asked for {asked_s} s with a Min-SE of {least_s} s; the interval is never below its Min-SE"
    likely = "after a 422 it raised Min-SE, but not Session-Expires" if transaction.least_s == least_s else ""
    return Breach(transaction.request, text, likely)


# --- the first request of a call -------------------------------------------------------------------------------------


def short_interval(transaction: Transaction) -> Breach | None:
    """Less than half an hour; later requests only go on with what was agreed."""
    asked_s = transaction.request.said.interval_s
    if asked_s is None or not SESSION_INTERVAL_FLOOR_S <= asked_s < ADVISED_INTERVAL_S:
        return None
    return Breach(transaction.request, f"chose a session interval of {asked_s} s; less than 1800 s is not advised")


def refresher_chosen_at_once(transaction: Transaction) -> Breach | None:
    """A request that names the refresher."""
    if transaction.request.said.refresher is None:
        return None
    return Breach(transaction.request, "chose the refresher in its initial request; leaving it out lets the UAS choose")


# --- within the dialog -----------------------------------------------------------------------------------------------


def tags_changed(transaction: Transaction) -> Breach | None:
    """A refresh by the caller with other option tags than its initial INVITE."""
    setup, message = transaction.dialog.setup, transaction.request.message
    if setup is None or transaction.uac is Side.CALLEE:
        return None
    for name in ("Supported", "Require", "Proxy-Require"):
        if message.header(name) == setup.request.message.header(name):
            continue
        if message.tokens(name) - {TIMER} != setup.request.message.tokens(name) - {TIMER}:
            return Breach(transaction.request, f"has another {name} in its refresh than in its initial INVITE")
    return None


def update_not_supported(transaction: Transaction) -> Breach | None:
    """UPDATE to a peer that does not allow it."""
    allows = transaction.peer_allows
    if transaction.method != "UPDATE" or allows is None or "update" in allows:
        return None
    text = "sent UPDATE to a peer whose Allow has none; it can count on re-INVITE only"
    return Breach(transaction.request, text, "it does not look at its peer's Allow")


def update_not_allowed(transaction: Transaction) -> Breach | None:
    """An UPDATE sent, or taken, by a party whose own Allow does not list it."""
    if transaction.method != "UPDATE":
        return None
    if transaction.allowed is not None and "update" not in transaction.allowed:
        return Breach(transaction.request, "sends UPDATE, but does not list it in its Allow")
    allows = transaction.peer_allows
    if transaction.final is None or not transaction.succeeded or allows is None or "update" in allows:
        return None
    return Breach(transaction.final, "takes UPDATE, but does not list it in its Allow")


def second_negotiation(transaction: Transaction) -> Breach | None:
    """An UPDATE with Session-Expires while the INVITE that began the dialog is still open (erratum 4744)."""
    if transaction.session is not None or transaction.request.said.interval_s is None:
        return None
    if not any(setup.initial and setup.open_at(transaction.order) for setup in transaction.dialog.transactions):
        return None
    return Breach(
        transaction.request, "negotiates a session timer while its first negotiation is open: the last counts"
    )


# --- while a session timer runs --------------------------------------------------------------------------------------


def _session(transaction: Transaction) -> Session:
    assert transaction.session is not None
    return transaction.session


def interval_left_out(transaction: Transaction) -> Breach | None:
    """A refresh without Session-Expires, of a party that supports session timers."""
    said = transaction.request.said
    if said.interval_s is not None or not (said.supported or transaction.supports_timer):
        return None
    text = f"sent {transaction.method} without Session-Expires, though a session timer runs; that may switch it off"
    return Breach(transaction.request, text)


def other_interval(transaction: Transaction) -> Breach | None:
    """A refresh that asks for another interval than the one in force, or the Min-SE above it."""
    said, interval_us = transaction.request.said, _session(transaction).interval_us
    if said.interval_s is None or interval_us is None:
        return None
    current_s = interval_us // S
    due_s = max(said.min_se_s or SESSION_INTERVAL_FLOOR_S, current_s)
    if said.interval_s == due_s:
        return None
    text = f"asked for {said.interval_s} s in its refresh; the interval is {current_s} s, so {due_s} s was due"
    configured = said.interval_s == _first_asked_s(transaction)
    likely = "it asks for its configured interval instead of the agreed one" if configured else ""
    return Breach(transaction.request, text, likely)


def _first_asked_s(transaction: Transaction) -> int | None:
    asked = (each for each in transaction.dialog.transactions if each.uac is transaction.uac and each.refreshes)
    return next(asked).request.said.interval_s


def role_swapped(transaction: Transaction) -> Breach | None:
    """A refresh whose refresher is not who refreshes now."""
    session, role = _session(transaction), transaction.request.said.refresher
    if session.refresher is None or role is None:
        return None
    due = Refresher.UAC if session.refresher is transaction.uac else Refresher.UAS
    if role is due:
        return None
    who = "it" if due is Refresher.UAC else "its peer"
    text = f"wrote refresher={role.value} in its {transaction.method}, though {who} refreshes now: {due.value} was due"
    as_in_the_call = Refresher.UAC if transaction.uac is Side.CALLER else Refresher.UAS
    likely = "it takes uac for who placed the call and uas for who was called; they are roles in this transaction"
    return Breach(transaction.request, text, likely if role is as_in_the_call else "")


def refresher_left_out(transaction: Transaction) -> Breach | None:
    """A refresh that names no refresher, so that the role is chosen again."""
    said = transaction.request.said
    if said.interval_s is None or said.refresher is not None:
        return None
    return Breach(transaction.request, f"left the refresher out of its {transaction.method}: the role is chosen again")


def invite_for_refresh(transaction: Transaction) -> Breach | None:
    """A re-INVITE that changes nothing, to a peer that allows UPDATE."""
    allows = transaction.peer_allows
    if transaction.method != "INVITE" or transaction.changes_media or allows is None or "update" not in allows:
        return None
    return Breach(transaction.request, "refreshed by re-INVITE; its peer allows UPDATE, which needs less")


def offer_in_update(transaction: Transaction) -> Breach | None:
    """An UPDATE that changes nothing, and yet has an offer."""
    if transaction.method != "UPDATE" or transaction.changes_media or not has_description(transaction.request.message):
        return None
    return Breach(transaction.request, "put an offer into an UPDATE that only refreshes; it needs none")


def offer_left_out(transaction: Transaction) -> Breach | None:
    """A re-INVITE by the refresher without an offer."""
    if transaction.method != "INVITE" or has_description(transaction.request.message):
        return None
    if _session(transaction).refresher is not transaction.uac:
        return None
    return Breach(transaction.request, "refreshed by a re-INVITE without an offer; now its peer has to make one")


OF_ALL: Final[tuple[AuditRule[Transaction], ...]] = (rule("RFC4028-7.1-1", timer_not_listed),)
OF_REFRESHES: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.1-5", timer_insisted_on),
    rule("RFC4028-7.1-6", timer_required_unlisted),
    rule("RFC4028-7.1-9", interval_below_min_se),
)
OF_FIRST: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-4-6", short_interval, NOTE),  # deployed everywhere, both of them, and harmless
    rule("RFC4028-7.1-11", refresher_chosen_at_once, NOTE),
)
OF_WITHIN: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.2-8", second_negotiation, NOTE),
    rule("RFC4028-7.4-1", tags_changed, WARNING),  # what differs is not the timer's: 7.1-1 has an eye on that
    rule("RFC4028-7.4-13", update_not_supported),
    rule("3311-4", update_not_allowed),
)
OF_TIMED: Final[tuple[AuditRule[Transaction], ...]] = (
    rule("RFC4028-7.4-7", interval_left_out),
    rule("RFC4028-7.4-8", other_interval),
    rule("RFC4028-7.4-9", role_swapped),
    rule("RFC4028-7.4-11", refresher_left_out, NOTE),  # permitted: to be told, not judged
    rule("RFC4028-7.4-13", invite_for_refresh, NOTE),  # many stacks know re-INVITE only
    rule("RFC4028-7.4-14", offer_in_update),
    rule("RFC4028-7.4-15", offer_left_out),
)
