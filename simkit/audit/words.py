"""How findings name messages and durations."""

from ..sip.message import Message, Request, Response
from ..units import S, format_duration


def named(message: Message) -> str:
    """Return a message's name: "INVITE", "200 INVITE"."""
    if isinstance(message, Response):
        return f"{message.status} {message.method}"
    assert isinstance(message, Request)
    return message.method


def about(duration_us: int) -> str:
    """Return a duration as people say it: whole seconds from ten seconds on, else tenths: "28s", "2.4s"."""
    if abs(duration_us) >= 10 * S:
        return format_duration(round(duration_us / S) * S)
    tenths = round(duration_us * 10 / S)
    return f"{tenths // 10}.{tenths % 10}s" if tenths % 10 else f"{tenths // 10}s"
