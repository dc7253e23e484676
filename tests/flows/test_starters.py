"""What `simkit new` writes can be run as it is."""

import pytest

from simkit.flows.loader import load
from simkit.flows.starters import STARTERS


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_is_a_flow_by_its_own_name(name: str) -> None:
    flows = load(STARTERS[name], f"{name}.yaml")
    assert {flow.name for flow in flows} == {name}
    assert all(flow.about and not flow.warnings for flow in flows)


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_fits_on_a_screen(name: str) -> None:
    lines = STARTERS[name].split("\n")
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120
