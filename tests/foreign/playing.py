"""A flow for children to play a part in, and how to give them one."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from simkit.flows.loader import load
from simkit.flows.logic import with_logics
from simkit.flows.model import Flow
from simkit.runs.run import Run
from simkit.runs.simulate import simulate

CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parent.parent.parent

REFRESHED = """\
simkit: 1
name: refreshed
{extra}
actors:
  alice: {{role: uac, session_timer: {{default_expires: 90, prefer_refresher: uac}}}}
  bob: {{role: uas}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up.received + 45s
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - bob: hang up
    at: up + 60s
  - bob -> alice: BYE
  - alice -> bob: 200 BYE
"""


def refreshed(extra: str = "") -> Flow:
    """Return the flow: alice, whose seat is for a child, refreshes once."""
    (flow,) = load(REFRESHED.format(extra=extra), "refreshed.yaml")
    return flow


def command(script: str, *words: str) -> str:
    """Return the logic that runs one of the children here."""
    return shlex.join([sys.executable, str(CHILDREN / script), *words])


def played(flow: Flow, timeout_s: float = 5.0, **logics: str) -> Run:
    """Play a flow with these logics in the seats of actors."""
    return played_by(flow, logics, timeout_s)


def played_by(flow: Flow, logics: Mapping[str, str], timeout_s: float = 5.0) -> Run:
    """Play a flow with these logics in the seats of actors, by name."""
    return simulate(with_logics([flow], logics)[0], logic_timeout_s=timeout_s)
