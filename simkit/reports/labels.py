"""What a ladder says about a message: its method or status, and what matters to a session timer (RFC 4028)."""

from ..sip.message import Message, Request, Response
from ..sip.session_headers import SESSION_INTERVAL_FLOOR_S


def label(message: Message) -> str:
    """Return "INVITE  1800;refresher=uac", "422 INVITE  Min-SE 120": as sent, never checked, not yet printable."""
    return "  ".join([title(message), *_terms(message)])


def title(message: Message) -> str:
    """Return "INVITE" or "200 INVITE", as a flow writes it."""
    return f"{message.status} {message.method}" if isinstance(message, Response) else message.method


def shortened(text: str) -> str:
    """Return a label without the words one can do without: "INVITE  1800;uac"."""
    return text.replace(";refresher=", ";").replace("  ", " ")


def _terms(message: Message) -> list[str]:
    session_expires, min_se = message.header("Session-Expires"), message.header("Min-SE")
    retry_after = None if isinstance(message, Request) else message.header("Retry-After")
    terms = [] if session_expires is None else [session_expires]
    if min_se is not None and min_se != str(SESSION_INTERVAL_FLOOR_S):  # the floor holds unsaid (RFC 4028 section 5)
        terms.append(f"Min-SE {min_se}")
    return terms if retry_after is None else [*terms, f"Retry-After {retry_after}"]
