"""One recorded side of one call, played on: it sends as recorded, waits as recorded, and answers what must be answered.

INVITE is answered by 100, a final response to INVITE by ACK (RFC 3261 sections 17.2.1, 13.2.2.4 and 17.1.1.3), a
provisional one that asks for it by PRACK (RFC 3262 section 4), and a request that the recording does not have by 200;
one that it leaves without an answer gets none. Requests of ours are sent again over UDP while nobody answers (timers A
and E). When the peer does not say what it said in the recording, the rest is played as far as it makes sense: nothing
is sent in a dialog that is not there, and nothing awaited that cannot come.

A machine without clock or socket: `against` has them. `now` is the call's time, in microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate
from typing import Final

from ..sip.message import CSeq, Message, Request, Response
from ..trace import Trace, Transit
from ..units import MS, S
from .one_side import OneSide

PATIENCE_US: Final = 4 * S
"""So much later than recorded, or a quarter of the wait, is waited for what the peer is to say; in real time."""
CALL_WITHIN_US: Final = 60 * S
"""So long a system that is to call us is waited for, in real time."""
SETTLED_AFTER_US: Final = 500 * MS
"""So long after the last message is listened to what else the peer says; in real time."""

_T1_US, _T2_US = 500 * MS, 4 * S  # RFC 3261 section 17.1.1.1


class _Dialog(Enum):
    """How far the dialog has come."""

    NONE = auto()
    EARLY = auto()
    CONFIRMED = auto()

    def after(self, message: Message) -> "_Dialog":
        """Return how far it is after a message (RFC 3261 sections 12.1 and 12.3)."""
        if message.method == "BYE":
            return _Dialog.NONE
        if not isinstance(message, Response) or message.method != "INVITE" or self is _Dialog.CONFIRMED:
            return self
        if message.status < 200:
            return _Dialog.EARLY if message.to_tag else self
        return _Dialog.CONFIRMED if message.status < 300 else _Dialog.NONE

    def carries(self, method: str) -> bool:
        """Whether such a request can be sent in it."""
        return self is _Dialog.CONFIRMED or (self is _Dialog.EARLY and method not in ("INVITE", "BYE"))


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said on both sides, under the names of the recording."""

    trace: Trace
    came: tuple[tuple[Transit, int | None], ...]
    """What the peer had said in the recording, and when it came now; None: it never did."""

    peer_spoke: bool


@dataclass(slots=True)
class _Unanswered:
    """A request of ours that nobody has answered yet."""

    request: Request
    again_at: int
    every_us: int
    until_at: int


class SidePlayer:
    """Goes through the recorded messages of a call, from the first to the last."""

    def __init__(
        self, steps: Sequence[Transit], us: str, peer: str, side: OneSide, *, begins_at: int, real_us: int = 1
    ) -> None:
        """Play the side that the recording calls `us`; the first message is due at `begins_at`.

        A microsecond of real time is `real_us` of the call's.
        """
        self.side = side
        self.is_over = False
        self.has_heard = False
        """Whether the peer has said anything at all."""
        self._steps, self._us, self._peer, self._real_us = steps, us, peer, real_us
        self._place = 0
        after = accumulate((step.message for step in steps), _Dialog.after, initial=_Dialog.NONE)
        self._recorded_dialogs = [*after]
        """How far the dialog was before each step."""
        self._recorded_at, self._live_at = steps[0].sent_at, begins_at
        self._until_at: int | None = None
        """Until when the message is awaited that is the peer's to send."""
        self._trace = Trace()
        self._came: list[tuple[Transit, int | None]] = []
        self._unread: list[Message] = []
        """What the peer has said and no step has taken yet."""
        self._unanswered: dict[CSeq, _Unanswered] = {}
        self._answers: dict[CSeq, Response] = {}
        self._acknowledged: set[int] = set()
        self._seen: set[bytes] = set()
        self._asked: set[CSeq] = set()
        """The requests that we have sent."""
        self._dialog = _Dialog.NONE
        self._settled_at: int | None = None
        self._outgoing: list[bytes] = []

    @property
    def invite(self) -> Request:
        """The INVITE with which the recorded call begins."""
        message = self._steps[0].message
        assert isinstance(message, Request)
        return message

    @property
    def expects_a_call(self) -> bool:
        """Whether the peer's first INVITE is still to come."""
        return not self.has_heard and not self.is_over and self._steps[0].sender != self._us

    def next_deadline(self) -> int | None:
        """Return when there is something to do, if the peer says nothing before; None where all is over."""
        if self.is_over:
            return None
        if self._settled_at is not None:
            due_at = self._settled_at
        else:
            due_at = self._due_at() if self._is_ours(self._steps[self._place]) else (self._until_at or self._live_at)
        return min([due_at, *(each.again_at for each in self._unanswered.values())])

    def handle_deadline(self, *, now: int) -> None:
        """Say what is due, give up what came not, send again what is not answered."""
        self._send_again(now)
        self._go_on(now)

    def receive(self, message: Message, *, now: int) -> None:
        """Take in what the peer says."""
        data = message.to_bytes()
        again = data in self._seen
        self._seen.add(data)
        self.has_heard = True
        self._note(message, is_ours=False, again=again, now=now)
        if not again:
            self.side.learn(message)
            if not (isinstance(message, Response) and message.status == 100):
                self._unread.append(message)
        if isinstance(message, Response):
            self._take_response(message, now, again=again)
        elif isinstance(message, Request):
            self._take_request(message, now, again=again)
        self._go_on(now)

    def outgoing(self) -> list[bytes]:
        """Hand over what is to be sent to the peer."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def heard(self) -> Heard:
        """Return what came of it; what has not been awaited to its end never came."""
        rest = [(step, None) for step in self._steps[self._place :] if not self._is_ours(step)]
        return Heard(self._trace, (*self._came, *rest), self.has_heard)

    # --- the recording, step by step ---

    def _go_on(self, now: int) -> None:
        while not self.is_over and self._settled_at is None:
            if self._place == len(self._steps):
                self._settled_at = now + SETTLED_AFTER_US * self._real_us
            elif not self._step(self._steps[self._place], now):
                return
        if self._settled_at is not None and now >= self._settled_at:
            self.is_over = True

    def _step(self, step: Transit, now: int) -> bool:
        """Do a step if it can be done now; tell whether it is done."""
        live_at = now
        if self._is_ours(step):
            if _is_request(step.message, "ACK") or not self._has_dialog_for(step.message):
                self._next()  # an ACK goes out as soon as the response comes
                return True
            live_at = self._due_at()
            if now < live_at:
                return False
            self._say(step.message, now)
        elif (found := self._find(step.message)) is not None:
            self._unread.remove(found)
            self._came.append((step, now))
        elif self._can_come(step.message) and now < self._awaited_until(now):
            return False
        else:
            self._came.append((step, None))
            self._next()
            self.is_over = not self.has_heard  # nobody is there
            return True
        self._next()
        self._recorded_at, self._live_at = step.sent_at, live_at
        return True

    def _next(self) -> None:
        self._place += 1
        self._until_at = None

    def _is_ours(self, step: Transit) -> bool:
        return step.sender == self._us

    def _due_at(self) -> int:
        return self._live_at + self._steps[self._place].sent_at - self._recorded_at

    def _awaited_until(self, now: int) -> int:
        if self._until_at is None:
            due_at, patience_us = self._due_at(), PATIENCE_US * self._real_us
            self._until_at = due_at + max(patience_us, (due_at - now) // 4)
            if self._place == 0:
                self._until_at = due_at + CALL_WITHIN_US * self._real_us
        return self._until_at

    def _find(self, recorded: Message) -> Message | None:
        title = title_of(recorded)
        return next((each for each in self._unread if title_of(each) == title), None)

    def _can_come(self, recorded: Message) -> bool:
        """Whether what the peer said in the recording can still come, by what it has said instead."""
        if isinstance(recorded, Response):
            is_settled = any(_answers(each, recorded.method) and _is_final(each) for each in self._unread)
            return self._live(recorded.cseq) in self._asked and not is_settled
        if _is_request(recorded, "ACK"):
            return any(key.method == "INVITE" and answer.status >= 200 for key, answer in self._answers.items())
        return self._has_dialog_for(recorded)

    def _has_dialog_for(self, message: Message) -> bool:
        """Whether there is the dialog that a request needs, or was none in the recording either."""
        if not isinstance(message, Request) or message.to_tag is None:
            return True
        return self._dialog.carries(message.method) or not self._recorded_dialogs[self._place].carries(message.method)

    # --- what we say ---

    def _say(self, recorded: Message, now: int) -> None:
        if isinstance(recorded, Response):
            response = self.side.response(recorded)
            if response is not None:
                self._answers[response.cseq] = response
                self._dialog = self._dialog.after(response)
                self._send(response, now)
            return
        assert isinstance(recorded, Request)
        request = self.side.request(recorded)
        self._unread = [each for each in self._unread if not _answers(each, request.method)]
        self._asked.add(request.cseq)
        self._ask(request, now)

    def _ask(self, request: Request, now: int) -> None:
        """Send a request, and again until it is answered."""
        wait_us = _T1_US * self._real_us
        until_at = now + 64 * wait_us
        again_at = until_at if self.side.transport.is_reliable else now + wait_us
        self._unanswered[request.cseq] = _Unanswered(request, again_at, wait_us, until_at)
        self._dialog = self._dialog.after(request)
        self._send(request, now)

    def _send(self, message: Message, now: int, *, again: bool = False) -> None:
        self._note(message, is_ours=True, again=again, now=now)
        self._outgoing.append(message.to_bytes())

    def _send_again(self, now: int) -> None:
        """Send what nobody has answered (RFC 3261 sections 17.1.1.2 and 17.1.2.2)."""
        for key, each in list(self._unanswered.items()):
            if now >= each.until_at:
                del self._unanswered[key]
            if now < each.again_at or now >= each.until_at:
                continue
            is_invite = each.request.method == "INVITE"
            each.every_us = 2 * each.every_us if is_invite else min(2 * each.every_us, _T2_US * self._real_us)
            each.again_at = now + each.every_us
            self._send(each.request, now, again=True)

    # --- what we hear ---

    def _take_response(self, response: Response, now: int, *, again: bool) -> None:
        key = response.cseq
        if response.method == "INVITE" or response.status >= 200:  # a provisional response ends timer A, but not E
            self._unanswered.pop(key, None)
        self._dialog = self._dialog.after(response)
        if response.method == "INVITE" and response.status >= 200:
            ack = self.side.ack(response, self._recorded_ack(key))
            if ack is not None:
                self._send(ack, now, again=key.number in self._acknowledged)
                self._acknowledged.add(key.number)
        elif not again and response.status > 100 and (prack := self.side.prack(response)) is not None:
            self._ask(prack, now)

    def _live(self, recorded: CSeq) -> CSeq:
        """Return the CSeq that a recorded one of ours has now."""
        return CSeq(self.side.number(recorded.number), recorded.method)

    def _recorded_ack(self, key: CSeq) -> Request | None:
        """Return our recorded ACK for an INVITE; None where there is none."""
        ours = (step.message for step in self._steps if self._is_ours(step) and _is_request(step.message, "ACK"))
        return next(
            (ack for ack in ours if isinstance(ack, Request) and self._live(ack.cseq).number == key.number), None
        )

    def _take_request(self, request: Request, now: int, *, again: bool) -> None:
        """Answer what the recording will not: a request sent again, and one that it does not have."""
        self._dialog = self._dialog.after(request)
        if request.method == "ACK":
            return
        if again:
            if (answer := self._answers.get(request.cseq)) is not None:
                self._send(answer, now, again=True)
        elif (recorded := self._recorded(request)) is None:
            self._answers[request.cseq] = answer = self.side.answer(request, 200)
            self._send(answer, now)
        elif request.method == "INVITE" and self._has_answer(recorded):
            self._send(self.side.answer(request, 100), now)

    def _recorded(self, request: Request) -> Transit | None:
        """Return the step that a request of the peer's is, or will be; None where the recording has none."""
        before = sum(isinstance(each, Request) and each.method == request.method for each in self._unread[:-1])
        ahead = [step for step in self._steps[self._place :] if _is_request(step.message, request.method)]
        theirs = [step for step in ahead if not self._is_ours(step)]
        return theirs[before] if before < len(theirs) else None

    def _has_answer(self, request: Transit) -> bool:
        """Whether our side answered a request in the recording."""
        wanted = (request.message.cseq, request.message.branch)
        ours = (step.message for step in self._steps if self._is_ours(step))
        return any(isinstance(each, Response) and (each.cseq, each.branch) == wanted for each in ours)

    def _note(self, message: Message, *, is_ours: bool, again: bool, now: int) -> None:
        ends = (self._us, self._peer) if is_ours else (self._peer, self._us)
        number, connection = len(self._trace.records) + 1, int(self.side.transport.is_reliable)
        self._trace.records.append(Transit(number, now, *ends, message, again, now, connection=connection))


def title_of(message: Message) -> str:
    """Return "INVITE" or "200 INVITE"."""
    return f"{message.status} {message.method}" if isinstance(message, Response) else message.method


def _answers(message: Message, method: str) -> bool:
    return isinstance(message, Response) and message.method == method


def _is_request(message: Message, method: str) -> bool:
    return isinstance(message, Request) and message.method == method


def _is_final(message: Message) -> bool:
    return isinstance(message, Response) and message.status >= 200
