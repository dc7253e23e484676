"""The list of checks, and the calls that show them: flows in `flows/callee/`, or `flows/proxy/` for a proxy.

A call may show several checks; calls go on side by side, so the list takes as long as the longest of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..flows.loader import load_path
from ..flows.model import Address, Flow
from ..sip.uri import host_port
from . import judging
from .judging import Judge
from .terms import Terms

FLOWS: Final = Path(__file__).parent / "flows"

CALLS: Final[Mapping[str, str]] = {  # the flow of each call, and the values that it takes
    "negotiated": "se",
    "refreshes": "se twice_spread",
    "is-refreshed": "se twice",
    "caller-dies": "se once expired_again",
    "refresh-unanswered": "se expired",
    "too-small": "small",
    "no-support": "expired",
}
WITHOUT_TIMER: Final = ("negotiated", "no-support")
"""What a stack is called for where its session timer is switched off."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list."""

    title: str
    call: str
    judge: Judge


CHECKS: Final = (
    Check("negotiated", "negotiated", judging.negotiated),
    Check("refreshed at half", "refreshes", judging.refreshed(1)),
    Check("refreshed again", "refreshes", judging.refreshed(2)),
    Check("refreshed by its caller", "is-refreshed", judging.is_refreshed),
    Check("expiry when refreshes stop", "caller-dies", judging.hangs_up),
    Check("expiry when nobody answers", "refresh-unanswered", judging.gives_up),
    Check("422 for a small interval", "too-small", judging.too_small),
    Check("no timer support", "no-support", judging.unsupported),
)


def load_calls(place_of: Callable[[str], Address], terms: Terms, *, is_proxy: bool) -> dict[str, Flow]:
    """Return the flows of the calls; `place_of` says where the stack is that a call goes to."""
    folder = FLOWS / ("proxy" if is_proxy else "callee")
    flows = {}
    for name, values in CALLS.items():
        path = folder / f"{name}.yaml"
        is_asked = terms.timer.enabled or name in WITHOUT_TIMER
        if is_asked and path.exists():  # some situations a proxy is never in
            overrides = {"stack": host_port(place_of(name)), **terms.values(values)}
            (flows[name],) = load_path(str(path), overrides=overrides)
    return flows
