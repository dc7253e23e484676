"""Parts of recorded URIs, whatever these look like."""

from ..errors import PeerError
from ..sip.uri import parse_uri


def user_of(uri: str) -> str:
    """Return "bob" of sip:bob@host, "+123" of tel:+123; "" where there is no user."""
    try:
        return parse_uri(uri).user or ""
    except PeerError:
        scheme, _, number = uri.partition(":")
        return number.partition(";")[0] if scheme.lower() == "tel" else ""


def parameters_of(uri: str) -> str:
    """Return ";lr;ob" of sip:bob@host;lr;ob; "" where there are none."""
    try:
        parameters = parse_uri(uri).parameters
    except PeerError:
        return ""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters)
