"""Two session timers talk to each other, at random; what must hold of any two, holds (RFC 4028 sections 7, 9 and 10).

There are no transactions here: an exchange is a request and its answer at one instant, or nothing for 32 s.
"""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Request, Response
from simkit.sip.session_headers import Refresher
from simkit.ua.retry import FAILURES_MAX
from simkit.ua.session_timer import TOO_SMALL_MAX, SessionTimer, Side
from simkit.ua.timer_logic import Bye, Refresh, Reject, Retry
from simkit.units import S

from .session_messages import min_se, request, response, settings, value

ALLOW: HeaderField = ("Allow", "INVITE, ACK, BYE, UPDATE")
TIMEOUT_US = 32 * S  # 64*T1: timers B and F

Fate = str | tuple[int, int]
"""What becomes of a request: a word of those below, or a status and the seconds of its Retry-After or Min-SE."""

ANSWERED, LOST, ANSWER_LOST, HELD_BACK = "answered", "lost", "its 2xx lost", "held back"


class Pair:
    """A caller and a callee, the clock, and what must hold after each exchange."""

    def __init__(self, caller: SessionTimerSettings, callee: SessionTimerSettings, seed: int) -> None:
        random = Random(seed)
        self.caller = SessionTimer(caller, side=Side.CALLER, random=random)
        self.callee = SessionTimer(callee, side=Side.CALLEE, random=random)
        self.now = 0
        self.settled_at: dict[SessionTimer, int] = {}  # when each sent or received its last 2xx
        self.refreshes = 0  # asked for since then
        self.ended: Bye | None = None
        self._results: dict[SessionTimer, int] = {}  # when the transaction of a lost refresh times out
        self._carried: dict[tuple[SessionTimer, bool], int] = {}
        assert self._send(self.caller, "INVITE", ANSWERED, initial=True) == 200

    @property
    def refresher(self) -> SessionTimer:
        return self.caller if self.caller.state().we_refresh else self.callee

    def modify(self, sender: SessionTimer, method: str, fate: Fate, *, part: float) -> None:
        """Send a re-INVITE or UPDATE for another purpose, somewhere before the next deadline."""
        self.now += int((self._next()[0] - self.now) * part)
        self._send(sender, method, fate if isinstance(fate, tuple) else ANSWERED)

    def step(self, fate: Fate) -> None:
        """Go to the next deadline, or to the end of a transaction."""
        at, logic = self._next()
        assert at >= self.now, "time never goes back"
        self.now = at
        if self._results.get(logic) == at:
            del self._results[logic]
            self._end(logic, logic.refresh_result(None, now=at))
            return
        assert logic.handle_deadline(now=at - 1) is None
        patience_us = self._patience_us(logic)
        duty = logic.handle_deadline(now=at)
        if isinstance(duty, Refresh):
            self._refresh(logic, duty.method, fate)
        else:
            assert duty == Bye("session-expired")
            assert at - self.settled_at[logic] == patience_us  # I4
            self._end(logic, duty)

    def _patience_us(self, logic: SessionTimer) -> int:
        """How long this side waits for a 2xx (RFC 4028 section 10)."""
        interval_us = (logic.state().interval_s or 0) * S
        return interval_us if logic is self.refresher else interval_us - min(32 * S, (interval_us + 2) // 3)

    def _next(self) -> tuple[int, SessionTimer]:
        waiting = [(at, logic) for logic, at in self._results.items()]
        for logic in (self.caller, self.callee):
            at = logic.next_deadline()
            if at is not None:
                waiting.append((at, logic))
        return min(waiting, key=lambda pair: pair[0])

    def _refresh(self, logic: SessionTimer, method: str, fate: Fate) -> None:
        interval_us = (logic.state().interval_s or 0) * S
        assert logic is self.refresher  # I1
        assert 0 < self.now - self.settled_at[logic] < interval_us  # I5
        if self.refreshes == 0:
            assert self.now - self.settled_at[logic] == interval_us // 2  # I5
        self.refreshes += 1
        assert self.refreshes <= FAILURES_MAX + 1, "one for an UPDATE that was refused"  # I9
        status = self._send(logic, method, fate)
        if status is not None:
            self._end(logic, logic.refresh_result(status, now=self.now))

    def _end(self, logic: SessionTimer, duty: Bye | Refresh | None) -> None:
        if duty is None:
            return
        assert isinstance(duty, Bye)
        self.ended = duty
        self.caller.close(now=self.now)
        self.callee.close(now=self.now)
        assert (self.caller.next_deadline(), self.callee.next_deadline()) == (None, None)  # I8

    def _send(self, sender: SessionTimer, method: str, fate: Fate, *, initial: bool = False) -> int | None:
        """Return the final status; None where there is none, or none yet."""
        if fate == HELD_BACK:
            return None
        for _ in range(TOO_SMALL_MAX + 1):  # I9
            headers = (*sender.make_request(method, initial=initial, now=self.now), ALLOW)
            asked = request(*headers, method=method)
            self._check_carried(sender, asked, initial)
            answer = self._answer(sender, asked, fate, initial)
            if answer is None or fate == ANSWER_LOST:
                self._results[sender] = self.now + TIMEOUT_US
                return None
            before = (sender.state(), sender.next_deadline())
            refresher = None if initial else self.refresher
            verdict = sender.receive_response(answer, now=self.now)
            if answer.status == 200:
                self._check_settled(sender, asked, answer)
                assert refresher in (None, self.refresher)  # I1, RFC4028-7.4-9: the job stays where it is
            else:
                assert (sender.state(), sender.next_deadline()) == before  # I13
            if not isinstance(verdict, Retry):
                return answer.status
        raise AssertionError("422 without end")

    def _answer(self, sender: SessionTimer, asked: Request, fate: Fate, initial: bool) -> Response | None:
        if fate == LOST:
            return None
        if isinstance(fate, tuple) and fate[0] == 422:  # from a proxy: the peer has not seen the request
            return response(422, min_se(fate[1]), method=asked.method)
        peer = self.callee if sender is self.caller else self.caller
        before = peer.state(), peer.next_deadline()
        verdict = peer.receive_request(asked, initial=initial, now=self.now)
        assert (peer.state(), peer.next_deadline()) == before  # I13: nothing before the 2xx
        if isinstance(fate, tuple):
            answer = response(fate[0], ("Retry-After", str(fate[1])), method=asked.method)
        else:
            status = verdict.status if isinstance(verdict, Reject) else 200
            answer = response(status, *verdict.headers, ALLOW, method=asked.method)
        peer.sent_response(answer, now=self.now)
        if answer.status == 200:
            self.settled_at[peer] = self.now
        else:
            assert (peer.state(), peer.next_deadline()) == before  # I13
        return answer

    def _check_carried(self, sender: SessionTimer, asked: Request, initial: bool) -> None:
        least_s = int(value(asked.headers, "Min-SE") or 90)
        expires = asked.session_expires
        assert least_s >= self._carried.get((sender, initial), 90)  # I12; RFC4028-5-2
        assert expires is not None
        assert value(asked.headers, "Min-SE") is None or expires.interval_s >= least_s  # RFC4028-7.1-9
        self._carried[sender, initial] = least_s

    def _check_settled(self, sender: SessionTimer, asked: Request, answer: Response) -> None:
        caller, callee = self.caller.state(), self.callee.state()
        wanted, given = asked.session_expires, answer.session_expires
        assert wanted is not None
        assert given is not None
        assert given.interval_s == wanted.interval_s  # I10
        assert given.refresher is wanted.refresher or wanted.refresher is None  # I11
        assert given.refresher is not None  # I11
        assert "timer" in answer.tokens("Require")  # RFC4028-9-11, 9-12
        assert caller.interval_s == callee.interval_s == given.interval_s  # I2
        assert sender.state().we_refresh is (given.refresher is Refresher.UAC)
        assert caller.we_refresh is not callee.we_refresh  # I1
        self.settled_at[sender], self.refreshes = self.now, 0


parties = st.builds(
    settings,
    st.sampled_from([60, 90, 95, 128, 600, 1800]) | st.integers(30, 7200),
    st.sampled_from([30, 90, 91, 600, 3600]),
    st.sampled_from([None, "uac", "uas"]),
    st.booleans(),
)
refusals = st.tuples(
    st.sampled_from([302, 401, 403, 405, 408, 422, 481, 488, 491, 500, 501, 503, 603]),
    st.sampled_from([0, 1, 90, 120, 1000, 10**6]),
)
too_small = st.tuples(st.just(422), st.sampled_from([0, 89, 90, 120, 1000, 4000]))
fates = st.sampled_from([ANSWERED, ANSWERED, ANSWERED, LOST, ANSWER_LOST, HELD_BACK]) | refusals | too_small
turns = st.tuples(
    st.sampled_from(["deadline", "deadline", "caller", "callee"]),
    st.sampled_from(["INVITE", "UPDATE"]),
    fates,
    st.floats(0, 1, exclude_max=True),
)
randomly = hypothesis_settings(max_examples=100, deadline=None, derandomize=True)


def play(pair: Pair, turns: Sequence[tuple[str, str, Fate, float]]) -> None:
    for who, method, fate, part in turns:
        if pair.ended is not None:
            return
        if who == "deadline":
            pair.step(fate)
        else:
            pair.modify(pair.caller if who == "caller" else pair.callee, method, fate, part=part)


@randomly
@given(parties, parties, st.integers(0, 2**32), st.lists(turns, max_size=40))
def test_whatever_happens_a_silent_network_ends_the_call_in_time(
    caller: SessionTimerSettings, callee: SessionTimerSettings, seed: int, turns: list[tuple[str, str, Fate, float]]
) -> None:
    """I4, and all the others on the way: from any state, silence ends the call before the session expires."""
    pair = Pair(caller, callee, seed)
    play(pair, turns)
    if pair.ended is not None:
        return
    end_at = max(at + (logic.state().interval_s or 0) * S for logic, at in pair.settled_at.items())
    play(pair, [("deadline", "INVITE", LOST, 0.0)] * 6)

    assert pair.ended is not None
    assert pair.now <= end_at


@randomly
@given(
    parties,
    parties,
    st.integers(0, 2**32),
    st.lists(
        st.tuples(st.sampled_from(["deadline", "caller", "callee"]), turns.map(lambda turn: turn[3])), max_size=40
    ),
)
def test_while_refreshes_succeed_the_call_goes_on(
    caller: SessionTimerSettings, callee: SessionTimerSettings, seed: int, turns: list[tuple[str, float]]
) -> None:
    """I3: over many intervals, whoever sends re-INVITEs or UPDATEs in between."""
    pair = Pair(caller, callee, seed)
    play(pair, [(who, "INVITE", ANSWERED, part) for who, part in turns])
    play(pair, [("deadline", "INVITE", ANSWERED, 0.0)] * 25)

    assert pair.ended is None
    assert pair.settled_at == dict.fromkeys((pair.caller, pair.callee), pair.now)


@randomly
@given(parties, parties, st.integers(0, 2**32), refusals)
def test_a_peer_that_refuses_every_refresh_is_not_hammered(
    caller: SessionTimerSettings, callee: SessionTimerSettings, seed: int, refusal: tuple[int, int]
) -> None:
    """I9: the call ends in a bounded number of steps."""
    pair = Pair(caller, callee, seed)
    play(pair, [("deadline", "INVITE", refusal, 0.0)] * (FAILURES_MAX + 2))

    assert pair.ended is not None
