"""Messages that the tests of this folder start from."""

from typing import Final

from simkit.sip.headers import HeaderField

MANDATORY: Final[tuple[HeaderField, ...]] = (
    ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1"),
    ("From", "<sip:alice@127.0.0.1>;tag=a"),
    ("To", "<sip:bob@127.0.0.2>"),
    ("Call-ID", "1@127.0.0.1"),
    ("CSeq", "1 INVITE"),
)


def datagram(
    *extra: str,
    start: str = "INVITE sip:bob@127.0.0.2 SIP/2.0",
    without: str = "",
    body: bytes = b"",
    end: str = "\r\n",
) -> bytes:
    """An INVITE, with header lines added before the mandatory ones and one of those left out."""
    lines = [start, *extra, *(f"{name}: {value}" for name, value in MANDATORY if name != without), "", ""]
    return end.join(lines).encode("utf-8", "surrogateescape") + body
