"""Which headers a message has, and where: what all messages of a kind have in common.

The INVITEs of one user agent have the same headers in the same order, and so have its answers to BYE. A layout is
worked out for the first of them, so that a header is found in all of them without looking through the names.
"""

from functools import lru_cache

from .headers import canonical_name


class Layout:
    """Where the headers of a message are."""

    __slots__ = ("first", "places", "repeated")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.places: dict[str, tuple[int, ...]] = {}
        """The places of each header, from 0, by its canonical name."""
        for place, name in enumerate(map(canonical_name, names)):
            self.places[name] = (*self.places.get(name, ()), place)
        self.first = {name: places[0] for name, places in self.places.items()}
        """The first of them."""
        self.repeated = frozenset(name for name, places in self.places.items() if len(places) > 1)
        """The canonical names of headers that come more than once."""


layout_of = lru_cache(maxsize=1024)(Layout)
"""Return the layout of headers with these names, as written."""
