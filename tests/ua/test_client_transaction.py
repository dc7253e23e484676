"""Client transactions against RFC 3261 section 17.1 and RFC 6026: each state, each input, each microsecond."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.settings import BaseTimes
from simkit.sip.message import Request, Response
from simkit.ua.client_transaction import (
    INVITE_TIMERS,
    INVITE_TRANSITIONS,
    NON_INVITE_TIMERS,
    NON_INVITE_TRANSITIONS,
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
    client_transaction,
)
from simkit.ua.timers import Timer, TimerEvent, TimerLog
from simkit.ua.transaction import Input, State, StateTimers, TimedOut, Transitions, TransportFailed
from simkit.units import MS, S

UDP = BaseTimes()
TCP = BaseTimes(reliable=True)
TRANSPORTS = [pytest.param(UDP, id="udp"), pytest.param(TCP, id="tcp")]


def make_request(method: str) -> Request:
    headers = (
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1"),
        ("Max-Forwards", "70"),
        ("Route", "<sip:192.0.2.9;lr>"),
        ("From", "Alice <sip:alice@example.com>;tag=a"),
        ("To", "Bob <sip:bob@example.com>"),
        ("Call-ID", "call-1"),
        ("CSeq", f"2 {method}"),
        ("Contact", "<sip:alice@192.0.2.1>"),
        ("Authorization", 'Digest username="alice"'),
        ("Content-Length", "0"),
    )
    return Request(method, "sip:bob@example.com", headers)


def make_response(status: int, method: str) -> Response:
    copied = [field for field in make_request(method).headers if field[0] in ("Via", "From", "Call-ID", "CSeq")]
    return Response(status, "Whatever", (*copied, ("To", "Bob <sip:bob@example.com>;tag=b")))


def started(method: str, times: BaseTimes = UDP, log: TimerLog | None = None) -> ClientTransaction:
    transaction = client_transaction(make_request(method), times=times, log=log)
    transaction.start(now=0)
    assert transaction.outgoing() == [transaction.request]
    return transaction


def in_state(method: str, state: State, times: BaseTimes) -> ClientTransaction:
    """Bring a transaction into a state by the shortest way, at time 0 or, for Terminated, when it ends."""
    transaction = started(method, times)
    for status in {State.PROCEEDING: [180], State.COMPLETED: [486], State.ACCEPTED: [200]}.get(state, []):
        transaction.receive(make_response(status, method), now=0)
    if state is State.TERMINATED:
        transaction.receive(make_response(486, method), now=0)
        transaction.handle_deadline(now=transaction.next_deadline() or 0)
    assert transaction.state is state
    transaction.outgoing(), transaction.events()
    return transaction


# What a response does in each state. "-": nothing at all.
INVITE_GRID = """
              1xx            2xx          3xx-6xx
 Calling      Proceeding:up  Accepted:up  Completed:ack,up
 Proceeding   Proceeding:up  Accepted:up  Completed:ack,up
 Completed    -              -            Completed:ack
 Accepted     -              Accepted:up  -
 Terminated   -              -            -
"""
NON_INVITE_GRID = """
              1xx            2xx-6xx
 Trying       Proceeding:up  Completed:up
 Proceeding   Proceeding:up  Completed:up
 Completed    -              -
 Terminated   -              -
"""
STATUSES = {"1xx": (100, 199), "2xx": (200, 299), "3xx-6xx": (300, 699), "2xx-6xx": (200, 299, 300, 699)}


def cells() -> list[object]:
    found: list[object] = []
    for method, grid in (("INVITE", INVITE_GRID), ("BYE", NON_INVITE_GRID)):
        inputs, *rows = (line.split() for line in grid.strip().splitlines())
        for (state, *row), times in itertools.product(rows, (UDP, TCP)):
            for name, cell in zip(inputs, row, strict=True):
                transport = "tcp" if times.reliable else "udp"
                arguments = (method, State(state), STATUSES[name], times, cell)
                found.append(pytest.param(*arguments, id=f"{method} {state} {name} {transport}"))
    return found


@pytest.mark.parametrize(("method", "state", "statuses", "times", "cell"), cells())
def test_a_response_does_in_each_state_what_the_figure_says(
    method: str, state: State, statuses: tuple[int, ...], times: BaseTimes, cell: str
) -> None:
    for status in statuses:
        transaction = in_state(method, state, times)
        transaction.receive(make_response(status, method), now=1)
        target, _, effects = (f"{state}:" if cell == "-" else cell).partition(":")
        assert transaction.state == target
        assert [message.method for message in transaction.outgoing()] == (["ACK"] if "ack" in effects else [])
        assert transaction.events() == ([make_response(status, method)] if "up" in effects else [])


FAILING = {State.CALLING, State.TRYING, State.PROCEEDING}


@pytest.mark.parametrize("state", [*INVITE_TRANSITIONS, State.TRYING])
def test_a_lost_connection_fails_what_still_waits_for_its_answer_and_nothing_else(state: State) -> None:
    """RFC 3261 section 17.1.4: the transaction user is told, and the transaction is over."""
    transaction = in_state("BYE" if state is State.TRYING else "INVITE", state, TCP)
    transaction.fail(now=1)
    assert transaction.state is (State.TERMINATED if state in FAILING else state)
    assert transaction.events() == ([TransportFailed()] if state in FAILING else [])
    assert transaction.outgoing() == []


TABLES = [
    pytest.param(INVITE_TRANSITIONS, INVITE_TIMERS, id="INVITE"),
    pytest.param(NON_INVITE_TRANSITIONS, NON_INVITE_TIMERS, id="non-INVITE"),
]


@pytest.mark.parametrize(("transitions", "timers"), TABLES)
def test_a_timer_has_a_row_in_just_the_states_in_which_it_runs(transitions: Transitions, timers: StateTimers) -> None:
    assert {state: {event for event in rows if isinstance(event, Timer)} for state, rows in transitions.items()} == {
        state: set(running) for state, running in timers.items()
    }


@pytest.mark.parametrize(("transitions", "timers"), TABLES)
def test_every_response_has_a_row_in_every_state(transitions: Transitions, timers: StateTimers) -> None:
    responses = {event for event in transitions[State.PROCEEDING] if isinstance(event, Input)}
    assert all(responses <= rows.keys() for rows in transitions.values())


def sending_times_s(transaction: ClientTransaction, *, provisional_at: int | None = None) -> list[float]:
    """Jump from deadline to deadline; return when the request was sent again, and last when it was given up."""
    sent_at, bound = [], 100
    while (deadline := transaction.next_deadline()) is not None:
        bound -= 1
        assert bound, "it never ends"
        if provisional_at is not None and deadline >= provisional_at:
            transaction.receive(make_response(100, transaction.request.method), now=provisional_at)
            provisional_at = None
        else:
            transaction.handle_deadline(now=deadline)
            assert (len(transaction.outgoing()) == 1) is not transaction.terminated
            sent_at.append(deadline / S)
    return sent_at


def test_an_invite_is_sent_seven_times_and_given_up_by_timer_b() -> None:
    transaction = started("INVITE")
    assert sending_times_s(transaction) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 32]
    assert transaction.events() == [TimedOut(Timer.B)]


def test_a_non_invite_is_sent_eleven_times_and_given_up_by_timer_f() -> None:
    transaction = started("BYE")
    assert sending_times_s(transaction) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, 32]
    assert transaction.events() == [TimedOut(Timer.F)]


def test_after_a_provisional_response_a_non_invite_is_sent_every_t2_and_still_given_up() -> None:
    """Section 17.1.2.2: timer E runs on, and is set to T2 from its next firing."""
    transaction = started("BYE")
    assert sending_times_s(transaction, provisional_at=1 * S) == [0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5, 32]
    assert transaction.events() == [make_response(100, "BYE"), TimedOut(Timer.F)]


def test_after_a_provisional_response_an_invite_waits_for_ever() -> None:
    transaction = started("INVITE")
    transaction.receive(make_response(180, "INVITE"), now=499 * MS)
    assert transaction.next_deadline() is None


@pytest.mark.parametrize(("method", "timer"), [("INVITE", Timer.B), ("BYE", Timer.F)])
def test_over_a_reliable_transport_a_request_is_sent_once(method: str, timer: Timer) -> None:
    transaction = started(method, TCP)
    assert sending_times_s(transaction) == [32]
    assert transaction.events() == [TimedOut(timer)]


LINGERING = [
    #            method    status  udp_s  tcp_s
    pytest.param("INVITE", 486, 32, 0, id="D"),
    pytest.param("INVITE", 200, 32, 32, id="M"),
    pytest.param("BYE", 200, 5, 0, id="K"),
]


@pytest.mark.parametrize("times", TRANSPORTS)
@pytest.mark.parametrize(("method", "status", "udp_s", "tcp_s"), LINGERING)
def test_after_the_final_response_it_lingers(
    method: str, status: int, udp_s: int, tcp_s: int, times: BaseTimes
) -> None:
    transaction = started(method, times)
    transaction.receive(make_response(status, method), now=3 * S)
    due_at = (3 + (tcp_s if times.reliable else udp_s)) * S
    assert transaction.next_deadline() == due_at
    transaction.handle_deadline(now=due_at - 1)
    assert not transaction.terminated
    transaction.handle_deadline(now=due_at)
    assert transaction.terminated
    assert transaction.next_deadline() is None


def test_what_is_not_due_does_nothing_and_what_was_done_is_not_done_twice() -> None:
    transaction = started("INVITE")
    transaction.handle_deadline(now=500 * MS - 1)
    assert transaction.outgoing() == []
    transaction.handle_deadline(now=500 * MS)
    transaction.handle_deadline(now=500 * MS)
    assert transaction.outgoing() == [transaction.request]


@pytest.mark.parametrize(("method", "timer"), [("INVITE", Timer.B), ("BYE", Timer.F)])
def test_after_a_long_pause_a_request_is_sent_once_more_not_many_times(method: str, timer: Timer) -> None:
    transaction = started(method)
    transaction.handle_deadline(now=20 * S)
    assert transaction.outgoing() == [transaction.request]
    assert transaction.next_deadline() == 21 * S
    transaction.handle_deadline(now=120 * S)
    assert transaction.outgoing() == [transaction.request]
    assert transaction.events() == [TimedOut(timer)]
    assert transaction.terminated


def test_timer_f_that_is_due_together_with_e_leaves_nothing_to_send() -> None:
    transaction = started("BYE", BaseTimes(t1_us=1 * S, t2_us=1 * S))
    for second in range(1, 64):
        transaction.handle_deadline(now=second * S)
    transaction.outgoing()
    transaction.handle_deadline(now=64 * S)
    assert transaction.outgoing() == []
    assert transaction.terminated


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_a_request_of_a_call_that_is_over_is_sent_no_more_but_still_awaited(method: str) -> None:
    transaction = started(method)
    transaction.stop_repeating(now=1)
    assert sending_times_s(transaction) == [32]


def test_a_provisional_response_does_not_make_it_repeat_again() -> None:
    transaction = started("BYE")
    transaction.stop_repeating(now=1)
    assert sending_times_s(transaction, provisional_at=1 * S) == [32]


def test_every_2xx_to_an_invite_goes_up_repeated_ones_and_forked_ones() -> None:
    transaction = started("INVITE")
    first = make_response(200, "INVITE")
    forked = first.with_headers(("To", "<sip:bob@example.com>;tag=c"))
    for now, response in enumerate((first, first, forked)):
        transaction.receive(response, now=now)
    assert transaction.events() == [first, first, forked]
    assert transaction.outgoing() == []


def test_the_ack_to_a_rejection_is_the_transactions_own() -> None:
    """Section 17.1.1.3: the INVITE's branch, Request-URI, Route and credentials, the response's To."""
    transaction = started("INVITE")
    transaction.receive(make_response(486, "INVITE"), now=0)
    (ack,) = transaction.outgoing()
    assert ack.to_bytes().decode().splitlines() == [
        "ACK sip:bob@example.com SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1",
        "Max-Forwards: 70",
        "Route: <sip:192.0.2.9;lr>",
        "From: Alice <sip:alice@example.com>;tag=a",
        "Call-ID: call-1",
        'Authorization: Digest username="alice"',
        "To: Bob <sip:bob@example.com>;tag=b",
        "CSeq: 2 ACK",
        "Content-Length: 0",
        "",
    ]
    transaction.receive(make_response(486, "INVITE"), now=500 * MS)
    assert transaction.outgoing() == [ack]


def test_the_log_tells_each_timer_by_method_and_cseq() -> None:
    log: TimerLog = []
    transaction = started("INVITE", UDP, log)
    transaction.receive(make_response(200, "INVITE"), now=10)
    assert log == [
        TimerEvent(0, Timer.A, "armed", 500 * MS, "INVITE 2"),
        TimerEvent(0, Timer.B, "armed", 32 * S, "INVITE 2"),
        TimerEvent(10, Timer.A, "cancelled", 500 * MS, "INVITE 2"),
        TimerEvent(10, Timer.B, "cancelled", 32 * S, "INVITE 2"),
        TimerEvent(10, Timer.M, "armed", 32 * S + 10, "INVITE 2"),
    ]


def test_the_method_chooses_the_table() -> None:
    for method in ("BYE", "UPDATE", "OPTIONS", "CANCEL", "invite"):
        assert isinstance(client_transaction(make_request(method), times=UDP, log=None), NonInviteClientTransaction)
    assert isinstance(client_transaction(make_request("INVITE"), times=UDP, log=None), InviteClientTransaction)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([100, 180, 200, 299, 302, 422, 699]).map(lambda status: ("receive", status)),
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
    transaction, now, events = started(method, times), 0, []
    for step, value in (*steps, *[("jump", 0)] * 20):
        was_terminated = transaction.terminated
        if step == "receive":
            transaction.receive(make_response(value, method), now=now)
        else:
            now = max(now, transaction.next_deadline() or 0) if step == "jump" else now + value
            transaction.handle_deadline(now=now)
            assert (transaction.next_deadline() or now + 1) > now
        sent, told = transaction.outgoing(), transaction.events()
        assert len(sent) <= 1
        assert not (was_terminated and (sent or told))
        events += told
    assert transaction.terminated or (method == "INVITE" and transaction.state is State.PROCEEDING)
    assert transaction.next_deadline() is None
    assert sum(isinstance(event, TimedOut) for event in events) <= 1
