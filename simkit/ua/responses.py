"""Building responses (RFC 3261 section 8.2.6)."""

from ..sip.headers import CANONICAL_NAMES, HeaderField, canonical_name
from ..sip.message import Request, Response
from ..sip.status import reason_phrase

_COPIED = frozenset({"Via", "From", "Call-ID", "CSeq"})


def respond(
    request: Request,
    status: int,
    *,
    to_tag: str | None = None,
    headers: tuple[HeaderField, ...] = (),
    body: bytes = b"",
) -> Response:
    """Answer a request: Via, From, To, Call-ID and CSeq are copied, and To gets our tag where it has none.

    Record-Route goes into responses that make a dialog (section 12.1.1), Timestamp into a 100 (section 8.2.6.1).
    """
    makes_dialog = request.method == "INVITE" and 101 <= status < 300
    copied: list[HeaderField] = []
    for field in request.headers:
        name = CANONICAL_NAMES.get(field[0]) or canonical_name(field[0])
        if name in _COPIED or (makes_dialog and name == "Record-Route") or (status == 100 and name == "Timestamp"):
            copied.append(field)
        elif name == "To":
            copied.append(field if to_tag is None or request.to_tag else (field[0], f"{field[1]};tag={to_tag}"))
    response = Response(status, reason_phrase(status), (*copied, *headers, content_length(body)), body)
    return response.knowing(
        via=request.via,
        branch=request.branch,
        cseq=request.cseq,
        method=request.method,
        call_id=request.call_id,
        from_tag=request.from_tag,
        to_tag=request.to_tag or to_tag,
    )


_LENGTHS: dict[int, HeaderField] = {}


def content_length(body: bytes) -> HeaderField:
    """Return the Content-Length that goes with a body (RFC 3261 section 20.14)."""
    length = len(body)
    return _LENGTHS.setdefault(length, ("Content-Length", str(length)))
