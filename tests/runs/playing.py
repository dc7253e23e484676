"""Flows as text, played, and what their failures say."""

from textwrap import dedent, indent

from simkit.flows.loader import load
from simkit.flows.model import Flow
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict

HEAD = "simkit: 1\nname: test\n"

CALL = """
    alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}}
    bob: {role: uas}
"""
"""alice calls bob; she refreshes every 45 s, and he would hang up after 60 s without."""

SCRIPTED = """
    alice: {role: scripted}
    bob: {role: scripted}
"""

UP = """
    - alice: call bob
    - alice -> bob: INVITE
    - bob -> alice: 200 INVITE
      mark: up
    - alice -> bob: ACK
"""

HUNG_UP = """
    - alice: hang up
    - alice -> bob: BYE
    - bob -> alice: 200 BYE
"""


def block(key: str, text: str) -> str:
    """Put a block of YAML under a key."""
    return f"{key}:\n{indent(dedent(text).strip(chr(10)), '  ')}\n"


def flow_of(*lines: str, actors: str = CALL, expect: str = "", top: str = "") -> Flow:
    """Return the flow with these lines; `top` are further keys."""
    text = (
        f"{HEAD}{dedent(top).strip()}\n"
        + block("actors", actors)
        + block("flow", "\n".join(dedent(line).strip() for line in lines))
    )
    return load(text + (block("expect", expect) if expect else ""), "test.yaml")[0]


def play(*lines: str, actors: str = CALL, expect: str = "", top: str = "", seed: int = 1, timers: bool = False) -> Run:
    """Simulate the flow with these lines."""
    return simulate(flow_of(*lines, actors=actors, expect=expect, top=top), seed=seed, timers=timers)


def told(run: Run) -> str:
    """Return what the first failure says: headline, the line and its note, details, the rule."""
    assert run.failures, "nothing failed"
    failure = run.failures[0]
    assert run.verdict is not Verdict.PASS
    parts = [failure.headline, f"{failure.source.text.strip()} ^ {failure.note}", *failure.details]
    if failure.rule:
        parts.append(f"{failure.rule}: {failure.rule_note}")
    return "\n".join(parts)


def sent(run: Run) -> list[str]:
    """Return what was sent in the first call: "0.000 alice INVITE"."""
    from simkit.runs.matching import kind_of
    from simkit.units import format_time

    return [f"{format_time(one.sent_at)} {one.sender} {kind_of(one.message)}" for one in run.trace.messages()]
