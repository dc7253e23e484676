"""Two user agents under random loss, delay and commands: what must hold whatever happens.

The numbers are those of the invariants that the session timer is built to keep: one refresher, one interval, liveness,
safety, order of CSeq, one INVITE at a time, nothing after the end, no storm.
"""

from collections import Counter, defaultdict
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import LocalError
from simkit.settings import SessionTimerSettings
from simkit.sip.message import Message, Request, Response
from simkit.ua.events import Fact
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import MS, S

from .pair import Pair

INTERVALS = st.sampled_from([90, 96, 120, 128, 300, 1800])
TIMERS = st.builds(
    SessionTimerSettings,
    enabled=st.sampled_from([True, True, True, False]),
    default_expires_s=INTERVALS,
    min_se_s=st.sampled_from([90, 90, 100, 600]),
    prefer_refresher=st.sampled_from([None, "uac", "uas"]),
    use_update=st.booleans(),
)
COMMANDS = st.lists(
    st.tuples(st.integers(1, 4000), st.sampled_from(["alice", "bob"]), st.sampled_from(["hold", "resume", "refresh"])),
    max_size=6,
)


def agent_settings(timer: SessionTimerSettings) -> UserAgentSettings:
    return UserAgentSettings(session_timer=timer, supported=("timer",) if timer.enabled else ())


def command(pair: Pair, name: str, verb: str) -> None:
    if name in pair.dead:
        return
    with suppress(LocalError):  # the call is over or not up yet: a person would see the same
        getattr(pair.agents[name], verb)(now=pair.now)


def build(
    alice: SessionTimerSettings,
    bob: SessionTimerSettings,
    losses: frozenset[int],
    latency_ms: int,
    commands: list[tuple[int, str, str]],
    seed: int,
) -> Pair:
    def loses(number: int, sender: str, message: Message) -> bool:
        return number in losses

    pair = Pair(agent_settings(alice), agent_settings(bob), loses=loses, latency_us=latency_ms * MS, seed=seed)
    for at_s, name, verb in commands:
        pair.at(at_s * S, lambda name=name, verb=verb: command(pair, name, verb))  # type: ignore[misc]
    return pair.call()


RUNS = st.builds(
    build,
    TIMERS,
    TIMERS,
    st.frozensets(st.integers(0, 60), max_size=12),
    st.sampled_from([0, 1, 40, 300]),
    COMMANDS,
    st.integers(0, 5),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(RUNS)
def test_whatever_is_lost_the_rules_of_the_dialog_hold(pair: Pair) -> None:
    """CSeq rises by one, one INVITE at a time, no storm, nothing after the end."""
    pair.run(5000)
    for name in pair.agents:
        cseq_rises_by_one(pair, name)
        no_request_after_the_bye(pair, name)
    no_storm(pair)
    session_bodies_keep_their_version(pair)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(RUNS, st.integers(1, 3000), st.sampled_from(["alice", "bob"]))
def test_when_one_side_falls_silent_the_other_ends_the_call_in_time(pair: Pair, dies_s: int, dies: str) -> None:
    """A timer in force at the survivor ends the call by the last 2xx plus the interval, and then nothing is left."""
    pair.at(dies_s * S, lambda: pair.dead.add(dies))
    pair.run(12_000)
    survivor = "bob" if dies == "alice" else "alice"
    session = [(at, event) for at, name, event in pair.facts if name == survivor and event.fact is Fact.SESSION]
    if not session or session[-1][1].interval_s is None:
        return
    interval_us = session[-1][1].interval_s * S
    last_2xx_at = max(sent.at for sent in pair.wire if is_session_2xx(sent.message) and sent.at <= dies_s * S + S)
    assert survivor in pair.ends()
    assert pair.ends()[survivor][0] * S <= last_2xx_at + pair.latency_us + interval_us + 32 * S
    assert pair.idle()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(TIMERS, TIMERS, st.sampled_from([0, 20]), COMMANDS, st.integers(0, 5))
def test_without_loss_a_call_lives_and_both_sides_agree(
    alice: SessionTimerSettings,
    bob: SessionTimerSettings,
    latency_ms: int,
    commands: list[tuple[int, str, str]],
    seed: int,
) -> None:
    """Liveness over many intervals; both name the same interval, and just one refresher."""
    pair = build(alice, bob, frozenset(), latency_ms, commands, seed).run(6_000)
    assert pair.ends() == {}
    last = {name: event for _, name, event in pair.facts if event.fact is Fact.SESSION}
    terms = {name: (event.interval_s, event.we_refresh) for name, event in last.items()}
    if alice.enabled and bob.enabled:
        assert terms["alice"][0] == terms["bob"][0] is not None
        assert terms["alice"][1] != terms["bob"][1]


def is_session_2xx(message: Message) -> bool:
    return isinstance(message, Response) and message.status // 100 == 2 and message.method in ("INVITE", "UPDATE")


def cseq_rises_by_one(pair: Pair, name: str) -> None:
    """RFC 3261 section 12.2.1.1."""
    seen: dict[str, list[int]] = defaultdict(list)
    for sent in pair.wire:
        message = sent.message
        if isinstance(message, Request) and sent.sender == name and message.method not in ("ACK", "CANCEL"):
            numbers = seen[message.call_id]
            if message.cseq.number not in numbers:  # a retransmission of an earlier request may come between
                numbers.append(message.cseq.number)
    for numbers in seen.values():
        assert numbers == list(range(1, len(numbers) + 1))


def no_request_after_the_bye(pair: Pair, name: str) -> None:
    """RFC 3261 section 15: but for the ACK that a final response to an earlier INVITE is owed."""
    lines = [sent.line for sent in pair.wire if sent.sender == name]
    if "BYE" in lines:
        after = lines[lines.index("BYE") :]
        assert {line for line in after if " " not in line} <= {"BYE", "ACK"}


def no_storm(pair: Pair) -> None:
    """RFC 4028 section 10: never more than three new requests of a side in one second, nor endless tries."""
    per_second = Counter(
        (sent.sender, sent.at // S)
        for sent in {(s.sender, s.message.branch): s for s in pair.wire if isinstance(s.message, Request)}.values()
        if sent.message.method in ("INVITE", "UPDATE")
    )
    assert max(per_second.values(), default=0) <= 4


def session_bodies_keep_their_version(pair: Pair) -> None:
    """RFC 3264 section 8: the same origin line means the same description."""
    described: dict[bytes, bytes] = {}
    for sent in pair.wire:
        body = sent.message.body
        if body:
            origin = body.split(b"\r\n")[1]
            assert described.setdefault(origin, body) == body
