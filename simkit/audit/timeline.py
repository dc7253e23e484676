"""Dialogs made from transactions: who is who, what each 2xx settled, and how things stood at every request.

One walk over the messages of a dialog in their order. A forked INVITE makes a dialog with each callee that took it
(RFC 3261 section 13.2.2.4). A dialog whose beginning is not in the capture counts its first sender as the caller.
"""

from copy import copy
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Final

from ..errors import PeerError
from ..sip.message import Message
from ..sip.session_headers import Refresher
from ..units import S
from .allowances import Allowances
from .dialog import Dialog, Session, Side, Transaction
from .pairing import Pairing
from .sending import Sending, has_description, without_origin

FORKS_MAX: Final = 100
"""How many callees of one INVITE are followed; nobody rings more, but a capture may say so."""


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
    for (from_tag, callee_tag), setup in callees.items():
        own = setups if len(callees) == 1 else [_as_seen_by(callee_tag, setup)]
        parts.append(own + within.pop(frozenset((from_tag, callee_tag)), []))
    if setups and not callees:
        parts.append(setups)
    parts += within.values()
    return [_Walk(transactions, pairing, allow, ended_at).dialog for transactions in parts]


def _callees(setups: list[Transaction]) -> dict[tuple[str | None, str], Transaction]:
    """Return what began each dialog, by its tags: an INVITE with a 2xx, or where there is none, with a 1xx."""
    early: dict[tuple[str | None, str], Transaction] = {}
    confirmed: dict[tuple[str | None, str], Transaction] = {}
    for setup in setups:
        for response in setup.responses:
            status, tag = response.status, response.message.to_tag
            if tag is not None and 100 < status < 300:
                (confirmed if status >= 200 else early)[setup.from_tag, tag] = setup
    return dict(islice((confirmed or early).items(), FORKS_MAX))


def _as_seen_by(callee_tag: str, setup: Transaction) -> Transaction:
    """Return an initial request with only what concerns one of its callees."""
    seen = copy(setup)
    seen.responses = [response for response in setup.responses if response.message.to_tag in (callee_tag, None)]
    seen.acks = [ack for ack in setup.acks if ack.message.to_tag == callee_tag]
    seen.final = next((response for response in seen.responses if response.status >= 200), None)
    seen.status = seen.final.status if seen.final else 0
    return seen


@dataclass(slots=True)
class _Known:
    """What is known of one side so far."""

    last: Transaction | None = None
    offer: Transaction | None = None
    over: Transaction | None = None
    heard_at: int = 0
    supports_timer: bool = False
    allowed: frozenset[str] | None = None
    least_s: int | None = None
    """The Min-SE that binds its requests within the dialog."""
    contact: str | None = None
    route: tuple[str, ...] | None = None
    description: bytes | None = None
    """Its last offer that was accepted, or answer."""
    first_description: bytes | None = None

    def described(self, body: bytes) -> None:
        """It has given an answer, or an offer that was accepted."""
        self.description = body
        if self.first_description is None:
            self.first_description = body


class _Walk:
    """Goes through a dialog and remembers what has been said so far."""

    def __init__(self, transactions: list[Transaction], pairing: Pairing, allow: Allowances, ended_at: int) -> None:
        self.dialog = Dialog(
            allow, ended_at, transactions=transactions, proxies=pairing.proxies, stray_acks=pairing.stray_acks
        )
        self._caller_tags = {t.from_tag for t in transactions if t.to_tag is None} or {transactions[0].from_tag}
        self._session: Session | None = None
        self._before, self._caller, self._callee = _Known(), _Known(), _Known()
        self._both = {Side.CALLER: (self._caller, self._callee), Side.CALLEE: (self._callee, self._caller)}
        """What is known of the UAC, and of the UAS."""
        events: list[tuple[int, Transaction, Sending | None]] = []
        for transaction in transactions:
            events.append((transaction.order, transaction, None))
            events += [(response.order, transaction, response) for response in transaction.responses]
        for _, transaction, response in sorted(events, key=itemgetter(0)):
            if response is None:
                self._request(transaction)
            else:
                self._response(transaction, response)
        self.dialog.heard_at = {Side.CALLER: self._caller.heard_at, Side.CALLEE: self._callee.heard_at}

    # --- requests ---

    def _request(self, transaction: Transaction) -> None:
        request = transaction.request
        request.read()
        side = Side.CALLER if transaction.from_tag in self._caller_tags else Side.CALLEE
        if not self.dialog.names:
            self.dialog.names = {side: request.sender, side.other: request.receiver}
        own, peer = self._both[side]
        transaction.dialog, transaction.uac = self.dialog, side
        transaction.session, transaction.supports_timer = self._session, own.supports_timer
        transaction.allowed, transaction.peer_allows = own.allowed, peer.allowed
        transaction.target, transaction.own_target, transaction.route = peer.contact, own.contact, own.route
        own.supports_timer = own.supports_timer or request.said.supported
        own.heard_at = max(own.heard_at, request.last_at, transaction.acks[-1].at if transaction.acks else 0)
        if transaction.method == "CANCEL":  # it has the CSeq number of its INVITE
            return
        if own.last is not None:
            own.last.following = transaction
        transaction.previous, own.last = own.last, transaction
        transaction.over = own.over
        if transaction.refreshes:
            self._refresh(transaction, own, peer)
        elif transaction.method == "BYE":
            self._bye(transaction, own)

    def _bye(self, bye: Transaction, own: _Known) -> None:
        self.dialog.byes.append(bye)
        if own.over is None and bye.status not in (401, 407):
            own.over = bye
        session = self._session
        if session is not None and session.previous is not None and session.transaction.uac is bye.uac:
            on_its_way = bye.at < session.answer.arrived_at + self.dialog.allow.turn_us
            bye.session = session.previous if on_its_way else session

    def _refresh(self, transaction: Transaction, own: _Known, peer: _Known) -> None:
        message = transaction.request.message
        transaction.least_s = self._before.least_s if transaction.initial else own.least_s
        if has_description(message):
            self._compare(own, message)
            transaction.changes_media = own.description != message.body and _differs(own.description, message.body)
            transaction.repeats_media = transaction.changes_media and not _differs(own.first_description, message.body)
            transaction.own_offer, own.offer = own.offer, transaction
        _note_allow(own, message)
        self._note_min_se(peer, transaction.request)  # it binds the peer, once it refreshes itself
        if self._session is not None:
            self._session.requests.append(transaction)

    # --- responses ---

    def _response(self, transaction: Transaction, response: Sending) -> None:
        _, uas = self._both[transaction.uac]
        uas.heard_at = max(uas.heard_at, response.last_at)
        if transaction.refreshes:
            self._answer(transaction, response, response.status)
        elif transaction.method == "BYE" and 200 <= response.status < 300 and uas.over is None:
            uas.over = transaction

    def _answer(self, transaction: Transaction, response: Sending, status: int) -> None:
        uac, uas = self._both[transaction.uac]
        response.read()
        if response is transaction.final:
            transaction.peer_offer = uas.offer
        if 100 < status < 300:
            self._note_path(transaction, response, uac, uas)
            _note_allow(uas, response.message)
            if has_description(response.message):
                self._compare(uas, response.message)
                uas.described(response.message.body)
        if 200 <= status < 300:
            self._succeeded(transaction, response, uac, uas)
        elif status >= 300:
            self._failed(transaction, response, status)

    def _failed(self, transaction: Transaction, response: Sending, status: int) -> None:
        self.dialog.troubled = True
        if status != 422:
            return
        self._note_min_se(self._before if transaction.initial else self._both[transaction.uac][0], response)

    def _note_min_se(self, bound: _Known, sending: Sending) -> None:
        least_s = sending.heard.min_se_s
        if least_s is not None:
            bound.least_s = max(least_s, bound.least_s or 0)
            self.dialog.min_se_s = max(least_s, self.dialog.min_se_s or 0)

    def _compare(self, known: _Known, message: Message) -> None:
        if known.description is not None and known.description != message.body:
            self.dialog.media_change = True

    def _note_path(self, transaction: Transaction, response: Sending, uac: _Known, uas: _Known) -> None:
        uas.contact = _contact(response.arrived) or uas.contact
        if transaction.initial and response.message.to_tag is not None:  # the route set stays (section 12.2)
            uac.route = response.arrived.values("Record-Route")[::-1]
            uas.route = transaction.request.arrived.values("Record-Route")

    def _succeeded(self, transaction: Transaction, response: Sending, uac: _Known, uas: _Known) -> None:
        dialog, request = self.dialog, transaction.request
        if transaction.initial and dialog.setup is None:
            dialog.setup = transaction
            dialog.names[Side.CALLEE] = response.sender
        uas.supports_timer = uas.supports_timer or response.said.supported
        uac.contact = _contact(request.arrived) or uac.contact
        if has_description(request.message):
            uac.described(request.message.body)
        if self._session is not None:
            self._session.until_at = response.at
        self._session = _session(transaction, response, self._session)
        dialog.sessions.append(self._session)


def _note_allow(known: _Known, message: Message) -> None:
    if "Allow" in message.layout.first:
        known.allowed = message.tokens("Allow")


def _differs(known: bytes | None, body: bytes) -> bool:
    return known is None or without_origin(known) != without_origin(body)


def _contact(message: Message) -> str | None:
    try:
        contact = message.contact
    except PeerError:
        return None
    return None if contact is None else contact.uri


def _session(transaction: Transaction, answer: Sending, previous: Session | None) -> Session:
    given = answer.heard
    if given.interval_s is None:
        return Session(transaction, answer, None, None, answer.arrived_at, previous)
    role = given.refresher or transaction.request.said.refresher
    side = None if role is None else transaction.uac if role is Refresher.UAC else transaction.uac.other
    return Session(transaction, answer, given.interval_s * S, side, _latest_at(transaction, answer), previous)


def _latest_at(transaction: Transaction, answer: Sending) -> int:
    """Return when the last copy of a 2xx came that may have been the first to get through: none after the ACK."""
    if not answer.arrived_again_at:
        return answer.arrived_at
    acknowledged_at = transaction.acks[0].at if transaction.acks else answer.arrived_again_at[-1]
    return max((at for at in answer.arrived_again_at if at <= acknowledged_at), default=answer.arrived_at)
