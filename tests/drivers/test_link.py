"""Links: what chance decides, what a flow orders, and what stays in order."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.drivers.link import REORDER_HOLD_US, Fate, Link
from simkit.settings import LinkSettings
from simkit.sip.message import Message
from simkit.units import MS, S

from .fakes import request

ALWAYS = 1_000_000
INVITE, BYE = request("INVITE"), request("BYE")


class Dice:
    """A source whose numbers are known beforehand; more than those must not be drawn."""

    def __init__(self, *numbers: float) -> None:
        self._numbers: Iterator[float] = iter(numbers)

    def random(self) -> float:
        return next(self._numbers)


def is_invite(message: Message) -> bool:
    return message.method == "INVITE"


def fates(link: Link, *messages: Message) -> list[bool]:
    """Send one message a second; tell which arrive."""
    return [link.send(message, now=at * S).lost is None for at, message in enumerate(messages)]


def test_an_ideal_link_delivers_after_its_latency_and_draws_nothing() -> None:
    link = Link(LinkSettings(latency_us=20 * MS), Dice())
    assert link.send(INVITE, now=5 * S) == Fate((5 * S + 20 * MS,))


JITTER = [
    pytest.param(0.0, 0, id="least"),
    pytest.param(0.5, 5 * MS, id="half"),
    pytest.param(0.9999999999, 10 * MS, id="most"),
]


@pytest.mark.parametrize(("number", "late_us"), JITTER)
def test_jitter_adds_up_to_its_full_width(number: float, late_us: int) -> None:
    link = Link(LinkSettings(latency_us=20 * MS, jitter_us=10 * MS), Dice(number))
    assert link.send(INVITE, now=0) == Fate((20 * MS + late_us,))


SHARES = [
    pytest.param(0.0, 1, True, id="the smallest share strikes the smallest number"),
    pytest.param(0.000001, 1, False, id="... and no other"),
    pytest.param(0.0499999, 50_000, True, id="just below the share"),
    pytest.param(0.05, 50_000, False, id="at the share"),
    pytest.param(0.9999999999, ALWAYS, True, id="all"),
]


@pytest.mark.parametrize(("number", "share_ppm", "is_lost"), SHARES)
def test_a_message_is_lost_when_the_number_falls_below_the_share(number: float, share_ppm: int, is_lost: bool) -> None:
    fate = Link(LinkSettings(loss_ppm=share_ppm), Dice(number)).send(INVITE, now=0)
    assert fate == (Fate((), "lost by the network") if is_lost else Fate((0,)))


def test_a_doubled_message_arrives_twice_each_copy_with_its_own_jitter() -> None:
    link = Link(LinkSettings(jitter_us=10 * MS, duplicate_ppm=ALWAYS), Dice(0.0, 0.2, 0.7))
    assert link.send(INVITE, now=0) == Fate((2 * MS, 7 * MS))


def test_a_lost_message_is_not_doubled() -> None:
    assert Link(LinkSettings(loss_ppm=ALWAYS, duplicate_ppm=ALWAYS), Dice(0.0)).send(INVITE, now=0).arrives_at == ()


def test_jitter_never_reorders() -> None:
    link = Link(LinkSettings(jitter_us=10 * MS), Dice(0.9999999999, 0.0))
    assert link.send(INVITE, now=0) == link.send(BYE, now=1 * MS) == Fate((10 * MS,))


def test_a_reordered_message_is_held_back_and_overtaken() -> None:
    link = Link(LinkSettings(reorder_ppm=500_000), Dice(0.1, 0.9))
    assert link.send(INVITE, now=0) == Fate((REORDER_HOLD_US,))
    assert link.send(BYE, now=1 * MS) == Fate((1 * MS,))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.builds(
        LinkSettings,
        latency_us=st.integers(0, S),
        jitter_us=st.integers(0, S),
        loss_ppm=st.integers(0, ALWAYS),
        duplicate_ppm=st.integers(0, ALWAYS),
    ),
    st.integers(0, 2**32),
    st.lists(st.integers(0, S), max_size=30),
)
def test_without_reorder_messages_arrive_in_order_within_latency_and_jitter(
    link_settings: LinkSettings, seed: int, gaps: list[int]
) -> None:
    link, now, last_at = Link(link_settings, Random(seed)), 0, 0
    for gap in gaps:
        now += gap
        for at in link.send(INVITE, now=now).arrives_at:
            assert last_at <= at
            assert link_settings.latency_us <= at - now <= link_settings.latency_us + link_settings.jitter_us
            last_at = at


def test_shares_hold_over_many_messages_and_a_seed_repeats_them() -> None:
    def lost_of_ten_thousand(seed: int) -> list[bool]:
        link = Link(LinkSettings(loss_ppm=50_000), Random(seed))
        return [link.send(INVITE, now=at).lost is not None for at in range(10_000)]

    first = lost_of_ten_thousand(1)
    assert 400 < sum(first) < 600
    assert first == lost_of_ten_thousand(1)
    assert first != lost_of_ten_thousand(2)


def test_the_nth_message_of_a_kind_is_dropped_and_no_other() -> None:
    link = Link(LinkSettings(), Dice())
    link.drop(is_invite, nth=2)
    assert fates(link, INVITE, BYE, INVITE, INVITE) == [True, True, False, True]


def test_two_orders_count_apart() -> None:
    link = Link(LinkSettings(), Dice())
    link.drop(is_invite)
    link.drop(is_invite, nth=3)
    assert fates(link, INVITE, INVITE, INVITE, INVITE) == [False, True, False, True]


def test_a_delayed_message_is_overtaken() -> None:
    link = Link(LinkSettings(latency_us=20 * MS), Dice())
    link.delay(is_invite, by_us=3 * S)
    assert link.send(INVITE, now=0) == Fate((3 * S + 20 * MS,))
    assert link.send(BYE, now=1 * S) == Fate((1 * S + 20 * MS,))


def test_a_message_delayed_behind_jitter_holds_nobody_up() -> None:
    link = Link(LinkSettings(jitter_us=10 * MS), Dice(0.5, 0.0))
    link.delay(is_invite, by_us=3 * S)
    assert link.send(INVITE, now=0) == Fate((3 * S + 5 * MS,))
    assert link.send(BYE, now=0) == Fate((0,))


def test_a_message_is_doubled_by_order() -> None:
    link = Link(LinkSettings(latency_us=1), Dice())
    link.duplicate(is_invite)
    assert link.send(INVITE, now=0) == Fate((1, 1))
    assert link.send(INVITE, now=0) == Fate((1,))


def test_drop_wins_over_delay_and_duplicate() -> None:
    link = Link(LinkSettings(), Dice())
    link.delay(is_invite, by_us=S)
    link.drop(is_invite)
    link.duplicate(is_invite)
    assert link.send(INVITE, now=0) == Fate((), "dropped by order of the flow")
    assert link.send(INVITE, now=0) == Fate((0,))


def test_what_is_sent_while_cut_off_is_lost_but_counts() -> None:
    link = Link(LinkSettings(), Dice())
    link.drop(is_invite, nth=2)
    link.cut = True
    assert link.send(INVITE, now=0) == Fate((), "the parties are cut off from each other")
    link.cut = False
    assert link.send(INVITE, now=0) == Fate((), "dropped by order of the flow")
