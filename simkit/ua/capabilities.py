"""What a user agent can do: how it says so, and what it refuses before anything else (RFC 3261 section 8.2)."""

from functools import lru_cache
from typing import Final

from ..errors import PeerError
from ..sip.headers import HeaderField, tokens
from ..sip.message import Request
from ..sip.uri import parse_uri

KNOWN_METHODS: Final = frozenset(
    "INVITE ACK CANCEL BYE OPTIONS UPDATE INFO PRACK SUBSCRIBE NOTIFY REFER MESSAGE REGISTER PUBLISH".split()
)
"""Methods that earn a 405 where they are not allowed; others get 501 (RFC 3261 sections 8.2.1 and 21.5.2)."""


@lru_cache(maxsize=256)
def capabilities(contact: HeaderField, supported: tuple[str, ...], allow: tuple[str, ...]) -> "Capabilities":
    """Return the capabilities of all user agents that say so of themselves."""
    return Capabilities(contact=contact, supported=supported, allow=allow)


Refusal = tuple[int, tuple[HeaderField, ...]]
"""A status and the headers that go with it."""


class Capabilities:
    """The methods and extensions of a user agent; agents that are alike share one."""

    __slots__ = ("_allow", "_contact", "_known", "_methods", "_supported")

    def __init__(self, *, contact: HeaderField, supported: tuple[str, ...], allow: tuple[str, ...]) -> None:
        self._contact = contact
        self._supported = supported
        self._allow: HeaderField = ("Allow", ", ".join(allow))
        self._methods = frozenset(allow)
        self._known: dict[tuple[HeaderField, ...], tuple[HeaderField, ...]] = {}

    def fields(self, *added: HeaderField) -> tuple[HeaderField, ...]:
        """Return Contact, Allow, Supported, and these headers; the option tags of several Supported are merged."""
        known = self._known.get(added)
        if known is None:  # few combinations come up, each of them at every refresh
            known = self._known[added] = self._merge(added)
        return known

    def _merge(self, added: tuple[HeaderField, ...]) -> tuple[HeaderField, ...]:
        tags = list(self._supported)
        for name, value in added:
            if name == "Supported":
                tags += sorted(tokens(value) - set(tags))
        supported = (("Supported", ", ".join(tags)),) if tags else ()
        others = tuple(field for field in added if field[0] != "Supported")
        return (self._contact, self._allow, *supported, *others)

    def refusal(self, request: Request) -> Refusal | None:
        """Return what a request earns by its method, its URI, its Require, or a broken header; None to go on."""
        if request.method not in self._methods:
            return 405 if request.method in KNOWN_METHODS else 501, (self._allow,)
        try:
            parse_uri(request.uri)
            if request.method == "INVITE" and request.contact is None:
                return 400, ()  # RFC 3261 section 8.1.1.8
        except PeerError as error:
            return error.status, ()
        unknown = request.tokens("Require") - set(self._supported)
        if unknown and request.method not in ("ACK", "CANCEL"):
            return 420, (("Unsupported", ", ".join(sorted(unknown))),)
        return None
