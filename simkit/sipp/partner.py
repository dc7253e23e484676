"""Whom one scenario talks to: a party of ours, set up so that it can do what the scenario expects of it.

What a session timer does by itself needs no word. What a person does (call, ring, hang up) becomes a line of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..errors import PeerError
from ..sip.session_headers import SessionExpires, parse_session_expires
from ..units import S
from .ladder import Deed, Ladder, Line, Remark, When
from .player import Moment

_FLOOR_S = 90  # RFC 4028 section 4
_OURS = frozenset(("INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS"))
"""What a user agent of a flow can say."""
_SOMEBODY = ("sipp", "password")
_BY_ITSELF = frozenset(("401", "407", "422", "481", "487", "491"))
"""Answers that follow from what was said before."""


@dataclass(slots=True)
class Partner:
    """A party of ours as a flow declares it."""

    role: str
    session_timer: dict[str, object] = field(default_factory=dict)
    answers: str = ""
    account: tuple[str, str] | None = None
    """Who it is where it is challenged."""
    challenge: tuple[str, str] | None = None
    """Whom it lets through."""
    challenge_status: str = "401"


class Partnering:
    """Finds out what a partner must be like, and what must be done to it."""

    def __init__(self, ladder: Ladder, story: Sequence[Moment], *, own: str, name: str) -> None:
        self._ladder = ladder
        self._own = own
        self._name = name
        self._lines = list(ladder.lines())
        self._calls = next((line for line in self._lines if line.method == "INVITE" and not line.status), None)
        self._sent = {moment.line.number: moment.sent for moment in story if moment.sent is not None}

    def partner(self, account: tuple[str, str] | None) -> Partner:
        """Return the partner, and put what it is asked to do on the ladder; `account` is that of the scenario."""
        calls = self._calls is not None and self._calls.sender == self._name
        partner = Partner("uac" if calls else "uas")
        partner.session_timer = self._session_timer(calls=calls)
        for line in self._lines:
            if line.status in ("401", "407") and line.sender == self._name:
                partner.challenge, partner.challenge_status = account or _SOMEBODY, line.status
            elif line.status in ("401", "407"):
                partner.account = _SOMEBODY
        if not calls:
            partner.answers = self._answers()
        rungs: list[Line | Deed] = []
        for rung in self._ladder.rungs:
            if isinstance(rung, Line):
                rungs += [Deed(text) for text in self._causes(rung, by_hand=partner.answers == "by hand")]
            rungs.append(rung)
        if self._is_left_up():
            last = next((line for line in reversed(self._lines) if not line.optional), None)
            rungs.append(Deed(f"{self._name}: crash", When(last, False, 1 * S)))
        self._ladder.rungs = rungs
        return partner

    # --- what it is like ---

    def _session_timer(self, *, calls: bool) -> dict[str, object]:
        asked = self._asked()
        block: dict[str, object] = {}
        wants_422 = any(line.status == "422" for line in self._lines if line.sender == self._name)
        if asked is not None:
            if wants_422:
                block["min_se"] = max(_FLOOR_S, asked.interval_s + 1 if asked.interval_s >= _FLOOR_S else _FLOOR_S)
            elif asked.interval_s < _FLOOR_S:
                block["min_se"] = asked.interval_s
        if calls and asked is not None:
            block["default_expires"] = asked.interval_s
            if asked.refresher is not None:
                block["prefer_refresher"] = asked.refresher.value
        elif not calls and asked is not None and asked.refresher is None and self._awaits_refresh():
            block["prefer_refresher"] = "uas"
        if any(line.method == "UPDATE" and not line.status and line.sender == self._name for line in self._lines):
            block["use_update"] = True
        return block

    def _asked(self) -> SessionExpires | None:
        """Return the first interval that the scenario asks for, or answers with."""
        for sent in self._sent.values():
            value = sent.value("Session-Expires")
            if value is not None and (not sent.status or sent.status.startswith("2")):
                with suppress(PeerError):
                    session = parse_session_expires(value)
                    return session if session.interval_s > 0 else None
        return None

    def _awaits_refresh(self) -> bool:
        return any(self._is_in_dialog_request(line) and line.sender == self._name for line in self._lines)

    def _is_in_dialog_request(self, line: Line) -> bool:
        is_session_request = line.method in ("INVITE", "UPDATE") and not line.status
        return is_session_request and line is not self._calls and self._was_answered_before(line)

    def _was_answered_before(self, line: Line) -> bool:
        before = self._lines[: line.number]
        return any(each.method == "INVITE" and each.status.startswith("2") for each in before)

    def _answers(self) -> str:
        final = [line for line in self._lines if line.sender == self._name and self._answers_the_call(line)]
        if any(line.status.startswith("1") and line.status != "100" and not line.optional for line in final):
            return "by hand"
        return next((line.status for line in final if _is_refusal(line.status)), "")

    def _answers_the_call(self, line: Line) -> bool:
        return line.method == "INVITE" and line.status != "" and not self._was_answered_before(line)

    # --- what is done to it ---

    def _causes(self, line: Line, *, by_hand: bool) -> Iterator[str]:
        """Yield what the partner must be asked for before a line."""
        if line.optional:
            return
        if line.receiver == self._name:
            yield from self._troubles(line)
        elif line.status:
            yield from self._answering(line, by_hand=by_hand)
        else:
            yield from self._requesting(line)

    def _troubles(self, request: Line) -> Iterator[str]:
        """Yield how the partner is made to refuse a request within the dialog."""
        if request.status or request.method in ("ACK", "CANCEL") or not self._was_answered_before(request):
            return
        answer = next((each for each in self._lines[request.number + 1 :] if _is_final_for(each, request)), None)
        if (
            answer is not None
            and answer.status >= "3"
            and answer.status not in _BY_ITSELF
            and answer.status.isdecimal()
        ):
            yield f"{self._name}: reply {answer.status} to {request.method} 1 times"

    def _answering(self, line: Line, *, by_hand: bool) -> Iterator[str]:
        if not by_hand or not self._answers_the_call(line) or line.optional:
            return
        if line.status == "180":
            yield f"{self._name}: ring"
        elif line.status.startswith("2"):
            yield f"{self._name}: answer"
        elif _is_refusal(line.status):
            yield f"{self._name}: reject {line.status}"

    def _requesting(self, line: Line) -> Iterator[str]:
        match line.method:
            case "INVITE" if line is self._calls:
                yield f"{self._name}: call {self._own}"
            case "INVITE" | "UPDATE" if self._is_in_dialog_request(line) and not self._has_timer(line):
                yield f"{self._name}: refresh"
            case "CANCEL" | "OPTIONS":
                yield f"{self._name}: {line.method.lower()}"
            case "BYE" if not self._ends_by_timer(line):
                yield f"{self._name}: hang up"
            case method if method not in _OURS:
                message = f"a party of ours never sends {method}: the flow waits here in vain"
                self._ladder.note(Remark.NOT_CARRIED_OVER, line.source, message, line)

    def _has_timer(self, line: Line) -> bool:
        """Whether the scenario has agreed on a session interval by then."""
        return any(
            number < line.number and sent.value("Session-Expires") is not None for number, sent in self._sent.items()
        )

    def _ends_by_timer(self, bye: Line) -> bool:
        """Whether a BYE is that of a session that nobody refreshed: nothing was said for long before it."""
        if not self._has_timer(bye):
            return False
        before = [line for line in self._lines[: bye.number] if line.method in ("INVITE", "UPDATE", "ACK")]
        was_ignored = bool(before) and before[-1].sender == self._name and not before[-1].status
        return self._we_refresh() or was_ignored

    def _we_refresh(self) -> bool:
        asked = self._asked()
        if asked is None or asked.refresher is None:
            return False
        called = self._calls is not None and self._calls.sender == self._own
        return (asked.refresher.value == "uac") is called

    def _is_left_up(self) -> bool:
        """Whether the scenario ends while a call is going on: what the partner does then is no part of it."""
        if self._calls is None:
            return False
        if any(line.method == "BYE" for line in self._lines):
            return False
        finals = [line for line in self._lines if self._answers_the_call(line) and line.status >= "2"]
        return not (finals and finals[-1].status >= "3" and finals[-1] is self._last_final())

    def _last_final(self) -> Line | None:
        finals = [line for line in self._lines if line.method == "INVITE" and line.status >= "2"]
        return finals[-1] if finals else None


def _is_refusal(status: str) -> bool:
    """Whether a status is one that somebody has to choose."""
    return status.isdecimal() and status >= "3" and status not in _BY_ITSELF


def _is_final_for(line: Line, request: Line) -> bool:
    return line.method == request.method and line.status >= "2" and line.sender == request.receiver
