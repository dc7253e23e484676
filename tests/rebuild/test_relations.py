"""Times of a rebuilt call are told as what they follow from, and the flow still does what was recorded."""

import re
from pathlib import Path

import pytest

from simkit.flows.loader import load, load_path
from simkit.rebuild.deviations import Settled, settle
from simkit.rebuild.relations import with_relations
from simkit.runs.simulate import simulate
from simkit.trace import Trace
from simkit.units import MS

ROOT = Path(__file__).parent.parent.parent
TICK_US = 100 * MS


def recorded(name: str, case: str | None = None) -> Trace:
    """Return what happens in a flow that we ship, as if it had been recorded."""
    flows = load_path(str(ROOT / "flows" / f"{name}.yaml"))
    return simulate(next(flow for flow in flows if case is None or case in (flow.case or "")), calls=1).trace


def settled_of(trace: Trace) -> Settled:
    return settle(trace, name="call", source="a capture", tolerance_us=TICK_US)


def retold(trace: Trace) -> str:
    return with_relations(settled_of(trace).rebuilt, exact=True)


def times(text: str) -> list[str]:
    return [line.strip().removeprefix("at: ") for line in text.split("\n") if line.strip().startswith("at: ")]


FOUND = [
    pytest.param(
        ("refresh", "se=120"),
        ["up + 1m  # 200 INVITE + SE/2: the refresher's half of 120 s (RFC 4028 section 10)"],
        id="the first refresh",
    ),
    pytest.param(
        ("refresh", "se=120"),
        ["refreshed + 1m  # 200 INVITE + SE/2: the refresher's half of 120 s (RFC 4028 section 10)"],
        id="those after it",
    ),
    pytest.param(
        ("expiry", None),
        ["up + 29m28s  # 200 INVITE + SE - 32 s: no refresh came (RFC 4028 section 10)"],
        id="the end of a session, 32 s before",
    ),
    pytest.param(
        ("expiry-intervals", "se=90"),
        ["up + 1m  # 200 INVITE + SE - SE/3: no refresh came (RFC 4028 section 10)"],
        id="the end of a session, a third before",
    ),
    pytest.param(
        ("peer-dies", "se=90"),
        ["sent_invite + 32s  # INVITE + 64*T1: nobody answered it (RFC 3261 section 17.1)"],
        id="the end after a refresh that nobody answered",
    ),
]


@pytest.mark.parametrize(("flow", "found"), FOUND)
def test_the_rule_that_has_something_sent_is_named(flow: tuple[str, str | None], found: list[str]) -> None:
    assert set(found) <= set(times(retold(recorded(*flow))))


FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("*.yaml"))


@pytest.mark.parametrize("name", FLOWS)
def test_a_call_that_our_logic_made_passes_when_it_is_told_again(name: str) -> None:
    """Exactly, and within windows; and no time is counted from the start once something was said."""
    settled = settled_of(recorded(name))
    for exact in (True, False):
        text = with_relations(settled.rebuilt, exact=exact)
        assert not any(time.startswith("start") for time in times(text))
        (flow,) = load(text, "call")
        run = simulate(flow)
        assert run.passed, run.failures


def test_what_comes_again_and_again_is_written_once() -> None:
    text = retold(recorded("hour-long"))
    (turns,) = re.findall(r"  - repeat: ([0-9]+)\n", text)
    assert int(turns) > 10
    assert len(text.split("\n")) < 60


def test_a_time_that_follows_from_no_rule_is_told_within_what_was_recorded() -> None:
    trace = recorded("refresh", "se=120")
    late = next(each for each in trace.messages() if each.sent_at == 60_000_000)
    for each in trace.messages():
        if each.sent_at >= late.sent_at:
            each.sent_at -= 4_000_000
    assert "up + 44s..1m8s  # recorded 56.000 s after that" in times(retold(trace))
