"""Dialogs made from transactions: who is who, what each 2xx settled, and how things stood at every request.

One walk over the messages of a dialog in their order. A forked INVITE makes a dialog with each callee that took it
(RFC 3261 section 13.2.2.4). A dialog whose beginning is not in the capture counts its first sender as the caller.
"""

from collections.abc import Iterator
from copy import copy

from ..errors import PeerError
from ..sip.message import Message, Response
from ..sip.session_headers import Refresher
from ..units import S
from .allowances import Allowances
from .dialog import Dialog, Session, Side, Transaction
from .pairing import Pairing
from .sending import Sending, has_description, lists_timer, min_se_s, session_expires, without_origin


def dialogs_of(pairing: Pairing, *, allow: Allowances, ended_at: int) -> list[Dialog]:
    """Return the dialogs of a call; in each, the tries to set it up come first."""
    setups: list[Transaction] = []
    within: dict[frozenset[str | None], list[Transaction]] = {}
    for transaction in pairing.transactions:
        if transaction.to_tag is None:
            setups.append(transaction)
        else:
            within.setdefault(frozenset((transaction.from_tag, transaction.to_tag)), []).append(transaction)
    parts = []
    callees = _callees(setups)
    for from_tag, callee_tag in callees:
        own = setups if len(callees) == 1 else [_as_seen_by(callee_tag, setup) for setup in setups]
        parts.append(own + within.pop(frozenset((from_tag, callee_tag)), []))
    if setups and not callees:
        parts.append(setups)
    parts += within.values()
    return [_Walk(transactions, pairing, allow, ended_at).dialog for transactions in parts]


def _callees(setups: list[Transaction]) -> list[tuple[str | None, str]]:
    """Return the tags of each dialog that was begun: by a 2xx, or where there is none, by a 1xx."""
    early: dict[tuple[str | None, str], None] = {}
    confirmed: dict[tuple[str | None, str], None] = {}
    for setup in setups:
        for response in setup.responses:
            status, tag = _status(response), response.message.to_tag
            if tag is not None and 100 < status < 300:
                (confirmed if status >= 200 else early)[setup.from_tag, tag] = None
    return list(confirmed or early)


def _as_seen_by(callee_tag: str, setup: Transaction) -> Transaction:
    """Return an initial request with only what concerns one of its callees."""
    seen = copy(setup)
    seen.responses = [response for response in setup.responses if response.message.to_tag in (callee_tag, None)]
    seen.acks = [ack for ack in setup.acks if ack.message.to_tag == callee_tag]
    seen.final = next((response for response in seen.responses if _status(response) >= 200), None)
    seen.status = _status(seen.final) if seen.final else 0
    return seen


def _status(response: Sending) -> int:
    assert isinstance(response.message, Response)
    return response.message.status


class _Walk:
    """Goes through a dialog and remembers what has been said so far."""

    def __init__(self, transactions: list[Transaction], pairing: Pairing, allow: Allowances, ended_at: int) -> None:
        self.dialog = Dialog(
            allow, ended_at, transactions=transactions, proxies=pairing.proxies, stray_acks=pairing.stray_acks
        )
        self._caller_tags = {t.from_tag for t in transactions if t.to_tag is None} or {transactions[0].from_tag}
        self._session: Session | None = None
        self._last: dict[Side, Transaction] = {}
        self._least_before_dialog: int | None = None
        self._least: dict[Side, int] = {}
        self._supports: set[Side] = set()
        self._allowed: dict[Side, frozenset[str]] = {}
        self._targets: dict[Side, str] = {}
        self._routes: dict[Side, tuple[str, ...]] = {}
        self._descriptions: dict[Side, bytes] = {}
        for _, transaction, response in sorted(self._events(), key=lambda event: event[0]):
            if response is None:
                self._request(transaction)
            else:
                self._response(transaction, response)

    def _events(self) -> Iterator[tuple[int, Transaction, Sending | None]]:
        for transaction in self.dialog.transactions:
            yield transaction.frame, transaction, None
            for response in transaction.responses:
                yield response.frame, transaction, response

    # --- requests ---

    def _request(self, transaction: Transaction) -> None:
        side = Side.CALLER if transaction.from_tag in self._caller_tags else Side.CALLEE
        self._name(side, transaction.request.sender, transaction.request.receiver)
        transaction.dialog, transaction.uac = self.dialog, side
        transaction.session = self._session
        transaction.supports_timer = side in self._supports
        transaction.target, transaction.own_target = self._targets.get(side), self._targets.get(side.other)
        transaction.route = self._routes.get(side)
        transaction.allowed, transaction.peer_allows = self._allowed.get(side), self._allowed.get(side.other)
        message = transaction.request.message
        if lists_timer(message):
            self._supports.add(side)
        if transaction.method == "CANCEL":  # it has the CSeq number of its INVITE
            return
        transaction.previous, self._last[side] = self._last.get(side), transaction
        if transaction.method == "BYE":
            self.dialog.byes.append(transaction)
        elif transaction.refreshes:
            self._refresh(transaction, message, side)

    def _refresh(self, transaction: Transaction, message: Message, side: Side) -> None:
        transaction.least_s = self._least_before_dialog if transaction.initial else self._least.get(side)
        transaction.changes_media = self._changes_media(message, side)
        self._note_allow(message, side)
        least_s = min_se_s(transaction.request.arrived)
        if least_s is not None:  # it binds the peer, once it refreshes itself
            self._least[side.other] = max(least_s, self._least.get(side.other, 0))
        if self._session is not None:
            self._session.requests.append(transaction)

    def _changes_media(self, message: Message, side: Side) -> bool:
        if not has_description(message):
            return False
        known = self._descriptions.get(side)
        return known is None or (known != message.body and without_origin(known) != without_origin(message.body))

    # --- responses ---

    def _response(self, transaction: Transaction, response: Sending) -> None:
        if not transaction.refreshes:
            return
        status, side = _status(response), transaction.uac.other
        if status < 300:
            self._note_contact(transaction, response, side)
            self._note_allow(response.message, side)
            if has_description(response.message):
                self._descriptions[side] = response.message.body
        if 200 <= status < 300:
            self._succeeded(transaction, response, side)
        elif status == 422:
            self._too_small(transaction, response)

    def _succeeded(self, transaction: Transaction, response: Sending, side: Side) -> None:
        dialog, request = self.dialog, transaction.request
        if transaction.initial and dialog.setup is None:
            dialog.setup = transaction
            dialog.names[Side.CALLEE] = response.sender
        if lists_timer(response.message):
            self._supports.add(side)
        if has_description(request.message):
            self._descriptions[transaction.uac] = request.message.body
        contact = _contact(request.arrived)
        if contact:
            self._targets[side] = contact
        if self._session is not None:
            self._session.until_at = response.at
        self._session = _session(transaction, response, self._session)
        dialog.sessions.append(self._session)

    def _too_small(self, transaction: Transaction, response: Sending) -> None:
        least_s = min_se_s(response.arrived)
        if least_s is not None and transaction.initial:
            self._least_before_dialog = max(least_s, self._least_before_dialog or 0)
        elif least_s is not None:
            self._least[transaction.uac] = max(least_s, self._least.get(transaction.uac, 0))

    # --- what either says ---

    def _name(self, side: Side, sender: str, receiver: str) -> None:
        names = self.dialog.names
        if side not in names:
            names[side] = sender
        if side.other not in names:
            names[side.other] = receiver

    def _note_allow(self, message: Message, side: Side) -> None:
        if message.header("Allow") is not None:
            self._allowed[side] = message.tokens("Allow")

    def _note_contact(self, transaction: Transaction, response: Sending, side: Side) -> None:
        contact = _contact(response.arrived)
        if contact:
            self._targets[transaction.uac] = contact
        if transaction.initial and response.message.to_tag is not None:  # the route set stays (section 12.2)
            self._routes[transaction.uac] = response.arrived.values("Record-Route")[::-1]
            self._routes[side] = transaction.request.arrived.values("Record-Route")


def _contact(message: Message) -> str | None:
    try:
        contact = message.contact
    except PeerError:
        return None
    return None if contact is None else contact.uri


def _session(transaction: Transaction, answer: Sending, previous: Session | None) -> Session:
    expires = session_expires(answer.arrived)
    if expires is None:
        return Session(transaction, answer, None, None, answer.arrived_at, previous)
    asked = session_expires(transaction.request.message)
    role = expires.refresher or (asked.refresher if asked else None)
    side = None if role is None else transaction.uac if role is Refresher.UAC else transaction.uac.other
    return Session(transaction, answer, expires.interval_s * S, side, _latest_at(transaction, answer), previous)


def _latest_at(transaction: Transaction, answer: Sending) -> int:
    """Return when the last copy of a 2xx came that may have been the first to get through: none after the ACK."""
    if not answer.arrived_again_at:
        return answer.arrived_at
    acknowledged_at = transaction.acks[0].at if transaction.acks else answer.arrived_again_at[-1]
    return max((at for at in answer.arrived_again_at if at <= acknowledged_at), default=answer.arrived_at)
