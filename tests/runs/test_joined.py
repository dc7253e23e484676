"""A crowd that was played in parts is the same run as one that was played at once."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simkit.flows.loader import load
from simkit.runs.joined import join
from simkit.runs.simulate import simulate

FLOW = """
simkit: 1
name: lossy
about: Some of these calls fail, for their INVITE is lost at first.
timers: {t1: 100ms}
network: {loss: 40%}
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    at: start
  - alice -> bob: ACK
  - alice: hang up
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
expect:
  reason: hung-up
"""


@pytest.mark.parametrize("cuts", [(30,), (1, 2, 59), (20, 40)], ids=["in two", "uneven", "in three"])
@pytest.mark.parametrize("count", [60, 140], ids=["all recorded", "first recorded"])
def test_parts_together_say_what_the_whole_says(cuts: tuple[int, ...], count: int) -> None:
    (flow,) = load(FLOW, "lossy.yaml")
    whole = simulate(flow, calls=count)
    ends = (0, *cuts, count)
    parts = [simulate(flow, calls=count, numbers=range(start, stop)) for start, stop in pairwise(ends)]
    joined = join(parts)
    assert whole.failures
    assert whole.failures_omitted
    assert replace(joined, wall_us=0) == replace(whole, wall_us=0)
