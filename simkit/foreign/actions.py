"""What the actions of a child mean: each read once and checked, anything else is Nonsense.

The table of actions by request is the protocol's; an action holds what its request allows, and nothing beside.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..errors import PeerError
from ..sip.grammar import is_token
from ..sip.headers import HeaderField
from ..sip.parser import parse_message
from ..ua.events import Address, Outgoing, Reason
from ..ua.timer_logic import SESSION_METHODS, Accept, Bye, GiveUp, Refresh, Reject, Retry
from .wire import Action, Nonsense

_ADDRESS: Final = re.compile(r"(?:\[([^\]]+)\]|([^:@\s]+)):([0-9]{1,5})")  # an IPv6 address stands in brackets

Actions = Sequence[Action]
Duty = Refresh | Bye


def nothing(actions: Actions) -> None:
    """Read the reply to a request that asks for nothing."""
    _one_of(actions, ())


def added_headers(actions: Actions) -> tuple[HeaderField, ...]:
    """Read what is to be added to a request of ours."""
    action = _one_of(actions, ("headers",))
    return _headers(action.get("headers", []))


def verdict(actions: Actions) -> Accept | Reject:
    """Read what becomes of a request of the peer; without a word it is accepted."""
    action = _one_of(actions, ("accept", "reject", "headers"))
    headers, status = _headers(action.get("headers", [])), action.get("reject") or 0
    if action.get("accept", not status) != (not status):
        _refuse(action)
    if not status:
        return Accept(headers)
    if not _is_whole(status) or not 300 <= status <= 699:
        raise Nonsense(f"rejected a request with {status!r}, which is no status from 300 to 699")
    return Reject(status, headers)


def second_try(actions: Actions) -> Retry | GiveUp | None:
    """Read what follows from a response to a request of ours."""
    action = _one_of(actions, ("retry", "give_up"))
    wanted = [key for key, value in action.items() if value is not False]
    if not wanted:
        return None
    if len(wanted) > 1 or action[wanted[0]] is not True:
        _refuse(action)
    return Retry() if wanted == ["retry"] else GiveUp()


def hang_up(actions: Actions) -> Bye | None:
    """Read what follows from the outcome of a refresh."""
    action = _one_of(actions, ("bye",))
    return _bye(action) if action else None


def duty(action: Action) -> Duty:
    """Read one thing that has fallen due."""
    if set(action) - {"dialog"} == {"bye"}:
        return _bye(action)
    if set(action) - {"dialog"} != {"refresh"}:
        _refuse(action)
    if action["refresh"] not in SESSION_METHODS:
        raise Nonsense(f"wants to refresh by {action['refresh']}: only INVITE and UPDATE do")
    return Refresh(action["refresh"])


def sendings(actions: Actions) -> tuple[list[Outgoing], list[str]]:
    """Read what an endpoint sends, and what it wants to have logged."""
    sent, logged = [], []
    for action in actions:
        if action.keys() == {"send", "to"}:
            sent.append(_outgoing(action))
        elif action.keys() == {"log"}:
            logged.append(str(action["log"]))
        else:
            _refuse(action)
    return sent, logged


def _outgoing(action: Action) -> Outgoing:
    text, destination = action["send"], _address(action["to"])
    if not isinstance(text, str):
        _refuse(action)
    try:
        return Outgoing(parse_message(text.encode("utf-8", "surrogateescape")), destination)
    except PeerError as error:
        raise Nonsense(f"sent what is no SIP message: {error}\n{text}") from None


def _address(text: Any) -> Address:
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Nonsense(f'sent a message to {text!r}: "to" is host:port')
    return found[1] or found[2], int(found[3])


def _bye(action: Action) -> Bye:
    try:
        return Bye(Reason(action["bye"]))
    except ValueError:
        raise Nonsense(f"hangs up for the reason {action['bye']!r}; there are {', '.join(Reason)}") from None


def _one_of(actions: Actions, keys: Iterable[str]) -> Action:
    """Return the one action there may be, with no other keys than these; empty where there is none."""
    if not actions:
        return {}
    if len(actions) > 1 or not actions[0].keys() <= set(keys):
        _refuse(*actions)
    return actions[0]


def _headers(fields: Any) -> tuple[HeaderField, ...]:
    if not isinstance(fields, list):
        raise Nonsense(f'gave headers as {fields!r}: write [["Name", "value"], ...]')
    return tuple(_header(field) for field in fields)


def _header(field: Any) -> HeaderField:
    match field:
        case [str(name), str(value)] if is_token(name) and not {"\r", "\n"} & set(value):
            return name, value.strip()
        case _:
            raise Nonsense(f'gave {field!r} as a header: write ["Name", "value"]')


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(*actions: Action) -> Any:
    shown = ", ".join(str(dict(action)) for action in actions)
    raise Nonsense(f"gave {shown} as its actions, which this request does not allow")
