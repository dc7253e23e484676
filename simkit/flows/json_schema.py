"""The table of keys as a JSON Schema (draft 2020-12), for editors that complete and check while one types.

It says which keys there are and what they look like. What ties places together (marks, actors, times) only the loader
checks; every file that the loader takes is valid here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .model import Comparison, Verb
from .patterns import METHODS
from .schema import (
    FLOW,
    LINE_KEYS,
    MATCHER,
    NET_LINE,
    OBSERVATION,
    REPEAT_LINE,
    STIMULUS,
    VERSION,
    Block,
    Key,
    Kind,
)

Schema = dict[str, Any]

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]*"
_DIRECTION: Final = rf"{_NAME} *-> *{_NAME}"
_STATUS: Final = r"[1-6]([0-9][0-9xX]|[xX][xX])"
_METHOD: Final = f"({'|'.join(METHODS)})"
_MESSAGE: Final = rf"({_STATUS} +)?{_METHOD}"
_DURATION: Final = r"([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d)?)+"
_TERMS: Final = rf"( *[+-] *{_DURATION})*"
_INSTANT: Final = rf"({_DURATION}|[A-Za-z_][A-Za-z0-9_]*(\.received)?){_TERMS}"
_VERBS: Final = f"({'|'.join(verb.value for verb in Verb)})( .*)?"
_SAVED_PART: Final = r"[^.\s]+(\.[A-Za-z0-9_-]+)?"
_FILLED_IN: Final = r"\$\{"  # what a `${name}` stands for, a schema cannot know

_SINGLE: Final[Schema] = {"type": ["string", "number"]}


def write_schema() -> Schema:
    """Return the schema of a whole flow file."""
    top = _map(FLOW)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"simkit flow, version {VERSION}",
        **top,
        "$defs": {
            "lines": {"type": "array", "minItems": 1, "items": {"anyOf": _lines()}},
            "matcher": _matcher(),
        },
    }


def _lines() -> list[Schema]:
    not_a_key = rf"(?!({'|'.join(sorted(LINE_KEYS))})$)"
    return [
        _line(OBSERVATION, rf"^{_DIRECTION}$", _text(_MESSAGE)),
        _line(STIMULUS, rf"^{not_a_key}{_NAME}$", _text(_VERBS)),
        _map(NET_LINE),
        _map(REPEAT_LINE),
    ]


def _line(keys: Block, head: str, value: Schema) -> Schema:
    return {**_map(keys), "patternProperties": {head: value}, "minProperties": 1}


def _map(keys: Block) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: {**_value(key), "description": key.about} for name, key in keys.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in keys.items() if key.required]:
        schema["required"] = required
    return schema


def _value(key: Key) -> Schema:
    """Return what a key may hold; a kind without an entry is our mistake."""
    return _SCHEMAS[key.kind](key)


def _block(key: Key) -> Schema:
    return _map(key.block or {})


def _network(key: Key) -> Schema:
    return {**_block(key), "patternProperties": {rf"^{_DIRECTION}$": _block(key)}}


def _actors(key: Key) -> Schema:
    actors = {f"^{_NAME}$": _block(key)}
    return {"type": "object", "minProperties": 1, "patternProperties": actors, "additionalProperties": False}


def _choice(key: Key) -> Schema:
    numbers = [int(choice) for choice in key.choices if choice.isdecimal()]
    return _either({"enum": [*key.choices, *numbers]}, {"type": "string", "pattern": _FILLED_IN})


def _count(key: Key) -> Schema:
    return _either({"type": "integer", "minimum": key.least, "maximum": key.most}, _text("[0-9]+"))


def _calls(key: Key) -> Schema:
    assert key.block
    return _either(_count(key.block["count"]), _block(key))


def _refreshes(key: Key) -> Schema:
    return _either(_count(key), _object(_count(key)))


def _either(*choices: Schema) -> Schema:
    return {"anyOf": list(choices)}


def _one_or_more(item: Schema) -> Schema:
    return _either(item, {"type": "array", "items": item})


def _object(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": rf"^\s*({pattern})\s*$|{_FILLED_IN}"}


def _or_number(pattern: str) -> Schema:
    return _either({"type": "number", "minimum": 0}, _text(pattern))


def _matcher() -> Schema:
    comparisons = _map(MATCHER)
    comparisons["properties"][Comparison.ONE_OF.value] |= {"type": "array", "items": _SINGLE, "minItems": 1}
    return {"anyOf": [_SINGLE, {**comparisons, "minProperties": 1, "maxProperties": 1}]}


_LINES: Final[Schema] = {"$ref": "#/$defs/lines"}
_MATCHER: Final[Schema] = {"$ref": "#/$defs/matcher"}
_STATUS_NUMBER: Final[Schema] = {"type": "integer", "minimum": 100, "maximum": 699}
_VALUE_MAP: Final = _object({"type": ["string", "number", "boolean"]})
_PAIR: Final[Schema] = {"type": "array", "items": _text(_NAME), "minItems": 2, "maxItems": 2}

_SCHEMAS: Final[Mapping[Kind, Callable[[Key], Schema]]] = {
    Kind.VERSION: lambda _: {"const": VERSION},
    Kind.TEXT: lambda _: _SINGLE,
    Kind.TEXTS: lambda _: _one_or_more(_SINGLE),
    Kind.TOKENS: lambda _: _one_or_more(_SINGLE),
    Kind.RULES: lambda _: _one_or_more(_text(r"(RFC4028|[0-9]{4})-[0-9.]+(-[0-9]+|[a-z])?")),
    Kind.METHODS: lambda _: _one_or_more(_text(_METHOD)),
    Kind.MESSAGES: lambda _: _one_or_more(_text(_MESSAGE)),
    Kind.FORBIDDEN: lambda _: _one_or_more(_either(_STATUS_NUMBER, _text(f"{_STATUS}|{_MESSAGE}"))),
    Kind.BOOLEAN: lambda _: _either({"type": "boolean"}, {"type": "string", "pattern": _FILLED_IN}),
    Kind.COUNT: _count,
    Kind.SECONDS: lambda key: _either(_count(key), _text(_DURATION)),
    Kind.DURATION: lambda _: _or_number(_DURATION),
    Kind.SHIFT: lambda _: _either({"type": "number"}, _text(rf"[+-]?{_DURATION}")),
    Kind.DRIFT: lambda _: _text(r"[+-]?[0-9]+ *ppm"),
    Kind.SHARE: lambda _: _either({"type": "number", "minimum": 0, "maximum": 1}, _text(r"[0-9.]+%?")),
    Kind.CHOICE: _choice,
    Kind.CHOICES: lambda key: _one_or_more(_choice(key)),
    Kind.SECRET: lambda _: _SINGLE,
    Kind.ADDRESS: lambda _: _text(r"([0-9.]+|localhost|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}"),
    Kind.ACTOR: lambda _: _text(_NAME),
    Kind.PARTIES: lambda _: _PAIR,
    Kind.INSTANT: lambda _: _or_number(_INSTANT),
    Kind.WINDOW: lambda _: _or_number(rf"{_INSTANT}( *\.\. *{_INSTANT})?"),
    Kind.MARK: lambda _: _text(_NAME),
    Kind.LINK: lambda _: _text(rf"{_DIRECTION} *: *{_MESSAGE}"),
    Kind.BLOCK: _block,
    Kind.VALUES: lambda _: _VALUE_MAP,
    Kind.CASES: lambda _: {"type": "array", "items": _VALUE_MAP, "minItems": 1},
    Kind.NETWORK: _network,
    Kind.CALLS: _calls,
    Kind.ACTORS: _actors,
    Kind.ANSWERS: lambda _: _either(_STATUS_NUMBER, _text(rf"at +once|by +hand|after +{_DURATION}|[3-6][0-9][0-9]")),
    Kind.COMMAND: lambda _: _either({"type": "string"}, {"type": "array", "items": _SINGLE, "minItems": 1}),
    Kind.LOGIC: lambda _: _either({"type": "string"}, {"type": "array", "items": _SINGLE, "minItems": 1}),
    Kind.LINES: lambda _: _LINES,
    Kind.MATCHER: lambda _: _MATCHER,
    Kind.MATCHERS: lambda _: _object(_MATCHER),
    Kind.HEADERS: lambda _: _object(_one_or_more(_SINGLE)),
    Kind.HEADER_NAMES: lambda _: _one_or_more(_SINGLE),
    Kind.SAVES: lambda _: _object(_either(_text(_SAVED_PART), {**_object(_SINGLE), "maxProperties": 1})),
    Kind.RUN_TEXT: lambda _: _SINGLE,
    Kind.OUTCOMES: lambda key: _object(_choice(key)),
    Kind.REFRESHES: _refreshes,
}
