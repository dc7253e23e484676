"""The facts of a call, as people write them down by hand: the timer that was agreed on, each refresh, and the end."""

from collections.abc import Iterator, Sequence
from typing import Final

from ..units import S
from .dialog import Dialog, Session, Side, Transaction
from .finding import CallAudit, Deadline, DeadlineState, Finding, Refresh
from .rules.hanging_up import blames_the_timer, is_given_up
from .sending import Passing, Sending

_HUNG_UP_FOR_THE_TIMER: Final = frozenset(
    "RFC4028-7.2-6 RFC4028-7.2-7 RFC4028-7.2-8 RFC4028-9-13 RFC4028-10-6 RFC4028-10-7".split()
)


def summary(call_id: str, dialogs: Sequence[Dialog], findings: tuple[Finding, ...]) -> CallAudit:
    """Return the facts of a call, those of its first dialog that came about, and the findings about all of them."""
    dialog = next((each for each in dialogs if each.setup), dialogs[0] if dialogs else None)
    if dialog is None:
        return CallAudit(call_id, findings=findings)
    session = dialog.sessions[-1] if dialog.sessions else None
    offered = _offered(dialog)
    answered = dialog.setup.final.arrived.header("Session-Expires") if dialog.setup and dialog.setup.final else None
    ended_by, ended_us, reason, status = _end(dialog, findings)
    if reason == "no-answer" and (seen := next((each for each in dialogs if each is not dialog), None)) is not None:
        ended_by, ended_us, reason, status = _end(seen, findings)  # it was answered: only the capture does not show it
    call = CallAudit(
        call_id,
        caller=dialog.names[Side.CALLER],
        callee=dialog.names[Side.CALLEE],
        started_us=dialog.transactions[0].at,
        set_up=dialog.setup is not None,
        answered=answered,
        answered_us=dialog.setup.final.at if dialog.setup and dialog.setup.final else None,
        min_se_s=dialog.min_se_s,
        session_interval_s=session.interval_us // S if session and session.interval_us is not None else None,
        refresher=dialog.names[session.refresher] if session and session.refresher else None,
        refreshes=tuple(_refreshes(dialog)),
        ended_by=ended_by,
        ended_us=ended_us,
        reason=reason,
        status=status,
        deadlines=tuple(_deadlines(dialog)),
        findings=findings,
    )
    return call if offered is None else _with_offer(call, *offered)


def _with_offer(call: CallAudit, transaction: Transaction, offer: Sending | Passing) -> CallAudit:
    return call._replace(
        offered=offer.message.header("Session-Expires"),
        offered_by=offer.sender,
        offered_in=transaction.method if offer.message.is_request else "2xx",
        offered_us=offer.at,
        offered_later=call.set_up and not transaction.initial,
    )


def _offered(dialog: Dialog) -> tuple[Transaction, Sending | Passing] | None:
    """Return the first message that asked for a session timer: a request, as sent or as a proxy made it, or a 2xx."""
    for transaction in dialog.transactions:
        if not transaction.refreshes:
            continue
        sendings = [transaction.request]
        if transaction.succeeded and transaction.final is not None:
            sendings.append(transaction.final)
        for sending in sendings:
            copies: tuple[Sending | Passing, ...] = (sending, *sending.passed_on)
            for each in copies:
                if each.said.interval_s is not None:
                    return transaction, each
    return None


# --- refreshes -------------------------------------------------------------------------------------------------------


def _refreshes(dialog: Dialog) -> Iterator[Refresh]:
    sessions = {session.transaction: session for session in dialog.sessions}
    for transaction in dialog.transactions:
        if transaction.refreshes and not transaction.initial:
            yield _refresh(transaction, sessions.get(transaction))


def _refresh(transaction: Transaction, session: Session | None) -> Refresh:
    dialog, final = transaction.dialog, transaction.final
    interval_us = session.interval_us if session else None
    return Refresh(
        dialog.names[transaction.uac],
        transaction.method,
        transaction.frame,
        transaction.at,
        transaction.status or None,
        final.at if final else None,
        1 + len(transaction.request.again_at),
        None if interval_us is None else interval_us // S,
        dialog.names[session.refresher] if session and session.refresher else None,
        _lateness(transaction),
    )


def _lateness(request: Transaction) -> int | None:
    """Return how late a refresh was; None for another than the first of whose turn it was."""
    session = request.session
    if session is None or session.interval_us is None or session.refresher is not request.uac:
        return None
    first = session.requests_of(request.uac)[0]
    return session.refresh_lateness(request.at, request.uac) if first is request else None


# --- the end ---------------------------------------------------------------------------------------------------------

_End = tuple[str | None, int | None, str | None, int | None]


def _end(dialog: Dialog, findings: tuple[Finding, ...]) -> _End:
    """Return by whom, when and why the call ended, and the status that rejected it."""
    if dialog.byes:
        bye = dialog.byes[0]
        return bye.request.sender, bye.at, _why_hung_up(bye, findings), None
    tries = [transaction for transaction in dialog.transactions if transaction.initial and transaction.refreshes]
    if dialog.setup or not tries:
        return None, None, None, None
    last = tries[-1]
    if last.final is not None:
        if last.cancel is not None:
            return last.cancel.sender, last.cancel.at, "cancelled", last.status
        return last.final.sender, last.final.at, "rejected", last.status
    given_up_at = last.at + dialog.allow.timeout_us
    if last.responses or given_up_at > dialog.ended_at:
        return None, None, None, None
    return last.request.sender, given_up_at, "no-answer", None


def _why_hung_up(bye: Transaction, findings: tuple[Finding, ...]) -> str:
    session = bye.session
    if session is not None and is_given_up(bye, session):
        return "refresh-failed"
    if session is not None and _is_unacknowledged(bye, session):
        return "no-ack"
    by_rule = any(bye.frame == finding.frame and finding.rule in _HUNG_UP_FOR_THE_TIMER for finding in findings)
    if by_rule or blames_the_timer(bye) or (session is not None and _is_expired(bye, session)):
        return "session-expired"
    return "hung-up"


def _is_unacknowledged(bye: Transaction, session: Session) -> bool:
    """Whether its sender had waited in vain for the ACK to its 2xx (RFC 3261 section 13.3.1.4)."""
    invite = session.transaction
    if invite.method != "INVITE" or invite.uac is bye.uac or any(ack.order < bye.order for ack in invite.acks):
        return False
    return bye.at >= session.at + bye.dialog.allow.timeout_us - bye.dialog.allow.session_us


def _is_expired(bye: Transaction, session: Session) -> bool:
    if session.interval_us is None or session.refresher in (None, bye.uac):
        return False
    return session.bye_lateness(bye.at, bye.uac) >= -bye.dialog.allow.session_us


# --- what followed ---------------------------------------------------------------------------------------------------


def _deadlines(dialog: Dialog) -> Iterator[Deadline]:
    """Yield what followed from the last 2xx, and which requests still waited for their answer at the end."""
    session = dialog.sessions[-1] if dialog.sessions else None
    if session is not None and session.interval_us is not None:
        refresher = dialog.names[session.refresher] if session.refresher else None
        other = dialog.names[session.refresher.other] if session.refresher else None
        uac = session.refresher is session.transaction.uac
        clock = session.latest_at if uac else session.at
        rule = "RFC4028-7.2-12" if uac else "RFC4028-9-16"
        due_at = clock + session.half_us
        yield Deadline("refresh", rule, refresher, due_at, _refresh_state(session, due_at))
        due_at = (session.at if uac else session.latest_at) + session.bye_us
        yield Deadline("BYE", "RFC4028-10-7", other, due_at, _bye_state(session, due_at))
        rule = "RFC4028-7.2-10" if uac else "RFC4028-9-14"
        yield Deadline("expiry", rule, None, session.expires_at, _expiry_state(session))
    for transaction in dialog.transactions:
        due_at = transaction.at + dialog.allow.timeout_us
        if transaction.final is None and transaction.cancel is None and due_at > dialog.ended_at:
            what, rule = f"answer to {transaction.method}", "3261-17.1.2.2"
            if transaction.method == "INVITE":
                rule = "3261-17.1.1.2"
            yield Deadline(what, rule, dialog.names[transaction.uac.other], due_at, DeadlineState.UNKNOWN)


def _refresh_state(session: Session, due_at: int) -> DeadlineState:
    dialog = session.transaction.dialog
    if session.refresher is not None and session.requests_of(session.refresher):
        return DeadlineState.MET
    late_us = dialog.allow.spread_us + dialog.allow.session_us
    return _state_at_end(dialog, due_at, late_us=late_us, side=session.refresher)


def _bye_state(session: Session, due_at: int) -> DeadlineState:
    dialog = session.transaction.dialog
    bye = dialog.byes[0] if dialog.byes else None
    if bye is not None and bye.uac is not session.refresher and abs(bye.at - due_at) <= dialog.allow.session_us:
        return DeadlineState.MET
    side = session.refresher.other if session.refresher else None
    return _state_at_end(dialog, due_at, late_us=dialog.allow.session_us, side=side)


def _expiry_state(session: Session) -> DeadlineState:
    state = _state_at_end(session.transaction.dialog, session.expires_at, late_us=0, side=None)
    return DeadlineState.MET if state is DeadlineState.MISSED else state


def _state_at_end(dialog: Dialog, due_at: int, *, late_us: int, side: Side | None) -> DeadlineState:
    """Return what became of something that a side, or either, had not done when the watch ended."""
    if dialog.last_at > due_at + late_us:
        heard = any(dialog.heard_after(each, due_at) for each in ((side,) if side else Side))
        return DeadlineState.MISSED if heard else DeadlineState.UNHEARD
    return DeadlineState.SPARED if dialog.byes else DeadlineState.UNKNOWN
