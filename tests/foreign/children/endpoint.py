"""A SIP endpoint that answers 200 to everything, and hangs up when it is told to: `python endpoint.py [MODE]`.

It takes the session timer that it is offered, lets the peer refresh, and hangs up 30 s before the session expires.
"""

import json
import re
import sys
from typing import Any

Line = dict[str, Any]
COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
BROKEN: dict[str, list[Line]] = {
    "no-sip": [{"send": "hello\r\n\r\n", "to": "192.0.2.1:5060"}],
    "no-host": [{"send": "hello", "to": "alice"}],
    "no-text": [{"send": 5, "to": "192.0.2.1:5060"}],
    "unknown": [{"snd": "hello"}],
}


def fields(text: str) -> list[tuple[str, str]]:
    head = text.split("\r\n\r\n")[0].split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in head)]


class Endpoint:
    """One party with one call."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.started: Line = {}
        self.invite: dict[str, str] = {}
        self.hangs_up_at: int | None = None

    def answer(self, request: Line) -> Line:
        now, actions = request["now"], list[Line]()
        if request["do"] == "start":
            self.started = request
            actions.append({"log": f"{request['name']} at {request['address']}, peer {request['peer']}"})
        elif request["do"] == "deliver":
            actions = BROKEN.get(self.mode) or self.deliver(request)
        elif request["do"] == "command":
            if request["verb"] != "hang up":
                return {"id": request["id"], "error": f"cannot {request['verb']}"}
            actions = [self.bye()]
        elif request["do"] == "advance" and self.hangs_up_at is not None:
            now, self.hangs_up_at = self.hangs_up_at, None
            actions = [self.bye()]
        return {"id": request["id"], "actions": actions, "now": now, "next": self.hangs_up_at}

    def deliver(self, request: Line) -> list[Line]:
        text: str = request["data"]
        method = text.split()[0]
        if method in ("ACK", "SIP/2.0"):
            return []
        given = dict(fields(text))
        added = [("Session-Expires", "90;refresher=uac"), ("Require", "timer"), ("Contact", "<sip:bob@192.0.2.2>")]
        if method == "INVITE":
            self.invite = self.invite or given
            self.hangs_up_at = request["now"] + 60_000_000
        else:
            self.hangs_up_at, added = None, []
        copied = [(name, value) for name, value in fields(text) if name in COPIED]
        tagged = [(name, value + (";tag=b" if name == "To" and ";tag=" not in value else "")) for name, value in copied]
        return [self.message("SIP/2.0 200 OK", [*tagged, *added], request["from"])]

    def bye(self) -> Line:
        self.hangs_up_at = None
        target = re.findall("<(.*?)>", self.invite["Contact"])[0]
        headers = [
            ("Via", f"SIP/2.0/UDP {self.started['address']};branch=z9hG4bKbye"),
            ("From", f"{self.invite['To']};tag=b"),
            ("To", self.invite["From"]),
            ("Call-ID", self.invite["Call-ID"]),
            ("CSeq", "1 BYE"),
        ]
        return self.message(f"BYE {target} SIP/2.0", headers, self.started["peer"])

    @staticmethod
    def message(start: str, headers: list[tuple[str, str]], to: str) -> Line:
        lines = [start, *[f"{name}: {value}" for name, value in headers], "Content-Length: 0", "", ""]
        return {"send": "\r\n".join(lines), "to": to}


def main(mode: str) -> None:
    endpoint = Endpoint(mode)
    lines = iter(sys.stdin)
    hello: Line = {"simkit": 1, "kind": "endpoint", "name": "endpoint.py", "knows_next": True}
    while True:
        sys.stdout.write(f"{json.dumps(hello)}\n")
        sys.stdout.flush()
        try:
            hello = endpoint.answer(json.loads(next(lines)))
        except StopIteration:
            return


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "well")
