"""How fast anything is sent to other machines."""

import pytest

from simkit.drivers.datagrams import Endpoint
from simkit.drivers.pace import AT_ONCE, PER_SECOND, Pace


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def read(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds


def pace(clock: Clock) -> Pace:
    return Pace(clock=clock.read, sleep=clock.sleep)


def test_a_few_go_out_at_once_and_the_others_one_after_the_other() -> None:
    clock, sent = Clock(), []
    held = pace(clock)
    for _ in range(AT_ONCE + PER_SECOND):
        held.wait()
        sent.append(clock.now_s)
    assert sent[:AT_ONCE] == [0.0] * AT_ONCE
    assert sent[-1] == pytest.approx(1.0)


def test_who_has_waited_may_send_a_few_at_once_again() -> None:
    clock = Clock()
    held = pace(clock)
    for _ in range(AT_ONCE):
        held.wait()
    clock.sleep(60)
    for _ in range(AT_ONCE):
        held.wait()
    assert clock.now_s == 60


def test_only_what_leaves_the_machine_is_held_back() -> None:
    clock = Clock()
    endpoint = Endpoint("127.0.0.1", 0, pace(clock))
    try:
        for _ in range(3 * AT_ONCE):
            endpoint.send(b"hello", endpoint.address)
        assert clock.now_s == 0
    finally:
        endpoint.close()
