"""Runs built by hand: small stories that reports are tried on."""

from collections.abc import Iterable
from typing import Any

from simkit.errors import Source
from simkit.flows.model import Actor, Flow, Role
from simkit.runs.run import CallSummary, Run, Violation
from simkit.runs.verdict import Expectation, Failure, Verdict
from simkit.sip.message import Message, Request, Response
from simkit.trace import Happening, Record, TimerChange, TimerRecord, Trace, Transit, What
from simkit.units import MS, S

TERMS = "1800;refresher=uac"


def request(method: str, *headers: tuple[str, str], cseq: int = 1, uri: str = "sip:bob@127.0.0.2") -> Request:
    """A request with the headers that every one has."""
    return Request(method, uri, (*_common(method, cseq), *headers, ("Content-Length", "0")))


def response(status: int, method: str, *headers: tuple[str, str], cseq: int = 1, reason: str = "OK") -> Response:
    """A response with the headers that every one has."""
    return Response(status, reason, (*_common(method, cseq), *headers, ("Content-Length", "0")))


def _common(method: str, cseq: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Via", f"SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{method}{cseq}"),
        ("Max-Forwards", "70"),
        ("From", "<sip:alice@127.0.0.1>;tag=a"),
        ("To", "<sip:bob@127.0.0.2>;tag=b"),
        ("Call-ID", "1@127.0.0.1"),
        ("CSeq", f"{cseq} {method}"),
    )


class Story:
    """Records in the order in which they are told; times in seconds, or microseconds by `US`."""

    def __init__(self, *parties: str) -> None:
        self.parties = parties
        self.trace = Trace()
        self.now = 0

    def at(self, seconds: float) -> "Story":
        """Go on at this time."""
        self.now = round(seconds * S)
        return self

    def send(
        self,
        sender: str,
        receiver: str,
        message: Message,
        *,
        takes: int = 0,
        lost: str | None = None,
        again: bool = False,
    ) -> "Story":
        """Send a message; it takes so many microseconds, or is lost."""
        number = sum(1 for _ in self.trace.messages()) + 1
        received_at = None if lost else self.now + takes
        transit = Transit(number, self.now, sender, receiver, message, again, received_at, lost)
        return self.add(transit)

    def happen(self, party: str, what: What, detail: str = "", *, mark: str | None = None) -> "Story":
        """Have something happen to a party."""
        return self.add(Happening(self.now, party, what, detail, "1@127.0.0.1", mark=mark))

    def session(self, party: str, interval_s: int | None) -> "Story":
        """Have a party learn of a session timer that alice refreshes."""
        return self.add(Happening(self.now, party, What.SESSION, "", "1@127.0.0.1", interval_s, "alice"))

    def timer(
        self, party: str, timer: str, change: TimerChange, due_s: float, rule: str, about: str = "INVITE 1"
    ) -> "Story":
        """Arm, fire or cancel a timer."""
        return self.add(TimerRecord(self.now, party, timer, change, round(due_s * S), rule, about))

    def add(self, record: Record) -> "Story":
        """Add a record."""
        self.trace.records.append(record)
        return self

    def run(self, name: str, about: str = "", **more: Any) -> Run:
        """Return the run of which this is the first call."""
        return run(name, about, self.parties, traces={0: self.trace}, **more)


def source(path: str, line: int, column: int = 5, text: str = "") -> Source:
    """A place in a flow file."""
    return Source(path, line, column, text)


def run(
    name: str,
    about: str = "",
    parties: Iterable[str] = ("alice", "bob"),
    *,
    verdict: Verdict = Verdict.PASS,
    case: str | None = None,
    seed: int = 1,
    virtual_us: int = 1800 * S,
    wall_us: int = 3100,
    expectations: Iterable[Expectation] = (),
    failures: Iterable[Failure] = (),
    calls: Iterable[CallSummary] = (),
    violations: Iterable[Violation] = (),
    traces: dict[int, Trace] | None = None,
    messages: int | None = None,
    **more: Any,
) -> Run:
    """Return a run of a flow that has nothing but a name and actors."""
    path = f"flows/{name}.yaml"
    place = source(path, 1, 1, "simkit: 1")
    actors = {party: Actor(place, party, Role.UAS if index else Role.UAC) for index, party in enumerate(parties)}
    traces = traces or {}
    return Run(
        Flow(place, path, name, about, actors, (), case),
        seed,
        verdict,
        virtual_us,
        wall_us,
        sum(1 for trace in traces.values() for _ in trace.messages()) if messages is None else messages,
        list(expectations),
        list(failures),
        calls=list(calls),
        violations=list(violations),
        traces=traces,
        addresses={party: (f"127.0.0.{index}", 5060) for index, party in enumerate(parties, 1)},
        **more,
    )


def set_up(story: Story, terms: str = TERMS, *, takes: int = 0) -> Story:
    """Tell how alice calls bob, who answers at once."""
    interval_s = int(terms.partition(";")[0])
    story.happen("alice", What.STIMULUS, "call bob")
    story.send("alice", "bob", request("INVITE", ("Session-Expires", terms)), takes=takes).at((story.now + takes) / S)
    story.happen("bob", What.CALL_UP).session("bob", interval_s)
    story.send("bob", "alice", response(200, "INVITE", ("Session-Expires", terms)), takes=takes)
    story.happen("bob", What.NOTE, mark="up").at((story.now + takes) / S)
    story.happen("alice", What.CALL_UP).session("alice", interval_s)
    return story.send("alice", "bob", request("ACK"), takes=takes)


def refresh(story: Story, cseq: int, terms: str = TERMS) -> Story:
    """Tell how alice refreshes by re-INVITE."""
    interval_s = int(terms.partition(";")[0])
    story.send("alice", "bob", request("INVITE", ("Session-Expires", terms), cseq=cseq))
    story.session("bob", interval_s)
    story.send("bob", "alice", response(200, "INVITE", ("Session-Expires", terms), cseq=cseq))
    story.session("alice", interval_s).happen("alice", What.REFRESHED)
    return story.send("alice", "bob", request("ACK", cseq=cseq))


def expiry() -> Run:
    """The caller's host dies; the callee hangs up in time, and nobody answers."""
    story = set_up(Story("alice", "bob")).at(60).happen("alice", What.STIMULUS, "crash").happen("alice", What.CRASHED)
    bye = request("BYE", uri="sip:alice@127.0.0.1")
    gone = "alice has crashed"
    story.at(1768).send("bob", "alice", bye, lost=gone).happen("bob", What.ENDED, "session-expired")
    for again in range(10):
        story.at(1768.5 + 3 * again).send("bob", "alice", bye, lost=gone, again=True)
    story.at(1800).happen("bob", What.GAVE_UP, "timer F: BYE").happen("bob", What.OVER)
    path, about = (
        "flows/expiry.yaml",
        "The caller's host dies. The callee ends the call 32 s before the session expires.",
    )
    expectations = [
        Expectation(source(path, 20 + line), text, Verdict.PASS, at, at)
        for line, (text, at) in enumerate(
            [
                ("alice -> bob: INVITE", 0),
                ("bob -> alice: 200 INVITE", 0),
                ("alice -> bob: ACK", 0),
                ("bob -> alice: BYE", 1768 * S),
                ("ended_by: bob", None),
                ("reason: session-expired", 1768 * S),
            ]
        )
    ]
    call = CallSummary("1@127.0.0.1", 1800, "alice", 0, "bob", 1768 * S, "session-expired")
    violation = Violation("RFC4028-10-6", "error", "bob", 1768 * S, 4, "BYE came after the session had expired")
    return story.run("expiry", about, expectations=expectations, calls=[call], violations=[violation])


def failure(*, at: int = 60 * S, call: int = 0, frame: int | None = 7) -> Failure:
    """What is wrong with the run that is broken."""
    return Failure(
        source("flows/refresh.yaml", 21, 5, "  - alice -> bob: INVITE"),
        "bob sent BYE at 60.000 s, before this was due",
        "expected at 90.000 s (up + 90s)",
        ("seen so far: 7 messages",),
        "RFC4028-9-13",
        "the interval restarts with the most recent 2xx; the last was at 45.000 s",
        at,
        call,
        frame,
    )


def broken() -> Run:
    """The callee does not start its interval afresh and hangs up a call that was refreshed."""
    story = refresh(set_up(Story("alice", "bob"), "90;refresher=uac").at(45), 2, "90;refresher=uac")
    story.at(60).send("bob", "alice", request("BYE")).happen("bob", What.ENDED, "session-expired")
    path = "flows/refresh.yaml"
    expectations = [
        Expectation(source(path, 18), "bob -> alice: 200 INVITE", Verdict.PASS, 45 * S, 45 * S),
        Expectation(source(path, 21), "alice -> bob: INVITE", Verdict.FAIL, 90 * S, None),
    ]
    return story.run(
        "refresh",
        "The caller refreshes, twice.",
        verdict=Verdict.FAIL,
        case="se=90",
        virtual_us=60 * S,
        expectations=expectations,
        failures=[failure()],
    )


def hours() -> Run:
    """Refreshes for hours, then the caller hangs up."""
    story = set_up(Story("alice", "bob"))
    for turn in range(1, 60):
        refresh(story.at(900 * turn), 1 + turn)
    story.at(54_000).happen("alice", What.STIMULUS, "alice: hang up").send("alice", "bob", request("BYE", cseq=99))
    story.happen("alice", What.ENDED, "hung-up").happen("bob", What.ENDED, "hung-up")
    story.send("bob", "alice", response(200, "BYE", cseq=99))
    return story.run("hours", "Fifteen hours.", virtual_us=54_000 * S)


def proxied() -> Run:
    """Three parties, one of them in the middle; one message passes it by."""
    story = Story("alice", "proxy", "bob")
    invite, answer = request("INVITE", ("Session-Expires", "1800")), response(200, "INVITE", ("Session-Expires", TERMS))
    story.send("alice", "proxy", request("INVITE")).send("proxy", "bob", invite)
    story.send("bob", "proxy", answer).happen("bob", What.NOTE, mark="up").send("proxy", "alice", answer)
    story.send("alice", "bob", request("ACK"))
    story.at(60).happen("proxy", What.STIMULUS, "freeze").happen("proxy", What.FROZEN)
    story.at(70).happen("proxy", What.THAWED)
    story.at(80).happen("bob", What.STIMULUS, "ignore INVITE 2 times")
    bye = request("BYE", cseq=2)
    story.at(90).send("bob", "alice", bye, lost="lost by the network")
    return story.at(90.5).send("bob", "alice", bye, again=True).run("proxied", virtual_us=91 * S)


def slow() -> Run:
    """A network that takes its time and loses things; a refresh that is refused, then unanswered."""
    story = set_up(Story("alice", "bob"), "300;refresher=uac", takes=50 * MS)
    update = request("UPDATE", ("Session-Expires", "300;refresher=uac"), cseq=2)
    story.at(150).happen("alice", What.STIMULUS, "refresh").send("alice", "bob", update, lost="lost by the network")
    story.at(150.5).send("alice", "bob", update, takes=120_345, again=True)
    refusal = response(422, "UPDATE", ("Min-SE", "600"), cseq=2, reason="Session Interval Too Small")
    story.at(150.620345).send("bob", "alice", refusal, takes=50 * MS)
    terms = (("Session-Expires", "600;refresher=uac"), ("Min-SE", "600"))
    again = request("UPDATE", *terms, cseq=3)
    story.at(150.670345).happen("alice", What.RETRIED, "422").send("alice", "bob", again, lost="lost by the network")
    for turn in range(3):
        story.at(151.2 + turn).send("alice", "bob", again, lost="lost by the network", again=True)
    story.at(182.670345).happen("alice", What.GAVE_UP, "timer F: UPDATE")
    story.happen("alice", What.REFRESH_FAILED, "timeout").happen("alice", What.ENDED, "refresh-failed")
    story.send("alice", "bob", request("BYE", cseq=4), takes=50 * MS)
    return story.run("slow", virtual_us=183 * S)


def timed() -> Run:
    """A call with its timers."""
    story = Story("alice", "bob")
    armed, fired, cancelled = TimerChange.ARMED, TimerChange.FIRED, TimerChange.CANCELLED
    story.send("alice", "bob", request("INVITE", ("Session-Expires", TERMS)))
    story.timer("alice", "A", armed, 0.5, "3261-17.1.1.2").timer("alice", "B", armed, 32, "3261-17.1.1.2")
    story.send("bob", "alice", response(200, "INVITE", ("Session-Expires", TERMS)))
    story.timer("bob", "bye", armed, 1768, "RFC4028-10-7", "1@127.0.0.1")
    story.timer("alice", "A", cancelled, 0.5, "3261-17.1.1.2").timer("alice", "B", cancelled, 32, "3261-17.1.1.2")
    story.timer("alice", "refresh", armed, 900, "RFC4028-7.2-12", "1@127.0.0.1")
    story.send("alice", "bob", request("ACK"))
    story.at(900).timer("alice", "refresh", fired, 900, "RFC4028-7.2-12", "1@127.0.0.1")
    return story.send("alice", "bob", request("INVITE", ("Session-Expires", TERMS), cseq=2)).run("timed")
