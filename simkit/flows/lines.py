"""The lines of `flow`: stimuli, observations, changes of the network, repeats; in the order in which they happen.

The order matters: a mark or a saved value is known to the lines below the one that sets it.
"""

from collections.abc import Iterator
from typing import Any, Final

from ..errors import Source
from .blocks import read_block
from .faults import Misread, quoted, unknown
from .matchers import read_header_names, read_headers, read_matcher, read_matchers, read_saves
from .model import NetChange, NetVerb, Observation, Repeat, Role, Step, Stimulus, Verb
from .network import check_may_be_lost
from .patterns import parse_direction, parse_message
from .reading import Reading, kind_of
from .schema import LINE_KEYS, MAX_TURNS, NET, NET_LINE, OBSERVATION, REPEAT_LINE, STIMULUS
from .verbs import Command, parse_command
from .yaml_source import List, Map, Node, Scalar

_HAPPENS_TO_ANYONE: Final = frozenset({Verb.CRASH, Verb.RESTART, Verb.FREEZE, Verb.THAW})
_HAPPENS_TO_PROXIES: Final = _HAPPENS_TO_ANYONE | {Verb.IGNORE, Verb.REPLY}
_CARRIES_HEADERS: Final = frozenset({Verb.REPLY, Verb.REJECT})
_SHAPING: Final = {"with": "headers", "without": "without", "raw": "raw", "credentials": "credentials"}
_LOOKS: Final = "'alice: call bob', 'alice -> bob: INVITE', 'net: {...}' or 'repeat: 3'"


def read_lines(reading: Reading, node: Node) -> tuple[Step, ...]:
    """Read `flow`, noting the marks and saved values of each line for those below it."""
    reading.later_marks = frozenset(_marks(node))
    return _read_steps(reading, node, 1)


def _marks(node: Node) -> Iterator[str]:
    """Find every mark, wherever it is set, so that one used too early is told from one nobody sets."""
    for line in node.items if isinstance(node, List) else ():
        if isinstance(line, Map):
            mark, inner = line.value("mark"), line.value("flow")
            if isinstance(mark, Scalar):
                yield mark.text
            if inner:
                yield from _marks(inner)


def _read_steps(reading: Reading, node: Node, turns: int) -> tuple[Step, ...]:
    """Read lines that take place `turns` times altogether."""
    if not isinstance(node, List) or not node.items:
        reading.refuse(node.source, f"flow is a list of lines, not {kind_of(node)}: each line begins with '- '")
        return ()
    steps = (reading.attempt(line, _read_line, reading, line, turns) for line in node.items)
    return tuple(step for step in steps if step is not None)


def _read_line(reading: Reading, line: Node, turns: int) -> Step | None:
    if isinstance(line, Scalar) and ":" in line.text:
        raise Misread("a space is missing after the ':', or a value after it")
    if not isinstance(line, Map):
        raise Misread(f"a line is {_LOOKS}, not {kind_of(line)}")
    head, value = _head(reading, line)
    rest = Map(line.source, tuple(entry for entry in line.entries if entry[0] is not head))
    if head.text == "net":
        return _read_net(reading, line, head, value)
    if head.text == "repeat":
        return _read_repeat(reading, line, head, turns)
    if "->" in head.text:
        return _read_observation(reading, head, value, rest)
    return _read_stimulus(reading, head, value, rest)


def _head(reading: Reading, line: Map) -> tuple[Scalar, Node]:
    """Return the key that makes the line what it is. Raises Misread."""
    heads = [(key, value) for key, value in line.entries if _is_head(reading, key.text)]
    if len(heads) > 1:
        names = " and ".join(f"'{key.text}'" for key, _ in heads)
        raise Misread(f"a line says one thing: {names} need lines of their own, each beginning with '- '")
    if heads:
        return heads[0]
    strange = next((key for key, _ in line.entries if key.text not in LINE_KEYS), None)
    if strange is None:
        raise Misread(f"this says nobody who does or sends something: a line is {_LOOKS}")
    if strange.text.isidentifier():
        raise unknown("actor", strange.text, reading.roles)
    raise Misread(f"{quoted(strange.text)} is no line: write {_LOOKS}")


def _is_head(reading: Reading, key: str) -> bool:
    if key in ("net", "repeat") or "->" in key:
        return True
    return key not in LINE_KEYS and (key in reading.roles or not reading.roles)


# --- stimuli ---------------------------------------------------------------------------------------------------------


def _read_stimulus(reading: Reading, head: Scalar, value: Node, rest: Map) -> Stimulus | None:
    actor = head.text
    command = reading.attempt(value, _read_command, reading, actor, value)
    fields = read_block(reading, rest, STIMULUS, "a stimulus")
    headers = read_headers(reading, fields["with"]) if "with" in fields else ()
    if command is None:
        return None
    if headers and command.verb not in _CARRIES_HEADERS:
        reading.refuse(_key(rest, "with"), f"only reply and reject take `with`, not '{command.verb.value}'")
    return Stimulus(
        source=head.source,
        text=f"{actor}: {' '.join(reading.text(value).split())}",
        actor=actor,
        verb=command.verb,
        target=command.target,
        status=command.status,
        method=command.method,
        times=command.times,
        until=reading.instant(command.until) if command.until else None,
        at=fields.get("at"),
        headers=headers,
    )


def _read_command(reading: Reading, actor: str, node: Node) -> Command:
    command = parse_command(reading.text(node))
    if reading.roles.get(actor) is Role.SCRIPTED and command.verb not in _HAPPENS_TO_ANYONE:
        raise Misread(f"'{actor}' is scripted: it sends what its lines say, and cannot {quoted(command.verb.value)}")
    if reading.roles.get(actor) is Role.PROXY and command.verb not in _HAPPENS_TO_PROXIES:
        raise Misread(f"'{actor}' is a proxy: it passes on what others send, and cannot {quoted(command.verb.value)}")
    if command.target is not None and reading.actor(command.target) == actor:
        raise Misread(f"'{actor}' cannot call itself", command.target)
    if command.target in reading.proxies:
        way = f"call who is behind it, and write 'route: {command.target}' in '{actor}'"
        raise Misread(f"'{command.target}' is a proxy: {way}", command.target)
    if command.until:
        reading.instant(command.until)
    return command


# --- observations ----------------------------------------------------------------------------------------------------


def _read_observation(reading: Reading, head: Scalar, value: Node, rest: Map) -> Observation | None:
    direction = reading.attempt(head, _read_direction, reading, head.text)
    pattern = reading.attempt(value, lambda: parse_message(reading.text(value)))
    fields = read_block(reading, rest, OBSERVATION, "an observation")
    if direction and reading.roles.get(direction[0]) is Role.SCRIPTED and (body := fields.pop("body", None)):
        fields["content"] = reading.attempt(body, lambda: reading.text(body, keep_saved=True))
    _read_parts(reading, fields)
    if "within_us" in fields and rest.value("at") is None:
        reading.refuse(head.source, "`within` is a tolerance of `at`, which this line does not have")
    if direction:
        _check_shaping(reading, direction[0], rest)
    _remember(reading, fields)
    if direction is None or pattern is None:
        return None
    sender, receiver = direction
    return Observation(head.source, f"{sender} -> {receiver}: {pattern}", sender, receiver, pattern, **fields)


def _read_direction(reading: Reading, text: str) -> tuple[str, str]:
    sender, receiver = parse_direction(text)
    reading.direction(sender, receiver)
    return sender, receiver


def _read_parts(reading: Reading, fields: dict[str, Any]) -> None:
    """Put what the nodes among the fields say in their place."""
    if body := fields.pop("body", None):
        fields["body"] = reading.attempt(body, read_matcher, reading, body)
    for name, field, read in (
        ("has", "has", read_matchers),
        ("with", "headers", read_headers),
        ("without", "without", read_header_names),
        ("save", "save", read_saves),
    ):
        if node := fields.pop(name, None):
            fields[field] = read(reading, node)


def _check_shaping(reading: Reading, sender: str, rest: Map) -> None:
    if reading.roles.get(sender) in (Role.SCRIPTED, None):
        return
    for name, _ in rest.entries:
        if name.text in _SHAPING:
            message = f"`{name.text}` shapes what a scripted actor sends; '{sender}' follows its own rules"
            reading.refuse(name.source, message)


def _remember(reading: Reading, fields: dict[str, Any]) -> None:
    reading.saved.update(saving.name for saving in fields.get("save", ()))
    if mark := fields.get("mark"):
        reading.set_mark(mark, optional=bool(fields.get("optional")), lost=bool(fields.get("lost")))


# --- the network, and repeats ----------------------------------------------------------------------------------------


def _read_net(reading: Reading, line: Map, head: Scalar, value: Node) -> NetChange | None:
    outer = read_block(reading, line, NET_LINE, "a net line")
    fields = read_block(reading, value, NET, "net")
    if not isinstance(value, Map):
        return None
    said = [(key, inner) for key, inner in value.entries if key.text in _NET_VERBS]
    if not said and any(key.text not in NET for key, _ in value.entries):
        return None  # that key is a fault already
    if len(said) != 1:
        raise Misread(f"net does one thing: one of {', '.join(_NET_VERBS)}")
    verb = NetVerb(said[0][0].text)
    _check_net(reading, verb, value)
    if verb.value not in fields:
        return None
    subject = fields[verb.value]
    cuts = verb in _CUTS
    return NetChange(
        source=head.source,
        text=f"net: {verb.value} {' and '.join(subject) if cuts else subject}",
        verb=verb,
        messages=None if cuts else subject,
        nth=fields.get("nth", 1),
        by_us=fields.get("by_us", 0),
        parties=subject if cuts else None,
        at=outer.get("at"),
    )


_NET_VERBS: Final = tuple(verb.value for verb in NetVerb)
_CUTS: Final = frozenset({NetVerb.PARTITION, NetVerb.HEAL, NetVerb.DISCONNECT})


def _check_net(reading: Reading, verb: NetVerb, node: Map) -> None:
    if verb in (NetVerb.DROP, NetVerb.DUPLICATE):
        check_may_be_lost(reading, _key(node, verb.value))
    if verb is NetVerb.DISCONNECT and not reading.transport.is_reliable:
        reading.refuse(_key(node, verb.value), "over udp there is no connection to break: set `transport: tcp`")
    by, nth = node.value("by"), node.value("nth")
    if by and verb is not NetVerb.DELAY:
        reading.refuse(_key(node, "by"), f"`by` belongs to delay, not to {verb.value}")
    if not by and verb is NetVerb.DELAY:
        reading.refuse(node.source, "delay does not say by how much: add `by: 3s`")
    if nth and verb in _CUTS:
        reading.refuse(_key(node, "nth"), f"`nth` counts messages; {verb.value} is not about single ones")


def _read_repeat(reading: Reading, line: Map, head: Scalar, turns: int) -> Repeat | None:
    fields = read_block(reading, line, REPEAT_LINE, "a repeat")
    times = fields.get("repeat", 1)
    if turns * times > MAX_TURNS:
        raise Misread(f"repeats within repeats make more than {MAX_TURNS:,} turns")
    if "since" in fields and "every_us" not in fields:
        reading.refuse(_key(line, "since"), "`since` needs `every`: turn k begins k * every after it")
    steps = _read_steps(reading, fields["flow"], turns * times) if "flow" in fields else ()
    if "repeat" not in fields or not steps:
        return None
    return Repeat(head.source, f"repeat: {times}", times, fields.get("every_us"), fields.get("since"), steps)


def _key(line: Map, name: str) -> Source:
    return next(key.source for key, _ in line.entries if key.text == name)
