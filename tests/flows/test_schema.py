"""The JSON Schema says what the loader says, as far as a schema can."""

from typing import Any

import jsonschema
import pytest
import yaml

from simkit.flows.blocks import _READERS
from simkit.flows.json_schema import _SCHEMAS, write_schema
from simkit.flows.model import Comparison, NetVerb, Outcome, Role
from simkit.flows.schema import ACTOR, EXPECT, FLOW, MATCHER, NET, REASONS, Kind
from simkit.flows.starters import STARTERS
from simkit.ua.events import Reason

from .samples import EVERYTHING, SMALL


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = write_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


GOOD = {"everything": EVERYTHING, "small": SMALL, **STARTERS}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_the_loader_takes_is_valid(validator: Any, text: str) -> None:
    validator.validate(yaml.safe_load(text))


TYPOS = [
    pytest.param("simkit: 1", "simkit: 2", id="version"),
    pytest.param("name: everything", "naem: everything", id="key"),
    pytest.param("role: uac", "role: uca", id="role"),
    pytest.param("min_se: 90s", "min_see: 90s", id="key of session_timer"),
    pytest.param("min_se: 90s", "min_se: soon", id="duration"),
    pytest.param('default_expires: "${se}"', "default_expires: 0", id="seconds out of range"),
    pytest.param("bob: INVITE\n    has", "bob: INVTE\n    has", id="method"),
    pytest.param("alice: hang up", "alice: hangup", id="verb"),
    pytest.param("mark: up", "makr: up", id="key of a line"),
    pytest.param("mark: up", "mark: is up", id="mark"),
    pytest.param("{contains: timer}", "{contain: timer}", id="comparison"),
    pytest.param("at: up + 5s", "at: up * 5s", id="time"),
    pytest.param("reason: hung-up", "reason: hangup", id="reason"),
    pytest.param("loss: 0.5%", "loss: 7", id="share"),
    pytest.param('drop: "alice -> bob: INVITE"', "drop: INVITE", id="link"),
    pytest.param("partition: [alice, bob]", "partition: [alice]", id="parties"),
    pytest.param("repeat: 3", "repeat: 0", id="turns"),
    pytest.param("enabled: true", "enabled: 1", id="truth"),
    pytest.param("covers: [RFC4028-10-6", "covers: [section 10", id="rule"),
]


@pytest.mark.parametrize(("right", "wrong"), TYPOS)
def test_a_typo_is_not_valid(validator: Any, right: str, wrong: str) -> None:
    assert right in EVERYTHING
    assert not validator.is_valid(yaml.safe_load(EVERYTHING.replace(right, wrong, 1)))


def test_every_key_is_described() -> None:
    assert all(key.about.endswith((".", "].", ")")) for block in (FLOW, ACTOR, EXPECT, NET) for key in block.values())


def test_every_kind_has_its_schema() -> None:
    assert set(_SCHEMAS) == set(Kind)
    assert set(_READERS) < set(Kind)


def test_the_table_has_the_words_of_the_model() -> None:
    assert set(MATCHER) == {comparison.value for comparison in Comparison}
    assert set(ACTOR["role"].choices) == {role.value for role in Role}
    assert set(EXPECT["outcome"].choices) == {outcome.value for outcome in Outcome}
    assert {verb.value for verb in NetVerb} < set(NET)


def test_the_reasons_are_those_of_a_call() -> None:
    assert list(REASONS) == [reason.value for reason in Reason]
