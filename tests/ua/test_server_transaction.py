"""Server transactions against RFC 3261 section 17.2 and RFC 6026: each state, each input, each microsecond."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import LocalError
from simkit.settings import BaseTimes
from simkit.sip.message import Request, Response
from simkit.ua.server_transaction import (
    INVITE_TIMERS,
    INVITE_TRANSITIONS,
    NON_INVITE_TIMERS,
    NON_INVITE_TRANSITIONS,
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerTransaction,
    server_transaction,
)
from simkit.ua.timers import Timer, TimerEvent, TimerLog
from simkit.ua.transaction import Input, State, StateTimers, TimedOut, Transitions
from simkit.units import MS, S

UDP = BaseTimes()
TCP = BaseTimes(reliable=True)
TRANSPORTS = [pytest.param(UDP, id="udp"), pytest.param(TCP, id="tcp")]


def make_request(method: str) -> Request:
    headers = (
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1"),
        ("From", "<sip:alice@example.com>;tag=a"),
        ("To", "<sip:bob@example.com>"),
        ("Call-ID", "call-1"),
        ("CSeq", f"2 {method}"),
        ("Timestamp", "54"),
    )
    return Request(method, "sip:bob@example.com", headers)


def make_response(status: int, method: str) -> Response:
    return Response(status, "Whatever", make_request(method).headers[:-1])


def started(method: str, times: BaseTimes = UDP, log: TimerLog | None = None) -> ServerTransaction:
    transaction = server_transaction(make_request(method), times=times, log=log)
    transaction.start(now=0)
    return transaction


LAST_SENT = {State.PROCEEDING: 180, State.COMPLETED: 486, State.ACCEPTED: 200, State.CONFIRMED: 486}


def in_state(method: str, state: State, times: BaseTimes) -> ServerTransaction:
    """Bring a transaction into a state by the shortest way, at time 0 or, for Terminated, when it ends."""
    transaction = started(method, times)
    if state is State.TERMINATED:
        transaction.respond(make_response(200, method), now=0)
        transaction.handle_deadline(now=transaction.next_deadline() or 0)
    elif state is not State.TRYING:
        transaction.respond(make_response(LAST_SENT[state], method), now=0)
    if state is State.CONFIRMED:
        transaction.receive(make_request("ACK"), now=0)
    assert transaction.state is state
    transaction.outgoing(), transaction.events()
    return transaction


# What is received, and what is to be sent, in each state. "-": nothing at all; "!": the user agent may not.
INVITE_GRID = """
              INVITE  ACK        1xx              2xx            3xx-6xx
 Proceeding   :again  -          Proceeding:send  Accepted:send  Completed:send
 Accepted     -       :up        !                :send          !
 Completed    :again  Confirmed  !                !              !
 Confirmed    -       -          !                !              !
 Terminated   -       -          !                -              !
"""
NON_INVITE_GRID = """
              BYE     1xx              2xx-6xx
 Trying       -       Proceeding:send  Completed:send
 Proceeding   :again  Proceeding:send  Completed:send
 Completed    :again  !                -
 Terminated   -       !                !
"""
STATUSES = {"1xx": (100, 199), "2xx": (200, 299), "3xx-6xx": (300, 699), "2xx-6xx": (200, 299, 300, 699)}


def cells() -> list[object]:
    found: list[object] = []
    for method, grid in (("INVITE", INVITE_GRID), ("BYE", NON_INVITE_GRID)):
        inputs, *rows = (line.split() for line in grid.strip().splitlines())
        for (state, *row), times in itertools.product(rows, (UDP, TCP)):
            for name, cell in zip(inputs, row, strict=True):
                transport = "tcp" if times.reliable else "udp"
                found.append(
                    pytest.param(method, State(state), name, times, cell, id=f"{method} {state} {name} {transport}")
                )
    return found


@pytest.mark.parametrize(("method", "state", "name", "times", "cell"), cells())
def test_an_input_does_in_each_state_what_the_figure_says(
    method: str, state: State, name: str, times: BaseTimes, cell: str
) -> None:
    messages: list[Request | Response] = [make_response(status, method) for status in STATUSES.get(name, ())]
    for message in messages or [make_request(name)]:
        transaction = in_state(method, state, times)
        if cell == "!":
            assert isinstance(message, Response)
            with pytest.raises(LocalError, match=f"{method} 2: .* transaction in state {state} takes no {name}"):
                transaction.respond(message, now=1)
            continue
        if isinstance(message, Response):
            transaction.respond(message, now=1)
        else:
            transaction.receive(message, now=1)
        target, _, effect = cell.strip("-").partition(":")
        last = [make_response(LAST_SENT[state], method)] if effect == "again" else []
        assert transaction.state == (target or state)
        assert transaction.outgoing() == ([message] if effect == "send" else last)
        assert transaction.events() == ([message] if effect == "up" else [])


def test_an_error_names_state_and_input() -> None:
    transaction = in_state("INVITE", State.ACCEPTED, UDP)
    with pytest.raises(LocalError) as caught:
        transaction.respond(make_response(486, "INVITE"), now=1)
    expected = "INVITE 2: an INVITE server transaction in state Accepted takes no 3xx-6xx (RFC 3261 section 17.2.1)"
    assert str(caught.value) == expected


TABLES = [
    pytest.param(INVITE_TRANSITIONS, INVITE_TIMERS, {Input.REQUEST, Input.ACK}, id="INVITE"),
    pytest.param(NON_INVITE_TRANSITIONS, NON_INVITE_TIMERS, {Input.REQUEST}, id="non-INVITE"),
]


@pytest.mark.parametrize(("transitions", "timers", "received"), TABLES)
def test_a_timer_has_a_row_in_just_the_states_in_which_it_runs(
    transitions: Transitions, timers: StateTimers, received: set[Input]
) -> None:
    assert {state: {event for event in rows if isinstance(event, Timer)} for state, rows in transitions.items()} == {
        state: set(running) for state, running in timers.items()
    }


@pytest.mark.parametrize(("transitions", "timers", "received"), TABLES)
def test_what_the_network_brings_has_a_row_in_every_state(
    transitions: Transitions, timers: StateTimers, received: set[Input]
) -> None:
    assert all(received <= rows.keys() for rows in transitions.values())


def sending_times_s(transaction: ServerTransaction) -> list[float]:
    """Jump from deadline to deadline; return when the response was sent again, and last when it was given up."""
    sent_at: list[float] = []
    while (deadline := transaction.next_deadline()) is not None:
        assert len(sent_at) < 100, "it never ends"
        transaction.handle_deadline(now=deadline)
        assert (len(transaction.outgoing()) == 1) is not transaction.terminated
        sent_at.append(deadline / S)
    return sent_at


def test_a_rejection_is_sent_eleven_times_and_given_up_by_timer_h() -> None:
    transaction = in_state("INVITE", State.COMPLETED, UDP)
    assert sending_times_s(transaction) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, 32]
    assert transaction.events() == [TimedOut(Timer.H)]


def test_over_a_reliable_transport_a_rejection_is_sent_once_and_its_ack_still_waited_for() -> None:
    transaction = in_state("INVITE", State.COMPLETED, TCP)
    assert sending_times_s(transaction) == [32]
    assert transaction.events() == [TimedOut(Timer.H)]


def test_a_2xx_to_an_invite_is_not_repeated_here() -> None:
    transaction = in_state("INVITE", State.ACCEPTED, UDP)
    assert sending_times_s(transaction) == [32]
    assert transaction.events() == []


LINGERING = [
    #            method    state            udp_s  tcp_s
    pytest.param("INVITE", State.CONFIRMED, 5, 0, id="I"),
    pytest.param("INVITE", State.ACCEPTED, 32, 32, id="L"),
    pytest.param("BYE", State.COMPLETED, 32, 0, id="J"),
]


@pytest.mark.parametrize("times", TRANSPORTS)
@pytest.mark.parametrize(("method", "state", "udp_s", "tcp_s"), LINGERING)
def test_at_its_end_it_lingers(method: str, state: State, udp_s: int, tcp_s: int, times: BaseTimes) -> None:
    transaction = in_state(method, state, times)
    due_at = (tcp_s if times.reliable else udp_s) * S
    assert transaction.next_deadline() == due_at
    transaction.handle_deadline(now=due_at - 1)
    assert not transaction.terminated
    transaction.handle_deadline(now=due_at)
    assert transaction.terminated
    assert transaction.next_deadline() is None


def test_an_invite_that_gets_no_answer_is_told_100_after_200_ms() -> None:
    """Sections 17.2.1 and 8.2.6.1: Timestamp is copied; the To of a 100 needs no tag."""
    transaction = started("INVITE")
    transaction.handle_deadline(now=200 * MS - 1)
    assert transaction.outgoing() == []
    transaction.handle_deadline(now=200 * MS)
    (trying,) = transaction.outgoing()
    assert trying.to_bytes().decode().splitlines() == [
        "SIP/2.0 100 Trying",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1",
        "From: <sip:alice@example.com>;tag=a",
        "To: <sip:bob@example.com>",
        "Call-ID: call-1",
        "CSeq: 2 INVITE",
        "Timestamp: 54",
        "Content-Length: 0",
        "",
    ]
    assert transaction.next_deadline() is None
    transaction.receive(make_request("INVITE"), now=500 * MS)
    assert transaction.outgoing() == [trying]


def test_an_invite_that_is_answered_in_time_gets_no_100() -> None:
    transaction = started("INVITE")
    transaction.respond(make_response(180, "INVITE"), now=200 * MS - 1)
    assert transaction.next_deadline() is None


def test_a_non_invite_gets_no_100_however_long_it_takes() -> None:
    transaction = started("BYE")
    assert transaction.next_deadline() is None
    transaction.receive(make_request("BYE"), now=500 * MS)
    assert transaction.outgoing() == []


def test_an_invite_repeated_before_any_response_gets_none() -> None:
    transaction = started("INVITE")
    transaction.receive(make_request("INVITE"), now=100 * MS)
    assert transaction.outgoing() == []


def test_the_latest_provisional_response_is_the_one_repeated() -> None:
    transaction = started("INVITE")
    for status in (100, 180, 183):
        transaction.respond(make_response(status, "INVITE"), now=0)
    transaction.outgoing()
    transaction.receive(make_request("INVITE"), now=500 * MS)
    assert transaction.outgoing() == [make_response(183, "INVITE")]


def test_what_is_not_due_does_nothing_and_what_was_done_is_not_done_twice() -> None:
    transaction = in_state("INVITE", State.COMPLETED, UDP)
    transaction.handle_deadline(now=500 * MS - 1)
    assert transaction.outgoing() == []
    transaction.handle_deadline(now=500 * MS)
    transaction.handle_deadline(now=500 * MS)
    assert transaction.outgoing() == [make_response(486, "INVITE")]


def test_after_a_long_pause_a_rejection_is_sent_once_more_not_many_times() -> None:
    transaction = in_state("INVITE", State.COMPLETED, UDP)
    transaction.handle_deadline(now=20 * S)
    assert len(transaction.outgoing()) == 1
    assert transaction.next_deadline() == 21 * S
    transaction.handle_deadline(now=120 * S)
    assert len(transaction.outgoing()) == 1
    assert transaction.events() == [TimedOut(Timer.H)]
    assert transaction.terminated


def test_the_log_tells_each_timer_by_method_and_cseq() -> None:
    log: TimerLog = []
    transaction = started("INVITE", UDP, log)
    transaction.respond(make_response(486, "INVITE"), now=10)
    transaction.receive(make_request("ACK"), now=20)
    assert log == [
        TimerEvent(0, Timer.TRYING, "armed", 200 * MS, "INVITE 2"),
        TimerEvent(10, Timer.TRYING, "cancelled", 200 * MS, "INVITE 2"),
        TimerEvent(10, Timer.G, "armed", 500 * MS + 10, "INVITE 2"),
        TimerEvent(10, Timer.H, "armed", 32 * S + 10, "INVITE 2"),
        TimerEvent(20, Timer.G, "cancelled", 500 * MS + 10, "INVITE 2"),
        TimerEvent(20, Timer.H, "cancelled", 32 * S + 10, "INVITE 2"),
        TimerEvent(20, Timer.I, "armed", 5 * S + 20, "INVITE 2"),
    ]


def test_the_method_chooses_the_table() -> None:
    for method in ("BYE", "UPDATE", "OPTIONS", "CANCEL", "invite"):
        assert isinstance(server_transaction(make_request(method), times=UDP, log=None), NonInviteServerTransaction)
    assert isinstance(server_transaction(make_request("INVITE"), times=UDP, log=None), InviteServerTransaction)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([100, 180, 200, 302, 422, 699]).map(lambda status: ("respond", status)),
        st.sampled_from(["request", "ACK"]).map(lambda what: (what, 0)),
        st.integers(0, 40 * S).map(lambda pause_us: ("wait", pause_us)),
        st.just(("jump", 0)),
    ),
    max_size=20,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(["INVITE", "BYE"]), st.sampled_from([UDP, TCP]), STEPS)
def test_no_order_of_events_upsets_it_and_time_ends_it(
    method: str, times: BaseTimes, steps: list[tuple[str, int]]
) -> None:
    transaction, now = started(method, times), 0
    for step, value in (*steps, *[("jump", 0)] * 20):
        if step == "respond":
            before = transaction.state
            try:
                transaction.respond(make_response(value, method), now=now)
            except LocalError:
                assert transaction.state is before not in (State.TRYING, State.PROCEEDING)
        elif step in ("request", "ACK"):
            wanted = method if step == "request" or method == "BYE" else "ACK"
            transaction.receive(make_request(wanted), now=now)
        else:
            now = max(now, transaction.next_deadline() or 0) if step == "jump" else now + value
            transaction.handle_deadline(now=now)
            assert (transaction.next_deadline() or now + 1) > now
        assert len(transaction.outgoing()) <= 1
        assert len(transaction.events()) <= 1
    assert transaction.terminated or transaction.state in (State.TRYING, State.PROCEEDING)
    assert transaction.next_deadline() is None
