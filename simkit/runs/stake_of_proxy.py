"""Which rule of RFC 4028 section 8 is at stake where a proxy failed: what it sent, beside what had come to it.

What a proxy has made of a message shows on both hops.
"""

from collections.abc import Iterator
from typing import Final

from ..sip.message import Request, Response
from ..sip.readable import least_of, session_of
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S, TIMER, Refresher
from ..trace import Trace, Transit
from .stake import Stake


def stake_of_proxy(transit: Transit, trace: Trace) -> Stake | None:
    """Return the rule that a proxy's message is about; None where that cannot be told."""
    message, transaction = transit.message, tuple(_transaction(transit, trace))
    came = [one.message for one in transaction if one.receiver == transit.sender]
    asked = next((one for one in came if isinstance(one, Request)), None)
    if isinstance(message, Request):
        if message.method == "BYE" and asked is None:
            return Stake("RFC4028-8.3-2", "a proxy sends no BYE of its own: that is for one of the two sides")
        return _of_request(message, asked) if asked is not None else None
    if not isinstance(message, Response) or asked is None:
        return None
    answer = next((one for one in came if isinstance(one, Response) and one.status == message.status), None)
    if message.status == 422 and answer is None:
        return _of_rejection(message, asked)
    forwarded = next((one.message for one in transaction if one.sender == transit.sender), None)
    if answer is None or forwarded is None or not 200 <= message.status < 300:
        return None
    return _of_success(message, answer, _supports(asked) and session_of(forwarded) is not None)


def _transaction(transit: Transit, trace: Trace) -> Iterator[Transit]:
    """Yield what was sent before about the same request, on any hop."""
    wanted = [transit.message.header(name) for name in _SHARED]
    for one in trace.messages():
        if one is transit:
            return
        if [one.message.header(name) for name in _SHARED] == wanted:
            yield one


_SHARED: Final = ("Call-ID", "CSeq", "From")  # each side counts its own CSeq


def _of_request(sent: Request, came: Request) -> Stake | None:
    before, after, least_s = session_of(came), session_of(sent), _min_se(sent)
    if _supports(came) and sent.header("Min-SE") != came.header("Min-SE"):
        return Stake("RFC4028-8.1-14", "the Min-SE of a caller that supports timers is its own")
    if after is None:
        return None
    if before is None:
        return Stake("RFC4028-8.1-3", "who refreshes is not the proxy's to say") if after.refresher else None
    if after.refresher is not before.refresher:
        return Stake("RFC4028-8.1-7", "who refreshes is not the proxy's to say")
    if after.interval_s > before.interval_s >= least_s:
        return Stake("RFC4028-8.1-5", f"a proxy must not lengthen the interval; {before.interval_s} s had come")
    if after.interval_s < least_s:
        rule = "RFC4028-8.1-4" if after.interval_s < before.interval_s else "RFC4028-8.1-6"
        return Stake(rule, f"Min-SE is {least_s}: no interval below that goes on")
    return None


def _of_rejection(sent: Response, asked: Request) -> Stake | None:
    if not _supports(asked):
        return Stake("RFC4028-8.1-11", "a caller that knows no timers makes nothing of a 422: insert Min-SE instead")
    if sent.header("Min-SE") is None:
        return Stake("RFC4028-8.1-9", "a 422 says which interval would do")
    return None


def _of_success(sent: Response, came: Response, is_ours_to_complete: bool) -> Stake | None:
    after = session_of(sent)
    if came.header("Session-Expires") is not None:
        if sent.header("Session-Expires") == came.header("Session-Expires"):
            return None
        return Stake("RFC4028-8.2-6", "the callee's interval goes back as it came")
    if not is_ours_to_complete:
        return Stake("RFC4028-8.2-1", "nobody is to use a timer: this 2xx goes back as it came") if after else None
    if after is None:
        return Stake("RFC4028-8.2-2", "only the caller knows timers, so the proxy names the interval for the callee")
    if after.refresher is not Refresher.UAC:
        return Stake("RFC4028-8.2-3", "the callee knows no timers, so the caller refreshes")
    if TIMER not in sent.tokens("Require"):
        return Stake("RFC4028-8.2-4", "a 2xx that a proxy completes requires the extension")
    return None


def _supports(request: Request) -> bool:
    return TIMER in request.tokens("Supported")


def _min_se(request: Request) -> int:
    return least_of(request) or SESSION_INTERVAL_FLOOR_S
