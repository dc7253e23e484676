"""Each usual mistake is found where it is made, with how to mend it; a scenario without mistakes is left in peace.

The scenarios are those of scenarios/, which make none, with one thing changed.
"""

from pathlib import Path

import pytest

from simkit.sipp.importing import Terms, import_scenarios
from simkit.sipp.ladder import Remark

SCENARIOS = Path(__file__).parent / "scenarios"
CORRECT = ["caller", "callee", "too-small", "branches"]
ORIGIN = "o=user1 53655765 2353687637"
ACK_URI = "ACK [next_url]"


def mistakes(name: str, *changes: tuple[str, str]) -> list[str]:
    """Return the mistakes of a scenario in which texts are replaced, each once, the last of those that there are."""
    text = (SCENARIOS / f"{name}.xml").read_text("utf-8")
    for old, new in changes:
        head, found, tail = text.rpartition(old)
        assert found, old
        text = head + new + tail
    notes = import_scenarios([(f"{name}.xml", text.encode())], Terms()).notes
    return [f"{note.source.line}: {note.message}" for note in notes if note.remark is Remark.MISTAKE]


@pytest.mark.parametrize("name", CORRECT)
def test_a_scenario_without_mistakes_is_left_in_peace(name: str) -> None:
    assert mistakes(name) == []


FOUND = [
    pytest.param(
        "callee",
        [("Session-Expires: 90;refresher=uac", "Session-Expires: 90;refresher=uas")],
        [],
        id="(the second answer decides nothing that is waited for)",
    ),
    pytest.param(
        "callee",
        [
            ("Session-Expires: 90;refresher=uac", "Session-Expires: 90;refresher=UAC"),
            ("Session-Expires: 90;refresher=uac", "Session-Expires: 90;refresher=uas"),
        ],
        [
            "49: line 36 says refresher=uas, so bob is to refresh itself: a correct peer never sends this INVITE; "
            "say refresher=uac there, or send the session refresh request here (RFC 4028 section 7.2)"
        ],
        id="the wrong refresher",
    ),
    pytest.param(
        "caller",
        [("Supported: timer", "Min-SE: 30\n      Supported: timer")],
        ["54: Min-SE 30 is below the floor of 90 s (RFC 4028 section 5): write Min-SE: 90"],
        id="Min-SE below the floor",
    ),
    pytest.param(
        "caller",
        [("Session-Expires: 90", "Session-Expires: 60")],
        [
            "55: a peer that keeps to the floor of 90 s (RFC 4028 section 4) answers 422 to 60 s: ask for 90 or more",
        ],
        id="Session-Expires below the floor",
    ),
    pytest.param(
        "callee",
        [('regexp="timer" search_in', 'regexp="Supported: .*timer" search_in')],
        ['5: search_in="hdr" looks behind "Supported:", so an expression that repeats it finds nothing: leave it out'],
        id="the header's name repeated",
    ),
    pytest.param(
        "callee",
        [("      Require: timer\n", "")],
        ["59: a 2xx with refresher=uac must have Require: timer (RFC 4028 section 9): add it"],
        id="no Require: timer in the answer to a refresh",
    ),
    pytest.param(
        "caller",
        [
            ("      Allow: INVITE, ACK, CANCEL, BYE, UPDATE\n", ""),
            ("      Allow: INVITE, ACK, CANCEL, BYE, UPDATE\n", ""),
        ],
        [
            "3: without Allow the peer cannot refresh by UPDATE (RFC 3311 section 4); "
            "add Allow: INVITE, ACK, CANCEL, BYE, UPDATE"
        ],
        id="no Allow",
    ),
    pytest.param(
        "caller",
        [(ACK_URI, "ACK sip:bob@[remote_ip]:[remote_port]")],
        [
            "70: ACK goes to a fixed URI instead of the peer's Contact (RFC 3261 section 12.2.1.1): "
            'write [next_url] there, and rrs="true" at the <recv> of the INVITE or its 200'
        ],
        id="an ACK to a fixed URI",
    ),
    pytest.param(
        "callee",
        [(ORIGIN, "o=user1 53655765 2353687638")],
        [
            "65: the version in o= went from 2353687637 to 2353687638, and nothing else has changed: "
            "keep it, so that the peer knows this for a refresh (RFC 4028 section 7.4, RFC 3264 section 8)"
        ],
        id="a version raised",
    ),
    pytest.param(
        "callee",
        [(ORIGIN, "o=user1 53655765 2353687638"), ("RTP/AVP 0\n", "RTP/AVP 8\n")],
        [],
        id="(a version raised with reason)",
    ),
    pytest.param(
        "too-small",
        [('regexp="[0-9]+"', 'regexp="([0-9]+)"')],
        [
            "21: the first name in assign_to takes all that matches, so $least holds more than the group: "
            'write assign_to="all,least", and <Reference variables="all"/> at the end'
        ],
        id="one name for a group",
    ),
    pytest.param(
        "callee",
        [('header="Supported:" check_it="true"', 'header="Supported:"')],
        ['5: a message in which this finds nothing passes: write check_it="true"'],
        id="a search that nobody checks",
    ),
    pytest.param(
        "callee",
        [("</scenario>", '<log message="done"/></scenario>')],
        ["87: SIPp refuses <log> here: put it into an <action> of the step before"],
        id="a log at the top",
    ),
    pytest.param(
        "caller",
        [('<recv request="BYE" timeout="70000"/>', '<recv request="BYE" timeout="59000"/>')],
        ["80: BYE is due 1m after the last 2xx (RFC 4028 section 10), and this gives up after 59s; wait 1m5s here"],
        id="a wait for the end that is too short",
    ),
    pytest.param(
        "callee",
        [('timeout="50000"', 'timeout="44000"')],
        ["49: INVITE is due 45s after the last 2xx (RFC 4028 section 10), and this gives up after 44s; wait 50s here"],
        id="a wait for the refresh that is too short",
    ),
    pytest.param(
        "branches",
        [("branch=z9hG4bK-[$turns]", "branch=[branch]")],
        [
            "56: this OPTIONS goes out again with the same [branch], which is made of the step's index, so the peer "
            "takes it for a retransmission (RFC 3261 section 17.2.3): put a counter into the branch"
        ],
        id="a branch that comes again",
    ),
]


@pytest.mark.parametrize(("name", "changes", "found"), FOUND)
def test_a_mistake_is_found_with_its_line_and_how_to_mend_it(
    name: str, changes: list[tuple[str, str]], found: list[str]
) -> None:
    assert mistakes(name, *changes) == found
