"""The calls of the list go on side by side, and whatever becomes of one of them is told."""

import threading
from collections.abc import Iterator

import pytest

from simkit.checklist import running
from simkit.checklist.checks import CALLS
from simkit.checklist.judging import Outcome
from simkit.checklist.running import run_list
from simkit.checklist.terms import Terms
from simkit.errors import SetupError
from simkit.runs import systems
from simkit.sip.message import Request

from ..runs.stack import Stack
from ..sut.conftest import free_port as free_port


@pytest.fixture(autouse=True)
def calls_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for the calls that the test did not wait for: other tests count threads and sockets."""
    monkeypatch.setattr(systems, "SILENCE_REAL_US", 0)
    monkeypatch.setattr(running, "APART_S", 0)
    yield
    for thread in threading.enumerate():
        if thread.name in CALLS:
            thread.join(30)


def refuses(stack: Stack, request: Request) -> None:
    if request.method != "ACK":
        stack.answer(request, 486)


def test_a_stack_that_refuses_every_call_passes_nothing() -> None:
    told: list[tuple[int, int]] = []
    with Stack(refuses) as stack:
        done = run_list(lambda call: stack.address, Terms(), speed=20, progress=lambda *how: told.append(how))
    assert {result.outcome for result in done.results.values()} == {Outcome.BROKEN}
    assert {result.text for result in done.results.values()} == {"the call got 486", "rejected by 486"}
    assert not done.passed
    assert not done.interrupted
    assert told[-1] == (len(CALLS), len(CALLS))
    assert done.runs.keys() == done.audits.keys() == CALLS.keys()


def test_nobody_at_the_address_is_told(free_port: int) -> None:
    with pytest.raises(SetupError, match=f"nobody is at 127.0.0.1:{free_port}"):
        run_list(lambda call: ("127.0.0.1", free_port), Terms(), speed=20)


def test_what_ends_the_stack_ends_the_test() -> None:
    def look_after() -> None:
        raise SetupError("it has died")

    with Stack(lambda stack, request: None) as stack, pytest.raises(SetupError, match="it has died"):
        run_list(lambda call: stack.address, Terms(), speed=20, look_after=look_after)


def test_an_interruption_leaves_what_is_over() -> None:
    def refuses_one(stack: Stack, request: Request) -> None:
        if request.method != "ACK" and request.header("Session-Expires") == "120":
            stack.answer(request, 486)

    def progress(over: int, of: int) -> None:
        if over:
            raise KeyboardInterrupt

    with Stack(refuses_one) as stack:
        done = run_list(lambda call: stack.address, Terms(), speed=20, progress=progress)
    assert done.interrupted
    assert not done.passed
    texts = {check.title: result.text for check, result in done.results.items()}
    assert texts["negotiated"] == "the call got 486"  # on a slow machine others may be over too
