"""One recorded side of a call played against a real system: it sends as recorded, waits as recorded, and listens.

What must be answered is answered, recorded or not: INVITE by 100, final responses to INVITE by ACK, requests that the
recording does not have by 200. Requests of ours are sent again while nobody answers (timers A and E). When the peer
does not say what it said in the recording, the rest is played as far as it makes sense: what came instead is for the
comparison to tell.
"""

import select
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Final

from ..drivers.endpoints import Endpoint, Endpoints, check_host
from ..drivers.run_clock import RunClock
from ..errors import PeerError
from ..sip.message import Message, Request, Response
from ..sip.parser import parse_message
from ..trace import Trace, Transit
from ..ua.identifiers import Identifiers
from ..units import MS, S
from .one_side import OneSide
from .run import Address

PATIENCE_US: Final = 4 * S
"""So much later than recorded, or a quarter of the wait, is waited for what the peer is to say."""
CALL_WITHIN_US: Final = 60 * S
"""So long a system that is to call us is waited for, in real time."""
APART_US: Final = 20 * MS
"""Where another host is played against, no more than one message is sent in this time."""

_NAMES: Final = SystemRandom()  # a system that runs on remembers the names of the last run: these are new every time
_T1_US, _T2_US = 500 * MS, 4 * S
_GIVEN_UP: Final = 11  # so many sendings fit into 64*T1


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said on both sides, under the names of the recording; what was awaited in vain, by its title."""

    trace: Trace
    missing: tuple[str, ...]


@dataclass(slots=True)
class _Waiting:
    """A request of ours that nobody has answered yet."""

    request: Request
    again_at: int
    every_us: int = _T1_US
    sent: int = 1


def play_against(
    steps: Sequence[Transit],
    us: str,
    target: Address,
    *,
    recorded_host: str,
    speed: int = 1,
    host: str,
    port: int = 0,
    allow_host: bool = False,
) -> Heard:
    """Play the side that the recording calls `us`, against `target`, and return what was said.

    `steps` are the messages of the recorded call, each once. Raises SetupError for an address that is not this
    machine's, unless that is allowed, and for a port that cannot be had.
    """
    check_host(target[0], allow_host=allow_host)
    with Endpoints((us,), host=host, ports={us: port} if port else None, allow_host=allow_host) as endpoints:
        side = OneSide(endpoints[us].address, target, Identifiers(_NAMES), recorded_host=recorded_host)
        apart_us = APART_US if allow_host else 0
        return _Player(steps, us, side, endpoints[us], RunClock(speed), speed, apart_us).play()


@dataclass(slots=True)
class _Player:
    """Goes through the recorded messages, from the first to the last."""

    steps: Sequence[Transit]
    us: str
    side: OneSide
    endpoint: Endpoint
    clock: RunClock
    speed: int
    apart_us: int
    trace: Trace = field(default_factory=Trace)
    heard: list[Message] = field(default_factory=list)
    """What the peer has said and no step has taken yet."""
    waiting: dict[tuple[int, str], _Waiting] = field(default_factory=dict)
    answers: dict[tuple[int, str], Response] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    next_at: int = 0

    def play(self) -> Heard:
        """Play every step."""
        recorded_at, live_at = self.steps[0].sent_at, self.clock.read()
        for step in self.steps:
            due_at = live_at + step.sent_at - recorded_at
            if step.sender == self.us:
                self._listen(until_at=due_at)
                self._say(step.message)
            elif not self._hear(step, due_at, is_first=step is self.steps[0]):
                self.missing.append(title_of(step.message))
                if not self.seen:
                    break  # nobody is there
                continue
            recorded_at, live_at = step.sent_at, self.clock.read()
        self._listen(until_at=self.clock.read() + _T1_US * self.speed)
        return Heard(self.trace, tuple(self.missing))

    # --- what we say ---

    def _say(self, recorded: Message) -> None:
        if isinstance(recorded, Response):
            response = self.side.response(recorded)
            if response is not None:
                self.answers[response.cseq] = response
                self._send(response)
            return
        assert isinstance(recorded, Request)
        if recorded.method == "ACK":
            return  # it went out when the response came
        request = self.side.request(recorded)
        self.waiting[request.cseq] = _Waiting(request, self.clock.read() + _T1_US * self.speed)
        self._send(request)

    def _send(self, message: Message, *, again: bool = False) -> None:
        if self.apart_us:
            self._listen(until_at=self.next_at)
            self.next_at = self.clock.read() + self.apart_us * self.speed
        self._note(message, is_ours=True, again=again)
        self.endpoint.send(message.to_bytes(), self.side.peer)

    def _send_again(self) -> None:
        """Send what nobody has answered (RFC 3261 sections 17.1.1.2 and 17.1.2.2)."""
        for key, each in list(self.waiting.items()):
            if self.clock.read() < each.again_at:
                continue
            if each.sent == _GIVEN_UP:
                del self.waiting[key]
                continue
            each.sent += 1
            is_invite = each.request.method == "INVITE"
            each.every_us = 2 * each.every_us if is_invite else min(2 * each.every_us, _T2_US)
            each.again_at = self.clock.read() + each.every_us * self.speed
            self._send(each.request, again=True)

    # --- what we hear ---

    def _hear(self, step: Transit, due_at: int, *, is_first: bool) -> bool:
        """Wait until the peer says what it said in the recording; tell whether it did."""
        wait_us = due_at - self.clock.read()
        until_at = due_at + max(PATIENCE_US * self.speed, wait_us // 4)
        if is_first:
            until_at = self.clock.read() + CALL_WITHIN_US * self.speed
        title = title_of(step.message)
        while True:
            found = next((each for each in self.heard if title_of(each) == title), None)
            if found is not None:
                self.heard.remove(found)
                return True
            if self.clock.read() >= until_at:
                return False
            self._listen(until_at=until_at, at_most=1)

    def _listen(self, *, until_at: int, at_most: int | None = None) -> None:
        """Take in what the peer says until this time, or until it has said so much."""
        taken = 0
        while (at_most is None or taken < at_most) and self.clock.read() < until_at:
            again_at = min((each.again_at for each in self.waiting.values()), default=until_at)
            wait_s = self.clock.wait_s(min(until_at, again_at))
            if select.select([self.endpoint], [], [], wait_s)[0]:
                for datagram in self.endpoint.received(at_most=1):
                    taken += 1
                    self._receive(datagram.data, datagram.source)
            self._send_again()

    def _receive(self, data: bytes, source: Address) -> None:
        try:
            message = parse_message(data)
            key = message.cseq
        except PeerError:
            return  # a keep-alive, or another program's
        self.side.peer = source
        again = data in self.seen
        self.seen.add(data)
        self._note(message, is_ours=False, again=again)
        if not again:
            self.side.learn(message)
            if not (isinstance(message, Response) and message.status == 100):
                self.heard.append(message)
        if isinstance(message, Response):
            self._take_response(message, key)
        elif isinstance(message, Request):
            self._take_request(message, key)

    def _take_response(self, response: Response, key: tuple[int, str]) -> None:
        if response.method != "INVITE" or response.status >= 200:
            self.waiting.pop((key[0], key[1]), None)
        elif (waiting := self.waiting.get((key[0], key[1]))) is not None:
            waiting.sent = _GIVEN_UP  # a provisional response ends timer A (RFC 3261 section 17.1.1.2)
            waiting.again_at = self.clock.read() + 64 * _T1_US * self.speed
        if response.method == "INVITE" and response.status >= 200:
            ack = self.side.ack(response)
            if ack is not None:
                self._send(ack, again=key[0] in self.acknowledged)
                self.acknowledged.add(key[0])

    def _take_request(self, request: Request, key: tuple[int, str]) -> None:
        """Answer what the recording will not: a request sent again, and one that it does not have."""
        if request.method == "ACK":
            return
        if (answer := self.answers.get((key[0], key[1]))) is not None:
            self._send(answer, again=True)
        elif not self._will_answer(request.method):
            self.answers[key[0], key[1]] = answer = self.side.answer(request, 200)
            self._send(answer)
        elif request.method == "INVITE":
            self.endpoint.send(self.side.answer(request, 100).to_bytes(), self.side.peer)

    def _will_answer(self, method: str) -> bool:
        """Whether the recording has a response of ours that is still to come."""
        ours = [each.message for each in self.steps if each.sender == self.us and isinstance(each.message, Response)]
        wanted = sum(each.method == method and each.status >= 200 for each in ours)
        given = [key for key, answer in self.answers.items() if answer.status >= 200]
        return sum(each_method == method for _, each_method in given) < wanted

    def _note(self, message: Message, *, is_ours: bool, again: bool) -> None:
        peer = next(name for each in self.steps for name in (each.sender, each.receiver) if name != self.us)
        ends = (self.us, peer) if is_ours else (peer, self.us)
        number, now = len(self.trace.records) + 1, self.clock.read()
        self.trace.records.append(Transit(number, now, *ends, message, again, now))


def title_of(message: Message) -> str:
    """Return "INVITE" or "200 INVITE"."""
    return f"{message.status} {message.method}" if isinstance(message, Response) else message.method
