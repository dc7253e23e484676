"""The audit takes whatever a capture holds, in any order and any number, and says only what the rulebook knows."""

import ast
import gc
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import simkit.audit
from simkit.audit.auditor import audit_call
from simkit.audit.rules.book import RULES
from simkit.rulebook import RULES as RULEBOOK
from simkit.sip.message import Message, Request, Response
from simkit.trace import Trace, Transit
from simkit.units import S

from .building import Tape
from .test_defects import DEFECTS

MESSAGES = [transit for defect in DEFECTS.values() for transit in defect().trace.messages()]
ODD_HEADERS = [
    ("Session-Expires", "0;refresher=uas"),
    ("Session-Expires", "99999999999999999999;refresher=uac"),
    ("Session-Expires", "-1"),
    ("Min-SE", "99999999999999999999"),
    ("CSeq", "4294967295 INVITE"),
    ("CSeq", "nonsense"),
    ("Contact", "<<>>"),
    ("Contact", ","),
    ("Record-Route", "<sip:a"),
    ("Route", ""),
    ("Reason", "session" * 100),
    ("Retry-After", "99999999999999999999999"),
    ("To", "<sip:bob@127.0.0.1>"),
    ("From", "<sip:alice@127.0.0.1>"),
    ("Via", "SIP/2.0/UDP 127.0.0.1"),
    ("Allow", ""),
    ("Require", "timer, timer,,"),
]
ODD_BODIES = [b"", b"v=0", b"v=0\r\no=a 1 " + b"9" * 5000 + b" IN IP4 x\r\na=sendonly", b"v=0\no=\nm=audio\na=inactive"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    chosen=st.lists(
        st.tuples(
            st.integers(0, len(MESSAGES) - 1),
            st.integers(0, 4_000_000_000),
            st.sampled_from(["alice", "bob", "proxy"]),
            st.one_of(st.none(), st.sampled_from(ODD_HEADERS)),
            st.one_of(st.none(), st.sampled_from(ODD_BODIES)),
        ),
        max_size=40,
    )
)
def test_no_sequence_of_messages_is_too_odd(
    chosen: list[tuple[int, int, str, tuple[str, str] | None, bytes | None]],
) -> None:
    trace, at = Trace(), 0
    for frame, (index, wait, sender, header, body) in enumerate(chosen, start=1):
        at += wait
        message = MESSAGES[index].message
        message = message if header is None else message.with_headers(header)
        message = message if body is None else with_body(message, body)
        trace.records.append(Transit(frame, at, sender, MESSAGES[index].receiver, message, received_at=at))
    audit = audit_call(trace, ended_at=at + 1)
    for finding in audit.findings:
        assert finding.rule in RULEBOOK
        assert 1 <= finding.frame <= len(chosen)
        assert finding.text
    assert list(audit.findings) == sorted(audit.findings, key=lambda each: (each.at, each.frame))


def with_body(message: Message, body: bytes) -> Message:
    if isinstance(message, Request):
        return Request(message.method, message.uri, message.headers, body)
    assert isinstance(message, Response)
    return Response(message.status, message.reason, message.headers, body)


def test_a_long_call_is_judged_to_its_end() -> None:
    tape = Tape().set_up()
    for turn in range(1, 1001):
        tape.at(900 * turn).refresh()
    tape.at(900 * 1000 + 868).bye("bob")
    assert tape.findings() == [("RFC4028-9-13", "error", "bob", 900 * 1000 + 868, 2004)]


def test_nothing_of_a_call_that_was_judged_waits_for_the_collector_of_cycles() -> None:
    tapes = [defect() for defect in DEFECTS.values()]
    for tape in tapes:
        tape.audit()  # what is remembered for the next call is there now
    gc.collect()
    gc.disable()
    try:
        for tape in tapes:
            tape.audit()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_same_messages_at_other_times_of_the_capture_are_judged_the_same() -> None:
    for defect in DEFECTS.values():
        tape, later = defect(), defect()
        for transit in later.trace.messages():
            transit.sent_at += 7_000 * S
            transit.received_at = transit.sent_at
        assert [each.text for each in later.audit().findings] == [each.text for each in tape.audit().findings]


def test_every_rule_is_in_the_rulebook_and_names_its_check_in_words() -> None:
    for rule in RULES:
        assert rule.id in RULEBOOK
        assert rule.check.__doc__, rule.check


def test_every_check_is_in_the_book() -> None:
    """A check that nobody calls finds nothing."""
    folder = Path(simkit.audit.__file__).parent / "rules"
    called = {rule.check.__name__ for rule in RULES}
    for path in folder.glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or ast.Constant("")).startswith(
                ("Breach", "Fault", "Iterator[Breach]", "Iterable[Breach]")
            ):
                assert node.name in called or node.name.startswith("_"), f"{path.name}: {node.name}"
