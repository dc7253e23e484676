"""Virtual time: exact instants, deadlines, trouble with parties, and runs that end."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.drivers.clock import PartyClock
from simkit.drivers.driver import RunEnd, ZeroTimeLoop
from simkit.drivers.network import TURNS_MAX, Network, Party
from simkit.drivers.virtual import VirtualDriver
from simkit.settings import LinkSettings
from simkit.ua.events import CallEvent, Fact
from simkit.ua.timers import Timer, TimerEvent
from simkit.units import DAY, HOUR, MS, S

from .fakes import ALICE, BOB, Machine, Recorder, request, response


class Play:
    """Alice pings, bob answers; a driver of their own."""

    def __init__(self, link: LinkSettings | None = None, *, seed: int = 1, clock: PartyClock | None = None) -> None:
        self.driver = VirtualDriver()
        self.recorder = Recorder(lambda: self.driver.now)
        self.network: Network = self.driver.network(self.recorder, Random(seed), default=link or LinkSettings())
        self.alice, self.bob = Machine(BOB), Machine(ALICE)
        self.bob.on_receive = lambda message, now: self.bob.say(response(200, request()))
        self.alice_party: Party = self.network.add_party("alice", ALICE, self.alice, clock=clock)
        self.bob_party: Party = self.network.add_party("bob", BOB, self.bob)

    def ping_at(self, *times: int) -> None:
        for at in times:
            self.driver.at(at, self._ping)

    def arm_alice(self, deadline: int | None) -> None:
        """Set alice's deadline, on her own clock, as a command to her would."""
        self.alice.deadline = deadline
        self.driver.poke(self.alice_party)

    def run(self, until: int = DAY) -> list[str]:
        self.driver.run(until=until)
        return self.recorder.lines

    def _ping(self) -> None:
        self.alice.say(request())
        self.driver.poke(self.alice_party)


# --- instants --------------------------------------------------------------------------------------------------------


def test_a_message_and_its_answer_take_the_latency_each_to_the_microsecond() -> None:
    play = Play(LinkSettings(latency_us=20_001))
    play.ping_at(3 * S)
    assert play.run() == [
        "3.000 alice -> bob: OPTIONS",
        "3.020001 bob <- alice: OPTIONS",
        "3.020001 bob -> alice: 200 OPTIONS",
        "3.040002 alice <- bob: 200 OPTIONS",
    ]


def test_time_is_an_integer_all_along() -> None:
    play = Play(LinkSettings(latency_us=1, jitter_us=5 * MS))
    play.ping_at(0, HOUR)
    play.run()
    assert all(type(now) is int for now, _ in play.alice.heard + play.bob.heard)
    assert type(play.driver.now) is int


def test_a_run_may_begin_at_any_time() -> None:
    driver = VirtualDriver(start_at=5 * S)
    seen: list[int] = []
    driver.at(5 * S, lambda: seen.append(driver.now))
    driver.at(7 * S, lambda: seen.append(driver.now))
    driver.run(until=10 * S)
    assert seen == [5 * S, 7 * S]


def test_what_happens_at_one_instant_happens_in_the_order_of_scheduling_and_what_is_late_comes_last() -> None:
    driver = VirtualDriver()
    seen: list[str] = []

    def late() -> None:
        seen.append("late")
        driver.at(driver.now, lambda: seen.append("caused by late"))

    driver.at(S, late, late=True)
    driver.at(S, lambda: seen.append("later"), late=True)
    driver.at(S, lambda: seen.append("first"))
    driver.at(S, lambda: driver.at(S, lambda: seen.append("caused by second")))
    driver.run(until=S)
    assert seen == ["first", "caused by second", "late", "caused by late", "later"]


def test_late_sees_what_arrives_over_an_ideal_link_at_the_same_instant() -> None:
    play = Play()
    heard: list[int] = []
    play.driver.at(S, lambda: heard.append(len(play.alice.heard)), late=True)
    play.ping_at(S)
    play.run()
    assert heard == [1]


def test_the_past_cannot_be_scheduled() -> None:
    driver = VirtualDriver(start_at=S)
    with pytest.raises(AssertionError, match="past"):
        driver.at(S - 1, lambda: None)


# --- the end of a run ------------------------------------------------------------------------------------------------

ENDS = [
    pytest.param(2 * S - 1, [1], RunEnd.LIMIT, id="just before"),
    pytest.param(2 * S, [1, 2], RunEnd.IDLE, id="at the limit: still done"),
    pytest.param(2 * S + 1, [1, 2], RunEnd.IDLE, id="after"),
]


@pytest.mark.parametrize(("until", "done", "end"), ENDS)
def test_a_run_goes_up_to_and_including_its_limit(until: int, done: list[int], end: RunEnd) -> None:
    driver = VirtualDriver()
    seen: list[int] = []
    driver.at(1 * S, lambda: seen.append(1))
    driver.at(2 * S, lambda: seen.append(2), late=True)
    assert driver.run(until=until) is end
    assert (seen, driver.now) == (done, until)


def test_a_run_goes_on_where_it_paused() -> None:
    driver = VirtualDriver()
    seen: list[int] = []
    for at in (1, 2, 3):
        driver.at(at * S, lambda: seen.append(driver.now))
    assert [driver.run(until=at * S) for at in (1, 1, 2, 9)] == [RunEnd.LIMIT] * 3 + [RunEnd.IDLE]
    assert seen == [1 * S, 2 * S, 3 * S]


def interrupt() -> None:
    raise KeyboardInterrupt


def test_an_interrupt_is_passed_on_and_what_was_seen_holds() -> None:
    play = Play(LinkSettings(latency_us=20 * MS))
    play.ping_at(1 * S, 2 * S)
    play.driver.at(2 * S, interrupt)
    with pytest.raises(KeyboardInterrupt):
        play.run()
    assert play.driver.now == 2 * S
    assert [transit.received_at for transit in play.recorder.transits] == [1_020_000, 1_040_000, None]
    assert play.run()[-1] == "2.040 alice <- bob: 200 OPTIONS"


# --- time that does not pass -----------------------------------------------------------------------------------------


def test_parties_that_answer_each_other_without_end_are_named_with_their_message() -> None:
    play = Play()
    play.alice.on_receive = lambda message, now: play.alice.say(request("INVITE"))
    play.ping_at(3 * S)
    with pytest.raises(ZeroTimeLoop) as raised:
        play.run()
    assert str(raised.value) == (
        "no time passes any more at 3.000 s: the parties have acted 10000 times at this instant and do not come to "
        "rest (last: alice received 'SIP/2.0 200 Some Reason' from bob)"
    )


def test_a_party_whose_deadline_never_passes_is_named() -> None:
    play = Play()

    def arm_again(now: int) -> None:
        play.alice.deadline = now

    play.alice.on_deadline = arm_again
    play.arm_alice(4 * S)
    with pytest.raises(ZeroTimeLoop, match=r"at 4\.000 s: .*\(last: alice acted on its deadline or a command\)"):
        play.run()


def test_many_calls_at_one_instant_are_no_loop() -> None:
    driver = VirtualDriver()
    for _ in range(3):
        network = driver.network(Recorder(lambda: driver.now), Random(1))
        party = network.add_party("alice", ALICE, Machine())
        for _ in range(TURNS_MAX):
            driver.poke(party)


def test_turns_are_counted_afresh_at_each_instant() -> None:
    play = Play()
    for at in (1 * S, 2 * S):
        play.run(at)
        for _ in range(TURNS_MAX):
            play.driver.poke(play.alice_party)
    with pytest.raises(ZeroTimeLoop):
        play.driver.poke(play.alice_party)


# --- deadlines -------------------------------------------------------------------------------------------------------


def test_a_party_is_woken_at_its_deadline() -> None:
    play = Play()
    play.arm_alice(1768 * S)
    play.run()
    assert play.alice.woken == [1768 * S]


def test_a_deadline_that_is_already_past_comes_at_once() -> None:
    play = Play()
    play.run(5 * S)
    play.arm_alice(3 * S)
    play.run()
    assert play.alice.woken == [5 * S]


MOVES = [
    pytest.param([10 * S], [10 * S], id="kept"),
    pytest.param([10 * S, 4 * S], [4 * S], id="moved forward: the later wake-up does nothing"),
    pytest.param([10 * S, 20 * S], [20 * S], id="moved back: the early wake-up looks again"),
    pytest.param([10 * S, 4 * S, 10 * S], [10 * S], id="forward and back"),
    pytest.param([10 * S, 20 * S, 4 * S, 15 * S], [15 * S], id="to and fro"),
    pytest.param([10 * S, None], [], id="disarmed"),
    pytest.param([10 * S, None, 10 * S], [10 * S], id="disarmed and armed again"),
]


@pytest.mark.parametrize(("deadlines", "woken"), MOVES)
def test_only_the_last_deadline_counts(deadlines: list[int | None], woken: list[int]) -> None:
    play = Play()
    for deadline in deadlines:
        play.arm_alice(deadline)
    play.run()
    assert play.alice.woken == woken


def test_deadlines_follow_each_other() -> None:
    play = Play()

    def arm_next(now: int) -> None:
        play.alice.deadline = now + 500 * MS if now < 2 * S else None

    play.alice.on_deadline = arm_next
    play.arm_alice(500 * MS)
    play.run()
    assert play.alice.woken == [500 * MS, 1000 * MS, 1500 * MS, 2000 * MS]


def test_a_party_lives_by_its_own_clock() -> None:
    """A refresh at half of 1800 s, by a clock that runs 100 ppm fast, is sent 90 ms early."""
    play = Play(clock=PartyClock(2 * S, 100))
    play.alice.on_deadline = lambda now: play.alice.say(request("INVITE"))
    play.arm_alice(902 * S)
    assert play.run()[0] == "899.910009 alice -> bob: INVITE"
    assert play.alice.woken == [902 * S]


# --- trouble with parties --------------------------------------------------------------------------------------------


def test_a_crashed_party_neither_hears_nor_speaks_and_its_deadline_is_gone() -> None:
    play = Play(LinkSettings(latency_us=1 * S))
    play.alice.deadline = 5 * S
    play.ping_at(0)
    play.driver.at(1500 * MS, lambda: play.driver.crash(play.alice_party))
    play.ping_at(3 * S)
    assert play.run() == [
        "0.000 alice -> bob: OPTIONS",
        "1.000 bob <- alice: OPTIONS",
        "1.000 bob -> alice: 200 OPTIONS",
        "2.000 lost 200 OPTIONS: alice has crashed",
    ]
    assert play.alice.woken == []
    assert play.recorder.transits[1].received_at is None


def test_a_restarted_party_is_a_fresh_agent_at_the_old_address_with_its_own_deadline() -> None:
    play, fresh = Play(LinkSettings(latency_us=1 * S)), Machine(ALICE)
    fresh.deadline = 9 * S
    play.bob.deadline = 4 * S
    play.driver.poke(play.bob_party)
    play.driver.at(1 * S, lambda: play.driver.crash(play.bob_party))
    play.driver.at(2 * S, lambda: play.driver.restart(play.bob_party, fresh))
    play.ping_at(500 * MS, 1500 * MS)
    play.run()
    assert [now for now, _ in fresh.heard] == [2500 * MS]
    assert (play.bob.heard, play.bob.woken, fresh.woken) == ([], [], [9 * S])


def test_a_frozen_party_hears_nothing_and_its_clock_stands_still() -> None:
    play = Play()
    play.alice.on_deadline = lambda now: play.alice.say(request("INVITE"))
    play.arm_alice(900 * S)
    play.bob.on_receive = lambda message, now: None
    play.driver.at(100 * S, lambda: play.driver.freeze(play.alice_party))
    play.bob.on_deadline = lambda now: play.bob.say(request("BYE"))
    play.bob.deadline = 200 * S
    play.driver.poke(play.bob_party)
    play.driver.at(400 * S, lambda: play.driver.thaw(play.alice_party))
    assert play.run() == [
        "200.000 bob -> alice: BYE",
        "200.000 lost BYE: alice is frozen",
        "1200.000 alice -> bob: INVITE",
        "1200.000 bob <- alice: INVITE",
    ]
    assert play.alice.woken == [900 * S]


def test_a_command_to_a_frozen_party_waits_until_it_thaws() -> None:
    play = Play()
    play.driver.freeze(play.alice_party)
    play.ping_at(1 * S)
    play.driver.at(60 * S, lambda: play.driver.thaw(play.alice_party))
    assert play.run()[0] == "60.000 alice -> bob: OPTIONS"


def test_a_party_frozen_at_the_instant_of_its_deadline_acts_at_the_thaw() -> None:
    play = Play()
    play.alice.on_deadline = lambda now: play.alice.say(request("INVITE"))
    play.driver.at(10 * S, lambda: play.driver.freeze(play.alice_party))
    play.driver.at(30 * S, lambda: play.driver.thaw(play.alice_party))
    play.arm_alice(10 * S)
    assert play.run()[0] == "30.000 alice -> bob: INVITE"


def test_trouble_that_is_there_or_not_there_already_changes_nothing() -> None:
    play = Play()
    play.driver.thaw(play.alice_party)
    play.driver.crash(play.alice_party)
    play.driver.freeze(play.alice_party)
    play.driver.thaw(play.alice_party)
    play.ping_at(1 * S)
    assert play.run() == []


def test_a_party_that_crashed_while_frozen_restarts_with_a_clock_that_runs() -> None:
    play, fresh = Play(), Machine()
    play.driver.freeze(play.alice_party)
    play.driver.crash(play.alice_party)
    fresh.deadline = 5 * S
    play.driver.at(20 * S, lambda: play.driver.restart(play.alice_party, fresh))
    woken_at: list[int] = []
    fresh.on_deadline = lambda now: woken_at.append(play.driver.now)
    play.run()
    assert (fresh.woken, woken_at) == ([5 * S], [25 * S])


def test_what_is_filtered_is_delivered_but_never_reaches_the_agent() -> None:
    play = Play()
    play.bob_party.filter = lambda message: message.method == "OPTIONS"
    play.ping_at(0)
    assert play.run() == ["0.000 alice -> bob: OPTIONS", "0.000 bob <- alice: OPTIONS"]
    assert play.bob.heard == []


# --- what is observed ------------------------------------------------------------------------------------------------


def test_timers_and_facts_are_told_in_run_time() -> None:
    play = Play(clock=PartyClock(2 * S))
    play.alice.timers = [
        TimerEvent(2 * S, Timer.B, "armed", 34 * S, "INVITE 1"),
        TimerEvent(2 * S, Timer.A, "cancelled", 2500 * MS, "INVITE 1"),
    ]
    play.alice.facts = [CallEvent(Fact.UP, "one@192.0.2.1"), CallEvent(Fact.ENDED, "one@192.0.2.1", "hung-up")]
    play.ping_at(0)
    play.run(0)
    assert play.recorder.lines[:5] == [
        "0.000 alice: timer B armed, due 32.000",
        "0.000 alice: timer A cancelled, due 0.500",
        "0.000 alice -> bob: OPTIONS",
        "0.000 alice: up",
        "0.000 alice: ended hung-up",
    ]
    assert [(record.rule, record.about) for record in play.recorder.records] == [("3261-17.1.1.2", "INVITE 1")] * 2


# --- laws ------------------------------------------------------------------------------------------------------------

ROUGH = LinkSettings(
    latency_us=30 * MS, jitter_us=20 * MS, loss_ppm=200_000, duplicate_ppm=200_000, reorder_ppm=200_000
)


def rough_play(seed: int) -> list[str]:
    play = Play(ROUGH, seed=seed)
    play.ping_at(*range(0, 20 * S, 250 * MS))
    return play.run()


def test_a_seed_repeats_a_run_to_the_letter_and_another_does_not() -> None:
    assert rough_play(7) == rough_play(7)
    assert rough_play(7) != rough_play(8)


def test_a_run_does_not_depend_on_how_python_hashes() -> None:
    code = "from tests.drivers.test_virtual import rough_play; print(rough_play(7))"
    root = Path(__file__).parents[2]
    written = [
        subprocess.check_output([sys.executable, "-c", code], cwd=root, env={"PYTHONHASHSEED": seed}, text=True)
        for seed in ("1", "2")
    ]
    assert written[0] == written[1] == f"{rough_play(7)}\n"


troubles = st.lists(
    st.tuples(st.integers(0, 20 * S), st.sampled_from(["crash", "restart", "freeze", "thaw"])), max_size=8
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), troubles, st.integers(-5 * S, 5 * S), st.integers(-1000, 1000))
def test_every_message_arrives_or_is_lost_and_no_clock_goes_back(
    seed: int, trouble: list[tuple[int, str]], skew_us: int, drift_ppm: int
) -> None:
    """The machines themselves assert that their time never goes back."""
    play = Play(ROUGH, seed=seed, clock=PartyClock(skew_us, drift_ppm))

    def strike(name: str) -> None:
        if name == "restart":
            play.driver.restart(play.alice_party, Machine(BOB))
        else:
            getattr(play.driver, name)(play.alice_party)

    for at, name in trouble:
        play.driver.at(at, lambda name=name: strike(name))  # type: ignore[misc]
    play.ping_at(*range(0, 20 * S, 500 * MS))
    play.run(HOUR)
    for transit in play.recorder.transits:
        assert (transit.received_at is None) != (transit.lost is None)
        assert transit.received_at is None or transit.received_at >= transit.sent_at + ROUGH.latency_us
