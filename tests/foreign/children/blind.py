"""A child that cannot say when it acts next, as code under a clock that jumps: `python blind.py [TIMES_FILE]`.

It refreshes at half the interval where that is its job, and hangs up where it is not. What it is asked to run up to is
written to the file.
"""

import json
import sys
from typing import Any

Line = dict[str, Any]


def say(line: Line) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


class Dialog:
    """One side of one call."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.due: tuple[int, Line] | None = None

    def agree(self, request: Line, our_role: str) -> None:
        if request["status"] >= 300:
            return
        terms = next(value for name, value in request["headers"] if name == "Session-Expires")
        interval_us = int(terms.split(";")[0]) * 1_000_000
        if terms.endswith(our_role):
            self.due = request["now"] + interval_us // 2, {"refresh": "INVITE", "dialog": self.number}
        else:
            lead_us = min(32_000_000, interval_us // 3)
            self.due = request["now"] + interval_us - lead_us, {"bye": "session-expired", "dialog": self.number}


def advance(dialogs: dict[int, Dialog], until: int) -> tuple[int, list[Line]]:
    """Run up to `until`, or to the first instant at which something is due."""
    due = [(dialog.due, dialog) for dialog in dialogs.values() if dialog.due and dialog.due[0] <= until]
    if not due:
        return until, []
    at = min(when for (when, _), _ in due)
    for (when, _), dialog in due:
        if when == at:
            dialog.due = None
    return at, [action for (when, action), _ in due if when == at]


def answer(dialogs: dict[int, Dialog], request: Line) -> Line:
    do, now = request["do"], request["now"]
    actions: list[Line] = []
    dialog = dialogs.get(request.get("dialog", 0))
    if do == "open":
        dialogs[request["dialog"]] = Dialog(request["dialog"])
    elif do == "close":
        del dialogs[request["dialog"]]
    elif do == "advance":
        now, actions = advance(dialogs, request["until"])
    elif do == "make_request" and request["method"] == "INVITE":
        actions = [{"headers": [["Supported", "timer"], ["Session-Expires", "90;refresher=uac"]]}]
    elif do == "receive_request":
        actions = [{"accept": True, "headers": [["Require", "timer"], ["Session-Expires", "90;refresher=uac"]]}]
    elif do in ("receive_response", "sent_response") and dialog is not None:
        dialog.agree(request, "uac" if do == "receive_response" else "uas")
    return {"id": request["id"], "actions": actions, "now": now}


def main() -> None:
    say({"simkit": 1, "kind": "timer-logic", "name": "blind.py", "knows_next": False})
    dialogs: dict[int, Dialog] = {}
    times = open(sys.argv[1], "a") if len(sys.argv) > 1 else None  # noqa: SIM115 - open as long as we live
    for line in sys.stdin:
        request = json.loads(line)
        if times is not None and request["do"] == "advance":
            times.write(f"{request['now']} {request['until']}\n")
            times.flush()
        say(answer(dialogs, request))


if __name__ == "__main__":
    main()
