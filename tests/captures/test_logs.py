"""A log beside a capture: its times, in whatever form, and the lines near one."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simkit.captures import logs
from simkit.captures.logs import LINE_CHARACTERS_MAX, read_log, time_of
from simkit.errors import CaptureError
from simkit.units import MS, S

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone(timedelta(hours=2)))
AT_US = int(NOON.timestamp()) * S
LOCAL = datetime(2026, 11, 22, 12, 0, 0).astimezone()
LOCAL_US = int(LOCAL.timestamp()) * S

FORMS = [
    pytest.param("2026-11-22T12:00:00+02:00 up", AT_US, id="ISO 8601 with an offset"),
    pytest.param("2026-11-22T10:00:00.25Z up", AT_US + 250 * MS, id="ISO 8601 in UTC"),
    pytest.param("[2026-11-22 12:00:00,883] up", LOCAL_US + 883 * MS, id="Python"),
    pytest.param("2026-11-22\t12:00:00.883635\t1795.88: up", LOCAL_US + 883_635, id="SIPp"),
    pytest.param(f"{AT_US // S}.000001 up", AT_US + 1, id="seconds since 1970"),
    pytest.param("Nov 22 12:00:00 host kamailio[1]: up", LOCAL_US, id="syslog"),
    pytest.param("12:00:00.123456789 up", LOCAL_US + 123_456, id="the time of the day"),
    pytest.param("(12:00:00) up", LOCAL_US, id="in brackets"),
    pytest.param("up at 2026-11-22 12:00:00", None, id="not at its beginning"),
    pytest.param("2026-02-30 12:00:00 up", None, id="no such day"),
    pytest.param("Foo 22 12:00:00 up", None, id="no such month"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("line", "at_us"), FORMS)
def test_a_line_has_the_time_that_it_begins_with(line: str, at_us: int | None) -> None:
    assert time_of(line, LOCAL) == at_us


@given(st.text(max_size=60))
def test_no_line_is_too_strange(line: str) -> None:
    time_of(line, LOCAL)


def test_lines_without_a_time_belong_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "stack.log"
    path.write_text("starting\n12:00:00.1 INVITE\n  Via: x\n12:00:00.9 200\n12:00:05 BYE\n")
    log = read_log(str(path), taken_at_us=LOCAL_US)
    assert [line.text for line in log.near(LOCAL_US + 500 * MS)] == ["12:00:00.1 INVITE", "  Via: x", "12:00:00.9 200"]
    assert [line.number for line in log.naming("BYE")] == [5]
    assert log.lines[0].at_us is None
    assert log.span == (LOCAL_US + 100 * MS, LOCAL_US + 5 * S)


def test_few_lines_are_near_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "stack.log"
    path.write_text("".join(f"12:00:00.{number:03} line\n" for number in range(1000)))
    found = read_log(str(path), taken_at_us=LOCAL_US).near(LOCAL_US + 500 * MS)
    assert [line.number for line in found] == [497, 498, 499, 500, 501, 502, 503]


def test_what_is_read_of_a_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES_MAX", 10_000)
    path = tmp_path / "stack.log"
    path.write_bytes(b"12:00:00 " + b"x" * 20_000 + b"\xff\n")
    log = read_log(str(path), taken_at_us=LOCAL_US)
    assert not log.is_whole
    assert [len(line.text) for line in log.lines] == [LINE_CHARACTERS_MAX]


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"stack\.log: cannot be read: No such file"):
        read_log(str(tmp_path / "stack.log"), taken_at_us=0)
