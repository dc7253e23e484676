"""A proxy forwards requests and responses, stays on the path, and gives up when it must (RFC 3261 section 16)."""

import pytest

from simkit.settings import BaseTimes, SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.ua.identifiers import Identifiers
from simkit.ua.proxy import Proxy, ProxySettings
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

from .chain import BOB_URI, Chain, kind, proxy, route
from .session_messages import Chance

BY_HAND = UserAgentSettings(answer_after_us=None)
ONE_CALL = [
    "alice -> p1: INVITE",
    "p1 -> bob: INVITE",
    "bob -> p1: 200 INVITE",
    "p1 -> alice: 200 INVITE",
    "alice -> p1: ACK",
    "p1 -> bob: ACK",
]


def request(method: str = "INVITE", *headers: HeaderField, uri: str = BOB_URI, to_tag: str = "") -> Request:
    """Make a request as it comes to a proxy from a stranger."""
    fields = {
        "Via": "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKstranger",
        "Max-Forwards": "70",
        "From": "<sip:eve@192.0.2.9>;tag=eve",
        "To": f"<{BOB_URI}>" + (f";tag={to_tag}" if to_tag else ""),
        "Call-ID": "stranger@192.0.2.9",
        "CSeq": f"1 {method}",
        "Contact": "<sip:eve@192.0.2.9:5060>",
    }
    return Request(method, uri, tuple(fields.items())).with_headers(*headers)


def passed_on(asked: Request) -> list[Message]:
    """Return what a proxy sends at once when this comes."""
    party = proxy("p1")
    party.receive(asked, now=0)
    return [outgoing.message for outgoing in party.outgoing()]


# --- a call ----------------------------------------------------------------------------------------------------------


def test_a_call_and_all_that_belongs_to_it_goes_through_the_proxy() -> None:
    chain = Chain().call()
    assert chain.lines() == ONE_CALL
    chain.bob.hang_up(now=0)
    assert chain.run(0).lines()[6:] == [
        "bob -> p1: BYE",
        "p1 -> alice: BYE",
        "alice -> p1: 200 BYE",
        "p1 -> bob: 200 BYE",
    ]


def test_a_request_leaves_with_the_proxys_via_and_record_route_and_one_hop_less() -> None:
    """RFC 3261 section 16.6."""
    chain = Chain().call()
    came, left = chain.sent("alice -> p1: INVITE"), chain.sent("p1 -> bob: INVITE")
    assert came.values("Route") == route("p1")
    assert left.values("Route") == ()
    assert left.values("Record-Route") == route("p1")
    assert left.values("Via")[1:] == came.values("Via")
    assert (came.header("Max-Forwards"), left.header("Max-Forwards")) == ("70", "69")
    assert left.body == came.body
    unchanged = ("From", "To", "Call-ID", "CSeq", "Contact", "Supported", "Allow", "Session-Expires")
    assert [left.header(name) for name in unchanged] == [came.header(name) for name in unchanged]


def test_a_response_goes_back_without_the_proxys_via() -> None:
    """RFC 3261 section 16.7, step 3."""
    chain = Chain().call()
    came, left = chain.sent("bob -> p1: 200 INVITE"), chain.sent("p1 -> alice: 200 INVITE")
    assert left.values("Via") == came.values("Via")[1:]
    assert [field for field in left.headers if field[0] != "Via"] == [
        field for field in came.headers if field[0] != "Via"
    ]


def test_two_proxies_are_passed_in_their_order_and_back_the_other_way_round() -> None:
    chain = Chain({"p1": ProxySettings(), "p2": ProxySettings()}).call()
    assert chain.lines()[:3] == ["alice -> p1: INVITE", "p1 -> p2: INVITE", "p2 -> bob: INVITE"]
    assert chain.lines()[-3:] == ["alice -> p1: ACK", "p1 -> p2: ACK", "p2 -> bob: ACK"]
    assert chain.sent("p2 -> bob: INVITE").values("Record-Route") == route("p2", "p1")
    chain.bob.hang_up(now=0)
    assert chain.run(0).lines()[9:12] == ["bob -> p2: BYE", "p2 -> p1: BYE", "p1 -> alice: BYE"]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_session_refresh_request_is_record_routed_too(method: str) -> None:
    """RFC 4028 section 8 with RFC 3261 section 16.6: an endpoint that lost its route set finds it again."""
    settings = UserAgentSettings(session_timer=SessionTimerSettings(use_update=method == "UPDATE"))
    chain = Chain(alice_settings=settings).call()
    chain.alice.refresh(now=0)
    chain.run(0)
    assert chain.lines()[6:9] == [f"alice -> p1: {method}", f"p1 -> bob: {method}", f"bob -> p1: 200 {method}"]
    assert chain.sent(f"p1 -> bob: {method}").values("Record-Route") == route("p1")


def test_a_rejection_is_acknowledged_hop_by_hop() -> None:
    """RFC 3261 sections 16.7 and 17.1.1.3: the ACK to a non-2xx belongs to its transaction."""
    chain = Chain(bob_settings=UserAgentSettings(reject_with=486)).call()
    assert sorted(chain.lines()[2:]) == sorted(
        ["bob -> p1: 486 INVITE", "p1 -> bob: ACK", "p1 -> alice: 486 INVITE", "alice -> p1: ACK"]
    )


def test_a_provisional_response_goes_back_and_a_100_does_not() -> None:
    """RFC 3261 section 16.7, step 5: a 100 is for one hop."""
    chain = Chain(bob_settings=BY_HAND).call().run(1)
    assert sorted(chain.lines()[2:]) == ["bob -> p1: 100 INVITE", "p1 -> alice: 100 INVITE"]
    assert chain.sent("p1 -> alice: 100 INVITE").to_tag is None
    chain.bob.ring(now=chain.now)
    assert chain.run(2).lines()[4:] == ["bob -> p1: 180 INVITE", "p1 -> alice: 180 INVITE"]


def test_a_503_becomes_a_500_for_it_says_nothing_of_the_proxy() -> None:
    """RFC 3261 section 16.7, step 6."""
    chain = Chain(bob_settings=UserAgentSettings(reject_with=503)).call()
    assert "p1 -> alice: 500 INVITE" in chain.lines()


def test_options_pass_as_well() -> None:
    chain = Chain()
    chain.alice.options(BOB_URI, now=0)
    assert chain.run(0).lines() == [
        "alice -> p1: OPTIONS",
        "p1 -> bob: OPTIONS",
        "bob -> p1: 200 OPTIONS",
        "p1 -> alice: 200 OPTIONS",
    ]
    assert chain.sent("p1 -> bob: OPTIONS").header("Record-Route") is None


# --- what is lost ----------------------------------------------------------------------------------------------------


def test_each_hop_repeats_its_requests_by_itself() -> None:
    """RFC 3261 section 16.2: a stateful proxy; its 100 silences the caller."""
    chain = Chain(loses=lambda line, nth: line == "p1 -> bob: INVITE" and nth < 4).call().run(10)
    assert chain.times("p1 -> bob: INVITE") == [0, 0.5, 1.5, 3.5]
    assert chain.times("alice -> p1: INVITE") == [0]
    assert chain.times("p1 -> alice: 100 INVITE") == [0.2]
    assert chain.times("p1 -> alice: 200 INVITE") == [3.5]


def test_a_repeated_request_is_answered_and_not_forwarded_again() -> None:
    """RFC 3261 section 17.2: the server transaction absorbs it."""
    chain = (
        Chain(
            bob_settings=UserAgentSettings(reject_with=486),
            loses=lambda line, nth: line == "p1 -> alice: 486 INVITE" and nth == 1,
        )
        .call()
        .run(5)
    )
    assert chain.times("alice -> p1: INVITE") == [0, 0.5]
    assert chain.times("p1 -> bob: INVITE") == [0]
    assert len(chain.times("p1 -> alice: 486 INVITE")) > 1


@pytest.mark.parametrize("lost", ["p1 -> alice: 200 INVITE", "alice -> p1: ACK", "p1 -> bob: ACK"])
def test_a_2xx_is_repeated_end_to_end_and_so_is_its_ack(lost: str) -> None:
    """RFC 3261 sections 13.3.1.4, 16.7 and 16.11, RFC 6026."""
    chain = Chain(loses=lambda line, nth: line == lost and nth == 1).call().run(10)
    assert chain.times("bob -> p1: 200 INVITE") == [0, 0.5]
    assert chain.times("p1 -> alice: 200 INVITE") == [0, 0.5]
    acks = [sent.message for sent in chain.wire if sent.line == "p1 -> bob: ACK"]
    assert len({ack.header("Via") for ack in acks}) == 1, "a repeated ACK must look like one"


def test_an_invite_that_nobody_answers_is_given_up_with_408() -> None:
    """RFC 3261 section 16.8: timer B."""
    chain = Chain(loses=lambda line, nth: line == "p1 -> bob: INVITE").call().run(40)
    assert chain.times("p1 -> alice: 408 INVITE") == [32]
    assert chain.told("p1") == [(32, "gave up", "timer B: INVITE")]


def test_another_request_that_nobody_answers_gets_no_408() -> None:
    """RFC 4320 section 4.2: it would come too late."""
    chain = Chain(loses=lambda line, nth: line == "p1 -> bob: OPTIONS")
    chain.alice.options(BOB_URI, now=0)
    chain.run(60)
    assert set(chain.lines()) == {"alice -> p1: OPTIONS", "p1 -> bob: OPTIONS"}
    assert chain.parties["p1"].next_deadline() is None
    assert chain.told("p1") == [], "it was about no call"


def test_a_bye_that_nobody_answers_is_given_up_in_silence() -> None:
    """RFC 4320 section 4.2."""
    chain = Chain(loses=lambda line, nth: line == "p1 -> bob: BYE").call()
    chain.alice.hang_up(now=0)
    chain.run(60)
    assert not [sent for sent in chain.wire if kind(sent.message) == "408 BYE"]
    assert chain.told("p1")[-1] == (32, "gave up", "timer F: BYE")


# --- CANCEL and timer C ----------------------------------------------------------------------------------------------


def test_a_cancel_is_answered_and_passed_on() -> None:
    """RFC 3261 section 16.10."""
    chain = Chain(bob_settings=BY_HAND).call().run(1)
    chain.alice.cancel(now=chain.now)
    chain.run(1)
    assert set(chain.lines()[4:]) == {
        *("alice -> p1: CANCEL", "p1 -> alice: 200 CANCEL", "p1 -> bob: CANCEL", "bob -> p1: 200 CANCEL"),
        *("bob -> p1: 487 INVITE", "p1 -> bob: ACK", "p1 -> alice: 487 INVITE", "alice -> p1: ACK"),
    }
    cancel, invite = chain.sent("p1 -> bob: CANCEL"), chain.sent("p1 -> bob: INVITE")
    assert cancel.values("Via") == invite.values("Via")[:1]
    assert isinstance(cancel, Request)
    assert cancel.uri == BOB_URI


def test_a_cancel_waits_for_a_provisional_response() -> None:
    """RFC 3261 section 9.1."""
    chain = Chain(bob_settings=BY_HAND, loses=lambda line, nth: line == "p1 -> bob: INVITE" and nth < 3).call().run(1)
    chain.alice.cancel(now=chain.now)
    chain.run(5)
    assert chain.times("alice -> p1: CANCEL") == [1]
    assert chain.times("p1 -> bob: CANCEL") == [1.7]  # the third INVITE came through at 1.5 s, its 100 at 1.7 s
    assert chain.times("p1 -> alice: 487 INVITE") == [1.7]


def test_a_cancel_without_its_invite_is_answered_481() -> None:
    (answer,) = passed_on(request("CANCEL"))
    assert kind(answer) == "481 CANCEL"


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    """RFC 3261 section 16.10: the INVITE has its final response."""
    party = proxy("p1")
    invite = request()
    party.receive(invite, now=0)
    (forwarded,) = party.outgoing()
    party.receive(_answer(forwarded.message, 486), now=0)
    party.outgoing()
    party.receive(request("CANCEL"), now=0)
    assert [kind(outgoing.message) for outgoing in party.outgoing()] == ["200 CANCEL"]


def _answer(asked: Message, status: int, *headers: HeaderField, to_tag: str = "bob") -> Response:
    copied = [field for field in asked.headers if field[0] in ("Via", "From", "Call-ID", "CSeq", "Record-Route")]
    return Response(status, "", (*copied, ("To", f"<{BOB_URI}>;tag={to_tag}"), *headers))


def test_an_invite_that_rings_for_too_long_is_cancelled() -> None:
    """RFC 3261 sections 16.6 and 16.8: timer C, more than 3 minutes after the last 101-199."""
    chain = Chain(bob_settings=BY_HAND).call().run(100)
    chain.bob.ring(now=chain.now)
    chain.run(400)
    assert chain.times("p1 -> bob: CANCEL") == [281]
    assert chain.times("p1 -> alice: 487 INVITE") == [281]


def test_a_100_does_not_move_timer_c() -> None:
    """RFC 3261 section 16.7, step 2."""
    chain = Chain(bob_settings=BY_HAND).call().run(400)
    assert chain.times("p1 -> bob: CANCEL") == [181]


def test_who_does_not_even_answer_the_cancel_is_given_up() -> None:
    """RFC 3261 section 9.1: after 64*T1 the INVITE counts as cancelled."""
    chain = Chain(bob_settings=BY_HAND, loses=lambda line, nth: line == "p1 -> bob: CANCEL").call().run(400)
    assert chain.times("p1 -> alice: 408 INVITE") == [181 + 32]
    assert chain.told("p1")[-1] == (213, "gave up", "no 487: INVITE")


def test_a_2xx_that_comes_after_the_408_goes_back_all_the_same() -> None:
    """RFC 3261 section 16.7, step 5: a 2xx to INVITE is never kept back."""
    party = proxy("p1")
    party.receive(request(), now=0)
    (forwarded,) = party.outgoing()
    party.receive(_answer(forwarded.message, 180), now=1)
    party.handle_deadline(now=181 * S + 1)
    party.handle_deadline(now=213 * S + 1)
    party.outgoing()
    for tag in ("late", "later"):
        party.receive(_answer(forwarded.message, 200, to_tag=tag), now=214 * S)
        party.receive(_answer(forwarded.message, 180, to_tag=tag), now=214 * S)
        assert [kind(outgoing.message) for outgoing in party.outgoing()] == ["200 INVITE"]


def test_over_a_slow_network_timer_c_may_fire_before_anything_has_come() -> None:
    """RFC 3261 section 16.8: nothing can be cancelled, so it counts as a 408."""
    slow = BaseTimes(t1_us=10 * S)
    chain = Chain(
        {"p1": ProxySettings(times=slow)},
        alice_settings=UserAgentSettings(times=slow),
        loses=lambda line, nth: line == "p1 -> bob: INVITE",
    )
    chain.call().run(200)
    assert chain.times("p1 -> alice: 408 INVITE") == [181]
    assert chain.times("p1 -> bob: CANCEL") == []


# --- what is refused -------------------------------------------------------------------------------------------------

REFUSALS = [
    pytest.param(request("INVITE", ("Max-Forwards", "0")), 483, {}, id="no hop is left"),
    pytest.param(request("OPTIONS", ("Max-Forwards", "0")), 483, {}, id="no hop is left for OPTIONS either"),
    pytest.param(request("INVITE", ("Max-Forwards", "many")), 400, {}, id="Max-Forwards is no number"),
    pytest.param(request("INVITE", ("Max-Forwards", "256")), 400, {}, id="Max-Forwards is too large"),
    pytest.param(request("INVITE", ("Proxy-Require", "timer, sec-agree, x")), 420, {"Unsupported": "sec-agree, x"},
                 id="Proxy-Require names what it does not know"),
    pytest.param(request(uri="tel:+15551234"), 416, {}, id="a URI of another scheme"),
    pytest.param(request(uri="sip:"), 400, {}, id="a URI that is none"),
    pytest.param(request("INVITE", ("Route", "<tel:1>")), 416, {}, id="a Route of another scheme"),
    pytest.param(request(uri="sip:bob@192.0.2.11:5060"), 404, {}, id="for the proxy itself"),
    pytest.param(request("INVITE", ("Session-Expires", "soon")), 400, {}, id="a session interval that is none"),
    pytest.param(request("INVITE", ("Supported", "timer"), ("Session-Expires", "60")), 422, {"Min-SE": "90"},
                 id="a session interval that is too small"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "headers"), REFUSALS)
def test_a_request_is_refused_by_its_first_fault(asked: Request, status: int, headers: dict[str, str]) -> None:
    """RFC 3261 sections 16.3 and 16.5, RFC 4028 section 8.1."""
    (answer,) = passed_on(asked)
    assert isinstance(answer, Response)
    assert (answer.status, {name: answer.header(name) for name in headers}) == (status, headers)
    assert "tag=" in (answer.header("To") or "")


def test_an_ack_is_never_refused_only_dropped() -> None:
    assert passed_on(request("ACK", ("Max-Forwards", "0"), to_tag="bob")) == []
    assert passed_on(request("ACK", uri="sip:192.0.2.11:5060", to_tag="bob")) == []


UNREADABLE = [("Via", "nonsense"), ("From", "<>"), ("To", ""), ("CSeq", "x INVITE"), ("CSeq", "1")]


@pytest.mark.parametrize("broken", UNREADABLE, ids=str)
def test_a_request_that_no_response_can_be_made_of_is_dropped(broken: HeaderField) -> None:
    assert passed_on(request("INVITE", broken)) == []
    assert passed_on(request().without_headers(broken[0])) == []


def test_a_request_without_max_forwards_gets_70() -> None:
    """RFC 3261 section 16.6, step 3."""
    (onward,) = passed_on(request().without_headers("Max-Forwards"))
    assert onward.header("Max-Forwards") == "70"


def test_a_request_that_comes_round_in_a_loop_is_refused() -> None:
    """RFC 3261 section 16.3, step 4."""
    party = proxy("p1")
    party.receive(request(), now=0)
    (onward,) = party.outgoing()
    elsewhere = ("Via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKelsewhere")
    looped = Request("INVITE", BOB_URI, (elsewhere, *onward.message.headers))
    party.receive(looped, now=0)
    assert [kind(outgoing.message) for outgoing in party.outgoing()] == ["482 INVITE"]


def test_a_request_that_comes_by_again_for_another_target_is_no_loop() -> None:
    """RFC 3261 section 16.3, step 4: a spiral."""
    party = proxy("p1")
    party.receive(request(), now=0)
    (onward,) = party.outgoing()
    elsewhere = ("Via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKelsewhere")
    spiral = Request("INVITE", "sip:carol@192.0.2.3", (elsewhere, *onward.message.headers))
    party.receive(spiral, now=0)
    assert [kind(outgoing.message) for outgoing in party.outgoing()] == ["INVITE"]


def test_a_response_to_nothing_is_dropped() -> None:
    """RFC 6026 section 7.3: strays go no further."""
    party = proxy("p1")
    via = ("Via", "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKnobody, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")
    party.receive(Response(200, "OK", (via, ("CSeq", "1 INVITE"))), now=0)
    assert party.outgoing() == []


def test_a_response_that_has_lost_the_vias_below_ours_is_dropped() -> None:
    party = proxy("p1")
    party.receive(request(), now=0)
    (onward,) = party.outgoing()
    answer = _answer(onward.message, 200)
    party.receive(answer.with_headers(("Via", answer.values("Via")[0])), now=0)
    assert party.outgoing() == []


# --- routing ---------------------------------------------------------------------------------------------------------

P1, P2 = route("p1")[0], route("p2")[0]
STRICT = "<sip:192.0.2.50:5060>"
NEXT_HOPS = [
    #            Request-URI, Route -> Request-URI, Route, destination
    pytest.param(BOB_URI, (), BOB_URI, (), "192.0.2.2", id="by the Request-URI"),
    pytest.param(BOB_URI, (P1,), BOB_URI, (), "192.0.2.2", id="16.4: what led here is taken off"),
    pytest.param(BOB_URI, (P2,), BOB_URI, (P2,), "192.0.2.12", id="16.6: by a Route that is not ours"),
    pytest.param(BOB_URI, (P1, P2), BOB_URI, (P2,), "192.0.2.12", id="16.6: by the next Route"),
    pytest.param(BOB_URI, (f"{P1}, {P2}",), BOB_URI, (P2,), "192.0.2.12", id="7.3.1: two values in one line"),
    pytest.param("sip:192.0.2.11:5060;lr", (P2, f"<{BOB_URI}>"), BOB_URI, (P2,), "192.0.2.12",
                 id="16.4: a strict router came before us"),
    pytest.param("sip:192.0.2.11:5060;lr", (f"<{BOB_URI}>",), BOB_URI, (), "192.0.2.2",
                 id="16.4: ... and nobody comes after"),
    pytest.param(BOB_URI, (P1, STRICT, P2), "sip:192.0.2.50:5060", (P2, f"<{BOB_URI}>"), "192.0.2.50",
                 id="16.6: a strict router comes next"),
]  # fmt: skip


@pytest.mark.parametrize(("uri", "routes", "uri_onward", "routes_onward", "host"), NEXT_HOPS)
def test_a_request_goes_where_its_route_or_its_uri_says(
    uri: str, routes: tuple[str, ...], uri_onward: str, routes_onward: tuple[str, ...], host: str
) -> None:
    """RFC 3261 sections 16.4 and 16.6, steps 6 and 7."""
    party = proxy("p1")
    asked = request(uri=uri)
    party.receive(Request("INVITE", uri, (*asked.headers, *(("Route", value) for value in routes))), now=0)
    (onward,) = party.outgoing()
    assert isinstance(onward.message, Request)
    assert (onward.message.uri, onward.message.values("Route")) == (uri_onward, routes_onward)
    assert onward.destination == (host, 5060)


def test_a_host_in_brackets_is_written_with_them() -> None:
    party = Proxy("p", ("2001:db8::1", 5060), ProxySettings(), identifiers=Identifiers(Chance(0.5)))
    party.receive(request(), now=0)
    (onward,) = party.outgoing()
    assert onward.message.header("Record-Route") == "<sip:[2001:db8::1]:5060;lr>"
    assert onward.message.via.host == "[2001:db8::1]"


def test_a_proxy_replies_what_it_is_told_and_forwards_nothing() -> None:
    party = proxy("p1")
    party.reply(request(), 503, (("Retry-After", "5"),), now=0)
    party.receive(request(), now=1)
    answers = [outgoing.message for outgoing in party.outgoing()]
    assert [kind(answer) for answer in answers] == ["503 INVITE", "503 INVITE"]
    assert answers[0].header("Retry-After") == "5"
