"""Proxies in a flow file: what they may have, who calls through them, what is surprising about them."""

from typing import Any

import jsonschema
import pytest
import yaml

from simkit.errors import FlowError
from simkit.flows.json_schema import write_schema
from simkit.flows.loader import load
from simkit.flows.logic import with_logics
from simkit.flows.model import Clock, Flow, LogicKind, Role
from simkit.settings import ProxySessionSettings, SessionTimerSettings

PROXIED = """\
simkit: 1
vars: {what: proxy}
actors:
  alice: {role: uac, route: west}
  carol: {role: scripted, route: [west, east]}
  west:
    role: ${what}
    session_timer: {default_expires: 30m, max_expires: 3600, min_se: 90s, require: true, erratum_8926: true}
    clock: {skew: 2s}
    logic: museum:M73
  east: {role: proxy, session_timer: {enabled: false}}
  bob: {role: uas}
flow:
  - alice: call bob
  - west: ignore INVITE 2 times
  - west: reply 503 to INVITE
    with: {Retry-After: 5}
  - west: crash
  - west: restart
  - west: freeze
  - west: thaw
"""


@pytest.fixture
def flow() -> Flow:
    return load(PROXIED, "proxied.yaml")[0]


def test_a_proxy_has_session_settings_of_its_own(flow: Flow) -> None:
    west, east = flow.actors["west"], flow.actors["east"]
    assert (west.role, east.role) == (Role.PROXY, Role.PROXY)
    assert west.proxy_session == ProxySessionSettings(True, 1800, 3600, 90, True, True)
    assert east.proxy_session == ProxySessionSettings(enabled=False)
    assert west.session_timer == SessionTimerSettings()  # it is no user agent
    assert west.clock == Clock(2_000_000)


def test_an_actor_calls_through_one_proxy_or_several(flow: Flow) -> None:
    routes = {name: actor.route for name, actor in flow.actors.items()}
    assert routes == {"alice": ("west",), "carol": ("west", "east"), "west": (), "east": (), "bob": ()}


def test_a_proxy_may_be_a_museum_piece_and_nobody_elses_code(flow: Flow) -> None:
    logic = flow.actors["west"].logic
    assert logic is not None
    assert (logic.kind, logic.name) == (LogicKind.MUSEUM, "M73")
    (changed,) = with_logics([flow], {"east": "museum:M78"})
    assert str(changed.actors["east"].logic) == "museum:M78"
    with pytest.raises(FlowError, match="--logic east: a proxy's logic is rfc4028 or a museum piece"):
        with_logics([flow], {"east": "./timer"})


def test_the_schema_takes_proxies() -> None:
    validator: Any = jsonschema.Draft202012Validator(write_schema())
    validator.validate(yaml.safe_load(PROXIED))


SURPRISES = [
    pytest.param("{min_se: 60}", ["min_se is 60 s, below RFC 4028's floor of 90 s (section 4)"], id="8.1-10"),
    pytest.param("{max_expires: 60, min_se: 60}", ["max_expires is 60 s", "min_se is 60 s"], id="both below 90"),
    pytest.param("{default_expires: 100, min_se: 120}", ["default_expires (100 s) is below min_se (120 s): it asks"],
                 id="asks for less than it accepts"),
    pytest.param("{max_expires: 100, min_se: 120}", ["max_expires (100 s) is below min_se (120 s): it asks"],
                 id="lowers to less than it accepts"),
    pytest.param("{default_expires: 90, max_expires: 90}", [], id="all at the floor"),
    pytest.param("{enabled: false, min_se: 60}", [], id="it does not care"),
]  # fmt: skip


@pytest.mark.parametrize(("session_timer", "warnings"), SURPRISES)
def test_what_is_surprising_is_a_warning(session_timer: str, warnings: list[str]) -> None:
    text = PROXIED.replace("{enabled: false}", session_timer)
    found = [fault.message for fault in load(text, "proxied.yaml")[0].warnings]
    assert len(found) == len(warnings)
    assert all(message.startswith(start) for message, start in zip(found, warnings, strict=True))
