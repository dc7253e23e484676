"""Mistakes that guides for tests of session timers share, found in a scenario, each with how to mend it.

A scenario is judged by itself: what it sends, what it waits for, and what it looks for in what comes.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from ..errors import PeerError, Source
from ..sip.session_headers import SessionExpires, bye_lead_us, parse_min_se, parse_session_expires
from ..units import S, format_duration
from .expressions import group_count, repeats_header
from .ladder import Ladder, Line, Remark
from .player import Moment, Player
from .quotes import Kind, Quotes
from .scenario import Check, Comparison, Log, Place, Scenario, Search, Send
from .sent import Sent

_FLOOR_S: Final = 90  # RFC 4028 sections 4 and 5
_SPARE_US: Final = 5 * S
_ORIGIN = re.compile(r"^o=(\S+ \S+) (\S+) ", re.MULTILINE)
_SESSION: Final = ("INVITE", "UPDATE")


class Mistake(NamedTuple):
    """What is wrong, where, and at which line of the ladder that is to be seen."""

    source: Source
    message: str
    line: Line | None


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a scenario believes to have agreed on, after one of its messages."""

    session: SessionExpires
    we_refresh: bool | None
    """None: that is left to the peer."""
    source: Source
    """Where the scenario says so."""
    clock_us: int


def find_mistakes(player: Player, ladder: Ladder) -> None:
    """Note what is wrong with a scenario, at its lines."""
    for rule in (*_OF_MESSAGES, *_OF_SEARCHES):
        for mistake in rule(player):
            ladder.note(Remark.MISTAKE, mistake.source, mistake.message, mistake.line)


# --- who refreshes, and when -----------------------------------------------------------------------------------------


def _agreements(player: Player) -> Iterator[tuple[Moment, Agreed | None]]:
    """Yield each moment with what had been agreed on before it."""
    agreed: Agreed | None = None
    asked: Agreed | None = None
    for moment in player.story:
        yield moment, agreed
        sent = moment.sent
        if sent is not None and sent.method in _SESSION and (said := _said(moment, sent)):
            if sent.status.startswith("2"):
                agreed = said
            elif not sent.status:
                asked = said
        elif sent is None and asked is not None and moment.line.method in _SESSION and moment.line.status[:1] == "2":
            agreed, asked = Agreed(asked.session, asked.we_refresh, asked.source, moment.clock_us), None


def _said(moment: Moment, sent: Sent) -> Agreed | None:
    session = _session(sent)
    if session is None:
        return None
    refresher = session.refresher.value if session.refresher else None
    we_refresh = None if refresher is None else (refresher == "uac") is (not sent.status)
    return Agreed(session, we_refresh, _place(moment, sent, "Session-Expires"), moment.clock_us)


def _wrong_refresher(player: Player) -> Iterator[Mistake]:
    """It asks to refresh itself, and then waits for the peer to do it."""
    for moment, agreed in _agreements(player):
        if agreed is None or not agreed.we_refresh or not _is_request_of_peer(moment, _SESSION):
            continue
        word = agreed.session.refresher.value if agreed.session.refresher else ""
        what = f"line {agreed.source.line} says refresher={word}, so {player.name} is to refresh itself"
        other = "uas" if word == "uac" else "uac"
        mend = f"say refresher={other} there, or send the session refresh request here (RFC 4028 section 7.2)"
        message = f"{what}: a correct peer never sends this {moment.line.method}; {mend}"
        yield Mistake(moment.step.source, message, moment.line)


def _too_short_a_wait(player: Player) -> Iterator[Mistake]:
    """It gives up waiting before what it waits for is due."""
    for moment, agreed in _agreements(player):
        timeout_us = getattr(moment.step, "timeout_us", 0)
        if agreed is None or not timeout_us or agreed.we_refresh is None:
            continue
        interval_us = agreed.session.interval_s * S
        if _is_request_of_peer(moment, ("BYE",)) and agreed.we_refresh:
            due_us = interval_us - bye_lead_us(interval_us)
        elif _is_request_of_peer(moment, _SESSION) and not agreed.we_refresh:
            due_us = interval_us // 2
        else:
            continue
        waits_us = moment.clock_us - agreed.clock_us + timeout_us
        if waits_us < due_us:
            wanted = format_duration(timeout_us + due_us - waits_us + _SPARE_US)
            due = f"{moment.line.method} is due {format_duration(due_us)} after the last 2xx (RFC 4028 section 10)"
            message = f"{due}, and this gives up after {format_duration(waits_us)}; wait {wanted} here"
            yield Mistake(moment.step.source, message, moment.line)


def _is_request_of_peer(moment: Moment, methods: tuple[str, ...]) -> bool:
    return moment.sent is None and not moment.line.status and moment.line.method in methods


# --- headers ---------------------------------------------------------------------------------------------------------


def _below_the_floor(player: Player) -> Iterator[Mistake]:
    """Intervals below 90 s."""
    for moment, sent in _own(player):
        least = sent.value("Min-SE")
        if least is not None and (seconds := _seconds(least)) is not None and seconds < _FLOOR_S:
            below = f"Min-SE {seconds} is below the floor of {_FLOOR_S} s (RFC 4028 section 5)"
            message = f"{below}: write Min-SE: {_FLOOR_S}"
            yield Mistake(_place(moment, sent, "Min-SE"), message, moment.line)
        session = _session(sent)
        if session and session.interval_s < _FLOOR_S and not _awaits_422(player):
            floor = f"the floor of {_FLOOR_S} s (RFC 4028 section 4)"
            message = f"a peer that keeps to {floor} answers 422 to {session.interval_s} s: ask for {_FLOOR_S} or more"
            yield Mistake(_place(moment, sent, "Session-Expires"), message, moment.line)


def _awaits_422(player: Player) -> bool:
    return any(moment.sent is None and moment.line.status == "422" for moment in player.story)


def _no_require(player: Player) -> Iterator[Mistake]:
    """A 2xx that has the peer refresh, and does not insist on it."""
    for moment, sent in _own(player):
        session = _session(sent) if sent.status.startswith("2") else None
        tokens = [token.strip().lower() for token in (sent.value("Require") or "").split(",")]
        if session and session.refresher and session.refresher.value == "uac" and "timer" not in tokens:
            message = "a 2xx with refresher=uac must have Require: timer (RFC 4028 section 9): add it"
            yield Mistake(_place(moment, sent, "Session-Expires"), message, moment.line)


def _no_allow(player: Player) -> Iterator[Mistake]:
    """The peer is not told that it may use UPDATE."""
    for moment, sent in _own(player):
        is_offer = sent.method == "INVITE" and (not sent.status or sent.status.startswith("2"))
        if is_offer and _session(sent) is not None:
            if sent.value("Allow") is None:
                message = "without Allow the peer cannot refresh by UPDATE (RFC 3311 section 4)"
                mend = "add Allow: INVITE, ACK, CANCEL, BYE, UPDATE"
                yield Mistake(moment.step.source, f"{message}; {mend}", moment.line)
            return


def _fixed_uri(player: Player) -> Iterator[Mistake]:
    """A request within the dialog goes to a URI that the scenario made up."""
    is_up = False
    for moment in player.story:
        sent, line = moment.sent, moment.line
        if line.method == "INVITE" and line.status.startswith("2"):
            is_up = True
        if sent is None or sent.status or not is_up or _is_from_peer(sent.uri, player.quotes):
            continue
        what = f"{sent.method} goes to a fixed URI instead of the peer's Contact (RFC 3261 section 12.2.1.1)"
        mend = 'write [next_url] there, and rrs="true" at the <recv> of the INVITE or its 200'
        yield Mistake(_line_place(moment, 0), f"{what}: {mend}", line)


def _is_from_peer(uri: str, quotes: Quotes) -> bool:
    return any(quote.kind in (Kind.NEXT_URI, Kind.HEADER, Kind.LINES) for quote in quotes.within(uri))


def _repeated_branch(player: Player) -> Iterator[Mistake]:
    """SIPp makes [branch] of the step's index, so a step that comes again has the branch of the time before."""
    known: dict[tuple[str, str], Moment] = {}
    for moment, sent in _own(player):
        branch = "".join(each for each in sent.value("Via") or "" if _is_branch(each, player.quotes))
        if sent.status or not branch:
            continue
        first = known.setdefault((sent.method, branch), moment)
        if first is not moment and first.step is moment.step and not _is_sent_again(first, sent, player.quotes):
            what = f"this {sent.method} goes out again with the same [branch], which is made of the step's index"
            mend = "so the peer takes it for a retransmission (RFC 3261 section 17.2.3): put a counter into the branch"
            yield Mistake(_place(moment, sent, "Via"), f"{what}, {mend}", moment.line)


def _is_sent_again(first: Moment, sent: Sent, quotes: Quotes) -> bool:
    """Whether a request is the same as before, CSeq and all."""
    cseq = sent.value("CSeq") or ""
    counts = any(quote.kind is Kind.CSEQ for quote in quotes.within(cseq))
    return not counts and first.sent is not None and first.sent.value("CSeq") == cseq


def _is_branch(character: str, quotes: Quotes) -> bool:
    quote = quotes.quote(character)
    return quote is not None and quote.kind is Kind.BRANCH


def _raised_version(player: Player) -> Iterator[Mistake]:
    """The session description says that it has changed, and has not."""
    before: tuple[str, str] | None = None
    for moment, sent in _own(player):
        origin = _ORIGIN.search(sent.body)
        if origin is None:
            continue
        rest = sent.body[: origin.start(2)] + sent.body[origin.end(2) :]
        if before is not None and before[0] != origin[2] and before[1] == rest:
            what = f"the version in o= went from {before[0]} to {origin[2]}, and nothing else has changed"
            mend = "keep it, so that the peer knows this for a refresh (RFC 4028 section 7.4, RFC 3264 section 8)"
            number = sent.whole.count("\n", 0, len(sent.whole) - len(sent.body) + origin.start())
            yield Mistake(_line_place(moment, number), f"{what}: {mend}", moment.line)
        before = origin[2], rest


# --- what it looks for -----------------------------------------------------------------------------------------------


def _searches(player: Player) -> Iterator[tuple[Search, Line | None]]:
    """Yield each search with the line of the ladder at which it is made."""
    lines = {moment.step.index: moment.line for moment in reversed(player.story)}
    for step in player.side.scenario.steps:
        for action in step.actions:
            if isinstance(action, Search):
                yield action, lines.get(step.index)


def _repeated_name(player: Player) -> Iterator[Mistake]:
    """An expression begins with the header's name, which SIPp has taken away."""
    for search, line in _searches(player):
        if search.place is Place.HEADER and repeats_header(search.expression.text, search.where):
            what = f'search_in="hdr" looks behind "{search.where}", so an expression that repeats it finds nothing'
            yield Mistake(search.expression.source, f"{what}: leave it out", line)


def _one_target(player: Player) -> Iterator[Mistake]:
    """A group is meant, and all that matches is kept."""
    used = _used_variables(player.side.scenario)
    for search, line in _searches(player):
        has_group = group_count(search.expression.text) > 0
        if has_group and len(search.targets) == 1 and search.targets[0] in used:
            name = search.targets[0]
            what = f"the first name in assign_to takes all that matches, so ${name} holds more than the group"
            mend = f'write assign_to="all,{name}", and <Reference variables="all"/> at the end'
            yield Mistake(search.source, f"{what}: {mend}", line)


def _unchecked(player: Player) -> Iterator[Mistake]:
    """A message without what is looked for passes."""
    scenario = player.side.scenario
    needed = _tested_variables(scenario) | _quoted(
        step.message.text for step in scenario.steps if isinstance(step, Send)
    )
    for search, line in _searches(player):
        if search.check is Check.NOTHING and not needed.intersection(search.targets):
            message = 'a message in which this finds nothing passes: write check_it="true"'
            yield Mistake(search.source, message, line)


def _used_variables(scenario: Scenario) -> set[str]:
    logged = (action.message for step in scenario.steps for action in step.actions if isinstance(action, Log))
    return _quoted(chain(_sent_texts(scenario), logged)) | _tested_variables(scenario)


def _sent_texts(scenario: Scenario) -> Iterator[str]:
    return (step.message.text for step in scenario.steps if isinstance(step, Send))


def _quoted(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in re.findall(r"\[\$([^\]\s]{1,100})\]", text)}


def _tested_variables(scenario: Scenario) -> set[str]:
    found: set[str | None] = set()
    for step in scenario.steps:
        found |= {step.branch.test if step.branch else None, step.condition.variable if step.condition else None}
        for action in step.actions:
            if isinstance(action, Comparison):
                found |= {action.variable, action.variable2}
            elif isinstance(action, Search) and action.place is Place.VARIABLE:
                found.add(action.where)
    return {name for name in found if name is not None}


Rule = Callable[[Player], Iterator[Mistake]]
_OF_MESSAGES: Final[tuple[Rule, ...]] = (
    _wrong_refresher,
    _too_short_a_wait,
    _below_the_floor,
    _no_require,
    _no_allow,
    _fixed_uri,
    _repeated_branch,
    _raised_version,
)
_OF_SEARCHES: Final[tuple[Rule, ...]] = (_repeated_name, _one_target, _unchecked)


# --- reading ---------------------------------------------------------------------------------------------------------


def _own(player: Player) -> Iterator[tuple[Moment, Sent]]:
    return ((moment, moment.sent) for moment in player.story if moment.sent is not None)


def _session(sent: Sent) -> SessionExpires | None:
    value = sent.value("Session-Expires")
    try:
        return parse_session_expires(value) if value is not None else None
    except PeerError:
        return None


def _seconds(value: str) -> int | None:
    try:
        return parse_min_se(value)
    except PeerError:
        return None


def _place(moment: Moment, sent: Sent, header: str) -> Source:
    return _line_place(moment, sent.line_of(header))


def _line_place(moment: Moment, number: int) -> Source:
    return moment.step.place(number) if isinstance(moment.step, Send) else moment.step.source
