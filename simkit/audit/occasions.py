"""When does a rule of RFC 4028 have something to say? What was exercised, as opposed to what was kept.

For each rule that messages can show, a predicate says whether the situation that the rule is about came about, and
whom it bound. Nothing is judged: that a 422 was sent is an occasion for Min-SE in it, whether it is there or not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ..sip.headers import canonical_name
from ..sip.message import Message
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher
from ..trace import Trace
from .allowances import Allowances
from .dialog import Session, Side, Transaction
from .pairing import Pairing
from .rules.failures import gone_since
from .sending import Sending, Terms
from .timeline import dialogs_of


@dataclass(frozen=True, slots=True)
class Occasion:
    """A situation in which a rule bound somebody."""

    rule: str
    actor: str
    frame: int
    """The message that makes it so."""


def occasions_of(trace: Trace) -> Iterator[Occasion]:
    """Yield the occasions of a call, the same one as often as it came about."""
    pairing = Pairing(trace.messages(), speed=1)
    dialogs = dialogs_of(pairing, allow=Allowances(), ended_at=pairing.last_at)
    for dialog in dialogs:
        for transaction in dialog.transactions:
            yield from _of_transaction(transaction)
        for session in dialog.sessions:
            yield from _of_session(session)
    if len(dialogs) > 1:
        yield from (Occasion("RFC4028-7.2-9", dialog.names[Side.CALLER], 0) for dialog in dialogs)


def _of_transaction(transaction: Transaction) -> Iterator[Occasion]:
    request, final = transaction.request, transaction.final
    yield from _of_message(request, request.said)
    yield from _found(REQUESTS, transaction, request.sender, request.frame)
    for response in transaction.responses:
        yield from _of_message(response, response.said)
        yield Occasion("RFC4028-5-4", response.sender, response.frame)
        if not transaction.refreshes or response.status < 200:
            yield Occasion("RFC4028-4-2", response.sender, response.frame)
    if not transaction.refreshes:
        return
    if not transaction.initial:
        yield from _found(REFRESHES, transaction, request.sender, request.frame)
    yield from _of_passing(transaction)
    if final is not None:
        yield from _found(OUTCOMES, transaction, request.sender, final.frame)
        by_proxy = final.sender in transaction.dialog.proxies
        yield from _found(REFUSALS_OF_PROXIES if by_proxy else ANSWERS, transaction, final.sender, final.frame)


def _of_message(sending: Sending, said: Terms) -> Iterator[Occasion]:
    for rule, applies in MESSAGES.items():
        if applies(sending.message, said):
            yield Occasion(rule, sending.sender, sending.frame)
    if said.interval_s is not None:  # whoever gets it must cope with it
        yield Occasion("RFC4028-4-5", sending.receiver, sending.frame)


def _of_passing(transaction: Transaction) -> Iterator[Occasion]:
    """Yield the occasions for the proxies that passed a request or its 2xx on."""
    asked = transaction.request.said
    for passing in transaction.request.passed_on:
        for rule, applies in PASSED_REQUESTS.items():
            if applies(asked, passing.said):
                yield Occasion(rule, passing.sender, passing.frame)
        asked = passing.said
    final = transaction.final
    if final is None or not transaction.succeeded:
        return
    for passing in final.passed_on:
        for rule, applies_to_answer in PASSED_ANSWERS.items():
            if applies_to_answer(transaction.request.said, transaction.request.heard, final.said):
                yield Occasion(rule, passing.sender, passing.frame)


def _of_session(session: Session) -> Iterator[Occasion]:
    """Yield the occasions for both sides of a session, and for the proxies between them."""
    dialog, refresher = session.transaction.dialog, session.refresher
    uac = session.transaction.uac
    yield Occasion("RFC4028-9-13", dialog.names[uac.other], session.answer.frame)
    if session.interval_us is None or refresher is None:
        return
    yield Occasion("RFC4028-7.2-8", dialog.names[uac], session.answer.frame)
    watched_us = (dialog.last_at if session.until_at is None else session.until_at) - session.at
    if watched_us >= session.half_us:
        rules = DUTIES_OF_UAC if refresher is uac else DUTIES_OF_UAS
        yield from (Occasion(rule, dialog.names[refresher], session.answer.frame) for rule in rules)
    if session.until_at is None and watched_us >= session.bye_us:
        for rule in ("RFC4028-10-6", "RFC4028-10-7"):
            yield Occasion(rule, dialog.names[refresher.other], session.answer.frame)
    if session.until_at is None and dialog.ended_at >= session.expires_at:
        yield from (Occasion("RFC4028-8.3-2", proxy, session.answer.frame) for proxy in dialog.proxies)


def _found(
    rules: Mapping[str, Callable[[Transaction], bool]], transaction: Transaction, actor: str, frame: int
) -> Iterator[Occasion]:
    for rule, applies in rules.items():
        if applies(transaction):
            yield Occasion(rule, actor, frame)


# --- what the predicates ask -----------------------------------------------------------------------------------------


def _written_oddly(message: Message) -> bool:
    """Whether Session-Expires is in another form than the usual one."""
    return any(
        canonical_name(name) == "Session-Expires" and (name != "Session-Expires" or value != value.lower())
        for name, value in message.headers
    )


def _has_interval(transaction: Transaction) -> bool:
    return transaction.request.said.interval_s is not None


def _answered_with_interval(transaction: Transaction) -> bool:
    return transaction.succeeded and _answer(transaction).interval_s is not None


def _answer(transaction: Transaction) -> Terms:
    assert transaction.final is not None
    return transaction.final.said


def _timer_runs(transaction: Transaction) -> bool:
    return transaction.session is not None and transaction.session.interval_us is not None


def _tried_again(transaction: Transaction) -> bool:
    return transaction.status == 422 and transaction.following is not None and transaction.following.refreshes


def _peer_updates(transaction: Transaction) -> bool:
    return not transaction.changes_media and "update" in (transaction.peer_allows or ())


def _refused_before(transaction: Transaction) -> bool:
    """Whether the request before this one had met the same failure."""
    previous = transaction.previous
    return transaction.failed and previous is not None and previous.status == transaction.status


def _is_refresher(transaction: Transaction) -> bool:
    return transaction.session is not None and transaction.session.refresher is transaction.uac


def _heard_422_before(transaction: Transaction) -> bool:
    return any(setup.initial and setup.status == 422 for setup in transaction.dialog.transactions)


def _least_s(terms: Terms) -> int:
    return SESSION_INTERVAL_FLOOR_S if terms.min_se_s is None else terms.min_se_s


# --- the situations --------------------------------------------------------------------------------------------------


MESSAGES: Final[Mapping[str, Callable[[Message, Terms], bool]]] = {
    "RFC4028-4-1": lambda message, said: said.interval_s is not None,
    "RFC4028-4-3": lambda message, said: said.interval_s is not None and said.interval_s <= SESSION_INTERVAL_FLOOR_S,
    "RFC4028-4-7": lambda message, said: said.refresher is not None,
    "RFC4028-4-8": lambda message, said: _written_oddly(message),
    "RFC4028-5-2": lambda message, said: said.min_se_s is not None,
    "RFC4028-11.1-1": lambda message, said: said.min_se_s is not None,
}
"""Of any message; whom it binds is its sender."""

REQUESTS: Final[Mapping[str, Callable[[Transaction], bool]]] = {
    "RFC4028-4-2": lambda t: not t.refreshes,
    "RFC4028-4-4": lambda t: t.initial and _has_interval(t),
    "RFC4028-4-6": lambda t: t.initial and _has_interval(t),
    "RFC4028-5-1": lambda t: t.request.said.min_se_s is not None,
    "RFC4028-7.1-1": lambda t: t.supports_timer or t.request.said.supported,
    "RFC4028-7.1-2": lambda t: t.refreshes and (t.supports_timer or t.request.said.supported) and not _has_interval(t),
    "RFC4028-7.1-3": lambda t: t.request.said.required,
    "RFC4028-7.1-4": lambda t: TIMER in t.asked.tokens("Proxy-Require"),
    "RFC4028-7.1-5": lambda t: t.initial and _has_interval(t),
    "RFC4028-7.1-6": lambda t: t.request.said.required or TIMER in t.asked.tokens("Proxy-Require"),
    "RFC4028-7.1-7": lambda t: t.initial and t.request.said.min_se_s is not None,
    "RFC4028-7.1-8": lambda t: t.initial and _has_interval(t),
    "RFC4028-7.1-9": lambda t: _has_interval(t) and t.request.said.min_se_s is not None,
    "RFC4028-7.1-10": lambda t: t.initial and t.request.said.refresher is not None,
    "RFC4028-7.1-11": lambda t: t.initial and _has_interval(t),
    "RFC4028-7.4-3": lambda t: t.refreshes and t.initial and t.least_s is not None,
    "RFC4028-7.4-4": lambda t: t.refreshes and t.least_s is not None,
    "RFC4028-11.2-2": lambda t: _has_interval(t) and t.asked.via.transport == "TLS",
}
"""Of any request but ACK; they bind the UAC."""

REFRESHES: Final[Mapping[str, Callable[[Transaction], bool]]] = {
    "RFC4028-7.2-13": lambda t: t.changes_media and _timer_runs(t),
    "RFC4028-7.4-1": lambda t: t.uac is Side.CALLER,
    "RFC4028-7.4-2": lambda t: t.least_s is not None,
    "RFC4028-7.4-5": _heard_422_before,
    "RFC4028-7.4-6": lambda t: t.request.said.min_se_s is not None and t.request.said.min_se_s > (t.least_s or 0),
    "RFC4028-7.4-7": _timer_runs,
    "RFC4028-7.4-8": _timer_runs,
    "RFC4028-7.4-9": _timer_runs,
    "RFC4028-7.4-10": lambda t: _is_refresher(t) and t.request.said.refresher is Refresher.UAS,
    "RFC4028-7.4-11": lambda t: _has_interval(t) and t.request.said.refresher is None,
    "RFC4028-7.4-12": _timer_runs,
    "RFC4028-7.4-13": _peer_updates,
    "RFC4028-7.4-14": lambda t: t.method == "UPDATE" and not t.changes_media,
    "RFC4028-7.4-15": lambda t: t.method == "INVITE",
    "RFC4028-7.4-16": lambda t: t.method == "INVITE" and not t.changes_media,
    "RFC4028-10-3": lambda t: _is_refresher(t) and gone_since(t) is not None,
}
"""Of an INVITE or UPDATE within a dialog; they bind the UAC."""

OUTCOMES: Final[Mapping[str, Callable[[Transaction], bool]]] = {
    "RFC4028-7.2-2": lambda t: t.succeeded and _answer(t).required,
    "RFC4028-7.2-3": lambda t: _answered_with_interval(t) and not _has_interval(t),
    "RFC4028-7.2-4": lambda t: t.succeeded and _answer(t).refresher is not None,
    "RFC4028-7.2-5": lambda t: t.succeeded and _has_interval(t) and _answer(t).interval_s is None,
    "RFC4028-7.2-6": lambda t: t.succeeded and _answer(t).interval_s is None,
    "RFC4028-7.2-7": lambda t: t.succeeded and _answer(t).interval_s is None and _timer_runs(t),
    "RFC4028-7.3-1": _tried_again,
    "RFC4028-7.3-2": _tried_again,
    "RFC4028-7.3-3": _tried_again,
    "RFC4028-10-2": lambda t: t.failed and _timer_runs(t),
    "RFC4028-10-4": lambda t: t.failed and _is_refresher(t) and t.status not in (408, 481),
    "RFC4028-10-5": _refused_before,
}
"""Of the final response to an INVITE or UPDATE; they bind the UAC."""

ANSWERS: Final[Mapping[str, Callable[[Transaction], bool]]] = {
    "RFC4028-5-5": lambda t: t.status == 422,
    "RFC4028-6-1": lambda t: t.status == 422,
    "RFC4028-6-2": lambda t: t.status == 422,
    "RFC4028-7.4-17": lambda t: not t.initial and t.method == "INVITE" and t.succeeded,
    "RFC4028-9-1": lambda t: t.status == 422,
    "RFC4028-9-2": lambda t: t.status == 422,
    "RFC4028-9-3": lambda t: t.status == 422,
    "RFC4028-9-4": lambda t: t.succeeded and t.request.heard.interval_s is not None,
    "RFC4028-9-5": lambda t: _answered_with_interval(t) and t.request.heard.interval_s is not None,
    "RFC4028-9-6": lambda t: _answered_with_interval(t) and t.request.heard.interval_s is not None,
    "RFC4028-9-7": lambda t: t.succeeded and t.request.heard.supported and t.request.heard.interval_s is None,
    "RFC4028-9-8": lambda t: _answered_with_interval(t) and t.request.heard.interval_s is None,
    "RFC4028-9-9": _answered_with_interval,
    "RFC4028-9-10": lambda t: _answered_with_interval(t) and t.request.heard.refresher is not None,
    "RFC4028-9-11": lambda t: t.succeeded and _answer(t).refresher is Refresher.UAC,
    "RFC4028-9-12": lambda t: t.succeeded and _answer(t).refresher is Refresher.UAS and t.request.heard.supported,
}
"""Of the same; they bind the UAS."""

REFUSALS_OF_PROXIES: Final[Mapping[str, Callable[[Transaction], bool]]] = {
    rule: lambda t: t.status == 422
    for rule in (
        *("RFC4028-5-5", "RFC4028-6-1", "RFC4028-6-2"),
        *("RFC4028-8.1-8", "RFC4028-8.1-9", "RFC4028-8.1-10"),
    )
}
"""Of the same, where a proxy has answered."""

PASSED_REQUESTS: Final[Mapping[str, Callable[[Terms, Terms], bool]]] = {
    "RFC4028-8-3": lambda came, went: went.interval_s is not None,
    "RFC4028-8.1-2": lambda came, went: came.interval_s is None and went.interval_s is not None,
    "RFC4028-8.1-3": lambda came, went: came.interval_s is None and went.interval_s is not None,
    "RFC4028-8.1-4": lambda came, went: (came.interval_s or 0) > (went.interval_s or 0),
    "RFC4028-8.1-5": lambda came, went: (came.interval_s or 0) >= _least_s(came),
    "RFC4028-8.1-6": lambda came, went: came.interval_s is not None and came.interval_s < _least_s(went),
    "RFC4028-8.1-7": lambda came, went: came.interval_s is not None,
    "RFC4028-8.1-11": lambda came, went: not came.supported and came.min_se_s is None and went.min_se_s is not None,
    "RFC4028-8.1-12": lambda came, went: not came.supported and came.min_se_s is not None,
    "RFC4028-8.1-13": lambda came, went: came.min_se_s != went.min_se_s,
    "RFC4028-8.1-14": lambda came, went: came.supported,
    "RFC4028-8.1-17": lambda came, went: not came.supported,
}
"""Of an INVITE or UPDATE as it came to a proxy, and as it went on; they bind the proxy."""

PASSED_ANSWERS: Final[Mapping[str, Callable[[Terms, Terms, Terms], bool]]] = {
    "RFC4028-8.2-1": lambda asked, heard, given: (
        given.interval_s is None and heard.interval_s is not None and not asked.supported
    ),
    **{
        rule: lambda asked, heard, given: given.interval_s is None and heard.interval_s is not None and asked.supported
        for rule in ("RFC4028-8.2-2", "RFC4028-8.2-3", "RFC4028-8.2-4")
    },
    "RFC4028-8.2-5": lambda asked, heard, given: given.interval_s is not None,
    "RFC4028-8.2-6": lambda asked, heard, given: given.interval_s is not None,
}
"""Of a 2xx, by what the caller asked, what the callee heard and what it gave; they bind the proxy."""

DUTIES_OF_UAC: Final = ("RFC4028-7.2-10", "RFC4028-7.2-11", "RFC4028-7.2-12")
"""What binds a refresher that was UAC of the last 2xx, once half the interval is over."""
DUTIES_OF_UAS: Final = ("RFC4028-9-14", "RFC4028-9-15", "RFC4028-9-16")
"""The same of one that was UAS."""

_TABLES: Final = (
    *(MESSAGES, REQUESTS, REFRESHES, OUTCOMES, ANSWERS, REFUSALS_OF_PROXIES, PASSED_REQUESTS, PASSED_ANSWERS),
    *(DUTIES_OF_UAC, DUTIES_OF_UAS),
)
SHOWN: Final = frozenset(rule for table in _TABLES for rule in table) | {
    *("RFC4028-4-5", "RFC4028-5-4", "RFC4028-7.2-8", "RFC4028-7.2-9"),
    *("RFC4028-8.3-2", "RFC4028-9-13", "RFC4028-10-6", "RFC4028-10-7"),
}
"""Every rule for which an occasion is known."""
