"""`expect`: what must hold when a call is over."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Source
from ..flows.model import Expect, Flow, Outcome
from ..units import format_time
from .ledger import Ledger
from .times import Marks
from .verdict import Failure


@dataclass(frozen=True, slots=True)
class Term:
    """One key of `expect` as an expectation of its own."""

    key: str
    text: str
    """As a flow would say it: "ended_by: bob"."""
    source: Source


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a term came out for one call; no failure: it holds."""

    failure: Failure | None = None
    expected_us: int | None = None
    actual_us: int | None = None


def terms(flow: Flow) -> list[Term]:
    """Return the terms of a flow's `expect`, in the order of the language."""
    return [Term(key, text, flow.expect.sources.get(key, flow.source)) for key, text in _texts(flow.expect)]


def _texts(expect: Expect) -> Iterator[tuple[str, str]]:
    if expect.ended_by is not None:
        yield "ended_by", f"ended_by: {expect.ended_by}"
    if expect.reason is not None:
        yield "reason", f"reason: {expect.reason}"
    if expect.outcome:
        inner = ", ".join(f"{name}: {outcome.value}" for name, outcome in expect.outcome.items())
        yield "outcome", f"outcome: {{{inner}}}"
    if expect.at is not None:
        yield "at", f"at: {expect.at.text}"
    if isinstance(expect.refreshes, int):
        yield "refreshes", f"refreshes: {expect.refreshes}"
    elif expect.refreshes is not None:
        inner = ", ".join(f"{name}: {count}" for name, count in expect.refreshes.items())
        yield "refreshes", f"refreshes: {{{inner}}}"
    if expect.retries is not None:
        yield "retries", f"retries: {expect.retries}"
    if expect.never:
        yield "never", f"never: [{', '.join(map(str, expect.never))}]"


def judge(term: Term, expect: Expect, ledger: Ledger, marks: Marks, *, at: int) -> Judgement:
    """Judge a term when the call is over, or nothing more will happen to it; `at` is that time."""
    match term.key:
        case "ended_by":
            actual = f"{ledger.ended_by} ended the call" if ledger.ended_by else "nobody ended a call"
            return _compared(term, ledger.ended_by == expect.ended_by, actual, f"expected {expect.ended_by}", at)
        case "reason":
            actual = f"the call ended with the reason {ledger.reason}" if ledger.reason else "no call ended"
            return _compared(term, ledger.reason == expect.reason, actual, f"expected {expect.reason}", at)
        case "outcome":
            return _judge_outcome(term, expect, ledger, at)
        case "at":
            return _judge_at(term, expect, ledger, marks, at)
        case "refreshes":
            return _judge_refreshes(term, expect, ledger, at)
        case "retries":
            actual = f"requests that were tried again: {ledger.retries}"
            return _compared(term, ledger.retries == expect.retries, actual, f"expected {expect.retries}", at)
        case _:
            return Judgement()  # `never` is judged as messages come


def _compared(term: Term, holds: bool, actual: str, note: str, at: int) -> Judgement:
    return Judgement() if holds else Judgement(Failure(term.source, actual, note, at=at))


def _judge_outcome(term: Term, expect: Expect, ledger: Ledger, at: int) -> Judgement:
    wrong = {name: wanted for name, wanted in expect.outcome.items() if ledger.standings[name].outcome is not wanted}
    actual = ", and ".join(f"{name} {_fate(ledger.standings[name].outcome)}" for name in wrong)
    note = "expected " + ", ".join(f"{name}: {wanted.value}" for name, wanted in wrong.items())
    return _compared(term, not wrong, actual, note, at)


def _fate(outcome: Outcome | None) -> str:
    return {
        None: "took part in no call",
        Outcome.ENDED: "saw the call end",
        Outcome.UP: "still has the call up",
        Outcome.FAILED: "saw the call fail",
        Outcome.CRASHED: "has crashed",
    }[outcome]


def _judge_at(term: Term, expect: Expect, ledger: Ledger, marks: Marks, at: int) -> Judgement:
    assert expect.at is not None
    due, over_at = marks.due(expect.at), ledger.over_at
    if due is None:
        note = "the time is counted from a mark that was never set"
        return Judgement(Failure(expect.at.source, f"'{expect.at.text}' is not known", note, at=at))
    if over_at is None:
        actual = "the call was not over at the end" if ledger.dialogs else "no call was over"
        failure = Failure(term.source, actual, f"expected {due}", at=at)
    elif due.earliest <= over_at <= due.latest:
        return Judgement(None, due.stated, over_at)
    else:
        headline = f"the call was over at {format_time(over_at)} s"
        failure = Failure(term.source, headline, f"expected {due}", at=over_at)
    return Judgement(failure, due.stated, over_at)


def _judge_refreshes(term: Term, expect: Expect, ledger: Ledger, at: int) -> Judgement:
    wanted = expect.refreshes
    assert wanted is not None
    if isinstance(wanted, int):
        return _compared(
            term, ledger.refreshes == wanted, f"refreshes that succeeded: {ledger.refreshes}", f"expected {wanted}", at
        )
    wrong = [name for name, count in wanted.items() if ledger.standings[name].refreshes != count]
    actual = ", and ".join(f"refreshes by {name} that succeeded: {ledger.standings[name].refreshes}" for name in wrong)
    note = "expected " + ", ".join(f"{wanted[name]} by {name}" for name in wrong)
    return _compared(term, not wrong, actual, note, at)
