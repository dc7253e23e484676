"""Where Session-Expires and Min-SE may stand, and what they may say (RFC 4028 sections 4, 5 and 9).

That other headers have one value too is RFC 3261 section 7.3.1.
"""

from typing import Final

from ...errors import PeerError
from ...sip.equality import header_part
from ...sip.session_headers import SESSION_INTERVAL_FLOOR_S
from ..dialog import SESSION_REFRESH_METHODS
from ..rule import ERROR, WARNING, AuditRule, Breach, rule
from ..sending import Passing, Sending
from ..words import named

SINGLE: Final = ("Session-Expires", "Min-SE", "CSeq", "Call-ID", "From", "To", "Max-Forwards", "Content-Length")
"""Headers with a single value, of those that the audit goes by."""


def unreadable_interval(sending: Sending) -> Breach | None:
    """Session-Expires that is no whole number of seconds."""
    try:
        sending.message.session_expires  # noqa: B018  # it is read when it is asked for
    except PeerError as error:
        return Breach(sending, f"sent a Session-Expires that nobody can read: {error}")
    return None


def unreadable_min_se(sending: Sending) -> Breach | None:
    """Min-SE that is no whole number of seconds."""
    try:
        sending.message.min_se  # noqa: B018
    except PeerError as error:
        return Breach(sending, f"sent a Min-SE that nobody can read: {error}")
    return None


def misplaced_interval(sending: Sending) -> Breach | None:
    """Session-Expires outside of INVITE, UPDATE and their 2xx."""
    message = sending.message
    if message.method in SESSION_REFRESH_METHODS and sending.status // 100 in (0, 2):
        return None
    return Breach(sending, f"put Session-Expires into {named(message)}; only INVITE, UPDATE and their 2xx carry it")


def interval_below_floor(sending: Sending) -> Breach | None:
    """A request for less than 90 s; of a 2xx it is judged by what was asked (section 9)."""
    asked_s = sending.said.interval_s if sending.message.is_request else None
    if asked_s is None or asked_s >= SESSION_INTERVAL_FLOOR_S:
        return None
    return Breach(sending, f"asked for a session interval of {asked_s} s; the shortest there is is 90 s")


def odd_refresher(sending: Sending) -> Breach | None:
    """A refresher that is neither uac nor uas; where a 2xx names none that can be read, section 9 has a rule for it."""
    said, value = sending.said, sending.message.header("Session-Expires")
    if said.interval_s is None or value is None or ";" not in value:
        return None
    written = header_part("Session-Expires", value, "refresher")
    if written is None or written.lower() in ("uac", "uas"):
        return None
    if said.refresher is None and not sending.message.is_request:
        return None
    return Breach(sending, f"wrote refresher={written}; it is uac or uas, without quotes")


def min_se_below_floor(sending: Sending) -> Breach | None:
    """A request whose Min-SE is below 90 s."""
    least_s = sending.said.min_se_s if sending.message.is_request else None
    if least_s is None or least_s >= SESSION_INTERVAL_FLOOR_S:
        return None
    return Breach(sending, f"named a Min-SE of {least_s} s; it is never below 90 s")


def minimum_below_floor(sending: Sending) -> Breach | None:
    """A 422 whose Min-SE is below 90 s."""
    least_s = sending.said.min_se_s if sending.status == 422 else None
    if least_s is None or least_s >= SESSION_INTERVAL_FLOOR_S:
        return None
    return Breach(sending, f"gave {least_s} s as its minimum in a 422; no minimum is below 90 s")


def misplaced_min_se(sending: Sending) -> Breach | None:
    """Min-SE in a response that is no 422."""
    if sending.status in (0, 422):
        return None
    return Breach(sending, f"put Min-SE into {named(sending.message)}; of responses, only a 422 carries it")


def single_header_twice(sending: Sending) -> Breach | None:
    """A header that has one value, given two that differ: by the sender, or by a proxy on the way."""
    copies: tuple[Sending | Passing, ...] = (sending, *sending.passed_on)
    for copy in copies:
        repeated = copy.message.layout.repeated
        for name in (name for name in SINGLE if name in repeated):
            values = copy.message.values(name)
            if len(set(values)) > 1:
                text = (
                    f"put {name} into {named(copy.message)} twice, with {values[0]} and {values[1]}; it has one value"
                )
                return Breach(copy, text, "it adds the header without looking whether it is there")
    return None


OF_REPETITIONS: Final[tuple[AuditRule[Sending], ...]] = (
    rule("3261-7.3.1b", single_header_twice, ERROR),  # which of the two counts is anybody's guess
)
OF_INTERVALS: Final[tuple[AuditRule[Sending], ...]] = (
    rule("RFC4028-4-1", unreadable_interval, WARNING),  # a grammar has no keyword, but nobody can obey what it forbids
    rule("RFC4028-4-2", misplaced_interval),
    rule("RFC4028-4-3", interval_below_floor, ERROR),  # what the RFC calls the absolute minimum
    rule("RFC4028-4-7", odd_refresher, WARNING),
)
OF_MINIMA: Final[tuple[AuditRule[Sending], ...]] = (
    rule("RFC4028-5-1", unreadable_min_se, WARNING),
    rule("RFC4028-5-2", min_se_below_floor),
    rule("RFC4028-5-4", misplaced_min_se),
    rule("RFC4028-9-3", minimum_below_floor),
)
