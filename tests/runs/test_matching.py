"""Patterns and matchers, row by row."""

import pytest

from simkit.errors import Source
from simkit.flows.model import Comparison, HeaderMatcher, Matcher, MessagePattern
from simkit.runs.matching import BodyTest, HeaderTest, PatternSet, PatternTest, filled_in, kind_of
from simkit.sip.message import Message, Request, Response

HERE = Source("test.yaml", 1)

INVITE = Request(
    "INVITE",
    "sip:bob@192.0.2.2",
    (
        ("Call-ID", "1"),
        ("CSeq", "1 INVITE"),
        ("k", "timer, 100rel"),
        ("Supported", "replaces"),
        ("x", "1800;refresher=UAC"),
        ("Contact", "<sip:alice@192.0.2.1;transport=udp>"),
        ("Subject", "Hello, you"),
    ),
    b"v=0\r\ns=-\r\n",
)


def response(status: int, method: str) -> Response:
    return Response(status, "", (("CSeq", f"1 {method}"),))


PATTERNS = [
    pytest.param("INVITE", None, INVITE, True, id="a request of the method"),
    pytest.param("BYE", None, INVITE, False, id="a request of another method"),
    pytest.param("INVITE", None, response(200, "INVITE"), False, id="a response is no request"),
    pytest.param("INVITE", "200", response(200, "INVITE"), True, id="a response with the status"),
    pytest.param("INVITE", "200", response(202, "INVITE"), False, id="a response with another status"),
    pytest.param("BYE", "200", response(200, "INVITE"), False, id="a response to another method"),
    pytest.param("INVITE", "200", INVITE, False, id="a request is no response"),
    pytest.param("INVITE", "4xx", response(399, "INVITE"), False, id="just below the class"),
    pytest.param("INVITE", "4xx", response(400, "INVITE"), True, id="the first of the class"),
    pytest.param("INVITE", "4xx", response(499, "INVITE"), True, id="the last of the class"),
    pytest.param("INVITE", "4xx", response(500, "INVITE"), False, id="just above the class"),
    pytest.param("INVITE", "18x", response(183, "INVITE"), True, id="within the ten"),
    pytest.param("INVITE", "18x", response(199, "INVITE"), False, id="outside the ten"),
    pytest.param(None, "481", response(481, "UPDATE"), True, id="a bare status is for every method"),
    pytest.param(None, "481", INVITE, False, id="a bare status is for no request"),
]


@pytest.mark.parametrize(("method", "status", "message", "meant"), PATTERNS)
def test_a_pattern_means_messages_of_its_kind(
    method: str | None, status: str | None, message: Message, meant: bool
) -> None:
    assert PatternTest(MessagePattern(method, status)).accepts(message) is meant


def test_a_set_of_patterns_names_the_first_that_fits_each_time_it_is_asked() -> None:
    bye, failures = MessagePattern("BYE"), MessagePattern("INVITE", "4xx")
    patterns = PatternSet((bye, failures, MessagePattern("INVITE", "486")))
    for _ in range(2):
        assert patterns.find(response(486, "INVITE")) is failures
        assert patterns.find(response(200, "INVITE")) is None


def test_a_message_is_called_as_a_flow_calls_it() -> None:
    assert kind_of(INVITE) == "INVITE"
    assert kind_of(response(422, "INVITE")) == "422 INVITE"


LONG = "with Session-Expires: 1800;refresher=UAC"

MATCHERS = [
    # header, comparison, operands, what is wrong (None: nothing)
    ("Session-Expires", Comparison.EQUALS, ("1800;refresher=uac",), None),
    ("session-expires", Comparison.EQUALS, ("1800",), "with session-expires: 1800;refresher=UAC: expected 1800"),
    ("Supported", Comparison.EQUALS, ("timer,100rel,replaces",), None),
    ("Supported", Comparison.CONTAINS, ("TIMER",), None),
    ("Supported", Comparison.CONTAINS, ("replaces",), None),
    ("Supported", Comparison.CONTAINS, ("time",), "with Supported: timer, 100rel, replaces: expected to contain time"),
    ("Contact", Comparison.CONTAINS, ("transport=udp",), None),
    ("Subject", Comparison.CONTAINS, ("hello",), None),
    ("Session-Expires", Comparison.AT_LEAST, ("1800",), None),
    ("Session-Expires", Comparison.AT_LEAST, ("1801",), f"{LONG}: expected at least 1801"),
    ("Session-Expires", Comparison.AT_MOST, ("1800",), None),
    ("Session-Expires", Comparison.AT_MOST, ("1799",), f"{LONG}: expected at most 1799"),
    ("Session-Expires", Comparison.MORE_THAN, ("1799",), None),
    ("Session-Expires", Comparison.MORE_THAN, ("1800",), f"{LONG}: expected more than 1800"),
    ("Subject", Comparison.AT_LEAST, ("1",), "with Subject: Hello, you: expected at least 1"),
    ("CSeq", Comparison.MATCHES, ("^1 [A-Z]+$",), None),
    ("CSeq", Comparison.MATCHES, ("^2 ",), "with CSeq: 1 INVITE: expected to match ^2 "),
    ("Min-SE", Comparison.ABSENT, (), None),
    ("Subject", Comparison.ABSENT, (), "with Subject: Hello, you: expected to be absent"),
    ("Session-Expires", Comparison.ONE_OF, ("90", "1800;refresher=uac"), None),
    ("Session-Expires", Comparison.ONE_OF, ("90", "100"), f"{LONG}: expected one of 90 or 100"),
    ("Min-SE", Comparison.EQUALS, ("90",), "without Min-SE: expected 90"),
    ("Min-SE", Comparison.AT_LEAST, ("90",), "without Min-SE: expected at least 90"),
    ("CSeq", Comparison.EQUALS, ("${number} INVITE",), None),
    ("CSeq", Comparison.EQUALS, ("${unknown} INVITE",),
     "with CSeq: 1 INVITE: '${unknown} INVITE' quotes what has not been saved"),
    ("CSeq", Comparison.MATCHES, ("^${number} ",), None),
    ("Subject", Comparison.MATCHES, ("${pattern}",), "with Subject: Hello, you: expected to match \\.\\*"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "comparison", "operands", "wrong"), MATCHERS)
def test_a_matcher_says_what_is_wrong_with_a_header(
    header: str, comparison: Comparison, operands: tuple[str, ...], wrong: str | None
) -> None:
    test = HeaderTest(HeaderMatcher(header, Matcher(HERE, comparison, operands)))
    mismatch = test.judge(INVITE, {"number": "1", "pattern": ".*"})
    assert (f"{mismatch.found}: {mismatch.expected}" if mismatch else None) == wrong


def test_a_header_may_be_asked_to_be_there_whatever_it_says() -> None:
    matcher = Matcher(HERE, Comparison.ABSENT, negated=True)
    assert HeaderTest(HeaderMatcher("Subject", matcher)).judge(INVITE, {}) is None
    mismatch = HeaderTest(HeaderMatcher("Min-SE", matcher)).judge(INVITE, {})
    assert mismatch is not None
    assert mismatch.expected == "expected to be there"


BODIES = [
    (Comparison.EQUALS, "v=0\ns=-\n", True),
    (Comparison.EQUALS, "v=1", False),
    (Comparison.CONTAINS, "s=", True),
    (Comparison.MATCHES, "(?m)^s=-$", True),
    (Comparison.ABSENT, None, False),
]


@pytest.mark.parametrize(("comparison", "operand", "holds"), BODIES)
def test_a_body_is_compared_as_text_with_plain_line_ends(
    comparison: Comparison, operand: str | None, holds: bool
) -> None:
    test = BodyTest(Matcher(HERE, comparison, (operand,) if operand else ()))
    assert (test.judge(INVITE, {}) is None) is holds


def test_a_message_without_a_body_has_none_to_compare() -> None:
    empty = Request("BYE", "sip:bob@192.0.2.2", ())
    assert BodyTest(Matcher(HERE, Comparison.ABSENT)).judge(empty, {}) is None
    mismatch = BodyTest(Matcher(HERE, Comparison.CONTAINS, ("v=0",))).judge(empty, {})
    assert mismatch is not None
    assert mismatch.found == "without a body"


def test_saved_values_are_filled_in_all_or_none() -> None:
    saved = {"a": "1", "b": "2.3"}
    assert filled_in("plain", saved) == "plain"
    assert filled_in("${a}-${b}", saved) == "1-2.3"
    assert filled_in("${b}", saved, as_pattern=True) == r"2\.3"
    assert filled_in("${a}-${c}", saved) is None
