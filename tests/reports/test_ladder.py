"""The ladder of a run: what people see of a call."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.reports.cells import cells
from simkit.reports.ladder import ladder
from simkit.reports.style import Style
from simkit.runs.run import Run
from simkit.trace import What
from simkit.units import MS

from . import building
from .building import Story, request, response
from .golden import assert_golden

STORIES = [building.expiry, building.broken, building.hours, building.proxied, building.slow, building.timed]
STYLES = {
    "80": Style(80),
    "120": Style(120),
    "40": Style(40),
    "ascii": Style(60, unicode=False),
    "colour": Style(80, colour=True),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_ladder_looks_as_it_did(story: Callable[[], Run], style: str) -> None:
    text = ladder(story(), STYLES[style], timers=True)
    assert_golden(f"ladder-{story.__name__}-{style}.txt", text + "\n")


def test_timers_are_drawn_only_when_asked_for() -> None:
    run = building.timed()
    assert "refresh fired" in ladder(run, Style(), timers=True)
    assert "refresh" not in ladder(run, Style(unicode=True)).replace("refresher", "")


def test_a_full_ladder_leaves_nothing_out() -> None:
    text = ladder(building.hours(), Style(), full=True)
    assert text.count("ACK") == 60
    assert "more times" not in text


def test_four_turns_are_too_few_to_leave_any_out() -> None:
    story = building.set_up(Story("alice", "bob"))
    for turn in range(1, 5):
        building.refresh(story.at(900 * turn), 1 + turn)
    assert ladder(story.run("few"), Style()).count("ACK") == 5


def test_turns_that_are_not_evenly_spaced_are_said_to_be_about_so_far_apart() -> None:
    story = building.set_up(Story("alice", "bob"))
    for turn in range(1, 9):
        building.refresh(story.at(900 * turn + turn % 2 / 4), 1 + turn)
    assert "5 more times, about every 15m" in ladder(story.run("uneven"), Style(100))


def test_a_cycle_is_cut_at_its_longest_pause() -> None:
    """The first ACK looks like every other, yet it stays with the call that it belongs to."""
    lines = ladder(building.hours(), Style()).splitlines()
    left_out = next(index for index, line in enumerate(lines) if "more times" in line)
    assert "ACK" in lines[left_out - 1]
    assert "── INVITE" in lines[left_out + 1]


def test_the_message_that_broke_an_expectation_is_marked() -> None:
    (line,) = (line for line in ladder(building.broken(), Style(100)).splitlines() if "✗ line 21" in line)
    assert "BYE" in line


def test_a_failure_between_messages_has_a_row_at_its_time() -> None:
    run = building.broken()
    run.failures[0] = building.failure(at=50_500 * MS, frame=None)
    (line,) = (line for line in ladder(run, Style(100)).splitlines() if "✗ line 21" in line)
    assert line.split()[0] == "50.500"


def test_a_retransmission_that_broke_an_expectation_marks_the_row_that_it_is_told_in() -> None:
    run = building.expiry()
    run.failures.append(building.failure(frame=14))
    text = ladder(run, Style(100)).splitlines()
    (line,) = (line for line in text if "✗ line 21" in line)
    assert "BYE" in line


def test_a_change_of_the_network_has_a_row_but_no_lifeline() -> None:
    story = Story("alice", "bob").at(5).happen("net", What.NOTE, "net: {heal: [alice, bob]}")
    heading, line = ladder(story.run("healed"), Style()).splitlines()
    assert heading.split() == ["time", "alice", "bob"]
    assert line.endswith("net: {heal: [alice, bob]}")


def test_a_failure_of_another_call_marks_nothing() -> None:
    run = building.broken()
    run.failures[0] = building.failure(call=1)
    assert "line 21" not in ladder(run, Style())


def test_a_call_without_a_trace_has_no_ladder() -> None:
    assert ladder(building.expiry(), Style(), call=7) == ""


def test_a_retransmission_that_fares_better_has_its_own_arrow() -> None:
    story, invite = Story("alice", "bob"), request("INVITE")
    story.send("alice", "bob", invite, lost="lost by the network")
    story.at(0.5).send("alice", "bob", invite, lost="lost by the network", again=True)
    story.at(1.5).send("alice", "bob", invite, again=True)
    text = ladder(story.run("loss"), Style())
    assert text.count("INVITE") == 2
    assert "+ 1 retransmission\n" in text
    assert "1.500" in text


def test_a_loss_that_is_not_the_networks_says_why() -> None:
    story = Story("alice", "bob").send("alice", "bob", request("BYE"), lost="dropped by line 12")
    assert "dropped by line 12" in ladder(story.run("dropped"), Style())


def test_a_party_that_was_told_of_the_end_gets_no_remark() -> None:
    story = Story("alice", "bob").send("alice", "bob", request("BYE"))
    story.happen("bob", What.ENDED, "no-response")
    assert "no response" not in ladder(story.run("told"), Style())


def test_an_end_without_a_message_has_a_row() -> None:
    story = Story("alice", "bob").send("alice", "bob", request("INVITE"), lost="bob has crashed").at(32)
    story.happen("alice", What.GAVE_UP, "timer B: INVITE").happen("alice", What.ENDED, "no-answer")
    line = ladder(story.run("unanswered"), Style()).splitlines()[-1]
    assert line.endswith("timer B: alice gives up, no answer")


def test_a_stimulus_without_a_message_stands_at_its_lifeline() -> None:
    story = Story("alice", "bob").happen("alice", What.STIMULUS, "alice: hold")
    assert "● hold" in ladder(story.run("idle"), Style())


def test_a_session_timer_that_is_switched_off_is_remarked_once() -> None:
    story = building.set_up(Story("alice", "bob")).at(900).send("alice", "bob", request("UPDATE", cseq=2))
    story.session("bob", None).send("bob", "alice", response(200, "UPDATE", cseq=2)).session("alice", None)
    text = ladder(story.run("off"), Style(120))
    assert text.count("no session timer for alice") == 1
    assert text.count("no session timer for bob") == 1


def test_a_restarted_party_has_its_lifeline_back() -> None:
    story = Story("alice", "bob").happen("bob", What.CRASHED).at(1).send("alice", "bob", request("BYE"), lost="bob")
    story.at(2).happen("bob", What.RESTARTED).at(3).send("alice", "bob", request("BYE", cseq=2))
    lines = ladder(story.run("again"), Style()).splitlines()
    assert lines[1].endswith("crash ✗")
    assert lines[2].endswith("▶ ✗")
    assert lines[3].endswith("restart │")
    assert lines[4].endswith("▶│")


def test_min_se_is_told_only_above_the_floor() -> None:
    """RFC 4028 section 5: without Min-SE it is 90 s."""
    story = Story("alice", "bob").send("alice", "bob", request("INVITE", ("Min-SE", "90")))
    story.send("alice", "bob", request("INVITE", ("Min-SE", "91"), cseq=2))
    text = ladder(story.run("floor"), Style())
    assert "Min-SE 91" in text
    assert "Min-SE 90" not in text


def test_a_party_unknown_to_the_flow_has_a_lifeline() -> None:
    story = Story("alice", "bob").send("mallory", "mallory", request("BYE"))
    text = ladder(story.run("stranger"), Style())
    assert "mallory" in text.splitlines()[0]
    assert "BYE to itself" in text


def test_the_column_of_arrivals_has_room_for_those_that_come_at_once() -> None:
    """The points of 900.000 and 0.050001 are one above the other."""
    story = Story("alice", "bob").send("alice", "bob", request("INVITE"), takes=50_001)
    story.at(900).send("alice", "bob", request("BYE", cseq=2))
    lines = ladder(story.run("late"), Style()).splitlines()
    assert lines[1].startswith("    0.000    0.050001   │")
    assert lines[2].startswith("  900.000  900.000      │")


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_control_characters_of_a_message_never_reach_the_terminal(unicode: bool) -> None:
    hostile = request("INVITE", ("Session-Expires", "1\x1b[2J\n\u202e;\x00"))
    story = Story("alice", "b\x07b").send("alice", "b\x07b", hostile).happen("alice", What.NOTE, "\r\x9b")
    for width in (40, 120):
        text = ladder(story.run("hostile"), Style(width, unicode=unicode))
        assert all(line.isprintable() for line in text.split("\n"))
        assert r"\x07" in text


PARTIES = ["alice", "bob", "a-party-with-a-very-long-name-indeed", "日本語", "d"]
TEXTS = st.text(max_size=30)


@st.composite
def stories(draw: st.DrawFn) -> Run:
    """Anything that could happen, in any order."""
    parties = draw(st.lists(st.sampled_from(PARTIES), min_size=1, max_size=5, unique=True))
    party, story = st.sampled_from(parties), Story(*parties)
    for _ in range(draw(st.integers(1, 12))):
        story.at((story.now + draw(st.sampled_from([0, 0, 1, 50_000, 900_000_000]))) / 1_000_000)
        if draw(st.booleans()):
            message = request("INVITE", ("Session-Expires", draw(TEXTS)), cseq=draw(st.integers(1, 3)))
            lost = draw(st.sampled_from([None, None, "lost by the network", "bob has crashed"]))
            takes = draw(st.sampled_from([0, 50_001]))
            story.send(draw(party), draw(party), message, takes=takes, lost=lost, again=draw(st.booleans()))
        else:
            story.happen(draw(party), draw(st.sampled_from(What)), draw(TEXTS), mark=draw(st.none() | TEXTS))
    return story.run("any", failures=[building.failure(at=story.now, frame=draw(st.none() | st.integers(1, 12)))])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(run=stories(), width=st.integers(40, 200), unicode=st.booleans(), full=st.booleans())
def test_no_line_is_wider_than_the_terminal(run: Run, width: int, unicode: bool, full: bool) -> None:
    text = ladder(run, Style(width, unicode=unicode), timers=True, full=full)
    assert text
    assert max(map(cells, text.split("\n"))) <= width
    assert all(line.isprintable() for line in text.split("\n"))
    assert unicode or text.isascii()
