"""Messages of a call paired into transactions (RFC 3261 sections 17.1.3, 17.2.3 and 13.2.2.4); nothing is judged.

Repetitions are known by branch, method and status, as captures do not mark them; a request that a proxy passes on by
its CSeq and tags under a new branch. What answers no request, or cannot be read, is passed over.
"""

from collections.abc import Iterable

from ..errors import PeerError
from ..sip.message import Message, Request, Response
from ..trace import Transit
from .dialog import Transaction
from .sending import Sending, sending_of

_RequestId = tuple[str | None, str | None, int, str]


class Pairing:
    """The transactions of one Call-ID, in the order of their requests."""

    def __init__(self, messages: Iterable[Transit], *, speed: int) -> None:
        self.transactions: list[Transaction] = []
        self.proxies: set[str] = set()
        self.stray_acks: list[Sending] = []
        self.call_id = ""
        self.last_at = 0
        """When the last message was seen."""
        self._speed = speed
        self._order = 0
        self._by_branch: dict[tuple[str, str], Transaction] = {}
        self._by_id: dict[_RequestId, Transaction] = {}
        self._invites: dict[tuple[str | None, int], Transaction] = {}
        self._responses: dict[tuple[Transaction, int, str | None], Sending] = {}
        for self._order, transit in enumerate(messages):
            self.last_at = transit.sent_at * speed
            try:
                self.call_id = self.call_id or transit.message.call_id
                self._add(transit, transit.message)
            except PeerError:
                continue  # the reader has refused what is malformed; this is of no transaction

    def _add(self, transit: Transit, message: Message) -> None:
        if isinstance(message, Response):
            self._add_response(transit, message)
        elif isinstance(message, Request):
            if message.method == "ACK":
                self._add_ack(transit, message)
            else:
                self._add_request(transit, message)

    # --- requests ---

    def _add_request(self, transit: Transit, message: Request) -> None:
        key = (message.branch or _without_branch(message), message.method)
        known = self._by_branch.get(key)
        if known is not None:
            if transit.sender == known.request.sender:
                known.request.seen_again(transit, speed=self._speed)
            return
        id = (message.from_tag, message.to_tag, message.cseq.number, message.method)
        known = self._by_id.get(id)
        if known is not None and self._is_passed_on(known.request, transit):
            self.proxies.add(transit.sender)
            known.request.passed(transit, speed=self._speed)
            self._by_branch[key] = known
            return
        request = sending_of(transit, self._order, speed=self._speed)
        if message.method == "CANCEL":
            self._note_cancel(key[0], request)
        transaction = Transaction(request, message.method, id[2], id[0], id[1])
        self._by_branch[key] = self._by_id[id] = transaction
        if message.method == "INVITE":
            self._invites[id[0], id[2]] = transaction
        self.transactions.append(transaction)

    def _is_passed_on(self, first: Sending, transit: Transit) -> bool:
        """Whether this is a copy from further down the path: each proxy adds its Via."""
        return transit.sender != first.sender and len(transit.message.values("Via")) > len(first.message.values("Via"))

    def _note_cancel(self, branch: str, cancel: Sending) -> None:
        invite = self._by_branch.get((branch, "INVITE"))
        if invite is not None:
            invite.cancel = cancel

    def _add_ack(self, transit: Transit, message: Request) -> None:
        invite = self._by_branch.get((message.branch or _without_branch(message), "INVITE"))
        if invite is None or invite.succeeded:
            invite = self._invites.get((message.from_tag, message.cseq.number))
        ack = sending_of(transit, self._order, speed=self._speed)
        if invite is None:
            self.stray_acks.append(ack)
        elif ack.sender == invite.request.sender:
            invite.acks.append(ack)

    # --- responses ---

    def _add_response(self, transit: Transit, message: Response) -> None:
        transaction = self._by_branch.get((message.branch or _without_branch(message), message.cseq.method))
        if transaction is None:
            return
        id = (transaction, message.status, message.to_tag)
        known = self._responses.get(id)
        if known is not None:
            if known.sender == transit.sender:
                known.seen_again(transit, speed=self._speed)
            elif message.status != 100:  # each hop has its own 100 (section 16.7)
                known.passed(transit, speed=self._speed)
            return
        response = sending_of(transit, self._order, speed=self._speed)
        self._responses[id] = response
        transaction.responses.append(response)
        if message.status >= 200 and transaction.final is None:
            transaction.final, transaction.status = response, message.status


def _without_branch(message: Message) -> str:
    """Return what names the transaction where Via has no branch (RFC 2543): From tag and CSeq."""
    return f"{message.from_tag} {message.cseq.number}"
