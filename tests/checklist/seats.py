"""The calls of the list in virtual time, with a machine of ours in the place of the stack."""

from dataclasses import replace

from simkit.audit.auditor import audit_call
from simkit.audit.finding import CallAudit
from simkit.checklist.checks import CHECKS, load_calls
from simkit.checklist.judging import STACK, Outcome, Result, Seen
from simkit.checklist.terms import Terms
from simkit.flows.logic import with_logics
from simkit.flows.model import Flow, Role
from simkit.runs.simulate import simulate
from simkit.settings import ProxySessionSettings, SessionTimerSettings

NOWHERE = ("127.0.0.1", 5060)


def results(
    terms: Terms, *, logic: str | None = None, is_proxy: bool = False, timer: SessionTimerSettings | None = None
) -> dict[str, Result]:
    """Play all calls with a machine of ours that is set as the terms say, or otherwise, and judge them; by title."""
    seen: dict[str, Seen] = {}
    for name, flow in load_calls(lambda call: NOWHERE, terms, is_proxy=is_proxy).items():
        run = simulate(_seated(flow, timer or terms.timer, logic, is_proxy=is_proxy))
        call = audit_call(run.traces[0])
        seen[name] = Seen(call, terms, is_proxy, run.failures[0].headline if run.failures else "")
    return {check.title: check.judge(seen.get(check.call, Seen(CallAudit(""), terms, is_proxy))) for check in CHECKS}


def broken(
    terms: Terms, *, logic: str | None = None, is_proxy: bool = False, timer: SessionTimerSettings | None = None
) -> dict[str, str]:
    """Return the checks that do not hold, with what is said of them."""
    found = results(terms, logic=logic, is_proxy=is_proxy, timer=timer)
    return {title: result.text for title, result in found.items() if result.outcome is Outcome.BROKEN}


def _seated(flow: Flow, timer: SessionTimerSettings, logic: str | None, *, is_proxy: bool) -> Flow:
    stack = replace(flow.actors[STACK], at=None, system=None)
    if is_proxy:
        stack = replace(stack, role=Role.PROXY, proxy_session=ProxySessionSettings(default_expires_s=120))
    else:
        stack = replace(stack, role=Role.UAS, session_timer=timer)
    seated = replace(flow, actors={**flow.actors, STACK: stack})
    return with_logics([seated], {STACK: logic})[0] if logic else seated
