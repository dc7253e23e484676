"""Requests, responses and chance for the tests of the session timer: no more headers than it reads."""

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Request, Response

TIMER: HeaderField = ("Supported", "timer")


def expires(value: str | int) -> HeaderField:
    return ("Session-Expires", str(value))


def min_se(value: str | int) -> HeaderField:
    return ("Min-SE", str(value))


def request(*headers: HeaderField, method: str = "INVITE") -> Request:
    return Request(method, "sip:bob@192.0.2.2", (("CSeq", f"1 {method}"), *headers))


def response(status: int, *headers: HeaderField, method: str = "INVITE") -> Response:
    return Response(status, "", (("CSeq", f"1 {method}"), *headers))


def value(headers: tuple[HeaderField, ...], name: str) -> str | None:
    """Return the one value of a header, None where there is none."""
    found = [value for written, value in headers if written == name]
    assert len(found) <= 1, f"{name} twice: {headers}"
    return found[0] if found else None


def settings(
    default_expires: int = 1800, min_se: int = 90, prefer: str | None = None, use_update: bool = False
) -> SessionTimerSettings:
    return SessionTimerSettings(True, default_expires, min_se, prefer, use_update)


class Chance:
    """Chance that always falls the same way: 0.0 the shortest wait, just below 1 the longest."""

    def __init__(self, drawn: float = 0.0) -> None:
        self.drawn = drawn

    def random(self) -> float:
        return self.drawn


NEARLY_ONE = 1 - 2**-53
