"""`${name}` in a value: filled in when the file is loaded, or, for values saved on the way, while the flow runs.

`$${` stands for a plain `${`; any other dollar sign for itself.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from .faults import Misread, quoted, unknown

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_TEXT: Final = 65_536  # as long as a UDP datagram: no value is longer

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")


def references(text: str) -> Iterator[str]:
    """Yield the name of each `${name}` in a text."""
    return (found[1] for found in _REFERENCE.finditer(text) if found[1])


def substitute(text: str, values: Mapping[str, str], *, saved: Collection[str] = (), keep_saved: bool = False) -> str:
    """Return the text with each `${name}` replaced.

    Names in `saved` are known only while the flow runs: with `keep_saved` they, and any `$${`, are left for `fill`.
    Raises Misread for a name that is unknown or not known yet.
    """

    def replacement(name: str) -> str:
        if name in values:
            return values[name]
        if name not in saved:
            raise unknown("value", name, _near(name, values, saved) if keep_saved else values)
        if not keep_saved:
            message = f"'{name}' is known only while the flow runs: use it in has, body, with and raw"
            raise Misread(message, name)
        return f"${{{name}}}"

    filled = _replace(text, replacement, escape="$${" if keep_saved else "${")
    if len(filled) > MAX_TEXT:
        raise Misread(f"with its values filled in, this is longer than {MAX_TEXT:,} characters")
    return filled


def _near(name: str, values: Collection[str], saved: Collection[str]) -> list[str]:
    """Return what may have been meant: where an actor is only by a name of that kind, alice.address."""
    return [*values, *(known for known in sorted(saved) if ("." in known) == ("." in name))]


def fill(text: str, saved: Mapping[str, str]) -> str:
    """Return the text of a matcher, a header or a raw message with what was saved in the run so far.

    Raises KeyError, with the name, for what was not saved (its line was optional and did not come).
    """
    return _replace(text, saved.__getitem__, escape="${") if "$" in text else text


def _replace(text: str, replacement: Callable[[str], str], escape: str) -> str:
    parts: list[str] = []
    end = length = 0
    for reference in _REFERENCE.finditer(text):
        name = reference.group(1)
        if name is None:
            new = escape
        elif not reference.group(2):
            raise Misread(f"{quoted(reference.group())} has no '}}' (write $${{ for a plain ${{)")
        else:
            new = replacement(name)
        parts += text[end : reference.start()], new
        end = reference.end()
        length += len(new)
        if length > MAX_TEXT:
            break
    return "".join((*parts, text[end:]))
