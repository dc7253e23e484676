"""Does a call obey RFC 4028, and what RFC 3261, 3264 and 3311 say that decides its fate?

The trace of one Call-ID goes in, from a capture or a run; what the rules find and the facts of the call come out. Only
messages are looked at, so that a run and its capture are judged alike, and nothing of the machines that made the run.
"""

from collections.abc import Callable, Iterable
from typing import Final

from ..trace import Trace
from .allowances import Allowances
from .dialog import Dialog, Session, Transaction
from .finding import CallAudit, Finding
from .pairing import Pairing
from .rule import AuditRule, Faults, Subject, remembering
from .rules import book
from .rules.authentication import CHALLENGES
from .rules.media import changed_descriptions
from .rules.sequences import overlaps
from .sending import Sending, Terms, has_description
from .summary import summary
from .timeline import dialogs_of

_ALLOWANCES: Final = Allowances()

_faults_of_terms = remembering(book.OF_TERMS)
_faults_of_passed_requests = remembering(book.OF_PASSED_REQUESTS)
_faults_of_passed_answers = remembering(book.OF_PASSED_ANSWERS)


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
    call = summary(pairing.call_id, dialogs, _merged(findings.values()))
    for dialog in dialogs:
        dialog.dissolve()
    return call


def _findings(dialog: Dialog) -> list[Finding]:
    found: list[Finding] = []
    for transaction in dialog.transactions:
        for sending in (transaction.request, *transaction.responses, *transaction.acks):
            _judge_headers(sending, found)
        _judge_request(transaction, found)
    for session in dialog.sessions:
        if session.interval_us is not None:
            _judge_session(session, found)
    for overlap in overlaps(dialog):
        _judge(book.OF_OVERLAPS, overlap, found)
    if dialog.media_change:
        for description in changed_descriptions(dialog):
            _judge(book.OF_DESCRIPTIONS, description, found)
    if dialog.troubled:
        _judge(book.OF_TROUBLED, dialog, found)
    _judge(book.OF_DIALOGS, dialog, found)
    return found


def _judge_headers(sending: Sending, found: list[Finding]) -> None:
    layout = sending.message.layout
    if layout.repeated or sending.passed_on:
        _judge(book.OF_REPETITIONS, sending, found)
    if "Session-Expires" in layout.first:
        _judge(book.OF_INTERVALS, sending, found)
    if "Min-SE" in layout.first:
        _judge(book.OF_MINIMA, sending, found)


def _judge_request(transaction: Transaction, found: list[Finding]) -> None:
    _judge(book.OF_REQUESTS, transaction, found)
    if not transaction.initial and transaction.method != "CANCEL":
        _judge(book.OF_REQUESTS_WITHIN, transaction, found)
    if transaction.previous is not None and transaction.previous.status in CHALLENGES:
        _judge(book.OF_CHALLENGED, transaction, found)
    if transaction.method == "BYE" and transaction.over is None:
        _judge_bye(transaction, found)
    elif transaction.refreshes:
        _judge_refresh(transaction, found)
        _judge_outcome(transaction, found)


def _judge_bye(transaction: Transaction, found: list[Finding]) -> None:
    _judge(book.OF_BYES, transaction, found)
    if transaction.request.sender not in transaction.dialog.proxies:
        timed = transaction.session is not None and transaction.session.interval_us is not None
        _judge(book.OF_BYES_TIMED if timed else book.OF_BYES_UNTIMED, transaction, found)


def _judge_refresh(transaction: Transaction, found: list[Finding]) -> None:
    """Judge an INVITE or UPDATE by itself."""
    former, session = transaction.previous, transaction.session
    _judge(book.OF_REFRESHES, transaction, found)
    if former is not None and former.status == 422 and former.method == transaction.method:
        _judge(book.OF_NEW_TRIES, transaction, found)
    if transaction.least_s is not None:
        _judge(book.OF_BOUND, transaction, found)
    if transaction.request.passed_on:
        _judge_passing(_faults_of_passed_requests, transaction.request, found)
        _judge(book.OF_PASSED_ON, transaction, found)
    if not transaction.initial:
        _judge(book.OF_WITHIN, transaction, found)
        if session is not None and session.interval_us is not None:
            _judge(book.OF_TIMED, transaction, found)
    elif former is None:
        _judge(book.OF_FIRST, transaction, found)


def _judge_outcome(transaction: Transaction, found: list[Finding]) -> None:
    """Judge what came of an INVITE or UPDATE."""
    if transaction.method == "INVITE":
        _judge(book.OF_INVITES, transaction, found)
    elif has_description(transaction.request.message):
        _judge(book.OF_OFFERS_IN_UPDATES, transaction, found)
    if transaction.succeeded and transaction.final is not None:
        _judge_answer(transaction, transaction.final, found)
        return
    _judge(book.OF_REFUSALS if transaction.status == 422 else book.OF_REFUSED, transaction, found)
    if not transaction.initial:
        _judge(book.OF_FAILURES, transaction, found)
        if transaction.status == 491:
            _judge(book.OF_GLARES, transaction, found)


def _judge_answer(transaction: Transaction, answer: Sending, found: list[Finding]) -> None:
    asked, given = transaction.request.heard, answer.said
    found += [rule.sign(fault, answer) for rule, fault in _faults_of_terms(asked, given)]
    _judge(book.OF_ANSWERS, transaction, found)
    if answer.passed_on:
        _judge_passing(_faults_of_passed_answers, answer, found)


def _judge_passing(faults: Callable[[Terms, Terms], Faults], sending: Sending, found: list[Finding]) -> None:
    """Judge what each proxy made of a message."""
    before = sending.said
    for passing in sending.passed_on:
        after = passing.said
        found += [rule.sign(fault, passing) for rule, fault in faults(before, after)]
        before = after


def _judge_session(session: Session, found: list[Finding]) -> None:
    _judge(book.OF_SESSIONS, session, found)
    if session.refresher is session.transaction.uac:
        _judge(book.OF_SESSIONS_AS_UAC, session, found)
    elif session.refresher is not None:
        _judge(book.OF_SESSIONS_AS_UAS, session, found)


def _judge(rules: tuple[AuditRule[Subject], ...], subject: Subject, found: list[Finding]) -> None:
    for rule in rules:
        breach = rule.check(subject)
        if breach is not None:
            found += rule.findings(breach)


def _merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order of time, each only once: what was done again is told with the first."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: (each.at, each.frame)):
        same.setdefault((finding.rule, finding.actor, finding.text), []).append(finding)
    return tuple(
        first._replace(again=tuple(finding.frame for finding in others)) if others else first
        for first, *others in same.values()
    )
