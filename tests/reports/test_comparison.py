"""Two captures side by side: what people and machines read about it."""

import json
from dataclasses import replace

import pytest

from simkit import load_flow, simulate
from simkit.captures.compare import compare_calls
from simkit.captures.comparison import Comparison
from simkit.reports.cells import cells
from simkit.reports.comparison import comparison_text
from simkit.reports.comparison_json import comparison_object
from simkit.reports.flow_lines import Origin, Side, flow_lines
from simkit.reports.style import Style
from simkit.sip.message import Response
from simkit.trace import Trace
from simkit.units import MS, S

from .golden import assert_golden

FLOW = """\
simkit: 1
name: refreshed
about: Refreshed twice, then ended.
actors:
  alice: {role: uac, session_timer: {default_expires: 1800, prefer_refresher: uac}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - repeat: 2
    every: 900s
    since: up
    flow:
      - alice -> bob: INVITE
      - bob -> alice: 200 INVITE
      - alice -> bob: ACK
  - alice: hang up
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""

NAMES = ("captures/refreshed.pcap", "flows/refreshed.yaml")
ORIGIN = Origin(load_flow(FLOW), Side.B)


def simulated(seed: int = 1) -> Trace:
    return simulate(FLOW, seed=seed).trace


def recorded() -> Trace:
    """A recording of the flow in which one refresh has another refresher, an ACK is missing, and the end is late."""
    addresses = {"alice": "127.0.0.1:5060", "bob": "127.0.0.2:5060"}
    transits = [
        replace(each, sender=addresses[each.sender], receiver=addresses[each.receiver])
        for each in simulated(seed=2).messages()
    ]
    answer = transits[4].message.with_headers(("Session-Expires", "1800;refresher=uas"))
    transits[4] = replace(transits[4], message=answer)
    first = transits[1].message
    transits[1] = replace(transits[1], message=Response(200, "Fine", first.headers, first.body))
    transits[9:] = [replace(each, sent_at=each.sent_at + 5 * S) for each in transits[9:]]
    return Trace([*transits[:8], *transits[9:]])


def compared(*, strict: bool = False) -> Comparison:
    return compare_calls([recorded()], [simulated()], tolerance_us=100 * MS, strict=strict)


@pytest.mark.parametrize(
    ("name", "style"),
    [
        pytest.param("plain", Style(80), id="plain"),
        pytest.param("ascii", Style(80, unicode=False), id="ASCII"),
        pytest.param("colour", Style(100, colour=True), id="colour"),
        pytest.param("narrow", Style(40), id="narrow"),
    ],
)
def test_a_recording_that_differs_from_its_flow_reads_as_it_did(name: str, style: Style) -> None:
    text = comparison_text(compared(), style, names=NAMES, origin=ORIGIN)
    assert_golden(f"comparison-{name}.txt", text + "\n")
    if not style.colour:
        assert max(map(cells, text.split("\n"))) <= style.width
    assert text.isascii() or style.unicode


def test_a_strict_comparison_tells_what_is_cosmetic_in_full() -> None:
    text = comparison_text(compared(strict=True), Style(80), names=NAMES)
    assert "1  cosmetic: reason phrase (200 INVITE at 0.000)\n   A  Fine\n   B  OK\n" in text
    assert text.endswith("\n\nFAIL  2 semantic, 1 timing, 1 cosmetic   not counted: 14 dynamic   11 messages")


def test_what_is_equal_takes_few_words() -> None:
    comparison = compare_calls([simulated()], [simulated()], tolerance_us=0)
    text = comparison_text(comparison, Style(80), names=("a.pcap", "b.pcap"))
    assert text.split("\n\n") == [
        "A  a.pcap\nB  b.pcap",
        "PASS  0 semantic, 0 timing   11 messages",
    ]
    assert "INVITE" in comparison_text(comparison, Style(80), names=("a", "b"), verbose=True)


def test_many_calls_are_told_by_the_first_that_differ() -> None:
    left, right = [simulated(seed) for seed in range(6)], [recorded() for _ in range(5)]
    comparison = compare_calls(left, right, tolerance_us=100 * MS)
    text = comparison_text(comparison, Style(80), names=("a", "b"))
    assert "\n\n2 more calls differ\n\n" in text
    assert "semantic: call 6 is only in A (" in text
    assert ", call 1, and 4 more)" in text
    assert "\ncall 5\n" in comparison_text(comparison, Style(80), names=("a", "b"), verbose=True)


def test_what_comes_out_of_a_message_cannot_move_the_cursor() -> None:
    evil = Trace(
        [replace(each, message=each.message.with_headers(("X", "\x1b[2J\n"))) for each in simulated().messages()]
    )
    text = comparison_text(compare_calls([evil], [simulated()], tolerance_us=0), Style(80), names=("\x1b", "b"))
    assert "\x1b" not in text
    assert "\\x1b[2J\\n" in text


def test_machines_read_every_message_that_differs_with_its_line() -> None:
    found = json.loads(json.dumps(comparison_object(compared(), names=NAMES, origin=ORIGIN)))
    assert found["verdict"] == "fail"
    assert found["differences"] == {"semantic": 2, "timing": 1, "cosmetic": 1, "dynamic": 14}
    (call,) = found["calls"]
    assert call["parties"][0] == {"left": "127.0.0.1:5060", "right": "alice"}
    (row,) = [each for each in call["differing"] if each["left"] is None]
    assert (row["right"]["text"], row["right"]["frame"], row["right"]["at_us"], row["line"]) == ("ACK", 9, 1800 * S, 19)
    assert row["differences"] == [
        {
            "class": "semantic",
            "field": "message",
            "left": None,
            "right": "ACK",
            "why": "a message that only one side sent",
        }
    ]


def test_machines_read_which_calls_one_side_lacks() -> None:
    found = comparison_object(compare_calls([simulated()], [], tolerance_us=0), names=("a", "b"))
    assert (found["verdict"], found["left_only"], found["right_only"]) == ("fail", [simulated_call_id()], [])


def simulated_call_id() -> str:
    return next(simulated().messages()).message.call_id


def test_each_message_has_the_line_that_asks_for_it() -> None:
    lines = flow_lines(load_flow(FLOW), simulated().messages())
    assert [source.line for source in lines.values()] == [9, 10, 12, 17, 18, 19, 17, 18, 19, 21, 22]


def test_a_message_that_no_line_asks_for_has_none_and_takes_none_away() -> None:
    transits = list(simulated().messages())
    info = replace(transits[0], number=99, message=transits[0].message.without_headers("Supported"))
    lines = flow_lines(load_flow(FLOW), [transits[0], info, *transits[2:]])
    assert (lines[1].line, lines[99].line) == (9, 17)  # a second INVITE takes the line of the next
    assert 2 not in lines
