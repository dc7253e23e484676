"""Datagrams are the same whether they are read at one go or the long way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.captures.ip import UDP, IpPacket, read_ip
from simkit.captures.link import ETHERNET, find_ip
from simkit.captures.packet import Unreadable
from simkit.captures.udp import Datagram, read_datagram, read_usual

from .building import ethernet, ipv4, sip, udp

USUAL = ethernet(ipv4(udp(sip())) + b"padding")


def the_long_way(frame: bytes) -> Datagram:
    packet = read_ip(frame, find_ip(ETHERNET, frame))
    if packet.protocol != UDP or packet.more or packet.offset:
        raise Unreadable("no datagram")
    return read_datagram(packet)


def test_a_usual_frame_is_known() -> None:
    datagram = read_usual(USUAL)
    assert datagram == the_long_way(USUAL)
    assert datagram is not None
    assert datagram[-1] == sip()


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(at=st.integers(0, 50), value=st.binary(min_size=1, max_size=2), end=st.integers(30, len(USUAL)))
def test_a_frame_that_is_read_at_one_go_is_read_as_the_long_way_would(at: int, value: bytes, end: int) -> None:
    frame = (USUAL[:at] + value + USUAL[at + len(value) :])[:end]
    datagram = read_usual(frame)
    assert datagram is None or datagram == the_long_way(frame)


def test_a_length_of_zero_is_that_of_all_there_is() -> None:
    payload = bytearray(udp(sip()))
    payload[4:6] = b"\0\0"
    assert read_datagram(IpPacket(b"\x7f\0\0\1", b"\x7f\0\0\1", UDP, 0, bytes(payload)))[-1] == sip()
