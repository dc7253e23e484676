"""What a recorded call tells of how its parties were set: their `session_timer` blocks in a flow.

Read from what each asked for, took and refused (RFC 4028 sections 7 to 9).
"""

from typing import Final

from ..sip.readable import least_of, session_of
from ..units import S
from .call import INTERVAL_TOO_SMALL, SESSION_METHODS, Call, Party, begins_a_call, status_of

_FLOOR_S: Final = 90  # RFC 4028 section 4


def session_timer(call: Call, party: Party) -> dict[str, object]:
    """Return a party's `session_timer` block: what it asked for, took and refused."""
    if not party.knows_timers:
        return {"enabled": False}
    asks = [each.message for each in party.sent if session_of(each.message) is not None]
    asked = next((message for message in asks if message.is_request), asks[0] if asks else None)
    session = session_of(asked) if asked else None
    refusal = party.first(lambda message: status_of(message) == INTERVAL_TOO_SMALL)
    said = refusal or (asked if party is call.caller else None)
    least_s = (least_of(said) if said else None) or min(_FLOOR_S, session.interval_s if session else _FLOOR_S)
    block: dict[str, object] = {"min_se": least_s}
    if session and not (party is call.callee and _asked_for(call, session.interval_s)):
        block["default_expires"] = session.interval_s
    if session and session.refresher and (party is call.caller or _chose_itself(call)):
        block["prefer_refresher"] = session.refresher.value
    if party.refreshes_by_update:
        block["use_update"] = True
    return block


def _asked_for(call: Call, interval_s: int) -> bool:
    """Whether the caller asked for this interval."""
    asked = (session_of(each.message) for each in call.caller.sent)
    return any(session.interval_s == interval_s for session in asked if session)


def _chose_itself(call: Call) -> bool:
    """Whether the caller left it to the callee who refreshes."""
    invite = call.caller.first(begins_a_call)
    session = session_of(invite) if invite else None
    return session is None or session.refresher is None


def interval_us(call: Call) -> int | None:
    """Return the shortest session interval that a 2xx set; None: no timer was agreed on."""
    found = [
        session.interval_s * S
        for each in call.transits
        if 200 <= status_of(each.message) < 300 and (session := session_of(each.message))
    ]
    return min(found, default=None)


def proxy_session_timer(call: Call, proxy: Party) -> dict[str, object]:
    """Return a proxy's `session_timer` block: what it put into requests that it passed on, and what it refused."""
    block: dict[str, object] = {}
    refusal = proxy.first(lambda message: status_of(message) == INTERVAL_TOO_SMALL)
    if refusal and (least_s := least_of(refusal)):
        block["min_se"] = least_s
    for each in call.transits:
        onward = call.onward(each) if each.receiver == proxy.name and each.message.method in SESSION_METHODS else None
        if onward is None:
            continue
        came, went = each.message, onward.message
        asked, passed = session_of(came), session_of(went)
        if (
            passed
            and asked
            and passed.interval_s == asked.interval_s < _FLOOR_S
            and "timer" in came.tokens("Supported")
        ):
            return {"enabled": False}
        if passed and not asked:
            block.setdefault("default_expires", passed.interval_s)
        elif passed and asked and passed.interval_s < asked.interval_s:
            block.setdefault("max_expires", passed.interval_s)
        if (least_s := least_of(went)) and least_s > (least_of(came) or 0):
            block.setdefault("min_se", least_s)
        if "timer" in went.tokens("Require") and "timer" not in came.tokens("Require"):
            block["require"] = True
    return block
