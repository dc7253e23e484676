"""Whatever a child does, it is told in words, with its log, the line of the flow and the time; and it is ended."""

import re

import pytest

from simkit.errors import ForeignError
from simkit.runs.run import Run
from simkit.runs.verdict import Verdict

from .playing import command, played, refreshed

FAULTS = [
    pytest.param("dies", "ended with exit status 3", id="it dies"),
    pytest.param("segfault", "was killed by SIGSEGV", id="it is killed by a signal"),
    pytest.param("forks", "ended with exit status 0", id="it dies, and a fork of it keeps the pipes"),
    pytest.param("words", "wrote 'Refreshing now ...' instead of a reply", id="it prints words"),
    pytest.param("list", "wrote '[1]' instead of a reply", id="it prints JSON that is no object"),
    pytest.param("deep", "wrote '[[[", id="it prints JSON too deep to read"),
    pytest.param("empty", "wrote '' instead of a reply", id="it prints an empty line"),
    pytest.param("escape", "wrote '[31mred' instead of a reply", id="it prints what would paint the terminal"),
    pytest.param("two-lines", "wrote more than one line for one request: '{", id="it answers twice"),
    pytest.param("wrong-id", "answered request 1 when it was asked request 4", id="it answers another request"),
    pytest.param("no-actions", 'replied without a list of actions: "actions" is null', id="no actions"),
    pytest.param("actions-text", """"actions" is 'refresh\'""", id="actions that are no list"),
    pytest.param("error", "reported an error: 'the timer wheel is broken'", id="it reports an error"),
    pytest.param("back", 'went back in time: "now" is -1, and it was 0 already', id="it goes back in time"),
    pytest.param("next-past", 'went back in time: "next" is 44000000', id="it wants to be called in the past"),
    pytest.param("ahead", "ran ahead: it was to stop at 45000000, and went on to 46000000", id="it runs ahead"),
    pytest.param("no-now", "acted, and did not say when", id="it acts at no time"),
    pytest.param("now-text", """gave '45s' as "now", which is no whole number""", id="a time with a unit"),
    pytest.param("no-next", 'left out "next", although it said that it knows it', id="it does not say when next"),
    pytest.param("idle", "was called 1000 times at one instant", id="it wants to be called for ever"),
    pytest.param("unknown-action", "gave {'refersh': 'INVITE'} as its actions", id="an unknown action"),
    pytest.param("unknown-method", "wants to refresh by OPTIONS", id="a method that refreshes nothing"),
    pytest.param("methods", "wants to refresh by ['INVITE']", id="a method that is a list"),
    pytest.param("unknown-reason", "hangs up for the reason 'bored'", id="an unknown reason"),
    pytest.param("unknown-dialog", "acted in dialog 7", id="a dialog that is not open"),
    pytest.param(
        "bad-header", r"gave ['Session-Expires', '90\r\nInjected: yes'] as a header", id="a header of two lines"
    ),
]
SLOW_FAULTS = [
    pytest.param("hangs", "did not answer within 0.2 s of real time", id="it hangs"),
    pytest.param("stubborn", "did not answer within 0.2 s of real time", id="it hangs, and ignores SIGTERM"),
    pytest.param("floods", "wrote 1,048,576 bytes without an end of line", id="it floods its output"),
    pytest.param("floods-log", "did not answer within 0.2 s of real time", id="it floods its log"),
    pytest.param("forks-stubborn", "ended with exit status 0", id="it leaves a fork that ignores SIGTERM"),
    pytest.param("closes", "closed its standard output", id="it closes its standard output"),
]


HELLOS = [
    pytest.param("hello-none", "ended with exit status 1", id="it dies at once"),
    pytest.param("hello-silent", "did not answer within 0.2 s", id="it says nothing"),
    pytest.param("hello-words", "wrote 'timer 1.0 ready' instead of saying what it is", id="it prints words"),
    pytest.param("hello-version", "speaks version 2 of the protocol; this simkit speaks 1", id="another version"),
    pytest.param("hello-kind", 'is of kind \'proxy\', which is neither "timer-logic" or "endpoint"', id="another kind"),
    pytest.param("hello-knows", 'did not say "knows_next": true or false', id="it does not say what it knows"),
]


def failed(run: Run) -> ForeignError:
    assert run.verdict is Verdict.ERROR
    assert run.broken is not None
    return run.broken


@pytest.mark.parametrize(("mode", "what"), [*FAULTS, *SLOW_FAULTS])
def test_what_a_child_does_wrong_is_told_with_the_line_and_the_time(mode: str, what: str) -> None:
    is_slow = mode in {fault.values[0] for fault in SLOW_FAULTS}
    run = played(refreshed(), 0.2 if is_slow else 5.0, alice=command("timer.py", mode))
    first, line, caret, *log = str(failed(run)).splitlines()
    place = r"refreshed\.yaml:13:5: at (0|45)\.000 s, alice's logic \('.*timer\.py " + mode
    assert re.match(place, first)
    assert what in first
    assert "- alice -> bob: INVITE" in line
    assert caret.endswith("^ the flow had come to this line")
    assert log, "the log, if only to say that it is empty"


@pytest.mark.parametrize(("mode", "what"), HELLOS)
def test_a_child_that_does_not_say_what_it_is_is_told_at_the_line_that_names_it(mode: str, what: str) -> None:
    timeout_s = 0.2 if mode == "hello-silent" else 5.0
    with pytest.raises(ForeignError) as raised:
        played(refreshed(), timeout_s, alice=command("timer.py", mode))
    first, line, *_ = str(raised.value).splitlines()
    assert first.startswith("refreshed.yaml:5:3: alice's logic ('")
    assert what in first
    assert "alice: {role: uac" in line


def test_a_program_that_is_not_there_is_told_in_the_words_of_the_system() -> None:
    with pytest.raises(ForeignError, match=r"alice's logic \('\./no-such-timer'\) cannot be started: No such file"):
        played(refreshed(), alice="./no-such-timer")


def test_the_last_words_of_a_child_are_shown() -> None:
    error = failed(played(refreshed(), alice=command("timer.py", "dies")))
    assert error.log == ("the last 10 lines of its log:", *[f"line {number}" for number in range(11, 21)])


def test_what_happened_until_then_is_kept() -> None:
    run = played(refreshed(), alice=command("timer.py", "dies"))
    assert run.messages == 3, "INVITE, 200, ACK"
    assert len(run.failures) == 1
    assert run.failures[0].details[0] == "    the last 10 lines of its log:"
    assert [expectation.verdict for expectation in run.expectations[:3]] == [Verdict.PASS] * 3


def test_a_child_that_does_nothing_wrong_is_told_nothing() -> None:
    """Else the rest of this file would show little."""
    assert played(refreshed(), alice=command("timer.py", "well")).passed
