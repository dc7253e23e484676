"""IP packets in fragments."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.captures import fragments as module
from simkit.units import S

from .building import RAW, fragments, ipv4, ipv6_fragment, pcap, sip, udp
from .reading import messages, read, skipped

PAYLOAD = udp(sip())
MISFIT = "fragments that do not fit together"
NEVER_WHOLE = "fragments of a packet that never was whole"


def part(start: int, end: int, *, more: bool = True, identification: int = 7, fill: bytes = b"") -> bytes:
    """A fragment of PAYLOAD, or of something else."""
    data = fill * (end - start) if fill else PAYLOAD[start:end]
    return ipv4(data, identification=identification, offset=start, more=more)


def raw(*packets: bytes | tuple[int, bytes]) -> bytes:
    return pcap(*packets, link_type=RAW)


FIRST, MIDDLE, LAST = part(0, 80), part(80, 160), part(160, len(PAYLOAD), more=False)


@pytest.mark.parametrize("order", list(itertools.permutations([FIRST, MIDDLE, LAST])), ids=lambda _: "order")
def test_fragments_make_a_packet_in_any_order(order: tuple[bytes, ...]) -> None:
    found, reader = read(raw(*order))
    assert [captured.raw for captured in found] == [sip()]
    assert [captured.frame for captured in found] == [3]
    assert not reader.skipped


def test_ipv6_fragments_make_a_packet() -> None:
    first, last = (
        ipv6_fragment(PAYLOAD[:104], offset=0, more=True),
        ipv6_fragment(PAYLOAD[104:], offset=104, more=False),
    )
    assert messages(raw(last, first)) == [sip()]


def test_packets_are_told_apart_by_their_identification() -> None:
    others = [part(0, 80, identification=8), part(80, len(PAYLOAD), more=False, identification=8)]
    assert messages(raw(FIRST, others[0], MIDDLE, others[1], LAST)) == [sip(), sip()]


def test_a_fragment_that_comes_twice_counts_once() -> None:
    found, reader = read(raw(FIRST, FIRST, MIDDLE, LAST))
    assert len(found) == 1
    assert reader.skipped == {"a fragment seen before": 1}


MISFITS = [
    pytest.param([FIRST, part(72, 160), MIDDLE, LAST], 3, id="overlapping from before"),
    pytest.param([MIDDLE, part(0, 88), FIRST, LAST], 3, id="overlapping from behind"),
    pytest.param([FIRST, part(0, 80, fill=b"x"), MIDDLE, LAST], 3, id="another one in the same place"),
    pytest.param([FIRST, part(0, 160), LAST], 2, id="a longer one in the same place"),
    pytest.param([LAST, part(160, 168 + len(PAYLOAD) // 8 * 8, fill=b"x"), FIRST], 2, id="behind the end"),
    pytest.param([LAST, part(2000, 2008, more=False, fill=b"x"), FIRST], 2, id="two ends"),
    pytest.param([MIDDLE, part(8, 72, more=False), FIRST], 2, id="an end before the end"),
    pytest.param([FIRST, part(80, 80), MIDDLE, LAST], 3, id="an empty one"),
    pytest.param([FIRST, part(80, 163), LAST], 2, id="a length that is no multiple of 8"),
    pytest.param([FIRST, part(65_528, 65_536, more=False, fill=b"x"), LAST], 2, id="longer than IP can count"),
]


@pytest.mark.parametrize(("packets", "count"), MISFITS)
def test_fragments_that_do_not_fit_together_are_thrown_away(packets: list[bytes], count: int) -> None:
    """RFC 5722 section 4; the packet is not tried again until its time is over."""
    assert messages(raw(*packets)) == []
    assert skipped(raw(*packets)) == {MISFIT: count}


def test_what_is_never_whole_is_counted_at_the_end() -> None:
    assert skipped(raw(FIRST, LAST)) == {NEVER_WHOLE: 2}


def test_fragments_wait_for_half_a_minute() -> None:
    rest = part(80, len(PAYLOAD), more=False)
    assert messages(raw((S, FIRST), (31 * S, rest))) == [sip()]
    assert skipped(raw((S, FIRST), (31 * S + 1, rest))) == {NEVER_WHOLE: 2}


def test_packets_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKETS_MAX", 3)
    firsts = [part(0, 80, identification=number) for number in range(4)]
    rests = [part(80, len(PAYLOAD), more=False, identification=number) for number in (3, 2, 1, 0)]
    found, reader = read(raw(*((S, packet) for packet in (*firsts, *rests))))
    assert len(found) == 3
    assert reader.skipped == {NEVER_WHOLE: 2}


def test_fragments_of_a_packet_are_bounded() -> None:
    many = [(S, part(16 * number, 16 * number + 8, fill=b"x")) for number in range(129)]
    assert skipped(raw(*many[:128])) == {NEVER_WHOLE: 128}
    assert skipped(raw(*many)) == {MISFIT: 1}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.randoms(use_true_random=False))
def test_any_cut_in_any_order_gives_the_same_message(eights: int, random: object) -> None:
    frames = fragments(PAYLOAD, 8 * eights)
    random.shuffle(frames)  # type: ignore[attr-defined]
    assert messages(pcap(*frames)) == [sip()]
