"""Messages as a flow names them: "INVITE", "200 INVITE", "4xx INVITE", and who sends them: "alice -> bob: INVITE"."""

import re
from typing import Final

from .faults import Misread, quoted, unknown
from .model import LinkPattern, MessagePattern

METHODS: Final = (
    "INVITE ACK BYE CANCEL OPTIONS UPDATE REGISTER PRACK INFO SUBSCRIBE NOTIFY REFER MESSAGE PUBLISH"
).split()

_STATUS = re.compile(r"[1-6](?:[0-9]{2}|[0-9]x|xx)")
_DIRECTION = re.compile(r"\s*(\S+?)\s*->\s*(\S+?)\s*")


def parse_message(text: str, *, bare_status: bool = False) -> MessagePattern:
    """Read a request's method, or a status with the method it answers; with `bare_status` the method may be missing.

    Raises Misread.
    """
    words = text.split()
    if not words:
        raise Misread("a method is missing, such as INVITE or 200 INVITE")
    if not words[0][0].isdigit():
        _check_end(words, 1, text)
        return MessagePattern(parse_method(words[0]))
    status = words[0].lower()
    if not _STATUS.fullmatch(status):
        raise Misread(f"{quoted(words[0])} is not a status from 100 to 699, or a class of them such as 4xx", words[0])
    if len(words) == 1:
        if bare_status:
            return MessagePattern(None, status)
        raise Misread(f"a response names the method it answers: write '{status} INVITE'")
    _check_end(words, 2, text)
    if words[1] == "OK":
        raise Misread(f"a response names the method it answers, not its reason: write '{status} INVITE'", words[1])
    return MessagePattern(parse_method(words[1]), status)


def parse_method(word: str) -> str:
    """Read a method that simkit knows; they compare with case (RFC 3261 section 7.1). Raises Misread."""
    if word not in METHODS:
        raise unknown("method", word, METHODS)
    return word


def parse_status(word: str, *, least: int = 100) -> int:
    """Read a status code from `least` to 699. Raises Misread."""
    if not (word.isascii() and word.isdigit() and len(word) == 3 and least <= int(word) <= 699):
        raise Misread(f"{quoted(word)} is not a status from {least} to 699", word)
    return int(word)


def parse_direction(text: str) -> tuple[str, str]:
    """Read "alice -> bob" as sender and receiver. Raises Misread."""
    found = _DIRECTION.fullmatch(text)
    if found is None:
        raise Misread(f"{quoted(text)} is not a direction: write 'alice -> bob'")
    return found[1], found[2]


def parse_link(text: str) -> LinkPattern:
    """Read "alice -> bob: INVITE". Raises Misread."""
    direction, colon, message = text.partition(":")
    if not colon:
        raise Misread(f'{quoted(text)} does not say which message: write "alice -> bob: INVITE"')
    sender, receiver = parse_direction(direction)
    return LinkPattern(sender, receiver, parse_message(message))


def _check_end(words: list[str], count: int, text: str) -> None:
    if len(words) > count:
        known = "INVITE, 200 INVITE or 4xx INVITE"
        raise Misread(f"{quoted(text)} is not a message: write {known}", words[count])
