"""A class of somebody else's in the seat: found by its name, checked, and kept from taking our run down with it.

`python:package.module:Class` names a class, or any callable that makes a logic. It is called as ours is,
`Class(settings, side=..., random=...)`: `SessionTimerSettings`, `ua.session_timer.Side`, and a seeded source of chance.
What it returns has the methods of `ua.timer_logic.TimerLogic`.
"""

import os
import sys
import traceback
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from types import TracebackType
from typing import Any, Final

from ..errors import ForeignError
from ..settings import SessionTimerSettings
from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from ..ua.events import Reason
from ..ua.timer_logic import SESSION_METHODS, Accept, Bye, GiveUp, Refresh, Reject, Retry, SessionState, TimerLogic

METHODS: Final = tuple(name for name in vars(TimerLogic) if not name.startswith("_"))
LINES_MAX: Final = 20
_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_TEMPLATES: Final = os.path.join(_OURS, "foreign", "templates") + os.sep

MakeLogic = Callable[..., Any]


def find(name: str) -> MakeLogic:
    """Return what "package.module:Class" names, the current folder included. Raises ForeignError."""
    module_name, _, path = name.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)  # at the end, so that no file here hides a module that others need
    try:
        found = reduce(getattr, path.split("."), import_module(module_name))
    except ModuleNotFoundError as error:
        if error.name is not None and module_name.split(".")[: error.name.count(".") + 1] == error.name.split("."):
            raise ForeignError(f"there is no module '{error.name}', neither installed nor in {here}") from None
        raise _raised("importing it", error) from None
    except AttributeError as error:
        if error.name in path.split("."):
            raise ForeignError(f"module '{module_name}' has no '{path}'") from None
        raise _raised("importing it", error) from None
    except Exception as error:
        raise _raised("importing it", error) from None
    return _checked(found, path)


def _checked(found: Any, path: str) -> MakeLogic:
    if not callable(found):
        raise ForeignError(f"'{path}' cannot be called: it is {_kind(found)}, and a class is wanted")
    if isinstance(found, type):
        _check_methods(found, f"class '{path}'")
    make: MakeLogic = found
    return make


def _check_methods(logic: object, what: str) -> None:
    missing = [name for name in METHODS if not callable(getattr(logic, name, None))]
    if missing:
        methods = "methods" if len(missing) > 1 else "method"
        raise ForeignError(f"{what} lacks the {methods} {', '.join(missing)} (see simkit.ua.timer_logic.TimerLogic)")


def _raised(doing: str, error: BaseException) -> ForeignError:
    """Return what to raise for an exception of theirs: their own lines of its traceback, and none of ours."""
    kind = type(error).__name__
    text = f"{kind}: {error}" if str(error) else kind
    return ForeignError(f"{doing} raised {text.splitlines()[0]}", _their_lines(error))


def _their_lines(error: BaseException) -> tuple[str, ...]:
    if isinstance(error, SyntaxError):
        return tuple(line for text in traceback.format_exception_only(error) for line in text.splitlines()[:LINES_MAX])
    frames = traceback.extract_tb(_from_theirs(error.__traceback__))
    # Without their columns, which each Python marks in a way of its own.
    places = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in frames]
    lines = [line for text in traceback.format_list(places) for line in text.splitlines()]
    return tuple(line.removeprefix("  ") for line in lines[-LINES_MAX:])


def _from_theirs(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins with the first frame outside of simkit."""
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_ours(path: str) -> bool:
    full = os.path.abspath(path)
    return (full.startswith(_OURS) and not full.startswith(_TEMPLATES)) or "importlib" in path


class GuardedLogic:
    """Their logic in the seat: what it raises, or returns amiss, is a ForeignError that names the method."""

    def __init__(self, make: MakeLogic, whose: str, settings: SessionTimerSettings, *, side: Any, random: Any) -> None:
        """Have it made. Raises ForeignError."""
        self._whose = whose
        try:
            self._logic = make(settings, side=side, random=random)
        except Exception as error:
            raise self._blame(_raised("making it", error)) from None
        try:
            _check_methods(self._logic, f"what was made, {_kind(self._logic)},")
        except ForeignError as error:
            raise self._blame(error) from None

    def _blame(self, error: ForeignError) -> ForeignError:
        return ForeignError(f"{self._whose}: {error.what}", error.log)

    def _call(self, name: str, is_right: Callable[[Any], bool], wanted: str, *given: Any, **named: Any) -> Any:
        try:
            returned = getattr(self._logic, name)(*given, **named)
        except Exception as error:
            raise self._blame(_raised(f"{name}()", error)) from None
        if not is_right(returned):
            shown = repr(returned)[:100]
            raise self._blame(ForeignError(f"{name}() returned {shown}, and {wanted} is wanted"))
        return returned

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        """Ask it for headers."""
        wanted = 'a tuple of ("Name", "value")'
        return tuple(self._call("make_request", _are_headers, wanted, method, initial=initial, now=now))

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        """Have it judge a request."""
        verdict: Accept | Reject = self._call(
            "receive_request", _is_verdict, "Accept or Reject", request, initial=initial, now=now
        )
        return verdict

    def sent_response(self, response: Response, *, now: int) -> None:
        """Tell it of our response."""
        self._call("sent_response", _is_anything, "", response, now=now)

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        """Tell it of a response to us."""
        verdict: Retry | GiveUp | None = self._call(
            "receive_response", _is_second_try, "Retry, GiveUp or None", response, now=now
        )
        return verdict

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        """Tell it what became of its refresh."""
        verdict: Bye | None = self._call("refresh_result", _is_bye, _BYE_OR_NONE, status, now=now)
        return verdict

    def next_deadline(self) -> int | None:
        """Ask it when it is to be called."""
        at: int | None = self._call("next_deadline", _is_time, "whole microseconds or None")
        return at

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        """Ask it what has fallen due."""
        duty: Refresh | Bye | None = self._call("handle_deadline", _is_duty, f"Refresh, {_BYE_OR_NONE}", now=now)
        return duty

    def state(self) -> SessionState:
        """Ask it what it believes."""
        state: SessionState = self._call("state", lambda state: isinstance(state, SessionState), "a SessionState")
        return state

    def close(self, *, now: int) -> None:
        """Tell it that the dialog is over."""
        self._call("close", _is_anything, "", now=now)


_BYE_OR_NONE: Final = f"Bye (with one of the reasons {', '.join(Reason)}) or None"


def _is_anything(returned: Any) -> bool:
    return True


def _are_headers(returned: Any) -> bool:
    return isinstance(returned, tuple | list) and all(
        isinstance(field, tuple) and len(field) == 2 and all(isinstance(text, str) for text in field)
        for field in returned
    )


def _is_verdict(returned: Any) -> bool:
    return isinstance(returned, Accept | Reject) and _are_headers(returned.headers)


def _is_second_try(returned: Any) -> bool:
    return returned is None or isinstance(returned, Retry | GiveUp)


def _is_bye(returned: Any) -> bool:
    return returned is None or (isinstance(returned, Bye) and returned.reason in set(Reason))


def _is_duty(returned: Any) -> bool:
    return (isinstance(returned, Refresh) and returned.method in SESSION_METHODS) or _is_bye(returned)


def _is_time(returned: Any) -> bool:
    return returned is None or (isinstance(returned, int) and not isinstance(returned, bool))


def _kind(value: object) -> str:
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
