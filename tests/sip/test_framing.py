"""What SIP looks like, and where a message of a stream ends."""

import pytest

from simkit.sip.framing import SipFraming, is_keep_alive, looks_like_sip

from ..captures.building import sip

LOOKS = {
    "a request": sip(),
    "a response": sip("SIP/2.0 200 OK", cseq="1 INVITE"),
    "an unknown method": b"FROB!~ sip:x SIP/2.0\r\n",
    "another version": b"INVITE sip:x SIP/3.0\r\n",
    "another scheme": b"INVITE tel:+1 SIP/2.0\r\n",
    "no version": b"INVITE sip:bob\r\n",
    "after line ends": b"\r\n\r\n\r\nINVITE sip:x SIP/2.0\r\n",
    "nothing else": b"INVITE sip:x SIP/2.0",
    "lines that end with LF": b"INVITE sip:x SIP/2.0\nVia: x\n",
    "in small letters": b"sip/2.0 200 ok\r\n",
    "too many spaces": b"INVITE   sip:x   SIP/2.0  \r\n",
    "a broken status": b"SIP/2.0 2000 OK\r\n",
}
LOOKS_NOT = {
    "nothing": b"",
    "line ends": b"\r\n\r\n",
    "RTP": bytes.fromhex("8000000100000001deadbeef") + bytes(160),
    "DNS": bytes.fromhex("123401000001000000000000") + b"\x03sip\x07example\0\0\1\0\1",
    "HTTP": b"GET / HTTP/1.1\r\nHost: SIP/2.0\r\n\r\n",
    "an answer of HTTP": b"HTTP/1.1 200 OK\r\n\r\n",
    "SSDP": b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\n\r\n",
    "RTSP": b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "a word": b"INVITE",
    "a version in the second line": b"INVITE a\r\nb SIP/2.0\r\n",
    "a version within a word": b"INVITE sips-SIP/2.0\r\n",
    "SDP": b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n",
}


@pytest.mark.parametrize("data", LOOKS.values(), ids=LOOKS.keys())
def test_this_looks_like_sip(data: bytes) -> None:
    assert looks_like_sip(data)
    assert not is_keep_alive(data)


@pytest.mark.parametrize("data", LOOKS_NOT.values(), ids=LOOKS_NOT.keys())
def test_this_does_not_look_like_sip(data: bytes) -> None:
    assert not looks_like_sip(data)


KEEP_ALIVES = {
    "a line end": b"\r\n",
    "two line ends": b"\r\n\r\n",
    "nothing": b"",
    "a zero": b"\0",
    "four zeros": bytes(4),
    "a STUN request": bytes.fromhex("00010000 2112a442 0102030405060708090a0b0c"),
    "a STUN answer": bytes.fromhex("0101000c 2112a442 0102030405060708090a0b0c 00200008 0001a1b2c3d4e5f6"),
}


@pytest.mark.parametrize("data", KEEP_ALIVES.values(), ids=KEEP_ALIVES.keys())
def test_this_keeps_a_flow_alive(data: bytes) -> None:
    assert is_keep_alive(data)
    assert not looks_like_sip(data)


@pytest.mark.parametrize("data", [b"x", b"jaK\0", bytes.fromhex("80010000 2112a442"), bytes.fromhex("2112a442")])
def test_other_bytes_do_not(data: bytes) -> None:
    assert not is_keep_alive(data)


# --- streams ---------------------------------------------------------------------------------------------------------

INVITE = sip("INVITE sip:bob@10.0.0.2 SIP/2.0", body=b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n")
OPTIONS = sip()
OK = sip("SIP/2.0 200 OK", cseq="1 OPTIONS", body=bytes(range(256)))
BARE = OPTIONS.replace(b"Content-Length: 0\r\n", b"")
COMPACT = INVITE.replace(b"Content-Length", b"l")


def cut(*pieces: bytes) -> tuple[list[bytes], int]:
    """Return the messages of a stream that came in these pieces, and how many bytes were none."""
    framing = SipFraming()
    return [message for piece in pieces for message in framing.feed(piece)], framing.passed_over


STREAMS = [
    pytest.param([OPTIONS], id="one"),
    pytest.param([INVITE, OK, OPTIONS], id="three, two with bodies"),
    pytest.param([BARE, INVITE, BARE], id="without Content-Length there is no body"),
    pytest.param([COMPACT, OPTIONS], id="Content-Length in its compact form"),
    pytest.param(
        [INVITE.replace(b"\r\n", b"\n").replace(b"Length: 30", b"Length: 28"), OK], id="line ends of LF alone"
    ),
    pytest.param([INVITE.replace(b"Content-Length: ", b"CONTENT-LENGTH \t :  ")], id="spaces and capitals"),
]


@pytest.mark.parametrize("messages", STREAMS)
def test_messages_are_cut_by_content_length(messages: list[bytes]) -> None:
    assert cut(b"".join(messages)) == (messages, 0)


@pytest.mark.parametrize("messages", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pieces_of_any_size_give_the_same(messages: list[bytes], size: int) -> None:
    stream = b"".join(messages)
    assert cut(*(stream[at : at + size] for at in range(0, len(stream), size))) == (messages, 0)


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_keep_alives_between_messages_are_passed_over(size: int) -> None:
    stream = b"\r\n\r\n" + OPTIONS + b"\r\n" + INVITE + b"\r\n\r\n"
    assert cut(*(stream[at : at + size] for at in range(0, len(stream), size))) == ([OPTIONS, INVITE], 0)


GARBAGE = [
    pytest.param(b"o=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n", id="the rest of a body"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="HTTP"),
    pytest.param(b"\x16\x03\x01" + bytes(300) + b"\n", id="TLS"),
    pytest.param(b"\xff\xfe\n", id="bytes that are no text"),
    pytest.param(b"x" * 9000 + b"\n", id="a line longer than any"),
    pytest.param(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 70000\r\n\r\n", id="a body longer than any"),
    pytest.param(b"OPTIONS sip:x SIP/2.0\r\n" + b"x: y\r\n" * 11_000, id="a head longer than any"),
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_the_next_message_is_found_behind_garbage(garbage: bytes) -> None:
    assert cut(garbage + OPTIONS + INVITE) == ([OPTIONS, INVITE], len(garbage))
    assert cut(OPTIONS + garbage + INVITE) == ([OPTIONS, INVITE], len(garbage))
    assert cut(OPTIONS, garbage, INVITE) == ([OPTIONS, INVITE], len(garbage))


def test_a_content_length_that_is_too_small_costs_no_other_message() -> None:
    short = INVITE.replace(b"Content-Length: 30", b"Content-Length: 20")
    assert cut(short + OPTIONS) == ([short[:-10], OPTIONS], 10)


def test_what_is_missing_costs_the_message_it_is_missing_in() -> None:
    framing = SipFraming()
    assert list(framing.feed(OPTIONS + INVITE[:100])) == [OPTIONS]
    framing.lose_step()
    assert list(framing.feed(INVITE[150:] + OK)) == [OK]
    assert framing.passed_over == len(INVITE) - 150


def test_no_more_is_held_than_a_message_may_have() -> None:
    framing = SipFraming()
    assert not list(framing.feed(b"OPTIONS sip:x SIP/2.0\r\n"))
    for _ in range(1000):
        assert not list(framing.feed(b"x" * 999 + b"\n"))
        assert len(framing) <= 65_535 + 1000


def test_a_start_line_in_two_pieces_is_found_behind_garbage() -> None:
    assert cut(b"garbage\r\nOPTI", OPTIONS[4:]) == ([OPTIONS], 9)
    assert cut(b"garbage\r\n", OPTIONS[:1], OPTIONS[1:30], OPTIONS[30:]) == ([OPTIONS], 9)


def test_a_message_that_has_begun_is_told_from_garbage() -> None:
    framing = SipFraming()
    assert not framing.is_within_message
    assert not list(framing.feed(OPTIONS[:10]))
    assert framing.is_within_message
    assert list(framing.feed(OPTIONS[10:])) == [OPTIONS]
    assert not framing.is_within_message
    assert not list(framing.feed(b"garbage\r\nmore"))
    assert not framing.is_within_message
