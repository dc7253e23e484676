"""Each defect is named by its rule, its actor, its time and its frame, and by nothing that is not so.

What is found stands in defects.txt, for people to read; SIMKIT_UPDATE_GOLDENS=1 writes it anew.
"""

import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from simkit.audit.rules.book import RULES
from simkit.units import S, format_time

from . import defects
from .building import Tape

LONG_AFTER_S = 5000
WATCHED_ON = ("silence_after_timeout", "other_side_goes_on_after_481", "too_small_tried_in_vain", "gave_up_at_422")
"""What shows only when the capture goes on for a while."""

DEFECTS: dict[str, Callable[[], Tape]] = {
    name: each
    for name, each in vars(defects).items()
    if inspect.isfunction(each) and each.__module__ == defects.__name__ and not inspect.signature(each).parameters
}
FILE = Path(__file__).with_name("defects.txt")


def told(name: str) -> str:
    """What is found in a call: severity, rule, actor, second and frame, and the words."""
    audit = DEFECTS[name]().audit(until=LONG_AFTER_S if name in WATCHED_ON else None)
    lines = []
    for each in audit.findings:
        again = "".join(f" #{frame}" for frame in each.again)
        place = f"{each.actor} at {format_time(each.at)} s, #{each.frame}{again}"
        lines.append(f"{each.severity.value:<7} {each.rule:<14} {place}: {each.text}\n")
        if each.likely:
            lines.append(f"{'':<22} likely: {each.likely}\n")
    return "".join(lines)


if os.environ.get("SIMKIT_UPDATE_GOLDENS") == "1":
    FILE.write_text("\n".join(f"== {name}\n{told(name)}" for name in DEFECTS), "utf-8")
FOUND: dict[str, str] = dict(re.findall(r"^== (\w+)\n((?:(?!==).+\n)*)", FILE.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name: str) -> None:
    assert told(name) == FOUND[name]


@pytest.mark.parametrize("name", DEFECTS)
def test_no_defect_goes_unnoticed(name: str) -> None:
    assert FOUND[name]


def test_every_rule_is_broken_by_some_defect() -> None:
    broken = {line.split()[1] for found in FOUND.values() for line in found.splitlines() if not line.startswith(" ")}
    assert broken == {rule.id for rule in RULES}


@pytest.mark.parametrize("name", WATCHED_ON)
def test_what_is_not_yet_due_is_not_missed(name: str) -> None:
    watched, cut_off = (DEFECTS[name]().audit(until=until).findings for until in (LONG_AFTER_S, None))
    assert len(cut_off) < len(watched)


def test_what_is_done_again_is_told_once() -> None:
    tape = Tape().set_up()
    for turn in range(1, 4):
        tape.at(900 * turn).request("alice", "UPDATE", defects.UAC, without=("Supported",))
        tape.respond(200, method="UPDATE", without=("Require",))
    (finding,) = tape.audit().findings
    assert (finding.rule, finding.frame, finding.again) == ("RFC4028-7.1-1", 4, (6, 8))


def test_times_are_of_sip_in_a_capture_taken_faster() -> None:
    """Twenty times as fast, all that was found at speed 1 is found, at the same times."""
    tape, fast = defects.refresher_expiry_not_restarted(), defects.refresher_expiry_not_restarted()
    for transit in fast.trace.messages():
        transit.sent_at //= 20
        transit.received_at = transit.sent_at
    assert fast.audit(speed=20) == tape.audit()
    assert fast.audit(speed=20).ended_us == 88 * S
