"""The programs that are measured, each run by `measuring.measure` in a process of its own.

They say what the part at issue took, and of how many: what comes before it, such as imports, is not in it.
"""

import json
import sys
from collections.abc import Generator, Sequence
from math import ceil
from subprocess import PIPE, Popen
from time import monotonic_ns, process_time
from typing import Any

from simkit.units import S

DAY = """\
simkit: 1
name: day
actors:
  alice: {role: uac, session_timer: {default_expires: 1800, prefer_refresher: uac}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - repeat: 95
    every: 900s
    since: up
    flow:
      - alice -> bob: INVITE
      - bob -> alice: 200 INVITE
      - alice -> bob: ACK
  - alice: hang up
    at: up + 24h - 1s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
expect: {reason: hung-up, refreshes: 95}
"""
"""One call, refreshed for a day."""

NINE = """\
simkit: 1
name: nine
actors:
  alice: {role: uac, session_timer: {default_expires: 1800, prefer_refresher: uac}}
  bob: {role: uas, answers: by hand}
calls: {count: 1, every: 100ms}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob: ring
    at: start + 100ms
  - bob -> alice: 180 INVITE
  - bob: answer
    at: start + 2s
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up + 900s
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: hang up
    at: up + 1200s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""
"""A call of nine messages; of many, 12,000 are up at a time."""

PUNCTUAL = """\
simkit: 1
name: punctual
actors:
  alice: {role: uac, session_timer: {default_expires: 20, min_se: 20, prefer_refresher: uac}}
  bob: {role: uas, session_timer: {min_se: 20}}
calls: {count: 1, every: 10ms}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up + 10s
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: hang up
    at: up + 19s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""
"""Calls that come a hundred a second, are refreshed once at half of 20 s, and end before the second time."""

CROWD = "flows/busy-hour.yaml"
"""Each call of it is set up, refreshed three times at half of 1800 s, and hung up after an hour: 15 messages."""

MESSAGES = "flows/refresh.yaml"
"""The messages of this flow are those that are parsed."""

Said = tuple[float, int]
"""Seconds on the processor, unless it is said of what, and of how many."""


def day() -> Said:
    """Simulate a call that is refreshed for 24 hours; count its messages."""
    return _simulated(DAY)


def crowd(calls: str) -> Said:
    """Simulate so many calls for an hour; count their messages."""
    return _simulated(CROWD, calls=int(calls))


def events(flow: str, calls: str = "1") -> Said:
    """Do as `day` or `crowd` does, but count the events of its clock."""
    from simpy import Environment

    clocks: list[Any] = []
    begin = Environment.__init__

    def begin_and_note(clock: Environment, *given: Any) -> None:
        begin(clock, *given)
        clocks.append(clock)

    Environment.__init__ = begin_and_note  # type: ignore[assignment, method-assign]
    seconds, _ = day() if flow == "day" else crowd(calls)
    return seconds, sum(_events(clock) for clock in clocks)


def bare(processes: str, count: str) -> Said:
    """Have simpy, and nothing else, go through so many events, of as many processes as there are calls."""
    from simpy import Environment, Event

    waits = int(count) // int(processes) - 2  # a process has two events of its own: it begins, and it ends
    environment = Environment()

    def process(start_at: int) -> Generator[Event, None, None]:
        for number in range(waits):
            yield environment.timeout(1000 if number else start_at)

    for number in range(int(processes)):
        environment.process(process(number))
    began = process_time()
    environment.run()
    return process_time() - began, _events(environment)


def _events(clock: Any) -> int:
    """Return how many events there were: simpy numbers them, but tells nobody."""
    return next(clock._eid)  # type: ignore[no-any-return]


def loop(turns: str) -> Said:
    """Count to a number: what Python is worth on this machine at this moment."""
    began = process_time()
    for _ in range(int(turns)):
        pass
    return process_time() - began, int(turns)


def parse(repeats: str) -> Said:
    """Parse the messages of a call."""
    from simkit.sip.parser import parse_message

    messages = _messages() * int(repeats)
    began = process_time()
    for message in messages:
        parse_message(message)
    return process_time() - began, len(messages)


def sipmessage(repeats: str) -> Said:
    """Have sipmessage, which is another parser, parse the same."""
    from sipmessage import Message

    messages = _messages() * int(repeats)
    began = process_time()
    for message in messages:
        Message.parse(message)
    return process_time() - began, len(messages)


CHILD = r"""
import sys
sys.stdout.write('{"simkit": 1, "kind": "timer-logic", "knows_next": true}\n')
sys.stdout.flush()
for number, _ in enumerate(sys.stdin, start=1):
    sys.stdout.write(f'{{"id": {number}, "actions": [], "next": null}}\n')
    sys.stdout.flush()
"""
"""A child that answers everything with nothing."""

LINE = b'{"id":1,"now":0,"do":"advance","until":900000000}\n'


def exchange(count: str) -> Said:
    """Ask a child so many times what it wants to do."""
    from simkit.foreign.actions import nothing
    from simkit.foreign.child import Child

    child = Child([sys.executable, "-c", CHILD], whose="the child", timeout_s=5)
    child.start()
    began = process_time()
    for at in range(int(count)):
        child.advance(nothing, until=at)
    took_s = process_time() - began
    child.end()
    return took_s, int(count)


def pipes(count: str) -> Said:
    """Write so many lines to such a child and read its answers, and nothing else."""
    with Popen([sys.executable, "-c", CHILD], stdin=PIPE, stdout=PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.read(4096)
        began = process_time()
        for _ in range(int(count)):
            process.stdin.write(LINE)
            process.stdout.read(4096)
        return process_time() - began, int(count)


def punctual(calls: str) -> Said:
    """Play so many calls at once over the loopback; say by how much 99 % of their refreshes are late at most."""
    from simkit import load_flow
    from simkit.runs.play import play

    run = play(load_flow(PUNCTUAL), speed=1, calls=int(calls), tolerance_us=S)
    assert run.passed, run.failures
    assert run.wire is not None
    answered_at: dict[str, int] = {}
    late_us = []
    for transit in run.wire.recording.messages():
        message = transit.message
        if message.start_line.startswith("INVITE ") and message.call_id in answered_at:
            late_us.append(transit.sent_at - answered_at[message.call_id] - 10 * S)
        elif message.start_line == "SIP/2.0 200 OK" and message.cseq.method == "INVITE":
            answered_at.setdefault(message.call_id, transit.sent_at)
    return _most(late_us) / S, len(late_us)


def wakings(count: str, apart_ms: str) -> Said:
    """Have select(2) wait until so many times; say by how much it is late at most for 99 % of them."""
    from select import select

    began, late_us = monotonic_ns(), []
    for number in range(1, int(count) + 1):
        due_ns = began + number * int(apart_ms) * 1_000_000
        while (left_ns := due_ns - monotonic_ns()) > 0:
            select([], [], [], left_ns / 1e9)
        late_us.append(-left_ns // 1000)
    return _most(late_us) / S, int(count)


def _most(late_us: Sequence[int]) -> int:
    """Return what 99 % of these are below."""
    return sorted(abs(late) for late in late_us)[ceil(0.99 * len(late_us)) - 1]


def _messages() -> list[bytes]:
    from simkit import load_flow, simulate

    return [transit.message.to_bytes() for transit in simulate(load_flow(MESSAGES)).trace.messages()]


def _simulated(source: str, *, calls: int | None = None) -> Said:
    from simkit import load_flow
    from simkit.runs.simulate import simulate

    flow = load_flow(source)
    began = process_time()
    run = simulate(flow, calls=calls)
    seconds = process_time() - began
    assert run.passed, run.failures
    return seconds, run.messages


PROGRAMS = {
    program.__name__: program
    for program in (day, crowd, events, bare, loop, parse, sipmessage, exchange, pipes, punctual, wakings)
}

if __name__ == "__main__":
    _, name, *values = sys.argv
    seconds, count = PROGRAMS[name](*values)
    sys.stdout.write(json.dumps({"seconds": seconds, "count": count}) + "\n")
