"""`simkit replay --target`: one side of the recorded calls played against a real system, and what it said compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..audit.auditor import audit_call
from ..audit.finding import Finding
from ..captures.compare import compare_calls
from ..errors import CaptureError, NothingToRunError, SetupError
from ..rebuild.call import Call, is_for_flows, read_call
from ..reports.replayed import ReplayedCall, call_title
from ..rulebook import Severity
from ..runs.against import Played, RecordedSide, play_against
from ..runs.run import Address
from ..sip.uri import host_port
from ..trace import Trace, Transit
from .options import Reported
from .plans import plan_text
from .progress import Progress
from .recordings import read_each
from .replayed import PlayedCapture, Replay
from .terminal import say


@dataclass(frozen=True, slots=True)
class Terms:
    """How one side is played."""

    target: Address
    side: str
    """Ours: "uac" or "uas"."""
    speed: int
    recorded_speed: int
    tolerance_us: int
    host: str | None
    port: int
    allow_host: bool
    dry_run: bool
    ignore: Sequence[str]


def replay_against(captures: Sequence[str], terms: Terms, options: Reported, *, save: str | None, stop: bool) -> int:
    """Play our side of the calls of each capture, side by side as they were recorded; return the exit code.

    Raises CaptureError for a capture that cannot be read; SetupError for an address that is not allowed or cannot be
    had, and for a target that says nothing at all.
    """
    calls = {path: list(_calls(path, traces, terms)) for path, traces in read_each(captures)}
    if terms.dry_run:
        for path, numbered in calls.items():
            for number, call in numbered:
                say(_plan(call_title(path, number, len(numbered)), call, terms))
        return 0
    return Replay([*calls], options, save, stop, lambda path: _play(path, calls[path], terms)).run()


def _calls(path: str, traces: Sequence[Trace], terms: Terms) -> Iterator[tuple[int, Call]]:
    """Yield the calls that have two sides, with their numbers; say which have not. Raises NothingToRunError."""
    found = 0
    for number, trace in enumerate(traces, 1):
        try:
            call = read_call(trace, speed=terms.recorded_speed)
            if not call.hop(call.party(_us(call, terms)))[1]:
                raise CaptureError("the capture does not show that its INVITE came that far")
        except CaptureError as reason:
            say(f"{path}, call {number}: not replayed: {reason}", err=True)
            continue
        found += 1
        yield number, call
    if not found:
        raise NothingToRunError(f"{path}: none of its {len(traces)} calls can be replayed")


def _us(call: Call, terms: Terms) -> str:
    return (call.caller if terms.side == "uac" else call.callee).name


def _plan(title: str, call: Call, terms: Terms) -> str:
    """Return what would be sent, a message a line."""
    ours = [each for each in _spaced(call.transits, call.began_at) if each.sender == _us(call, terms)]
    return plan_text(f"{title}: to {host_port(terms.target)} would go", ours)


def _play(path: str, calls: Sequence[tuple[int, Call]], terms: Terms) -> PlayedCapture:
    progress = Progress()
    first_at = min(call.began_at for _, call in calls)
    sides = [_side(call, terms, first_at) for _, call in calls]
    try:
        played = play_against(
            sides,
            terms.target,
            speed=terms.speed,
            host=terms.host,
            port=terms.port,
            allow_host=terms.allow_host,
            progress=progress.show_time,
        )
    finally:
        progress.clear()
    if not (played.interrupted or any(each.peer_spoke for each in played.heard)):
        raise SetupError(f"{host_port(terms.target)} said nothing")
    for place, invite in played.unlike:
        asked, number = f"{invite.sender.uri} called {invite.uri}", calls[place][0]
        say(f"{path}: {asked}, which is like no recorded call that was awaited: taken for call {number}", err=True)
    seen = [each.trace for each in played.heard]
    replayed = list(_compared(path, calls, sides, played, terms))
    return PlayedCapture(replayed, seen, {sides[0].us: played.us, sides[0].peer: terms.target})


def _side(call: Call, terms: Terms, first_at: int) -> RecordedSide:
    us = call.party(_us(call, terms))
    peer, steps = call.hop(us)
    host = us.address.rpartition(":")[0].strip("[]")
    return RecordedSide(steps, us.name, peer.name, host, call.began_at - first_at)


def _compared(
    path: str, calls: Sequence[tuple[int, Call]], sides: Sequence[RecordedSide], played: Played, terms: Terms
) -> Iterator[ReplayedCall]:
    recorded = [Trace([*_spaced(side.steps, side.begins_at)]) for side in sides]
    seen = [_as_recorded(heard.trace) for heard in played.heard]
    pairs = [(number, number if next(trace.messages(), None) else None) for number, trace in enumerate(seen)]
    comparison = compare_calls(
        recorded, seen, tolerance_us=terms.tolerance_us * terms.speed, ignore=terms.ignore, pairs=pairs
    )
    for place, ((number, _), heard) in enumerate(zip(calls, played.heard, strict=True)):
        audit = audit_call(seen[place])
        came = tuple((replace(step, sent_at=step.sent_at + sides[place].begins_at), at) for step, at in heard.came)
        yield ReplayedCall(
            capture=path,
            number=number,
            of=len(calls),
            side=terms.side,
            target=host_port(terms.target),
            seen=seen[place],
            came=came,
            comparison=comparison.of_call(place).without_words_of(sides[place].us),
            audit=audit,
            broken=_newly_broken(audit.findings, audit_call(recorded[place]).findings, by=sides[place].peer),
            speed=terms.speed,
            interrupted=played.interrupted,
        )


def _spaced(steps: Sequence[Transit], begins_at: int) -> list[Transit]:
    """Return the messages of a call that begins at this time."""
    return [replace(step, sent_at=step.sent_at + begins_at) for step in steps]


def _as_recorded(trace: Trace) -> Trace:
    """Return what is compared: the messages of the kinds that were taken from the recording."""
    return Trace([each for each in trace.messages() if is_for_flows(each.message)])


def _newly_broken(seen: Sequence[Finding], recorded: Sequence[Finding], *, by: str) -> tuple[Finding, ...]:
    """Return what the target broke, and not in the recording."""
    known = {finding.rule for finding in recorded if finding.actor == by}
    found = (finding for finding in seen if finding.actor == by and finding.severity is Severity.ERROR)
    return tuple({finding.rule: finding for finding in found if finding.rule not in known}.values())
