"""What a proxy makes of a session refresh request and of its 2xx (RFC 4028 section 8): functions without state.

`examine` is section 8.1, `complete` section 8.2. What they decide by is in the request at hand and in what is
remembered for its transaction, so a first INVITE and a refresh are treated alike.

Where the RFC leaves a choice:

* A proxy that may reject a caller's interval (section 8.1) does so.
* Intervals below 90 s are let pass by a proxy that is set to less, for that is how people test.
* An interval that it found and passed on counts as one that it asked for (section 8.2: "examining and accepting").
* Erratum 8926 (reported, not verified) would leave a 2xx alone where the caller asked for refresher=uas. The RFC as
  published says MUST, so that is what a proxy does unless it is set to obey the erratum.
"""

from dataclasses import dataclass
from typing import Final

from ..settings import ProxySessionSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher, SessionExpires
from .timer_logic import Reject


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a proxy knows of a request until its transaction is over (RFC 4028 section 8.1)."""

    interval_s: int | None = None
    """The Session-Expires that it forwarded; None: there was none."""
    caller_supports: bool = False
    """Whether the request listed `timer` in Supported."""
    refresher: Refresher | None = None
    """Whom the request wanted to refresh."""


NOTHING: Final = Remembered()


@dataclass(frozen=True, slots=True)
class Forward:
    """Forward this request, and remember that."""

    request: Request
    remembered: Remembered


def examine(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    """Return what to forward in the place of an INVITE or UPDATE, or the 422 that it gets (RFC 4028 section 8.1).

    Raises PeerError (400) where its Session-Expires or Min-SE cannot be read.
    """
    supports = TIMER in request.tokens("Supported")
    expires, min_se_s = request.session_expires, request.min_se
    if expires is None:
        return _ask(request, settings, supports, min_se_s)
    changed: list[HeaderField] = []
    if expires.interval_s < settings.min_se_s:
        if supports:
            return Reject(422, (("Min-SE", str(settings.min_se_s)),))
        if min_se_s is None or min_se_s < settings.min_se_s:  # such a caller would make nothing of a 422
            min_se_s = settings.min_se_s
            changed.append(("Min-SE", str(min_se_s)))
    interval_s = _bounded_s(expires.interval_s, min_se_s, settings)
    if interval_s != expires.interval_s:
        changed.append(("Session-Expires", _rewritten(request, interval_s)))
    return _forward(request, settings, Remembered(interval_s, supports, expires.refresher), changed)


def _ask(request: Request, settings: ProxySessionSettings, supports: bool, min_se_s: int | None) -> Forward:
    if settings.default_expires_s is None:
        return Forward(request, Remembered(caller_supports=supports))
    interval_s = _bounded_s(settings.default_expires_s, min_se_s, settings)
    asked = ("Session-Expires", str(interval_s))  # who refreshes is not the proxy's to say
    return _forward(request, settings, Remembered(interval_s, supports), [asked])


def _bounded_s(interval_s: int, min_se_s: int | None, settings: ProxySessionSettings) -> int:
    """Return the interval, lowered to what we let pass but not below Min-SE, and lifted to Min-SE if it was below."""
    least_s = min(SESSION_INTERVAL_FLOOR_S, settings.min_se_s) if min_se_s is None else min_se_s
    return max(least_s, min(interval_s, settings.max_expires_s or interval_s))


def _rewritten(request: Request, interval_s: int) -> str:
    """Return Session-Expires with another interval; its parameters stay as they were written."""
    _, semicolon, parameters = (request.header("Session-Expires") or "").partition(";")
    return f"{interval_s}{semicolon}{parameters}"


def _forward(
    request: Request, settings: ProxySessionSettings, remembered: Remembered, changed: list[HeaderField]
) -> Forward:
    if settings.require and not remembered.caller_supports:
        changed.append(_requiring_timer(request))
    return Forward(request.with_headers(*changed) if changed else request, remembered)


def complete(response: Response, remembered: Remembered, settings: ProxySessionSettings) -> Response:
    """Return what to forward in the place of a 2xx to an INVITE or UPDATE (RFC 4028 section 8.2).

    A callee that knows of no timer leaves the session to a caller that does: the 2xx tells the caller to refresh.
    """
    if response.header("Session-Expires") is not None or remembered.interval_s is None:
        return response
    if not remembered.caller_supports:
        return response  # neither side knows of a timer: this session never expires
    if settings.erratum_8926 and remembered.refresher is Refresher.UAS:
        return response
    expires = SessionExpires(remembered.interval_s, Refresher.UAC)
    return response.with_headers(("Session-Expires", str(expires)), _requiring_timer(response))


def _requiring_timer(message: Message) -> HeaderField:
    required = message.values("Require")
    if TIMER in message.tokens("Require"):
        return "Require", ", ".join(required)
    return "Require", ", ".join((*required, TIMER))
