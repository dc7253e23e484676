"""Does a call obey RFC 4028, and what RFC 3261, 3264 and 3311 say that decides its fate?

The trace of one Call-ID goes in, from a capture or a run; what the rules find and the facts of the call come out. Only
messages are looked at, so that a run and its capture are judged alike, and nothing of the machines that made the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ..sip.message import Message
from ..trace import Trace
from .allowances import Allowances
from .dialog import Dialog, Transaction
from .finding import CallAudit, Finding
from .pairing import Pairing
from .rule import AuditRule, Subject
from .rules import book
from .summary import summary
from .timeline import dialogs_of

_ALLOWANCES: Final = Allowances()


def audit_call(
    trace: Trace, *, speed: int = 1, ended_at: int | None = None, allow: Allowances = _ALLOWANCES
) -> CallAudit:
    """Judge one call.

    `speed` is how many times faster than SIP's time it went; `ended_at` when the capture ended, in microseconds of the
    trace (default: at the call's last message). What was due later is unknown, and not judged.
    """
    assert speed >= 1
    pairing = Pairing(trace.messages(), speed=speed)
    end = pairing.last_at if ended_at is None else max(pairing.last_at, ended_at * speed)
    dialogs = dialogs_of(pairing, allow=allow, ended_at=end)
    findings: dict[tuple[str, str, int], Finding] = {}
    for dialog in dialogs:
        for finding in _findings(dialog):
            findings.setdefault((finding.rule, finding.text, finding.frame), finding)  # forks share their beginning
    return summary(pairing.call_id, dialogs, _merged(findings.values()))


def _findings(dialog: Dialog) -> Iterator[Finding]:
    for transaction in dialog.transactions:
        yield from _of_transaction(transaction)
    for session in dialog.sessions:
        if session.interval_us is not None:
            yield from _judged(book.OF_SESSIONS, session)
    yield from _judged(book.OF_DIALOGS, dialog)


def _of_transaction(transaction: Transaction) -> Iterator[Finding]:
    for sending in (transaction.request, *transaction.responses, *transaction.acks):
        if _has_session_headers(sending.message):
            yield from _judged(book.OF_MESSAGES, sending)
    yield from _judged(book.OF_ALL, transaction)
    if transaction.method != "CANCEL":
        yield from _judged(book.OF_REQUESTS, transaction)
    if transaction.method == "BYE":
        yield from _judged(book.OF_BYES, transaction)
    elif transaction.refreshes:
        yield from _judged(book.OF_REFRESHES, transaction)
        if transaction.succeeded:
            yield from _judged(book.OF_ANSWERS, transaction)
        if transaction.request.passed_on:
            yield from _judged(book.OF_PASSED_ON, transaction)


def _has_session_headers(message: Message) -> bool:
    return message.header("Session-Expires") is not None or message.header("Min-SE") is not None


def _judged(rules: Iterable[AuditRule[Subject]], subject: Subject) -> Iterator[Finding]:
    for rule in rules:
        found = rule.check(subject)
        if found is not None:
            yield from rule.findings(found)


def _merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order of time, each only once: what was done again is told with the first."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: (each.at, each.frame)):
        same.setdefault((finding.rule, finding.actor, finding.text), []).append(finding)
    return tuple(
        replace(first, again=tuple(finding.frame for finding in others)) if others else first
        for first, *others in same.values()
    )
