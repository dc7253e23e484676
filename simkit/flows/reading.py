"""One pass over a flow file with one set of values, collecting every fault on the way.

`Reading` knows what `${name}` stands for, which actors there are, and which marks and saved names are known at the line
that is being read. What each key may hold is read in `blocks`.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from ..errors import Fault, Source
from ..sip.transport import Transport
from ..units import format_duration, parse_duration
from .faults import Misread, pointing_at, quoted, unknown
from .model import Instant, LinkPattern, Role, Window
from .patterns import parse_link
from .times import START, parse_instant, parse_window
from .twists import is_decimal, twist
from .variables import NAME, substitute
from .yaml_source import MAX_FAULTS, List, Node, Scalar

T = TypeVar("T")

AS_TEXT: Final = 'write "{}" in quotes'
AS_NUMBER: Final = "write plain digits"
AS_TIME: Final = "write a duration with its unit, such as 90s or 1m30s"

SECRET_MISREAD: Final = "this cannot be read as it stands: put it in quotes, and write $${ for a plain ${"
"""Of a secret no more is said, for that would repeat it."""


class TooManyFaultsError(Exception):
    """Enough is wrong with this file to stop reading it."""


class Reading:
    """One pass over a file: what is known so far, and what is wrong."""

    def __init__(self, path: str, values: Mapping[str, str]) -> None:
        self.path = path
        self.values = values
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.roles: dict[str, Role | None] = {}
        """The actors by name; None for one whose role cannot be read."""
        self.proxies: set[str] = set()
        """The actors that pass on what others send, be they ours or real."""
        self.saved: set[str] = set()
        self.marks: dict[str, str] = {START: ""}
        """The marks set so far, with why one may not be set after all."""
        self.later_marks: frozenset[str] = frozenset()
        self.transport = Transport.UDP
        self.may_be_before_mark = False
        """Whether a time may lie before its mark: in `expect`, where all is over."""

    def refuse(self, source: Source, message: str, word: str = "") -> None:
        """Note a fault. Raises TooManyFaultsError."""
        self.faults.append(Fault(pointing_at(word, source), message))
        if len(self.faults) >= MAX_FAULTS:
            raise TooManyFaultsError

    def warn(self, source: Source, message: str) -> None:
        """Note what is allowed, but surprising."""
        self.warnings.append(Fault(source, message))

    def attempt(self, node: Node, read: Callable[..., T], *arguments: object) -> T | None:
        """Return what `read` makes of its arguments; None, and a fault at the node, where it refuses."""
        try:
            return read(*arguments)
        except Misread as misread:
            self.refuse(node.source, misread.message, misread.word)
            return None

    # --- text --------------------------------------------------------------------------------------------------------

    def text(self, node: Node, *, keep_saved: bool = False, hint: str = AS_TEXT) -> str:
        """Return the text of a value with its `${name}` filled in, or kept where they are saved in the run.

        Raises Misread for a list or map, and for what YAML would make something else of.
        """
        if not isinstance(node, Scalar):
            raise Misread(f"expected one value, not {kind_of(node)}")
        try:
            return self._text(node, keep_saved=keep_saved, hint=hint)
        except Misread:
            if not node.secret:
                raise
        raise Misread(SECRET_MISREAD)

    def _text(self, node: Scalar, *, keep_saved: bool, hint: str) -> str:
        written = node.text
        if node.plain and (made := twist(written)):
            if not written:
                raise Misread("a value is missing here")
            if hint is AS_TEXT or not is_decimal(written):
                raise Misread(f"YAML makes {made} of {quoted(written)}: {hint.format(written[:60])}")
        if "$" not in written:
            return written
        return substitute(written, self.values, saved=self.saved, keep_saved=keep_saved)

    def texts(self, node: Node, *, keep_saved: bool = False) -> tuple[str, ...]:
        """Return the texts of a list; of one value, its text alone."""
        items = node.items if isinstance(node, List) else (node,)
        texts = (self.attempt(item, lambda item=item: self.text(item, keep_saved=keep_saved)) for item in items)
        return tuple(text for text in texts if text is not None)

    def parsed_list(self, node: Node, parse: Callable[[str], T]) -> tuple[T, ...]:
        """Return what `parse` makes of each item of a list; of one value, of it alone."""
        items = node.items if isinstance(node, List) else (node,)
        parsed = (self.attempt(item, lambda item=item: parse(self.text(item))) for item in items)
        return tuple(value for value in parsed if value is not None)

    def boolean(self, node: Node) -> bool:
        """Return true or false. Raises Misread for `yes`, `on`, `"true"` and the rest."""
        text = node.text if isinstance(node, Scalar) else ""
        if "$" in text:
            text = self.text(node)
        elif not (isinstance(node, Scalar) and node.plain):
            text = ""
        if text not in ("true", "false"):
            raise Misread("expected true or false, without quotes")
        return text == "true"

    def name(self, node: Node, what: str) -> str:
        """Return a name of letters, digits and underscores. Raises Misread."""
        name = self.text(node)
        if not NAME.fullmatch(name):
            raise Misread(f"{quoted(name)} cannot name {what}: use letters, digits and underscores")
        return name

    # --- numbers -----------------------------------------------------------------------------------------------------

    def count(self, node: Node, least: int, most: int) -> int:
        """Return a whole number within its bounds. Raises Misread."""
        text = self.text(node, hint=AS_NUMBER).strip()
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise Misread(f"{quoted(text)} is not a whole number")
        if len(digits) > 18 or not least <= int(text) <= most:
            raise Misread(f"{quoted(text)} is not from {least:,} to {most:,}")
        return int(text)

    def duration(self, node: Node) -> int:
        """Return a duration in microseconds. Raises Misread."""
        return duration_us(self.text(node, hint=AS_TIME))

    # --- parties and times -------------------------------------------------------------------------------------------

    def actor(self, name: str) -> str:
        """Return the name of a declared actor. Raises Misread."""
        if name not in self.roles and self.roles:
            raise unknown("actor", name, self.roles)
        return name

    def link(self, text: str) -> LinkPattern:
        """Return messages in one direction between declared actors. Raises Misread."""
        link = parse_link(text)
        self.direction(link.sender, link.receiver)
        return link

    def direction(self, sender: str, receiver: str) -> None:
        """Check that both parties are declared, and not one. Raises Misread."""
        self.actor(sender)
        if self.actor(receiver) == sender:
            raise Misread(f"'{sender}' cannot send to itself", receiver)

    def instant(self, text: str) -> Instant:
        """Return an instant whose mark is known here. Raises Misread."""
        instant = parse_instant(text)
        self._check_mark(instant)
        return instant

    def window(self, node: Node) -> Window:
        """Return a window, or an instant as one of no width, whose marks are known here. Raises Misread."""
        text = self.text(node, hint=AS_TIME)
        earliest, latest = parse_window(text)
        for instant in (earliest, latest):
            self._check_mark(instant)
        return Window(node.source, earliest, latest, text.strip())

    def _check_mark(self, instant: Instant) -> None:
        mark = instant.mark
        doubt = self.marks.get(mark)
        if doubt is None:
            if mark in self.later_marks:
                raise Misread(f"mark '{mark}' is used before it is set", mark)
            raise unknown("mark", mark, (*self.marks, *self.later_marks))
        if doubt and (instant.received or doubt != _LOST):
            raise Misread(f"mark '{mark}' may not be set: {doubt}", mark)
        if instant.received and mark == START:
            raise Misread("'start' is no message: it has no '.received'", mark)
        if instant.offset_us < 0 and not instant.received and (mark == START or not self.may_be_before_mark):
            why = "before anything happens" if mark == START else "and that has passed when this line's turn comes"
            raise Misread(f"{quoted(instant.text)} is {format_duration(-instant.offset_us)} before '{mark}', {why}")

    def set_mark(self, mark: str, *, optional: bool, lost: bool) -> None:
        """Note that the line just read sets a mark."""
        self.marks[mark] = "its line is optional" if optional else _LOST if lost else ""


_LOST = "its message is lost, so it is never received"


def kind_of(node: Node) -> str:
    """Return what a node is, for a message."""
    if isinstance(node, Scalar):
        return quoted(node.text) if node.text else "nothing"
    what, parts = ("list", node.items) if isinstance(node, List) else ("map", node.entries)
    return f"a {what}" if parts else f"an empty {what}"


def duration_us(text: str) -> int:
    """Return a duration in microseconds. Raises Misread."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Misread(str(error) if len(text) <= 60 else f"{quoted(text)} is not a duration") from None
