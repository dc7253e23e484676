"""What a call needs of the user agent it belongs to."""

from typing import Protocol

from ..settings import BaseTimes
from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from .events import Address, CallEvent
from .exchange import Exchange
from .identifiers import Identifiers, Random
from .server_transaction import ServerTransaction
from .timers import TimerLog
from .transaction_layer import RequestSender


class Host(Protocol):
    """Identity, abilities, randomness, and the way out."""

    times: BaseTimes
    log: TimerLog | None
    random: Random
    identifiers: Identifiers
    contact: HeaderField

    def via(self) -> HeaderField:
        """Return a Via with a new branch."""
        ...

    def abilities(self, *added: HeaderField) -> tuple[HeaderField, ...]:
        """Return Contact, Allow and Supported, and these headers; option tags are merged."""
        ...

    def send(
        self, request: Request, destination: Address, sender: RequestSender, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request by a client transaction that reports to the sender."""
        ...

    def respond(self, transaction: ServerTransaction, response: Response, *, now: int) -> None:
        """Send a response by the server transaction of its request."""
        ...

    def abandon(self, exchange: Exchange, *, now: int) -> None:
        """Stop repeating a request: the call is over and nobody needs it any more."""
        ...

    def transmit(self, message: Request | Response, destination: Address) -> None:
        """Send a message outside of any transaction: an ACK to a 2xx."""
        ...

    def report(self, event: CallEvent) -> None:
        """Hand out a fact."""
        ...
