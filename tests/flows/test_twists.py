"""What YAML makes of plain values, compared with PyYAML itself."""

import datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.flows.twists import twist

TWISTED = [
    ("on", "true"),
    ("No", "false"),
    ("yes", "true"),
    ("off", "false"),
    ("true", "true"),
    ("~", "nothing"),
    ("null", "nothing"),
    ("", "nothing"),
    ("1:30", "the number 90"),
    ("1:00:00", "the number 3600"),
    ("0x10", "the number 16"),
    ("0b11", "the number 3"),
    ("010", "the number 8 (or 10)"),
    ("08", "the number 8"),
    ("1_000", "the number 1000"),
    ("+5", "the number 5"),
    ("1e3", "the number 1000"),
    ("1.10", "the number 1.1"),
    ("2024-01-31", "a date"),
    (".inf", "no number that can be counted with"),
]


@pytest.mark.parametrize(("text", "made"), TWISTED, ids=[text or "nothing" for text, _ in TWISTED])
def test_yaml_twists(text: str, made: str) -> None:
    assert twist(text) == made


SOUND = ["alice", "90", "0", "-5", "1.5", "90s", "up + 60s", "127.0.0.1:5060", "1800;refresher=uac", "200 INVITE"]


@pytest.mark.parametrize("text", [*SOUND, "4xx INVITE", "none", "once", "0s", "-", "5%", "a:30", "...", "1.2.3"])
def test_yaml_leaves_alone(text: str) -> None:
    assert twist(text) is None


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(st.sampled_from("0123456789+-._:exabTZ "), min_size=1, max_size=12).map(str.strip))
def test_what_pyyaml_twists_we_know(text: str) -> None:
    try:
        made = yaml.safe_load(f"[{text}]")[0] if text else None
    except (yaml.YAMLError, ValueError, IndexError):
        return
    if isinstance(made, bool | float | int | datetime.date) and str(made) != text:
        assert twist(text) is not None


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=5_000) | st.text(st.sampled_from("0123456789_:."), max_size=5_000))
def test_any_text_can_be_asked_about(text: str) -> None:
    twist(text)
