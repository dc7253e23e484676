"""Reason phrases."""

import pytest

from simkit.sip.status import reason_phrase


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (100, "Trying"),
        (200, "OK"),
        (422, "Session Interval Too Small"),  # RFC 4028 section 6
        (481, "Call/Transaction Does Not Exist"),
        (487, "Request Terminated"),
        (491, "Request Pending"),
        (513, "Message Too Large"),
    ],
)
def test_a_status_has_its_reason_phrase(status: int, reason: str) -> None:
    assert reason_phrase(status) == reason


def test_every_status_has_some_reason_phrase() -> None:
    assert all(reason_phrase(status) for status in range(100, 700))
    assert reason_phrase(499) == "Client Error"
