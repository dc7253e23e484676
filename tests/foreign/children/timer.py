"""A child that refreshes every 45 s, until it does something that no child should: `python timer.py MODE`.

What goes wrong is in `FAULTS`; it happens when the first refresh is due.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

INTERVAL_US = 45_000_000
OFFER = {"headers": [["Supported", "timer"], ["Session-Expires", "90;refresher=uac"]]}
HELLO = {"simkit": 1, "kind": "timer-logic", "name": "timer.py", "knows_next": True}

Line = dict[str, Any]


def say(line: object) -> None:
    sys.stdout.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    sys.stdout.flush()


def log_and_exit() -> None:
    for number in range(1, 21):
        sys.stderr.write(f"line {number}\n")
    sys.exit(3)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    time.sleep(600)


def hang_ignoring_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def flood() -> None:
    while True:
        sys.stdout.write("x" * 65_536)


def flood_the_log() -> None:
    while True:
        sys.stderr.write("x" * 79 + "\n")


def leave_a_fork() -> None:
    if os.fork():
        os._exit(0)
    time.sleep(600)


def leave_a_stubborn_fork() -> None:
    if os.fork():
        os._exit(0)
    hang_ignoring_sigterm()


def close_the_pipe() -> None:
    os.close(1)
    time.sleep(600)


DEEDS: dict[str, Callable[[], None]] = {
    "dies": log_and_exit,
    "segfault": kill_itself,
    "hangs": hang,
    "stubborn": hang_ignoring_sigterm,
    "floods": flood,
    "floods-log": flood_the_log,
    "forks": leave_a_fork,
    "forks-stubborn": leave_a_stubborn_fork,
    "closes": close_the_pipe,
}
REPLIES: dict[str, Callable[[Line], object]] = {  # from a right reply to what is said instead
    "words": lambda _: "Refreshing now ...",
    "list": lambda _: [1],
    "deep": lambda _: "[" * 100_000,
    "empty": lambda _: "",
    "escape": lambda _: "\033[31mred",
    "two-lines": lambda right: f"{json.dumps(right)}\n{json.dumps(right)}",
    "wrong-id": lambda right: {**right, "id": 1},
    "no-actions": lambda right: {"id": right["id"], "next": None},
    "actions-text": lambda right: {**right, "actions": "refresh"},
    "error": lambda right: {"id": right["id"], "error": "the timer wheel is broken"},
    "back": lambda right: {**right, "now": -1},
    "next-past": lambda right: {**right, "next": 44_000_000},
    "ahead": lambda right: {**right, "now": 46_000_000},
    "no-now": lambda right: {key: value for key, value in right.items() if key != "now"},
    "now-text": lambda right: {**right, "now": "45s"},
    "no-next": lambda right: {key: value for key, value in right.items() if key != "next"},
    "idle": lambda right: {**right, "actions": [], "next": right["now"]},
    "unknown-action": lambda right: {**right, "actions": [{"refersh": "INVITE"}]},
    "unknown-method": lambda right: {**right, "actions": [{"refresh": "OPTIONS"}]},
    "methods": lambda right: {**right, "actions": [{"refresh": ["INVITE"]}]},
    "unknown-reason": lambda right: {**right, "actions": [{"bye": "bored"}]},
    "unknown-dialog": lambda right: {**right, "actions": [{"refresh": "INVITE", "dialog": 7}]},
    "bad-header": lambda right: right,  # comes with the next request
}


class Timer:
    """The timer of the one dialog."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.due_at: int | None = None
        self.has_refreshed = False

    def answer(self, request: Line) -> None:
        now = request["now"]
        right: Line = {"id": request["id"], "actions": [], "next": self.due_at, "now": now}
        if request["do"] == "make_request" and request["method"] == "INVITE":
            right["actions"] = [OFFER]
            if self.mode == "bad-header" and self.has_refreshed:
                right["actions"] = [{"headers": [["Session-Expires", "90\r\nInjected: yes"]]}]
        elif request["do"] == "receive_response":
            self.due_at = right["next"] = now + INTERVAL_US
        elif request["do"] == "close":
            self.due_at = right["next"] = None
        elif request["do"] == "advance":
            assert self.due_at == request["until"] or self.mode == "idle", "it is called when it wants to be"
            self.due_at = None
            right |= {"now": request["until"], "next": None, "actions": [{"refresh": "INVITE"}]}
            self.has_refreshed = True
            if self.mode in DEEDS:
                DEEDS[self.mode]()
            if self.mode in REPLIES:
                say(REPLIES[self.mode](right))
                return
        say(right)


HELLOS: dict[str, object] = {
    "hello-words": "timer 1.0 ready",
    "hello-version": {**HELLO, "simkit": 2},
    "hello-kind": {**HELLO, "kind": "proxy"},
    "hello-knows": {**HELLO, "knows_next": "yes"},
}


def main(mode: str) -> None:
    if mode == "hello-none":
        sys.stderr.write("cannot read its configuration\n")
        sys.exit(1)
    if mode == "hello-silent":
        time.sleep(600)
    say(HELLOS.get(mode, HELLO))
    timer = Timer(mode)
    for line in sys.stdin:
        timer.answer(json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1])
