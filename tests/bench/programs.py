"""The programs that are measured, each run by `measuring.measure` in a process of its own.

They say what the part at issue took, and of how many: what comes before it, such as imports, is not in it.
"""

import json
import sys
from collections.abc import Generator
from subprocess import PIPE, Popen
from time import process_time
from typing import Any

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

CROWD = "flows/busy-hour.yaml"
"""Each call of it is set up, refreshed three times at half of 1800 s, and hung up after an hour: 15 messages."""

MESSAGES = "flows/refresh.yaml"
"""The messages of this flow are those that are parsed."""

Said = tuple[float, int]
"""Seconds on the processor, and of how many."""


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
    program.__name__: program for program in (day, crowd, events, bare, loop, parse, sipmessage, exchange, pipes)
}

if __name__ == "__main__":
    _, name, *values = sys.argv
    cpu_s, count = PROGRAMS[name](*values)
    sys.stdout.write(json.dumps({"cpu_s": cpu_s, "count": count}) + "\n")
