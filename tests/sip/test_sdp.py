"""Session descriptions in refreshes: unchanged to the byte, or the version raised by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import PeerError
from simkit.sip.sdp import Direction, SessionDescription, parse_session_description

LOCAL = SessionDescription("alice", "42", 1, "127.0.0.1", 4000)


def test_a_description_is_written_as_sdp() -> None:
    assert LOCAL.to_bytes().decode() == (
        "v=0\r\no=alice 42 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )
    assert b"IN IP6 ::1\r\n" in SessionDescription("a", "1", 1, "::1", 4000).to_bytes()


def test_an_unchanged_description_is_the_same_bytes() -> None:
    """RFC 4028 section 7.4, RFC 3264 section 8."""
    assert LOCAL.with_direction(Direction.SENDRECV) is LOCAL
    assert LOCAL.to_bytes() is LOCAL.to_bytes()


def test_a_changed_direction_raises_the_version_by_one() -> None:
    held = LOCAL.with_direction(Direction.SENDONLY)
    assert (held.version, held.direction) == (2, Direction.SENDONLY)
    assert held.to_bytes() == LOCAL.to_bytes().replace(b"42 1 IN", b"42 2 IN").replace(b"sendrecv", b"sendonly")
    assert held.with_direction(Direction.SENDRECV).version == 3


@pytest.mark.parametrize("direction", Direction)
def test_a_direction_is_what_it_sends_and_receives(direction: Direction) -> None:
    assert Direction.of(sends=direction.sends, receives=direction.receives) is direction


def test_the_four_directions_differ_in_what_they_send_and_receive() -> None:
    assert {direction.value for direction in Direction if direction.sends} == {"sendrecv", "sendonly"}
    assert {direction.value for direction in Direction if direction.receives} == {"sendrecv", "recvonly"}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.builds(
        SessionDescription,
        st.sampled_from(["-", "alice", "é"]),
        st.integers(0, 2**64 - 1).map(str),
        st.integers(0, 2**64 - 1),
        st.sampled_from(["127.0.0.1", "2001:db8::1", "example.com"]),
        st.integers(0, 65535),
        st.sampled_from(Direction),
    )
)
def test_what_is_written_is_read_back(description: SessionDescription) -> None:
    assert parse_session_description(description.to_bytes()) == description


def description(*lines: str, end: str = "\r\n") -> bytes:
    return end.join(["v=0", "o=- 1 2 IN IP4 a", "s=-", *lines, ""]).encode()


DIRECTIONS = [
    pytest.param(("m=audio 1 RTP/AVP 0",), Direction.SENDRECV, id="none: sendrecv"),
    pytest.param(("m=audio 1 RTP/AVP 0", "a=sendonly"), Direction.SENDONLY, id="of the stream"),
    pytest.param(("a=inactive", "m=audio 1 RTP/AVP 0"), Direction.INACTIVE, id="of the session"),
    pytest.param(("a=inactive", "m=audio 1 RTP/AVP 0", "a=recvonly"), Direction.RECVONLY, id="the stream's wins"),
    pytest.param(("m=audio 1 RTP/AVP 0", "m=video 2 RTP/AVP 9", "a=inactive"), Direction.SENDRECV, id="second stream"),
    pytest.param(("k=x", "rubbish", "m=audio 1/2 RTP/AVP 0 8", "a=sendonly "), Direction.SENDONLY, id="odd lines"),
]


@pytest.mark.parametrize(("lines", "direction"), DIRECTIONS)
@pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
def test_the_direction_is_that_of_the_first_stream(lines: tuple[str, ...], direction: Direction, end: str) -> None:
    read = parse_session_description(description(*lines, end=end))
    assert (read.direction, read.version, read.port) == (direction, 2, 1)


HOPELESS = [
    pytest.param(b"", "'o='", id="empty"),
    pytest.param(b"\xff\x00", "'o='", id="binary"),
    pytest.param(b"o=- 1 x IN IP4 a\r\nm=audio 1 RTP/AVP 0\r\n", "'o='", id="version is no number"),
    pytest.param(b"o=- 1 18446744073709551616 IN IP4 a\r\nm=audio 1 RTP/AVP 0\r\n", "'o='", id="version of 65 bits"),
    pytest.param(b"o=- 1 1 IN IP4\r\nm=audio 1 RTP/AVP 0\r\n", "'o='", id="no address"),
    pytest.param(description(), "'m='", id="no stream"),
    pytest.param(description("m=audio x RTP/AVP 0"), "'m='", id="port is no number"),
]


@pytest.mark.parametrize(("body", "reason"), HOPELESS)
def test_what_has_no_origin_or_stream_is_the_peers_fault(body: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason) as error:
        parse_session_description(body)
    assert error.value.status == 400


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 120))
def test_no_bytes_whatever_raise_anything_but_a_peer_error(data: bytes, at: int) -> None:
    whole = LOCAL.to_bytes()
    damaged = whole[:at] + data + whole[at:]
    try:
        read = parse_session_description(damaged)
    except PeerError:
        return
    assert parse_session_description(read.to_bytes()) == read
