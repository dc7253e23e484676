"""Who is behind an address that the first INVITE did not show."""

import pytest

from simkit.rebuild.ends import ends_of
from simkit.sip.parser import parse_message
from simkit.trace import Transit

ALICE, BOB, PROXY = "10.0.0.1:43211", "10.0.0.2:5060", "10.0.0.3:5060"
LISTENS, CALLS_BACK, FAR = "10.0.0.1:5060", "10.0.0.2:51000", "10.9.9.9:5060"


def said(sender: str, receiver: str, start: str, *, tags: tuple[str, str], connection: int = 1) -> Transit:
    """A message, by who is in its From and its To."""
    from_tag, to_tag = tags
    uri, cseq = ("", start.split()[1]) if start[0].isdigit() else (f" sip:x@{receiver}", start)
    first = f"SIP/2.0 {start.split()[0]} OK" if start[0].isdigit() else f"{start}{uri} SIP/2.0"
    text = (
        f"{first}\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag={from_tag}\r\n"
        f"To: <sip:b@h>{f';tag={to_tag}' if to_tag else ''}\r\nCall-ID: c\r\nCSeq: 1 {cseq}\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    return Transit(1, 0, sender, receiver, parse_message(text.encode()), connection=connection)


SET_UP = [
    said(ALICE, BOB, "INVITE", tags=("a", "")),
    said(BOB, ALICE, "200 INVITE", tags=("a", "b")),
    said(ALICE, BOB, "ACK", tags=("a", "b")),
]
THROUGH_PROXY = [
    said(ALICE, PROXY, "INVITE", tags=("a", "")),
    said(PROXY, BOB, "INVITE", tags=("a", "")),
    said(BOB, PROXY, "200 INVITE", tags=("a", "b")),
    said(PROXY, ALICE, "200 INVITE", tags=("a", "b")),
]
DIRECT = [
    pytest.param([], {}, id="nobody else"),
    pytest.param(
        [said(CALLS_BACK, LISTENS, "BYE", tags=("b", "a")), said(LISTENS, CALLS_BACK, "200 BYE", tags=("b", "a"))],
        {LISTENS: ALICE, CALLS_BACK: BOB},
        id="the callee opens a connection of its own",
    ),
    pytest.param(
        [said(LISTENS, FAR, "BYE", tags=("a", "b"), connection=0)],
        {LISTENS: ALICE, FAR: BOB},
        id="over UDP, a Contact elsewhere",
    ),
    pytest.param([said(ALICE, FAR, "INVITE", tags=("a", ""))], {}, id="another INVITE: it forks"),
    pytest.param(
        [said(ALICE, FAR, "INVITE", tags=("a", "")), said(FAR, ALICE, "200 INVITE", tags=("a", "b"))],
        {},
        id="... and stays a stranger",
    ),
    pytest.param([said(FAR, ALICE, "BYE", tags=("c", "a"))], {}, id="in another dialog"),
    pytest.param(
        [said(ALICE, FAR, "BYE", tags=("a", "b")), said(FAR, BOB, "BYE", tags=("a", "b"))],
        {},
        id="who passes on is neither side",
    ),
]


@pytest.mark.parametrize(("later", "found"), DIRECT)
def test_between_two_parties_the_tags_say_who_it_is(later: list[Transit], found: dict[str, str]) -> None:
    assert ends_of([ALICE, BOB], [*SET_UP, *later]) == {ALICE: ALICE, BOB: BOB} | found


PROXIED = [
    pytest.param(
        said(CALLS_BACK, PROXY, "BYE", tags=("b", "a")), {CALLS_BACK: BOB}, id="a connection from the same host"
    ),
    pytest.param(said(CALLS_BACK, PROXY, "BYE", tags=("b", "a"), connection=0), {}, id="over UDP it may be anybody"),
    pytest.param(said(FAR, PROXY, "BYE", tags=("b", "a")), {}, id="from another host"),
]


@pytest.mark.parametrize(("later", "found"), PROXIED)
def test_behind_proxies_a_connection_from_a_known_host_is_that_partys(later: Transit, found: dict[str, str]) -> None:
    known = {each: each for each in (ALICE, PROXY, BOB)}
    assert ends_of([ALICE, PROXY, BOB], [*THROUGH_PROXY, later]) == known | found


def test_where_two_parties_share_a_host_a_connection_says_nothing() -> None:
    path = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"]
    messages = [
        said(path[0], path[1], "INVITE", tags=("a", "")),
        said(path[1], path[2], "INVITE", tags=("a", "")),
        said("10.0.0.1:9", path[1], "BYE", tags=("b", "a")),
    ]
    assert ends_of(path, messages) == {each: each for each in path}
