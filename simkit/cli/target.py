"""`simkit replay --target`: one side of the recorded calls played against a real system, and what it said compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..captures.compare import compare_calls
from ..errors import SetupError
from ..rebuild.call import Call, read_call, status_of
from ..reports.comparison import comparison_text
from ..reports.style import Style
from ..runs.against import play_against, title_of
from ..runs.run import Address
from ..trace import Trace
from ..units import format_time
from .recordings import find_captures, read_calls
from .terminal import say
from .words import Manner


@dataclass(frozen=True, slots=True)
class Terms:
    """How one side is played."""

    target: Address
    side: str
    """Ours: "uac" or "uas"."""
    speed: int
    recorded_speed: int
    tolerance_us: int
    host: str
    port: int
    allow_host: bool
    dry_run: bool


def replay_against(paths: Sequence[str], terms: Terms, *, manner: Manner, look: Style) -> bool:
    """Play our side of each call, one after the other; return whether the target said what the recording has.

    Raises CaptureError for a call that has no two sides; SetupError for an address that is not allowed or cannot be
    had, and for a target that says nothing at all.
    """
    found = [path for folder in paths for path in find_captures(folder)]
    calls = [(path, read_call(trace, speed=terms.recorded_speed)) for path in found for trace in read_calls(path)]
    if terms.dry_run:
        for path, call in calls:
            say(_plan(look.text(path), call, terms))
        return True
    same = [_replay(path, call, terms, manner, look) for path, call in calls]
    return all(same)


def _plan(path: str, call: Call, terms: Terms) -> str:
    """Return what would be sent, a message a line."""
    host, port = terms.target
    ours = [each for each in call.transits if each.sender == _us(call, terms)]
    lines = [f"{format_time(each.sent_at):>12}  {title_of(each.message)}" for each in ours]
    return "\n".join([f"{path}: to {host}:{port} would go", *lines])


def _us(call: Call, terms: Terms) -> str:
    return (call.caller if terms.side == "uac" else call.callee).name


def _replay(path: str, call: Call, terms: Terms, manner: Manner, look: Style) -> bool:
    us = call.party(_us(call, terms))
    heard = play_against(
        call.transits,
        us.name,
        terms.target,
        recorded_host=us.address.rpartition(":")[0].strip("[]"),
        speed=terms.speed,
        host=terms.host,
        port=terms.port,
        allow_host=terms.allow_host,
    )
    if not any(each.receiver == us.name for each in heard.trace.messages()):
        raise SetupError("{}:{} said nothing".format(*terms.target))
    said = Trace([each for each in heard.trace.messages() if status_of(each.message) != 100])
    comparison = compare_calls([Trace([*call.transits])], [said], tolerance_us=terms.tolerance_us * terms.speed)
    if manner is Manner.VERBOSE or not (comparison.equal or manner is Manner.SILENT):
        names = (path, "{}:{}".format(*terms.target))
        say(comparison_text(comparison, look, names=names, verbose=manner is Manner.VERBOSE) + "\n")
    if manner is not Manner.SILENT:
        lacks = f"; never came: {', '.join(heard.missing)}" if heard.missing else ""
        messages = sum(1 for _ in said.messages())
        say(look.text(f"{'PASS' if comparison.equal else 'FAIL'}  {path} as {terms.side}: {messages} messages{lacks}"))
    return comparison.equal
