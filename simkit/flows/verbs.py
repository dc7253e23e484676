"""What a stimulus says: "call bob", "reject 486", "ignore INVITE 2 times", "reply 503 to INVITE until up + 10s"."""

import re
from dataclasses import dataclass
from typing import Final

from .faults import Misread, quoted, unknown
from .model import Verb
from .patterns import parse_method, parse_status

_LONGEST_FIRST: Final = sorted(Verb, key=lambda verb: -len(verb.value))
_TROUBLE: Final = r"(?: (?P<times>\S+) times?| until (?P<until>.+))?"
_NOTHING: Final = re.compile("")

# What stands after the verb, and how to say it right.
_ARGUMENTS: Final = {
    Verb.CALL: (re.compile(r"(?P<target>\S+)"), "call bob"),
    Verb.REJECT: (re.compile(r"(?P<status>\S+)"), "reject 486"),
    Verb.IGNORE: (
        re.compile(rf"(?P<method>\S+){_TROUBLE}"),
        "ignore INVITE, ignore INVITE 2 times, or ... until up + 10s",
    ),
    Verb.REPLY: (
        re.compile(rf"(?P<status>\S+) to (?P<method>\S+){_TROUBLE}"),
        "reply 503 to INVITE, reply 503 to INVITE 2 times, or ... until up + 10s",
    ),
}
_REJECTION_LEAST: Final = 300  # a rejection is a final response that is no 2xx
_TIMES_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Command:
    """A verb with its arguments; `until` is still text."""

    verb: Verb
    target: str | None = None
    status: int | None = None
    method: str | None = None
    times: int | None = None
    until: str | None = None


def parse_command(text: str) -> Command:
    """Read a verb and what stands after it. Raises Misread."""
    words = " ".join(text.split())
    verb = next((verb for verb in _LONGEST_FIRST if f"{words} ".startswith(f"{verb.value} ")), None)
    if verb is None:
        raise _unknown_verb(words)
    grammar, example = _ARGUMENTS.get(verb, (_NOTHING, verb.value))
    found = grammar.fullmatch(words[len(verb.value) :].strip())
    if found is None:
        raise Misread(f"{quoted(words)} is not complete or says too much: write '{example}'")
    said = found.groupdict()
    least = _REJECTION_LEAST if verb is Verb.REJECT else 100
    return Command(
        verb,
        target=said.get("target"),
        status=parse_status(said["status"], least=least) if "status" in said else None,
        method=parse_method(said["method"]) if "method" in said else None,
        times=_parse_times(said["times"]) if said.get("times") else None,
        until=said.get("until"),
    )


def _unknown_verb(words: str) -> Misread:
    known = tuple(verb.value for verb in Verb)
    first = words.partition(" ")[0]
    if not words:
        return Misread(f"what it does is missing; known: {', '.join(known)}")
    misread = unknown("verb", words, known)
    return misread if "did you mean" in misread.message else unknown("verb", first, known)


def _parse_times(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 8 and 1 <= int(word) <= _TIMES_MOST):
        raise Misread(f"{quoted(word)} is not a number of times", word)
    return int(word)
