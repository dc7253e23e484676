"""Captures made by hand, a layer at a time: what goes out of `pcap` and `pcapng` is what a file holds."""

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from simkit.units import S

ALICE, BOB = ("10.0.0.1", 5060), ("10.0.0.2", 5062)
Address = tuple[str, int]

ETHERNET, RAW, IPV4_LINK, IPV6_LINK = 1, 101, 228, 229
TCP, UDP, IN_IP4, IN_IP6, GRE = 6, 17, 4, 41, 47
SYN, ACK = 0x02, 0x10


def sip(
    start: str = "OPTIONS sip:bob@10.0.0.2 SIP/2.0",
    *headers: str,
    cseq: str = "",
    call_id: str = "1@10.0.0.1",
    branch: str = "z9hG4bK1",
    from_tag: str = "a",
    to_tag: str = "",
    body: bytes = b"",
) -> bytes:
    """A message as bytes, with all that it must have."""
    lines = [
        start,
        f"Via: SIP/2.0/UDP 10.0.0.1;branch={branch}",
        f"From: <sip:alice@10.0.0.1>;tag={from_tag}",
        f"To: <sip:bob@10.0.0.2>{f';tag={to_tag}' if to_tag else ''}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq or f'1 {start.split()[0]}'}",
        *headers,
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


# --- files -----------------------------------------------------------------------------------------------------------


def pcap(
    *frames: bytes | tuple[int, bytes], order: str = "<", nanoseconds: bool = False, link_type: int = ETHERNET
) -> bytes:
    """A pcap file; frames come a second apart, from 1 s on, unless they say when: in microseconds."""
    magic, units = (0xA1B23C4D, 1000) if nanoseconds else (0xA1B2C3D4, 1)
    file = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link_type)
    for number, frame in enumerate(frames, 1):
        at, data = frame if isinstance(frame, tuple) else (number * S, frame)
        file += struct.pack(order + "IIII", at // S, at % S * units, len(data), len(data)) + data
    return file


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of pcapng."""
    length = 12 + len(body) + -len(body) % 4
    return struct.pack(order + "II", kind, length) + body + bytes(-len(body) % 4) + struct.pack(order + "I", length)


def section(order: str = "<") -> bytes:
    """A Section Header Block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link_type: int = ETHERNET, options: bytes = b"", order: str = "<", snapshot_bytes: int = 0) -> bytes:
    """An Interface Description Block."""
    return block(1, struct.pack(order + "HHI", link_type, 0, snapshot_bytes) + options, order)


def enhanced(frame: bytes, ticks: int = S, interface_id: int = 0, order: str = "<", options: bytes = b"") -> bytes:
    """An Enhanced Packet Block."""
    head = struct.pack(order + "IIIII", interface_id, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame + bytes(-len(frame) % 4) + options, order)


def obsolete(frame: bytes, ticks: int = S, interface_id: int = 0, order: str = "<") -> bytes:
    """A Packet Block, as pcapng had it before 2004."""
    head = struct.pack(order + "HHIIII", interface_id, 9, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(2, head + frame, order)


def simple(frame: bytes, sent: int | None = None, order: str = "<") -> bytes:
    """A Simple Packet Block."""
    return block(3, struct.pack(order + "I", len(frame) if sent is None else sent) + frame, order)


# --- links -----------------------------------------------------------------------------------------------------------


def ether_type(packet: bytes) -> int:
    return 0x0800 if packet[0] >> 4 == 4 else 0x86DD


def ethernet(packet: bytes, *vlan_tags: int, carried: int | None = None) -> bytes:
    """An Ethernet frame; each VLAN tag is given as its EtherType."""
    tags = b"".join(struct.pack("!HH", tag, 42) for tag in vlan_tags)
    return bytes(12) + tags + struct.pack("!H", ether_type(packet) if carried is None else carried) + packet


# --- IP --------------------------------------------------------------------------------------------------------------


def ipv4(
    payload: bytes,
    source: str = ALICE[0],
    destination: str = BOB[0],
    *,
    protocol: int = UDP,
    identification: int = 0,
    offset: int = 0,
    more: bool = False,
    options: bytes = b"",
    total: int | None = None,
) -> bytes:
    size = 20 + len(options)
    return (
        struct.pack(
            "!BBHHHBBH4s4s",
            0x40 | size // 4,
            0,
            size + len(payload) if total is None else total,
            identification,
            (0x2000 if more else 0) | offset // 8,
            64,
            protocol,
            0,
            ip_address(source).packed,
            ip_address(destination).packed,
        )
        + options
        + payload
    )


def ipv6(
    payload: bytes,
    source: str = "2001:db8::1",
    destination: str = "2001:db8::2",
    *,
    protocol: int = UDP,
    length: int | None = None,
) -> bytes:
    size = len(payload) if length is None else length
    ends = ip_address(source).packed + ip_address(destination).packed
    return struct.pack("!IHBB", 6 << 28, size, protocol, 64) + ends + payload


def ipv6_fragment(payload: bytes, *, offset: int, more: bool, identification: int = 1) -> bytes:
    header = struct.pack("!BBHI", UDP, 0, offset | more, identification)
    return ipv6(header + payload, protocol=44)


def gre(payload: bytes, protocol: int, flags: int = 0) -> bytes:
    fields = sum(4 for flag in (0x8000, 0x2000, 0x1000) if flags & flag)
    return struct.pack("!HH", flags, protocol) + bytes(fields) + payload


# --- UDP and TCP -----------------------------------------------------------------------------------------------------


def udp(payload: bytes, source_port: int = ALICE[1], destination_port: int = BOB[1]) -> bytes:
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def datagram(payload: bytes, source: Address = ALICE, destination: Address = BOB, identification: int = 0) -> bytes:
    """An Ethernet frame with a UDP datagram over IPv4."""
    inside = udp(payload, source[1], destination[1])
    return ethernet(ipv4(inside, source[0], destination[0], identification=identification))


def tcp(
    payload: bytes,
    sequence: int,
    *,
    source: Address = ALICE,
    destination: Address = BOB,
    acknowledged: int = 0,
    flags: int = ACK,
    options: bytes = b"",
) -> bytes:
    """An Ethernet frame with a TCP segment over IPv4."""
    size = 20 + len(options)
    fields = (source[1], destination[1], sequence % 2**32, acknowledged % 2**32, size // 4 << 4, flags, 8192, 0, 0)
    header = struct.pack("!HHIIBBHHH", *fields) + options
    return ethernet(ipv4(header + payload, source[0], destination[0], protocol=TCP))


def segments(stream: bytes, sizes: Sequence[int], first: int = 1000) -> list[bytes]:
    """Cut a stream into frames of these sizes, and one of the rest."""
    frames, at = [], 0
    for size in [*sizes, len(stream)]:
        if stream[at : at + size]:
            frames.append(tcp(stream[at : at + size], first + at))
        at += size
    return frames


def fragments(payload: bytes, size: int, identification: int = 7) -> list[bytes]:
    """Ethernet frames with the fragments of an IPv4 packet, `size` bytes in each."""
    return [
        ethernet(ipv4(payload[at : at + size], identification=identification, offset=at, more=at + size < len(payload)))
        for at in range(0, len(payload), size)
    ]


def joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
