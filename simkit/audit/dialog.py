"""A dialog as a tap sees it: its transactions, what each 2xx settled, and how things stood when a request was sent.

Built once for each dialog (`pairing`, `timeline`); the rules only read it. All arithmetic of RFC 4028 that the audit
judges by is here, worked out from the RFC and shared with nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..sip.message import Request
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S
from ..units import S
from .allowances import Allowances
from .sending import Sending

SESSION_REFRESH_METHODS: Final = ("INVITE", "UPDATE")  # RFC 4028 section 2
SUPERSEDED_MAX: Final = 16  # ours: so many timers that were not cancelled are looked for
BYE_LEAD_MAX_US: Final = 32 * S  # RFC 4028 section 10


class Side(StrEnum):
    """Who placed the call and who was called, whatever their role in a transaction."""

    CALLER = "caller"
    CALLEE = "callee"

    @property
    def other(self) -> "Side":
        """The peer."""
        return Side.CALLEE if self is Side.CALLER else Side.CALLER


@dataclass(slots=True, eq=False)
class Transaction:
    """A request with what came for it, and how the dialog stood when it was sent."""

    request: Sending
    method: str
    cseq: int
    from_tag: str | None
    to_tag: str | None
    """None: it was sent outside of a dialog."""
    at: int = field(init=False)
    """When the request was first sent."""
    frame: int = field(init=False)
    """The frame of the request."""
    order: int = field(init=False)
    """The place of the request in the trace."""
    initial: bool = field(init=False)
    """The request was sent outside of a dialog, to begin one."""
    refreshes: bool = field(init=False)
    """This is a session refresh request, the initial INVITE included."""
    responses: list[Sending] = field(default_factory=list)
    final: Sending | None = None
    status: int = 0
    """That of the final response; 0 while there is none."""
    acks: list[Sending] = field(default_factory=list)
    """The ACKs of an INVITE, repeated ones each by itself."""
    cancel: Sending | None = None
    """The CANCEL of an INVITE."""

    # How things stood; filled in by `timeline`.
    dialog: "Dialog" = field(init=False, repr=False)
    uac: Side = field(init=False)
    session: "Session | None" = None
    """What the latest 2xx had settled, as far as the sender of a BYE can have known."""
    previous: "Transaction | None" = None
    """The request of the same side before this one."""
    following: "Transaction | None" = None
    """The request of the same side after this one."""
    over: "Transaction | None" = None
    """The BYE by which the dialog was over for its sender."""
    least_s: int | None = None
    """The Min-SE that it has to carry at least, in seconds (RFC 4028 section 7.4); None: none."""
    supports_timer: bool = False
    """Its sender had shown that it supports session timers."""
    allowed: frozenset[str] | None = None
    """The methods, in lower case, that its sender had said it allows."""
    peer_allows: frozenset[str] | None = None
    target: str | None = None
    """The URI of the peer's last Contact."""
    own_target: str | None = None
    """That of its sender."""
    route: tuple[str, ...] | None = None
    """The route set; None before it is known."""
    own_offer: "Transaction | None" = None
    """The last INVITE or UPDATE of its sender with an offer."""
    peer_offer: "Transaction | None" = None
    """That of the peer, when the final response was sent."""
    changes_media: bool = False
    """It has another session description than its sender had given before, by more than the origin."""
    repeats_media: bool = False
    """... which is the first one that its sender gave."""

    def __post_init__(self) -> None:
        self.at, self.frame, self.order = self.request.at, self.request.frame, self.request.order
        self.initial, self.refreshes = self.to_tag is None, self.method in SESSION_REFRESH_METHODS

    @property
    def succeeded(self) -> bool:
        """Whether a 2xx came."""
        return 200 <= self.status < 300

    @property
    def failed(self) -> bool:
        """Whether a final response came that is no 2xx."""
        return self.status >= 300

    @property
    def asked(self) -> Request:
        """The request as its sender sent it."""
        assert isinstance(self.request.message, Request)
        return self.request.message

    def open_at(self, order: int) -> bool:
        """Whether it had been sent and had no final response when the message of this order was seen."""
        return self.order < order and (self.final is None or self.final.order > order)


@dataclass(slots=True, eq=False)
class Session:
    """What a 2xx to INVITE or UPDATE settled, until the next one."""

    transaction: Transaction
    answer: Sending
    """The 2xx."""
    interval_us: int | None
    """The session interval; None: no timer."""
    refresher: Side | None
    """Who refreshes; None where the 2xx does not say."""
    latest_at: int
    """The last copy of the 2xx that the UAC may have taken for the first: a tap cannot tell which got through."""
    previous: "Session | None"
    requests: list[Transaction] = field(default_factory=list)
    """The session refresh requests sent while it was in force."""
    until_at: int | None = None
    """When the next 2xx took its place."""

    at: int = field(init=False)
    """When the 2xx was first sent."""
    half_us: int = field(init=False)
    """When to refresh, from the 2xx (RFC 4028 section 7.2)."""
    bye_us: int = field(init=False)
    """When the side that does not refresh hangs up, from the 2xx (RFC 4028 section 10)."""
    expires_at: int = field(init=False)
    """When the session expires at the latest."""
    _longest_us: int = field(init=False)
    """The interval as a careful peer reads it: below 90 s there is none (RFC 4028 section 4)."""

    def __post_init__(self) -> None:
        interval_us = self.interval_us or 0
        self.at = self.answer.at
        self.half_us, self.bye_us = interval_us // 2, hang_up_us(interval_us)
        self._longest_us = max(interval_us, SESSION_INTERVAL_FLOOR_S * S)
        self.expires_at = self.latest_at + self._longest_us

    def refresh_lateness(self, at: int, side: Side) -> int:
        """Return by how much a refresh of this side was late (early: below 0) for half the interval."""
        return self.lateness(at, self.half_us, self._longest_us // 2, side)

    def bye_lateness(self, at: int, side: Side) -> int:
        """Return by how much a BYE was late for the lead of the side that does not refresh."""
        return self.lateness(at, self.bye_us, hang_up_us(self._longest_us), side)

    def expiry_lateness(self, at: int, side: Side) -> int:
        """Return by how much something came after the session had expired, as this side counts."""
        return self.lateness(at, self.interval_us or 0, self._longest_us, side)

    def lateness(self, at: int, earliest_us: int, latest_us: int, side: Side) -> int:
        """Return by how much a side was late with what was due so long after the 2xx; 0 between the two.

        The UAS counts from the sending of its 2xx, the UAC from its arrival (RFC 4028 sections 7.2 and 9).
        """
        uac = side is self.transaction.uac
        arrived_at, latest_at = (self.answer.arrived_at, self.latest_at) if uac else (self.at, self.at)
        if at < arrived_at + earliest_us:
            return at - arrived_at - earliest_us
        return max(0, at - latest_at - latest_us)

    def requests_of(self, side: Side) -> list[Transaction]:
        """Return the session refresh requests of one side, in order."""
        return [request for request in self.requests if request.uac is side]

    def superseded(self) -> Iterator["Session"]:
        """Yield the sessions before this one, the latest first, whose clock may run on where it was not stopped.

        Below 90 s there is no telling what a clock counts.
        """
        former, left = self.previous, SUPERSEDED_MAX
        while former is not None and former.interval_us is not None and left:
            if former.interval_us >= SESSION_INTERVAL_FLOOR_S * S:
                yield former
            former, left = former.previous, left - 1


def hang_up_us(interval_us: int) -> int:
    """Return the interval less 32 s, or less a third of it where that is shorter (RFC 4028 section 10)."""
    return interval_us - min(BYE_LEAD_MAX_US, interval_us // 3)


@dataclass(slots=True, eq=False)
class Dialog:
    """A dialog with the requests that set it up; one that never came about has these alone."""

    allow: Allowances
    ended_at: int
    """When the capture ended."""
    names: dict[Side, str] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    setup: Transaction | None = None
    """The initial INVITE with a 2xx; None: it failed, or is not in the capture."""
    sessions: list[Session] = field(default_factory=list)
    byes: list[Transaction] = field(default_factory=list)
    proxies: set[str] = field(default_factory=set)
    """Who was seen passing messages on."""
    stray_acks: list[Sending] = field(default_factory=list)
    """ACKs that belong to no INVITE."""
    min_se_s: int | None = None
    """The largest Min-SE that was seen, in seconds."""
    troubled: bool = False
    """An INVITE or UPDATE was refused."""
    media_change: bool = False
    """Somebody sent another session description than before."""
    heard_at: dict[Side, int] = field(default_factory=dict)
    """When each side sent its last message."""

    @property
    def over_at(self) -> int | None:
        """When the first BYE was sent."""
        return self.byes[0].at if self.byes else None

    @property
    def last_at(self) -> int:
        """How long the dialog could be watched: until its BYE, else until the capture ended."""
        return self.byes[0].at if self.byes else self.ended_at

    def heard_after(self, side: Side, at: int) -> bool:
        """Whether a side sent anything after this time: else it may be dead, and is not judged for being silent."""
        return self.heard_at[side] > at

    def dissolve(self) -> None:
        """Take apart what points at each other, once all is judged: a capture has too many calls to search for it."""
        for transaction in self.transactions:
            transaction.session = transaction.previous = transaction.following = transaction.over = None
            transaction.own_offer = transaction.peer_offer = None
        self.transactions, self.sessions, self.byes, self.setup = [], [], [], None
