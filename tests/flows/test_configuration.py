"""A server's configuration: its session timer and its port are read, and all else is left alone."""

from pathlib import Path

import pytest

from simkit.errors import FlowError
from simkit.flows.configuration import load_configuration
from simkit.settings import SessionTimerSettings

LIVEKIT = """\
# LiveKit SIP, as it is set up for a test on one machine
api_key: key
api_secret: secret
ws_url: ws://localhost:7880
redis:
  address: localhost:6379
sip_port: 5070
rtp_port: {start: 10000, end: 20000}
session_timer:
  enabled: true
  default_expires: 120
  min_se: 30
  prefer_refresher: "uac"
  use_update: false
logging: {level: debug}
"""


def written(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text)
    return str(path)


def test_a_configuration_is_read_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, LIVEKIT)
    configuration = load_configuration(path)
    assert configuration.session_timer == SessionTimerSettings(True, 120, 30, "uac", False)
    assert configuration.sip_port == 5070
    assert [str(warning).splitlines()[0] for warning in configuration.warnings] == [
        f"{path}:12:11: min_se is 30 s, below RFC 4028's floor of 90 s (section 4)"
    ]


def test_what_is_not_said_is_as_usual(tmp_path: Path) -> None:
    configuration = load_configuration(written(tmp_path, "session_timer: {use_update: true}"))
    assert configuration.session_timer == SessionTimerSettings(use_update=True)
    assert configuration.sip_port is None
    assert configuration.warnings == ()


WRONG = [
    pytest.param("sip_port: 5060\n", ["1:1: a configuration has no 'session_timer'"], id="no block"),
    pytest.param("session_timer: yes\n", ["1:16: session_timer is a map of keys"], id="no block, but a word"),
    pytest.param(
        "sip_port: 99999\nsession_timer:\n  enable: true\n  min_se: soon\n",
        ["1:11: '99999' is not from 1 to 65,535", "3:3: unknown key 'enable' in session_timer (did you mean", "4:11: "],
        id="several faults at once",
    ),
    pytest.param("session_timer: {prefer_refresher: me}\n", ["1:35: "], id="nobody"),
    pytest.param("session_timer: [1", ["1:1: a ',' or ']' is missing before this"], id="no YAML"),
    pytest.param("session_timer: {}\nsession_timer: {}\n", ["2:1: "], id="twice"),
    pytest.param("", ["1:1: "], id="empty"),
]


@pytest.mark.parametrize(("text", "faults"), WRONG)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, faults: list[str]) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FlowError) as error:
        load_configuration(path)
    told = [str(fault) for fault in error.value.faults]
    assert len(told) == len(faults)
    for said, expected in zip(sorted(told), sorted(faults), strict=True):
        assert said.startswith(f"{path}:{expected}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"nowhere\.yaml:1:1: cannot be read: No such file or directory"):
        load_configuration(str(tmp_path / "nowhere.yaml"))
