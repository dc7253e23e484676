"""The keys of a flow file and what each may hold: one table, obeyed by the loader and written out as a JSON Schema.

A block is a map from key to `Key`. What cannot be said in a table (a mark must be set before it is used, a called party
must exist) is checked where the block is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..units import DAY, S

VERSION: Final = 1
MAX_SECONDS: Final = 2**32 - 1  # the ceiling of RFC 3261's delta-seconds (section 20.19)
MAX_CALLS: Final = 1_000_000
MAX_TURNS: Final = 1_000_000
MAX_LIMIT_US: Final = 3652 * DAY  # ten years
MILLION: Final = 1_000_000
MAX_WARP: Final = 1_000


class Kind(Enum):
    """What a value may be."""

    VERSION = "version"
    TEXT = "text"
    TEXTS = "texts"  # one, or a list
    TOKENS = "tokens"  # a list of words without spaces
    RULES = "rules"  # a list of rule ids
    METHODS = "methods"
    MESSAGES = "messages"  # a list of message patterns
    FORBIDDEN = "forbidden"  # ... of which one may be a bare status
    BOOLEAN = "boolean"
    COUNT = "count"  # a whole number from `least` to `most`
    SECONDS = "seconds"  # whole seconds, as a number or a duration
    DURATION = "duration"
    SHIFT = "shift"  # a duration with a sign
    DRIFT = "drift"  # parts per million with a sign
    SHARE = "share"  # 0 to 1, or a percentage
    CHOICE = "choice"  # one of `choices`
    CHOICES = "several choices"  # one or more of `choices`, in order
    SECRET = "secret"  # a text that is repeated nowhere
    ADDRESS = "address"  # host and port
    ACTOR = "actor"  # the name of one
    PARTIES = "parties"  # the names of two
    INSTANT = "instant"
    WINDOW = "window"
    MARK = "mark"
    LINK = "link"  # "alice -> bob: INVITE"
    # What is read by the module of its concept:
    BLOCK = "block"  # a map of the keys in `block`
    VALUES = "values"
    CASES = "cases"
    NETWORK = "network"
    CALLS = "calls"
    ACTORS = "actors"
    ANSWERS = "answers"
    COMMAND = "command"  # of a process, as a text or a list
    LOGIC = "logic"  # a word, or the command of a child process as a text or a list
    LINES = "lines"
    MATCHER = "matcher"
    MATCHERS = "matchers"
    HEADERS = "headers"
    HEADER_NAMES = "header names"
    SAVES = "saves"
    RUN_TEXT = "run text"  # text in which saved values may stand
    OUTCOMES = "outcomes"
    REFRESHES = "refreshes"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it may hold, and a sentence about it, which editors show."""

    kind: Kind
    about: str
    choices: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    """Choices of the language that this version cannot play yet."""
    least: int = 0
    most: int = MAX_SECONDS
    """For counts and seconds; for durations in microseconds."""
    required: bool = False
    block: Mapping[str, "Key"] | None = None


Block = Mapping[str, Key]

_DAYS_US: Final = 1000 * DAY

REASONS: Final = "hung-up session-expired refresh-failed rejected cancelled no-answer no-ack no-response".split()

# fmt: off
SESSION_TIMER: Final[Block] = {
    "enabled": Key(Kind.BOOLEAN, "Whether the party knows session timers (true)."),
    "default_expires": Key(Kind.SECONDS, "The session interval it asks for: seconds or a duration (1800).", least=1),
    "min_se": Key(Kind.SECONDS, "The smallest session interval it accepts: seconds or a duration (90).", least=1),
    "prefer_refresher": Key(Kind.CHOICE, "Who is to refresh; absent: the peer decides.", choices=("uac", "uas")),
    "use_update": Key(Kind.BOOLEAN, "Refresh by UPDATE instead of re-INVITE (false)."),
}

PROXY_SESSION: Final[Block] = {
    "enabled": Key(Kind.BOOLEAN, "Whether the proxy knows session timers (true)."),
    "default_expires": Key(Kind.SECONDS, "The session interval it asks for where nobody did; absent: it never asks.",
                           least=1),
    "max_expires": Key(Kind.SECONDS, "Of a proxy: the longest session interval it lets pass; absent: any.", least=1),
    "min_se": Key(Kind.SECONDS, "The smallest session interval it accepts: seconds or a duration (90).", least=1),
    "require": Key(Kind.BOOLEAN, "Of a proxy: insist on a timer where the caller knows of none (false)."),
    "erratum_8926": Key(Kind.BOOLEAN, "Of a proxy: let nobody refresh who asked the other side to (false)."),
}

CLOCK: Final[Block] = {
    "skew": Key(Kind.SHIFT, "How far its clock is ahead: 2s, -2s."),
    "drift": Key(Kind.DRIFT, "How much faster its clock runs: 100ppm, -50ppm."),
}

CHALLENGE: Final[Block] = {
    "realm": Key(Kind.TEXT, "The realm that it asks for, such as example.org.", required=True),
    "user": Key(Kind.TEXT, "Whom it lets pass.", required=True),
    "password": Key(Kind.SECRET, "The password of that user.", required=True),
    "status": Key(Kind.CHOICE, "What it answers: 401, or 407 as a proxy does (by role).", choices=("401", "407")),
    "algorithm": Key(Kind.CHOICES, "The algorithms that it offers, the best first (MD5).", choices=("MD5", "SHA-256")),
    "qop": Key(Kind.CHOICE, "Quality of protection that it offers (auth); none: as RFC 2069 has it.",
               choices=("auth", "none")),
    "methods": Key(Kind.METHODS, "The methods that it challenges; absent: all but ACK and CANCEL."),
    "nonce_lasts": Key(Kind.DURATION, "How long a nonce is good for; absent: for ever.", least=1, most=_DAYS_US),
}

PARTY: Final[Block] = {
    "role": Key(Kind.CHOICE, "What the party is: uac, uas, proxy, scripted, which sends just what its lines say, or "
                             "sut, a real system under test.",
                choices=("uac", "uas", "proxy", "scripted", "sut"), required=True),
    "session_timer": Key(Kind.BLOCK, "Its session timer (RFC 4028).", block={**PROXY_SESSION, **SESSION_TIMER}),
    "at": Key(Kind.ADDRESS, "Where it is when a flow is replayed: 127.0.0.1:5060; absent: any free port."),
    "route": Key(Kind.TOKENS, "The proxies through which its calls go: one, or several in order."),
    "answers": Key(Kind.ANSWERS, "How it answers a call: at once, after 2s, by hand, or a status such as 486."),
    "supports": Key(Kind.TOKENS, "Option tags of its Supported header; absent: what session_timer implies."),
    "allow": Key(Kind.METHODS, "The methods of its Allow header."),
    "clock": Key(Kind.BLOCK, "How its clock differs from true time.", block=CLOCK),
    "user": Key(Kind.TEXT, "Its name where it is challenged (401, 407); absent: it cannot answer."),
    "password": Key(Kind.SECRET, "Its password where it is challenged."),
    "challenge": Key(Kind.BLOCK, "Whom it answers (RFC 3261 section 22); absent: anybody.", block=CHALLENGE),
    "logic": Key(Kind.LOGIC, "Whose session timer it runs: rfc4028 (ours), museum:M01, python:package.module:Class, "
                             "or the command of a child process, as one text or a list."),
    "retransmits": Key(Kind.BOOLEAN, "Of a scripted party: send again what is not answered (false)."),
}

SUT: Final[Block] = {
    "role": PARTY["role"],
    "session_timer": PARTY["session_timer"],
    "at": Key(Kind.ADDRESS, "Where the real system under test is: 127.0.0.1:5060.", required=True),
    "start": Key(Kind.COMMAND, "The command that starts it, as one text or a list; ${bob.host} and ${bob.port} say "
                               "where an actor is. Absent: it runs already."),
    "ready": Key(Kind.TEXT, "What its output or log says when it has started, or OPTIONS: it answers that; absent: "
                             "its port is open."),
    "warp": Key(Kind.COUNT, "Start it in so many times real time, by libfaketime (1).", least=1, most=MAX_WARP),
    "log": Key(Kind.TEXT, "The file that it logs to; absent: its output."),
    "plays": Key(Kind.CHOICE, "What it is in the flow; only a proxy must say so.", choices=("uac", "uas", "proxy")),
}

PROXY: Final[Block] = {
    "role": PARTY["role"],
    "at": PARTY["at"],
    "session_timer": Key(Kind.BLOCK, "What it does with session timers (RFC 4028 section 8).", block=PROXY_SESSION),
    "clock": PARTY["clock"],
    "challenge": Key(Kind.BLOCK, "Whose requests it forwards (RFC 3261 section 22); absent: anybody's.",
                     block=CHALLENGE),
    "logic": Key(Kind.LOGIC, "Which proxy it is: rfc4028 (ours), or one with a defect, museum:M73."),
}

ACTOR: Final[Block] = {**PARTY, **SUT, "at": PARTY["at"]}
"""The keys of every role."""

LINK: Final[Block] = {
    "latency": Key(Kind.DURATION, "How long a message is on its way (0s).", most=DAY),
    "jitter": Key(Kind.DURATION, "The most that is added to the latency at random (0s).", most=DAY),
    "loss": Key(Kind.SHARE, "Share of messages that are lost, over udp: 0.05 or 5%."),
    "duplicate": Key(Kind.SHARE, "Share of messages that arrive twice, over udp."),
    "reorder": Key(Kind.SHARE, "Share of messages that are overtaken by the next, over udp."),
}

TIMERS: Final[Block] = {
    "t1": Key(Kind.DURATION, "T1 of RFC 3261, the round-trip estimate (500ms).", least=1, most=DAY),
    "t2": Key(Kind.DURATION, "T2 of RFC 3261, the longest retransmission interval (4s).", least=1, most=DAY),
    "t4": Key(Kind.DURATION, "T4 of RFC 3261, how long a message stays in the network (5s).", least=1, most=DAY),
}

CALLS: Final[Block] = {
    "count": Key(Kind.COUNT, "How many calls of this flow run.", least=1, most=MAX_CALLS, required=True),
    "every": Key(Kind.DURATION, "How far apart they start (0s).", most=DAY),
    "at_once": Key(Kind.COUNT, "Against a real system: how many are under way at once, at most.", least=1,
                   most=MAX_CALLS),
}

MATCHER: Final[Block] = {
    "equals": Key(Kind.RUN_TEXT, "Equal as SIP compares: tokens without case, parameters in any order."),
    "contains": Key(Kind.RUN_TEXT, "Has this token, or this text."),
    "at_least": Key(Kind.RUN_TEXT, "A number, not less than this."),
    "at_most": Key(Kind.RUN_TEXT, "A number, not more than this."),
    "more_than": Key(Kind.RUN_TEXT, "A number, more than this."),
    "matches": Key(Kind.RUN_TEXT, "Matches this regular expression."),
    "absent": Key(Kind.BOOLEAN, "Whether the header must be missing."),
    "one_of": Key(Kind.TEXTS, "Equal to one of these."),
}

STIMULUS: Final[Block] = {
    "at": Key(Kind.WINDOW, "When; absent: at once when its turn comes."),
    "with": Key(Kind.HEADERS, "Headers that a reply or a rejection carries."),
}

OBSERVATION: Final[Block] = {
    "at": Key(Kind.WINDOW, "When it is sent: 60s, up + 60s, up + 55s..65s."),
    "within": Key(Kind.DURATION, "Tolerance of `at`, to both sides.", most=_DAYS_US),
    "has": Key(Kind.MATCHERS, "Headers and what they must be."),
    "body": Key(Kind.MATCHER, "What the body must be; from a scripted party: the body that it sends."),
    "save": Key(Kind.SAVES, "Names for values of this message: Header, Header.part, or {Header: regular expression}."),
    "optional": Key(Kind.BOOLEAN, "It may come or not (false)."),
    "lost": Key(Kind.BOOLEAN, "It is sent and never delivered, or (false) must be delivered."),
    "retransmits": Key(Kind.COUNT, "How often exactly it is sent again.", most=1_000),
    "with": Key(Kind.HEADERS, "From a scripted party: headers to add or replace."),
    "without": Key(Kind.HEADER_NAMES, "From a scripted party: headers to leave out."),
    "credentials": Key(Kind.BOOLEAN, "From a scripted party: answer the last challenge, by user and password (false)."),
    "raw": Key(Kind.RUN_TEXT, "From a scripted party: the message, as it goes over the wire."),
    "mark": Key(Kind.MARK, "Remember the instant of its sending under this name."),
}

NET: Final[Block] = {
    "drop": Key(Kind.LINK, "Lose such a message, over udp."),
    "delay": Key(Kind.LINK, "Delay such a message, `by` this much."),
    "duplicate": Key(Kind.LINK, "Deliver such a message twice, over udp."),
    "partition": Key(Kind.PARTIES, "Cut two parties off from each other."),
    "heal": Key(Kind.PARTIES, "Connect two parties again."),
    "disconnect": Key(Kind.PARTIES, "Break the connection of two parties, over tcp or tls."),
    "nth": Key(Kind.COUNT, "Which of those to come, from 1.", least=1, most=MILLION),
    "by": Key(Kind.DURATION, "How long it is delayed.", least=1, most=_DAYS_US),
}

NET_LINE: Final[Block] = {
    "net": Key(Kind.BLOCK, "Something happens to the network.", block=NET, required=True),
    "at": Key(Kind.WINDOW, "When; absent: at once when its turn comes."),
}

REPEAT_LINE: Final[Block] = {
    "repeat": Key(Kind.COUNT, "How many turns.", least=1, most=MAX_TURNS, required=True),
    "every": Key(Kind.DURATION, "How far apart the turns begin.", least=1, most=_DAYS_US),
    "since": Key(Kind.INSTANT, "What the turns are counted from; turn k begins k * every after it."),
    "flow": Key(Kind.LINES, "The lines of one turn.", required=True),
}

EXPECT: Final[Block] = {
    "ended_by": Key(Kind.ACTOR, "Who ended the call."),
    "reason": Key(Kind.CHOICE, "Why the call ended.", choices=tuple(REASONS)),
    "outcome": Key(Kind.OUTCOMES, "What became of each party's call.", choices=("ended", "up", "failed", "crashed")),
    "at": Key(Kind.WINDOW, "When the run is over."),
    "refreshes": Key(Kind.REFRESHES, "How many refreshes succeeded: a count, or one for each party.", most=MILLION),
    "retries": Key(Kind.COUNT, "How many requests were tried again, after 401, 422, 491 or 503.", most=MILLION),
    "never": Key(Kind.FORBIDDEN, "Messages that must not be seen: [408, 481, CANCEL]."),
    "log": Key(Kind.TEXTS, "Text that a real system under test must have logged."),
    "violations": Key(Kind.RULES, "The rules that must be reported as broken, and no others."),
}

FLOW: Final[Block] = {
    "simkit": Key(Kind.VERSION, "Version of the flow language.", required=True),
    "name": Key(Kind.TEXT, "What the flow is called; absent: as its file."),
    "about": Key(Kind.TEXT, "What it shows, in a sentence or two."),
    "tags": Key(Kind.TOKENS, "Words to choose flows by."),
    "covers": Key(Kind.RULES, "The rules that this flow exercises: [RFC4028-10-6]."),
    "vars": Key(Kind.VALUES, "Named values, used as ${name}; --set name=value overrides."),
    "cases": Key(Kind.CASES, "The flow runs once for each of these maps of values; `name` names one."),
    "timers": Key(Kind.BLOCK, "Base times of RFC 3261.", block=TIMERS),
    "transport": Key(Kind.CHOICE, "What carries the messages (udp).", choices=("udp", "tcp", "tls")),
    "calls": Key(Kind.CALLS, "How many calls of this flow run at once.", block=CALLS),
    "limit": Key(Kind.DURATION, "The longest virtual time of the run (24h).", least=1, most=MAX_LIMIT_US),
    "allow": Key(Kind.MESSAGES, "Messages that may come without a line of their own: [UPDATE, 200 UPDATE]."),
    "never": Key(Kind.FORBIDDEN, "Messages that must not be seen: [408, 481]."),
    "actors": Key(Kind.ACTORS, "The parties, by name.", block=ACTOR, required=True),
    "network": Key(Kind.NETWORK, "How the network behaves; one direction as \"alice -> bob\": {...}.", block=LINK),
    "flow": Key(Kind.LINES, "What is done, what must be seen, and what goes wrong; in this order.", required=True),
    "expect": Key(Kind.BLOCK, "What must hold when the run is over.", block=EXPECT),
}
# fmt: on

LINE_KEYS: Final = frozenset({*STIMULUS, *OBSERVATION, *NET_LINE, *REPEAT_LINE})
"""What an actor cannot be called, for a line must say which of its keys is the actor."""

assert MAX_SECONDS * S < 2**63  # seconds of any kind fit as microseconds in what other tools use
