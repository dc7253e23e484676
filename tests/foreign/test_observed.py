"""What is read of a call from one party's messages alone."""

from simkit.foreign.observed import ObservedCalls
from simkit.sip.headers import HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.ua.events import Fact
from simkit.units import S

TIMEOUT_US = 32 * S


def request(method: str, cseq: int) -> Request:
    return Request(method, "sip:bob@192.0.2.2", (("Call-ID", "c"), ("CSeq", f"{cseq} {method}")))


def response(status: int, method: str, cseq: int, *headers: HeaderField) -> Response:
    return Response(status, "-", (("Call-ID", "c"), ("CSeq", f"{cseq} {method}"), *headers))


def expires(value: str) -> HeaderField:
    return "Session-Expires", value


OURS, THEIRS = True, False


def observed(*messages: tuple[bool, Message], commanded: str = "") -> list[tuple[object, ...]]:
    """Return what became of the call, in the order in which it shows."""
    calls = ObservedCalls(TIMEOUT_US)
    if commanded:
        calls.commanded(commanded)
    for number, (by_us, message) in enumerate(messages):
        (calls.sent if by_us else calls.received)(message, now=number * S)
    if (at := calls.next_deadline()) is not None:
        calls.handle_deadline(now=at - 1)
        calls.handle_deadline(now=at)
    found: list[tuple[object, ...]] = []
    for event in calls.events():
        if event.fact is Fact.SESSION:
            found.append((event.fact.value, event.interval_s, event.we_refresh))
        else:
            found.append((event.fact.value, event.detail, event.by_us))
    return found


UP = ((OURS, request("INVITE", 1)), (THEIRS, response(200, "INVITE", 1, expires("90;refresher=uac"))))
UP_FACTS = [("up", "", False), ("session", 90, True)]


def test_a_2xx_brings_the_call_up_and_says_who_refreshes() -> None:
    assert observed(*UP) == UP_FACTS
    callee = (THEIRS, request("INVITE", 1)), (OURS, response(200, "INVITE", 1, expires("90;refresher=uac")))
    assert observed(*callee) == [("up", "", False), ("session", 90, False)]


def test_what_is_repeated_counts_once() -> None:
    assert observed(*UP, *UP[1:], *UP) == UP_FACTS


def test_a_2xx_to_a_request_within_the_call_is_a_refresh_where_there_is_a_timer() -> None:
    again = (OURS, request("UPDATE", 2)), (THEIRS, response(200, "UPDATE", 2, expires("90;refresher=uac")))
    assert observed(*UP, *again) == [*UP_FACTS, ("refreshed", "UPDATE", False)]
    off = (OURS, request("INVITE", 2)), (THEIRS, response(200, "INVITE", 2))
    assert observed(*UP, *off) == [*UP_FACTS, ("session", None, False)]


def test_a_request_after_a_failure_is_a_retry() -> None:
    refused = (OURS, request("INVITE", 1)), (THEIRS, response(422, "INVITE", 1))
    assert observed(*refused, (OURS, request("INVITE", 2))) == [("retried", "422", False)]


BYE = (OURS, request("BYE", 3))
OK = (THEIRS, response(200, "BYE", 3))


def test_why_it_hangs_up_is_what_was_ordered_or_else_what_went_before() -> None:
    assert observed(*UP, BYE, OK, commanded="hang up")[2:] == [("ended", "hung-up", True), ("over", "", False)]
    assert observed(*UP, BYE, OK)[2:] == [("ended", "session-expired", True), ("over", "", False)]
    refused = (OURS, request("INVITE", 2)), (THEIRS, response(481, "INVITE", 2))
    assert observed(*UP, *refused, BYE, OK)[3] == ("ended", "refresh-failed", True)
    unanswered = [(OURS, request("INVITE", 2))] * 33  # a second each
    assert observed(*UP, *unanswered[:32], BYE, OK)[2] == ("ended", "refresh-failed", True)
    assert observed(*UP, *unanswered[:31], BYE, OK)[2] == ("ended", "session-expired", True)
    without = (OURS, request("INVITE", 1)), (THEIRS, response(200, "INVITE", 1))
    assert observed(*without, BYE)[2] == ("ended", "hung-up", True)


def test_a_bye_that_nobody_answers_is_given_up() -> None:
    assert observed(*UP, BYE)[2:] == [("ended", "session-expired", True), ("over", "", False)]


def test_the_peers_bye_ends_the_call() -> None:
    theirs = (THEIRS, request("BYE", 1)), (OURS, response(200, "BYE", 1))
    assert observed(*UP, *theirs)[2:] == [("ended", "hung-up", False), ("over", "", False)]


def test_a_rejection_is_the_end_unless_it_may_be_mended() -> None:
    asked = (OURS, request("INVITE", 1))
    assert observed(asked, (THEIRS, response(486, "INVITE", 1))) == [("ended", "rejected", False), ("over", "", False)]
    assert observed(asked, (THEIRS, response(487, "INVITE", 1))) == [("ended", "cancelled", True), ("over", "", False)]
    assert observed(asked, (THEIRS, response(422, "INVITE", 1))) == []
    assert observed((THEIRS, request("INVITE", 1)), (OURS, response(603, "INVITE", 1)))[0] == (
        "ended",
        "rejected",
        True,
    )


def test_a_refresh_that_fails_is_told() -> None:
    failed = (OURS, request("INVITE", 2)), (THEIRS, response(491, "INVITE", 2))
    assert observed(*UP, *failed)[2:] == [("refresh failed", "491", False)]


def test_what_names_no_call_is_left_alone() -> None:
    assert observed((OURS, Request("INVITE", "sip:bob@192.0.2.2", ()))) == []
