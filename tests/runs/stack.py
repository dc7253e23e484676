"""A small SIP stack in a thread of its own: it answers as it is told, by UDP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simkit.sip.message import Message, Request, Response
from simkit.sip.parser import parse_message
from simkit.ua.responses import respond

Answers = Callable[["Stack", Request], None]
LIFE_S = 30.0


class Stack:
    """What it hears, in order, and a way to speak."""

    def __init__(self, answers: Answers) -> None:
        self.heard: list[Message] = []
        self.peer = ("", 0)
        self._answers = answers
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(LIFE_S)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self.uri = f"sip:bob@127.0.0.1:{self.address[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def send(self, message: Message | bytes) -> None:
        """Say something to whoever spoke last."""
        self._socket.sendto(message if isinstance(message, bytes) else message.to_bytes(), self.peer)

    def answer(self, request: Request, status: int, *headers: tuple[str, str], contact: str = "") -> None:
        """Answer a request, with Contact, and with the media that it offers."""
        contacts = (("Contact", f"<{contact or self.uri}>"),)
        answers = request.method == "INVITE" and 200 <= status < 300 and request.body
        types = (("Content-Type", "application/sdp"),) if answers else ()
        body = request.body if answers else b""
        self.send(respond(request, status, to_tag="stack", headers=(*contacts, *headers, *types), body=body))

    def __enter__(self) -> "Stack":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.sendto(b"stop", self.address)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            data, source = self._socket.recvfrom(65_535)
            if data == b"stop":
                return
            if not data.strip():
                continue  # a keep-alive
            self.peer = source
            message = parse_message(data)
            again = any(known == message for known in self.heard)
            self.heard.append(message)
            if isinstance(message, Request) and not again:
                self._answers(self, message)


def takes_calls(stack: Stack, request: Request) -> None:
    """Answer everything by 200, with the session timer that is offered."""
    if request.method == "ACK":
        return
    timer: tuple[tuple[str, str], ...] = ()
    expires = request.session_expires
    if request.method == "INVITE" and expires is not None:
        value = f"{expires.interval_s};refresher={expires.refresher.value if expires.refresher else 'uac'}"
        timer = (("Require", "timer"), ("Session-Expires", value))
    stack.answer(request, 200, *timer)


@contextmanager
def stack(answers: Answers = takes_calls) -> Iterator[Stack]:
    """Have a stack for a while."""
    with Stack(answers) as running:
        yield running


def responses(heard: list[Message]) -> list[int]:
    """Return the statuses among what was heard."""
    return [message.status for message in heard if isinstance(message, Response)]
