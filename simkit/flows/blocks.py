"""Maps of a flow file, read by the table of keys: each key's value by its kind, each unknown key a fault."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from ..units import S, format_duration
from .addresses import parse_address
from .commands import checked_command, split_command
from .faults import Misread, quoted, unknown
from .logic import command_logic, parse_logic
from .model import Address, Instant, LinkPattern, Logic, MessagePattern, Window
from .patterns import parse_message, parse_method
from .reading import AS_NUMBER, AS_TIME, Reading, duration_us, kind_of
from .schema import MILLION, VERSION, Block, Key, Kind
from .times import START
from .yaml_source import List, Map, Node, Scalar

_TOKEN = re.compile(r"[\w.!%*+`'~-]+")
_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,6}))?(%?)")
_DRIFT = re.compile(r"([+-]?[0-9]{1,6}) *ppm")
_RULE = re.compile(r"(?:RFC4028|[0-9]{4})-[0-9.]+(?:-[0-9]+|[a-z])?")


def read_block(reading: Reading, node: Node, keys: Block, what: str) -> dict[str, Any]:
    """Read a map by its table: the value of each key that is there and in order.

    Names get their unit: seconds end in `_s`, durations in `_us`, shares and drift in `_ppm`. What a module of its own
    reads stays a node.
    """
    if not isinstance(node, Map):
        reading.refuse(node.source, f"{what} is a map of keys, not {kind_of(node)}")
        return {}
    given = _given(reading, node, keys, what)
    fields: dict[str, Any] = {}
    for name, key in keys.items():
        found = given.get(name)
        if found is None:
            if key.required and node.value(name) is None:
                reading.refuse(node.source, f"{what} has no '{name}': {key.about[0].lower()}{key.about[1:-1]}")
            continue
        reader = _READERS.get(key.kind)
        value = found if reader is None else reading.attempt(found, reader, reading, found, key)
        if value is not None:
            fields[name + _UNIT.get(key.kind, "")] = value
    return fields


def _given(reading: Reading, node: Map, keys: Block, what: str) -> dict[str, Node]:
    given: dict[str, Node] = {}
    for name, value in node.entries:
        key = keys.get(name.text)
        if key is None:
            reading.refuse(name.source, unknown("key", name.text, keys, where=f" in {what}").message)
        else:
            given[name.text] = value
    return given


# --- one reader for each simple kind ---------------------------------------------------------------------------------


def _version(reading: Reading, node: Node, key: Key) -> int:
    text = reading.text(node, hint=AS_NUMBER)
    if text != str(VERSION):
        raise Misread(f"flow language {quoted(text)} is not known: this simkit reads version {VERSION}")
    return VERSION


def _text(reading: Reading, node: Node, key: Key) -> str:
    return reading.text(node).strip()


def _run_text(reading: Reading, node: Node, key: Key) -> str:
    return reading.text(node, keep_saved=True)


def _texts(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    return reading.texts(node)


def _tokens(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    return reading.parsed_list(node, token)


def token(text: str) -> str:
    """Return a word as SIP's grammar has it (RFC 3261 section 25.1). Raises Misread."""
    if not _TOKEN.fullmatch(text):
        raise Misread(f"{quoted(text)} is not one word")
    return text


def _methods(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    return reading.parsed_list(node, parse_method)


def _messages(reading: Reading, node: Node, key: Key) -> tuple[MessagePattern, ...]:
    return reading.parsed_list(node, parse_message)


def _forbidden(reading: Reading, node: Node, key: Key) -> tuple[MessagePattern, ...]:
    return reading.parsed_list(node, lambda text: parse_message(text, bare_status=True))


def _rules(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    return reading.parsed_list(node, _rule)


def _rule(text: str) -> str:
    if not _RULE.fullmatch(text):
        raise Misread(f"{quoted(text)} is not a rule: write RFC4028-10-6 or 3261-14.1c")
    from ..rulebook import RULES  # reads a file: only a flow that names rules pays for it

    if text not in RULES:
        raise unknown("rule", text, _same_section(text, RULES))
    return text


def _same_section(rule: str, rules: Mapping[str, object]) -> tuple[str, ...]:
    near = tuple(known for known in rules if known.rpartition("-")[0] == rule.rpartition("-")[0])
    return near or tuple(rules)


def _boolean(reading: Reading, node: Node, key: Key) -> bool:
    return reading.boolean(node)


def _count(reading: Reading, node: Node, key: Key) -> int:
    return reading.count(node, key.least, key.most)


def _seconds(reading: Reading, node: Node, key: Key) -> int:
    seconds, rest = divmod(reading.duration(node), S)
    if rest:
        raise Misread("expected whole seconds: RFC 4028 knows no parts of one")
    if not key.least <= seconds <= key.most:
        raise Misread(f"{seconds:,} s is not from {key.least:,} to {key.most:,} s")
    return seconds


def _duration(reading: Reading, node: Node, key: Key) -> int:
    duration_us = reading.duration(node)
    if duration_us < key.least:
        raise Misread("this must be longer than 0s")
    if duration_us > key.most:
        raise Misread(f"this must be at most {format_duration(key.most)}")
    return duration_us


def _shift(reading: Reading, node: Node, key: Key) -> int:
    text = reading.text(node, hint=AS_TIME).strip()
    if text.startswith("-"):
        return -duration_us(text[1:])
    return duration_us(text.removeprefix("+"))


def _drift(reading: Reading, node: Node, key: Key) -> int:
    text = reading.text(node, hint="write 100ppm").strip()
    found = _DRIFT.fullmatch(text)
    if found is None or int(found[1]) <= -MILLION:
        raise Misread(f"{quoted(text)} is not a drift: write 100ppm or -50ppm")
    return int(found[1])


def _share(reading: Reading, node: Node, key: Key) -> int:
    text = reading.text(node, hint=AS_NUMBER).strip()
    found = _SHARE.fullmatch(text)
    if found is None:
        raise Misread(f"{quoted(text)} is not a share: write 0.05 or 5%")
    whole, fraction, percent = found.groups()
    ppm, rest = divmod(
        int(whole + (fraction or "")) * (MILLION // 100 if percent else MILLION), 10 ** len(fraction or "")
    )
    if rest or ppm > MILLION:
        raise Misread(f"{quoted(text)} is not a share from 0 to 1 (or 0% to 100%), to a millionth")
    return int(ppm)


def _choice(reading: Reading, node: Node, key: Key) -> str:
    if not isinstance(node, Scalar):
        raise Misread(f"expected one of {', '.join(key.choices)}, not {kind_of(node)}")
    return _chosen(key, reading.text(node).strip())


def _chosen(key: Key, word: str) -> str:
    if word in key.planned:
        raise Misread(f"{quoted(word)} is not supported yet; for now: {', '.join(key.choices)}")
    if word not in key.choices:
        raise unknown("word", word, key.choices)
    return word


def _choices(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reading.parsed_list(node, partial(_chosen, key))))


def _secret(reading: Reading, node: Node, key: Key) -> str:
    text = reading.text(node)
    if not text:
        raise Misread("an empty text proves nothing")
    return text


def _logic(reading: Reading, node: Node, key: Key) -> Logic:
    if isinstance(node, List):
        return command_logic(reading.texts(node), node.source)
    return parse_logic(reading.text(node), node.source)


def _address(reading: Reading, node: Node, key: Key) -> Address:
    return parse_address(reading.text(node))


def _command(reading: Reading, node: Node, key: Key) -> tuple[str, ...]:
    """Read the command of a process; where actors are is filled in when it is started."""
    if isinstance(node, List):
        return checked_command(reading.texts(node, keep_saved=True))
    return split_command(reading.text(node, keep_saved=True))


def _actor(reading: Reading, node: Node, key: Key) -> str:
    return reading.actor(reading.text(node))


def _parties(reading: Reading, node: Node, key: Key) -> tuple[str, str]:
    names = reading.parsed_list(node, reading.actor)
    if not isinstance(node, List) or len(node.items) != 2 or len(set(names)) == 1 == len(names) - 1:
        raise Misread("expected two parties: [alice, bob]")
    return (names[0], names[1]) if len(names) == 2 else ("", "")


def _instant(reading: Reading, node: Node, key: Key) -> Instant:
    return reading.instant(reading.text(node, hint=AS_TIME))


def _window(reading: Reading, node: Node, key: Key) -> Window:
    return reading.window(node)


def _mark(reading: Reading, node: Node, key: Key) -> str:
    mark = reading.name(node, "a mark")
    if mark == START:
        raise Misread("'start' is always known: choose another name")
    return mark


def _link(reading: Reading, node: Node, key: Key) -> LinkPattern:
    return reading.link(reading.text(node))


_READERS: Final[Mapping[Kind, Callable[[Reading, Node, Key], Any]]] = {
    Kind.VERSION: _version,
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.TOKENS: _tokens,
    Kind.RULES: _rules,
    Kind.METHODS: _methods,
    Kind.MESSAGES: _messages,
    Kind.FORBIDDEN: _forbidden,
    Kind.BOOLEAN: _boolean,
    Kind.COUNT: _count,
    Kind.SECONDS: _seconds,
    Kind.DURATION: _duration,
    Kind.SHIFT: _shift,
    Kind.DRIFT: _drift,
    Kind.SHARE: _share,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.SECRET: _secret,
    Kind.COMMAND: _command,
    Kind.LOGIC: _logic,
    Kind.ADDRESS: _address,
    Kind.ACTOR: _actor,
    Kind.PARTIES: _parties,
    Kind.INSTANT: _instant,
    Kind.WINDOW: _window,
    Kind.MARK: _mark,
    Kind.LINK: _link,
    Kind.RUN_TEXT: _run_text,
}
_UNIT: Final = {
    Kind.SECONDS: "_s",
    Kind.DURATION: "_us",
    Kind.SHIFT: "_us",
    Kind.SHARE: "_ppm",
    Kind.DRIFT: "_ppm",
}
