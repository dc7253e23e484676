"""Which call is whose counterpart, and which party: by who calls whom and when, not by Call-ID or address."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import PeerError
from ..sip.uri import parse_name_address, parse_uri
from ..trace import Trace
from .alignment import Element, Pair, align, align_groups, in_order
from .sendings import parties_of, title_of


def pair_calls(
    left: Sequence[Trace], right: Sequence[Trace], *, tolerance_us: int, speeds: tuple[int, int]
) -> list[Pair]:
    """Return every call of both sides once, by its position, with its counterpart or None.

    Calls between the same users find each other first; then what is left over takes what there is.
    """
    lefts, rights = (list(_elements(*side)) for side in zip((left, right), speeds, strict=True))
    pairs = align_groups(lefts, rights, tolerance_us=tolerance_us)
    mine = [a for a, b in pairs if a is not None and b is None]
    theirs = [b for a, b in pairs if b is not None and a is None]
    found = [(a, b) for a, b in pairs if a is not None and b is not None]
    left_over = align([lefts[a] for a in mine], [rights[b] for b in theirs], tolerance_us=tolerance_us)
    others = ((None if a is None else mine[a], None if b is None else theirs[b]) for a, b in left_over)
    return in_order([*found, *others])


def _elements(traces: Sequence[Trace], speed: int) -> Iterator[Element]:
    firsts = [next(trace.messages(), None) for trace in traces]
    began_at = min((first.sent_at for first in firsts if first), default=0)
    for first in firsts:
        if first is None:
            yield Element("", "", 0)
            continue
        header = first.message.header
        users = (_user(header("From")), _user(header("To")))
        yield Element(users, title_of(first.message), (first.sent_at - began_at) * speed)


def _user(address: str | None) -> str:
    try:
        return parse_uri(parse_name_address(address or "").uri).user or ""
    except PeerError:
        return ""


@dataclass(frozen=True, slots=True)
class Cast:
    """The parties of two calls, by number: the same number is the same role."""

    left: Mapping[str, int]
    right: Mapping[str, int]
    is_turned: bool
    """The same parties are there, but in other roles."""

    def names(self) -> tuple[tuple[str | None, str | None], ...]:
        """Return each party's name on the left and on the right, by its number."""
        lefts, rights = ({number: name for name, number in side.items()} for side in (self.left, self.right))
        return tuple((lefts.get(number), rights.get(number)) for number in sorted(lefts.keys() | rights.keys()))


def match_parties(left: Trace, right: Trace) -> Cast:
    """Number the parties of two calls: by name where both have the same and it fits best, else as they come."""
    number_of = {name: number for number, name in enumerate(parties_of(left))}
    by_turn = {name: number for number, name in enumerate(parties_of(right))}
    if number_of.keys() != by_turn.keys() or number_of == by_turn:
        return Cast(number_of, by_turn, is_turned=False)
    expected = _directions(left, number_of)
    is_turned = (expected & _directions(right, by_turn)).total() > (expected & _directions(right, number_of)).total()
    return Cast(number_of, by_turn if is_turned else number_of, is_turned)


def _directions(trace: Trace, number_of: Mapping[str, int]) -> Counter[tuple[int, int, str]]:
    return Counter(
        (number_of[each.sender], number_of[each.receiver], title_of(each.message)) for each in trace.messages()
    )
