"""One thing is changed in one message of a call: it is found, and lands in its class."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simkit.captures.comparison import Comparison, Kind
from simkit.sip.headers import COMPACT_FORMS, HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.trace import Trace
from simkit.units import MS, S

from .calls import (
    FLOWS,
    TOLERANCE_US,
    compared,
    differences,
    edited,
    everywhere,
    kinds,
    later,
    messages,
    played,
    replaced,
    with_body,
    with_fields,
)

POSITIONS = range(len(messages(played())))

Edit = Callable[[Message], Message]


def mutants(edit: Edit) -> list[tuple[int, Comparison]]:
    """The call against itself with one message edited, for each message that the edit applies to."""
    originals = [transit.message for transit in messages(played())]
    found = [
        (position, compared(played(), edited(played(), position, edit)))
        for position in POSITIONS
        if edit(originals[position]) != originals[position]
    ]
    assert found
    return found


def fields_at(comparison: Comparison, kind: Kind) -> dict[int, set[str]]:
    """The fields that differ in this class, by the position of the message."""
    found: dict[int, set[str]] = {}
    for position, row in enumerate(comparison.calls[0].rows):
        for difference in row.differences:
            if difference.kind is kind:
                found.setdefault(position, set()).add(difference.field)
    return found


def header(name: str, change: Callable[[str], str]) -> Edit:
    """Change a header where there is one."""

    def edit(message: Message) -> Message:
        value = message.header(name)
        return message if value is None else message.with_headers((name, change(value)))

    return edit


def body(word: str, other: str) -> Edit:
    """Change a word of the body where there is one."""

    def edit(message: Message) -> Message:
        return with_body(message, message.body.replace(word.encode(), other.encode())) if message.body else message

    return edit


# --- what is said ----------------------------------------------------------------------------------------------------


def other_method(message: Message) -> Message:
    return Request("INFO", message.uri, message.headers, message.body) if isinstance(message, Request) else message


def other_status(message: Message) -> Message:
    return Response(202, message.reason, message.headers, message.body) if isinstance(message, Response) else message


def count_up(value: str) -> str:
    number, _, rest = value.partition(" ")
    return f"{int(number) + 5} {rest}".strip()


SEMANTIC = [
    pytest.param(other_method, "method", id="method"),
    pytest.param(other_status, "status", id="status"),
    pytest.param(header("Session-Expires", lambda value: "9" + value), "Session-Expires", id="interval"),
    pytest.param(
        header("Session-Expires", lambda value: value.replace("=uac", "=uas")), "Session-Expires", id="refresher"
    ),
    pytest.param(header("Session-Expires", lambda value: value.split(";")[0]), "Session-Expires", id="no refresher"),
    pytest.param(header("Min-SE", count_up), "Min-SE", id="Min-SE"),
    pytest.param(header("Supported", lambda value: f"{value}, 100rel"), "Supported", id="Supported"),
    pytest.param(header("Require", lambda value: f"{value}, 100rel"), "Require", id="Require"),
    pytest.param(header("Allow", lambda value: value.replace("UPDATE, ", "")), "Allow", id="Allow without UPDATE"),
    pytest.param(header("Max-Forwards", lambda value: "69"), "Max-Forwards", id="Max-Forwards"),
    pytest.param(header("Content-Type", lambda value: "text/plain"), "Content-Type", id="Content-Type"),
    pytest.param(header("Content-Length", count_up), "Content-Length", id="Content-Length"),
    pytest.param(header("Via", lambda value: value.replace("UDP", "TCP")), "Via transport", id="Via transport"),
    pytest.param(header("Via", lambda value: f"{value}, {value}"), "Via", id="another Via"),
    pytest.param(header("Via", lambda value: "nonsense"), "Via", id="Via unreadable"),
    pytest.param(header("From", lambda value: value.replace(">", ";user=phone>")), "From URI user", id="URI parameter"),
    pytest.param(header("From", lambda value: value.split(";")[0]), "From tag", id="From tag removed"),
    pytest.param(header("To", lambda value: value.replace("sip:", "sips:")), "To scheme", id="scheme"),
    pytest.param(header("Contact", lambda value: f"{value};expires=9"), "Contact expires", id="parameter added"),
    pytest.param(header("CSeq", lambda value: value.replace("ACK", "PRACK")), "CSeq method", id="CSeq method"),
    pytest.param(body("a=sendrecv", "a=inactive"), "body direction", id="direction"),
    pytest.param(body("a=sendonly\r\n", ""), "body direction", id="direction unsaid"),
    pytest.param(body("RTP/AVP 0", "RTP/AVP 8"), "body m=", id="codec"),
    pytest.param(body("PCMU/8000", "PCMA/8000"), "body a=", id="attribute"),
    pytest.param(body("m=audio 40000", "m=audio 0"), "body m= port", id="stream rejected"),
    pytest.param(body("a=rtpmap", "m=video 0 RTP/AVP 31\r\na=rtpmap"), "body m= lines", id="stream added"),
    pytest.param(body("c=IN", "b=AS:64\r\nc=IN"), "body b=", id="line added"),
    pytest.param(body("s=-", "s=talk"), "body s=", id="session name"),
    pytest.param(body("IP4", "IP6"), "body o=", id="address family"),
    pytest.param(body("v=0", "nonsense"), "body", id="no longer SDP"),
    pytest.param(lambda message: with_body(message, b""), "body", id="body removed"),
    pytest.param(lambda message: message.with_headers(("X-New", "1")), "x-new", id="header added"),
    pytest.param(lambda message: message.with_headers(("Route", "<sip:p;lr>")), "Route", id="route added"),
]


@pytest.mark.parametrize(("edit", "field"), SEMANTIC)
def test_a_change_of_what_is_said_is_found_where_it_was_made(edit: Edit, field: str) -> None:
    for position, comparison in mutants(edit):
        assert not comparison.equal
        assert fields_at(comparison, Kind.SEMANTIC)[position] >= {field}
        assert min(fields_at(comparison, Kind.SEMANTIC)) == position
        assert not fields_at(comparison, Kind.TIMING)


HEADERS = sorted({name for transit in messages(played()) for name, _ in transit.message.headers})


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_only_one_side_has_is_semantic_but_for_content_length(name: str) -> None:
    """A datagram ends where its body does (RFC 3261 section 18.3)."""
    kind = Kind.COSMETIC if name == "Content-Length" else Kind.SEMANTIC
    for position, comparison in mutants(lambda message: message.without_headers(name)):
        assert fields_at(comparison, kind)[position]


def test_another_status_explains_the_headers_that_come_with_it() -> None:
    comparison = compared(played(), edited(played(), 1, lambda message: Response(200, "OK", message.headers)))
    assert [difference.field for difference in differences(comparison)] == ["status"]


# --- names: dynamic if kept, semantic if not -------------------------------------------------------------------------


def raise_version(message: Message) -> Message:
    session_id_line, found, rest = message.body.partition(b" IN IP4")
    head, _, version = session_id_line.rpartition(b" ")
    return with_body(message, b"%b %d%b%b" % (head, int(version) + 7, found, rest)) if found else message


def to_another_uri(message: Message) -> Message:
    is_asking = isinstance(message, Request)
    return Request(message.method, "sip:x@192.0.2.99", message.headers, message.body) if is_asking else message


NAMES = [
    pytest.param(header("From", lambda value: value + "x"), "From tag", id="From tag"),
    pytest.param(header("To", lambda value: value + "x" if "tag" in value else value), "To tag", id="To tag"),
    pytest.param(header("Call-ID", lambda value: value + "x"), "Call-ID", id="Call-ID"),
    pytest.param(header("From", lambda value: value.replace("192.0.2.", "192.0.3.")), "From address", id="From host"),
    pytest.param(header("To", lambda value: value.replace("sip:", "sip:x")), "To address", id="To user"),
    pytest.param(header("Contact", lambda value: value.replace("2.1", "2.9")), "Contact address", id="caller moves"),
    pytest.param(header("Contact", lambda value: value.replace("2.2", "2.9")), "Contact address", id="callee moves"),
    pytest.param(header("Contact", lambda value: value.replace("5060", "5070")), "Contact address", id="port"),
    pytest.param(header("Via", lambda value: value.replace("192.0.2.", "192.0.3.")), "Via sent-by", id="sent-by"),
    pytest.param(to_another_uri, "Request-URI address", id="Request-URI"),
    pytest.param(header("CSeq", count_up), "CSeq", id="CSeq"),
    pytest.param(raise_version, "body o= version", id="SDP version"),
    pytest.param(body("o=alice 1", "o=alice 9"), "body o= session id", id="SDP session id"),
    pytest.param(body("c=IN IP4 192", "c=IN IP4 193"), "body c= address", id="media address"),
    pytest.param(body("m=audio 40000", "m=audio 40002"), "body m= port", id="media port"),
]


@pytest.mark.parametrize(("edit", "field"), NAMES)
def test_a_name_that_changes_in_one_message_is_semantic_there_or_where_it_is_used_next(edit: Edit, field: str) -> None:
    """The first message to use a name may choose it: then the next one contradicts it."""
    for position, comparison in mutants(edit):
        found = fields_at(comparison, Kind.SEMANTIC)
        assert found, f"message {position}"
        assert min(found) >= position
    assert any(
        field in fields for _, comparison in mutants(edit) for fields in fields_at(comparison, Kind.SEMANTIC).values()
    )


def test_names_may_be_others_throughout() -> None:
    users = (("alice", "sipp"), ("bob", "service"), ("tag=", "tag=y"), ("z9hG4bK", "z9hG4bKx"))
    places = (("192.0.2.1", "127.0.0.1"), ("192.0.2.2", "127.0.0.9"), ("5060", "15060"), ("40000", "6000"))
    other = everywhere(played(seed=2), lambda message: replaced(message, *users, *places))
    found = compared(played(), other)
    assert found.equal
    assert differences(found) == []
    told = [difference.field for difference in differences(found, dynamic=True)]
    assert set(told) >= {"Call-ID", "From tag", "To tag", "Via branch", "Contact address", "body o= session id"}
    assert told.count("From tag") == 1, "a renaming is told once"
    assert compared(played(), other, strict=True).equal, "names never count"


def test_two_parties_may_share_a_host_that_have_one_each_on_the_other_side() -> None:
    together = everywhere(
        played(seed=2),
        lambda message: replaced(
            message, ("192.0.2.1", "127.0.0.1"), ("192.0.2.2:5060", "127.0.0.1:5070"), ("192.0.2.2", "127.0.0.1")
        ),
    )
    assert differences(compared(played(), together)) == []
    assert differences(compared(together, played())) == []


def test_a_request_to_the_address_that_was_dialled_and_not_to_the_contact_is_semantic() -> None:
    """RFC 3261 section 12.2.1.1: the remote target is the Contact of the peer."""

    def dial(message: Message) -> Message:
        if message.method in ("BYE", "INVITE", "ACK") and isinstance(message, Request) and "bob" in message.uri:
            return Request(message.method, "sip:bob@example.com", message.headers, message.body)
        return message

    found = differences(compared(played(), everywhere(played(), dial)))
    assert [(difference.kind, difference.field) for difference in found] == [(Kind.SEMANTIC, "Request-URI address")]


DYNAMIC_HEADERS = ["Date", "Timestamp", "User-Agent", "Server"]


@pytest.mark.parametrize("name", DYNAMIC_HEADERS)
def test_what_names_the_software_or_the_hour_is_dynamic_even_if_only_one_side_says_it(name: str) -> None:
    left = everywhere(played(), lambda message: message.with_headers((name, "1")))
    right = everywhere(played(), lambda message: message.with_headers((name, "2")))
    for found in (compared(left, right), compared(left, played()), compared(played(), right)):
        assert found.equal
        assert {difference.field for difference in differences(found, dynamic=True)} == {name}


def test_credentials_differ_by_nonce_and_response_but_not_by_realm() -> None:
    def authorized(realm: str, nonce: str) -> Trace:
        value = f'Digest username="a", realm="{realm}", nonce="{nonce}", uri="sip:{nonce}", response="{nonce}"'
        return edited(played(), 0, lambda message: message.with_headers(("Authorization", value)))

    fresh = compared(authorized("home", "1"), authorized("home", "2"))
    assert [(each.kind, each.field) for each in differences(fresh, dynamic=True)] == [(Kind.DYNAMIC, "Authorization")]
    assert kinds(compared(authorized("home", "1"), authorized("away", "2"))) == {Kind.SEMANTIC}


# --- how it is written -----------------------------------------------------------------------------------------------


def reversed_headers(message: Message) -> Message:
    return with_fields(message, reversed(message.headers))


def respelled(spell: Callable[[str], str]) -> Edit:
    return lambda message: with_fields(message, ((spell(name), value) for name, value in message.headers))


def other_reason(message: Message) -> Message:
    return Response(message.status, "Fine", message.headers, message.body) if isinstance(message, Response) else message


def one_token_a_line(message: Message) -> Message:
    fields: list[HeaderField] = []
    for name, value in message.headers:
        fields += [(name, each.strip()) for each in value.split(",")] if name == "Allow" else [(name, value)]
    return with_fields(message, fields)


_COMPACT = {long: short for short, long in COMPACT_FORMS.items()}

COSMETIC = [
    pytest.param(reversed_headers, id="header order"),
    pytest.param(respelled(lambda name: _COMPACT.get(name, name)), id="compact forms"),
    pytest.param(respelled(str.upper), id="case of names"),
    pytest.param(other_reason, id="reason phrase"),
    pytest.param(one_token_a_line, id="a list in many lines"),
    pytest.param(header("Allow", lambda value: ", ".join(reversed(value.split(", ")))), id="order of a set"),
    pytest.param(header("Supported", str.upper), id="case of an option tag"),
    pytest.param(header("Session-Expires", str.upper), id="case of a parameter"),
    pytest.param(header("Session-Expires", lambda value: value.replace(";", " ; ")), id="spacing"),
    pytest.param(header("Content-Type", str.title), id="case of a media type"),
    pytest.param(header("From", lambda value: value.replace(";", " ;")), id="spacing of an address"),
    pytest.param(header("From", lambda value: value.replace("tag", "TAG")), id="case of an address parameter"),
    pytest.param(header("From", lambda value: f'"A. Lice" {value}'), id="display name"),
    pytest.param(header("Contact", lambda value: value.strip("<>")), id="no angle brackets"),
    pytest.param(header("Via", lambda value: value.replace(" ", "  ").replace(";", "; ")), id="spacing of Via"),
    pytest.param(body("\r\n", "\n"), id="line ends of SDP"),
    pytest.param(body("a=sendrecv\r\n", ""), id="a=sendrecv unsaid"),
]


@pytest.mark.parametrize("edit", COSMETIC)
def test_other_words_for_the_same_are_cosmetic(edit: Edit) -> None:
    for position, comparison in mutants(edit):
        assert comparison.equal
        assert fields_at(comparison, Kind.COSMETIC).keys() == {position}
        assert kinds(comparison) == {Kind.COSMETIC}
        other = edited(played(), position, edit)
        assert not compared(played(), other, strict=True).equal


def test_other_words_are_seen_through_other_names() -> None:
    other = edited(played(seed=2), 6, header("From", lambda value: value.replace(";", " ;")))
    assert [(each.kind, each.field) for each in differences(compared(played(), other))] == [(Kind.COSMETIC, "From")]


def test_parameters_come_in_any_order() -> None:
    left = everywhere(played(), header("Session-Expires", lambda value: f"{value};x=1"))
    right = everywhere(played(), header("Session-Expires", lambda value: value.replace(";", ";x=1;")))
    assert kinds(compared(left, right)) == {Kind.COSMETIC}


# --- which messages, and when ----------------------------------------------------------------------------------------


def without(position: int) -> Trace:
    return Trace([transit for place, transit in enumerate(played().messages()) if place != position])


@pytest.mark.parametrize("position", POSITIONS)
def test_a_message_that_one_side_lacks_is_semantic_and_the_others_find_their_counterparts(position: int) -> None:
    for comparison in (compared(played(), without(position)), compared(without(position), played())):
        rows = comparison.calls[0].rows
        assert [place for place, row in enumerate(rows) if row.left is None or row.right is None] == [position]
        assert fields_at(comparison, Kind.SEMANTIC)[position] == {"message"}
        assert not fields_at(comparison, Kind.TIMING)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_message_that_is_sent_again_is_a_matter_of_time(position: int) -> None:
    transits = messages(played())
    again = Trace([*transits[: position + 1], *transits[position:]])
    comparison = compared(played(), again)
    assert fields_at(comparison, Kind.TIMING) == {position: {"retransmissions"}}
    assert kinds(comparison) == {Kind.TIMING}


@pytest.mark.parametrize("position", POSITIONS[1:])
def test_a_message_that_is_late_by_more_than_the_tolerance_is_told_once(position: int) -> None:
    comparison = compared(played(), later(played(), [position], TOLERANCE_US + 1))
    assert fields_at(comparison, Kind.TIMING) == {position: {"time"}}
    assert kinds(comparison) <= {Kind.TIMING, Kind.SEMANTIC}
    assert compared(played(), later(played(), [position], TOLERANCE_US)).equal


@pytest.mark.parametrize("position", POSITIONS[1:])
def test_a_delay_is_told_where_it_comes_about_and_not_with_all_that_follows(position: int) -> None:
    comparison = compared(played(), later(played(), range(position, len(POSITIONS)), TOLERANCE_US + 1))
    assert fields_at(comparison, Kind.TIMING) == {position: {"time"}}
    assert kinds(comparison) == {Kind.TIMING}


def test_a_first_message_that_is_early_shows_with_the_second() -> None:
    comparison = compared(played(), later(played(), POSITIONS[1:], TOLERANCE_US + 1))
    assert fields_at(comparison, Kind.TIMING) == {1: {"time"}}


@pytest.mark.parametrize("position", POSITIONS[:-1])
def test_messages_that_change_places_are_semantic_where_their_order_is_no_chance(position: int) -> None:
    transits = messages(played())
    first, second = transits[position : position + 2]
    swapped = (replace(second, sent_at=first.sent_at), replace(first, sent_at=second.sent_at))
    comparison = compared(played(), Trace([*transits[:position], *swapped, *transits[position + 2 :]]))
    semantic = fields_at(comparison, Kind.SEMANTIC)
    assert semantic
    if second.sent_at - first.sent_at <= TOLERANCE_US:
        assert "order" in set().union(*semantic.values())
        assert all(row.left and row.right for row in comparison.calls[0].rows)


CROSSING = str(FLOWS / "glare.yaml")


def invites(trace: Trace, sender: str) -> list[int]:
    """Where this party's INVITEs are."""
    return [
        position
        for position, transit in enumerate(trace.messages())
        if transit.sender == sender and isinstance(transit.message, Request) and transit.message.method == "INVITE"
    ]


def test_which_of_two_crossing_messages_comes_first_is_chance() -> None:
    transits = messages(played(CROSSING))
    theirs, ours = invites(played(CROSSING), "bob")[0], invites(played(CROSSING), "alice")[1]
    assert transits[theirs].sent_at == transits[ours].sent_at
    transits[theirs], transits[ours] = transits[ours], transits[theirs]
    found = compared(played(CROSSING), Trace([*transits]))
    assert found.equal
    assert [(each.kind, each.field) for each in differences(found, dynamic=True)] == [(Kind.DYNAMIC, "order")]


@pytest.mark.parametrize(
    ("by_us", "kind"),
    [pytest.param(500 * MS, Kind.DYNAMIC, id="within bounds"), pytest.param(3 * S, Kind.TIMING, id="beyond them")],
)
def test_the_wait_after_491_is_drawn_by_lot_within_bounds(by_us: int, kind: Kind) -> None:
    """RFC 3261 section 14.1; what follows is not late in any case."""
    original = played(CROSSING)
    again = invites(original, "bob")[1]
    found = compared(original, later(original, range(again, len(messages(original))), by_us))
    assert [(each.kind, each.field) for each in differences(found, dynamic=True)] == [(kind, "time")]
