"""How the network behaves (`network`), and how many calls it carries (`calls`)."""

from dataclasses import replace

from ..errors import Source
from .blocks import read_block
from .model import Calls, LinkSettings, Network
from .patterns import parse_direction
from .reading import Reading
from .schema import CALLS, LINK, MAX_CALLS
from .yaml_source import Map, Node, Scalar


def read_network(reading: Reading, node: Node) -> Network:
    """Read `network`: settings for every direction, and for single ones, which keep what they do not set."""
    _check_link(reading, node)
    if not isinstance(node, Map):
        return Network(LinkSettings(**read_block(reading, node, LINK, "network")))
    everywhere = Map(node.source, tuple(entry for entry in node.entries if "->" not in entry[0].text))
    default = LinkSettings(**read_block(reading, everywhere, LINK, "network"))
    links = {}
    for name, value in node.entries:
        if "->" in name.text:
            direction = reading.attempt(name, _read_direction, reading, name.text)
            _check_link(reading, value)
            settings = replace(default, **read_block(reading, value, LINK, f"'{name.text}'"))
            if direction:
                links[direction] = settings
    return Network(default, links)


def check_may_be_lost(reading: Reading, source: Source) -> None:
    """Refuse what happens to single datagrams where there are none, but a stream."""
    if reading.transport.is_reliable:
        what = f"{reading.transport.name} loses, doubles and overtakes nothing"
        reading.refuse(source, f"{what}: it delays (`latency`, `jitter`), or breaks off (`net: {{disconnect: ...}}`)")


def _check_link(reading: Reading, node: Node) -> None:
    for name, _ in node.entries if isinstance(node, Map) else ():
        if name.text in ("loss", "duplicate", "reorder"):
            check_may_be_lost(reading, name.source)


def read_calls(reading: Reading, node: Node) -> Calls:
    """Read `calls: 100`, or `calls: {count: 100, every: 10ms}`."""
    if isinstance(node, Scalar):
        return Calls(reading.attempt(node, reading.count, node, 1, MAX_CALLS) or 1)
    return Calls(**{"count": 1, **read_block(reading, node, CALLS, "calls")})


def _read_direction(reading: Reading, text: str) -> tuple[str, str]:
    sender, receiver = parse_direction(text)
    reading.direction(sender, receiver)
    return sender, receiver
