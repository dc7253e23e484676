"""RFC 4475: its valid messages are read, its invalid ones refused with a reason and a place."""

import pytest

from simkit.sip.parser import MessageError, parse_message

from .torture_messages import DBLREQ, ESC02, INTMETH, INVALID, LONGREQ, MPART01, UNREASON, UNUSUAL, VALID, WSINV


@pytest.mark.parametrize("name", VALID)
def test_a_valid_message_is_read_and_written_so_that_it_reads_the_same(name: str) -> None:
    message = parse_message(VALID[name])
    assert parse_message(message.to_bytes()) == message


REFUSED = [
    #            name          what is said of it                      the line it points at
    pytest.param("badinv01", "Via: ';;' is not a parameter", b"Via:", id="badinv01: extraneous separators"),
    pytest.param("clerr", "Content-Length is 9999, but 154 bytes follow", b"Content-Length", id="clerr: too long"),
    pytest.param("ncl", "'-999' is not a number of bytes", b"Content-Length", id="ncl: negative length"),
    pytest.param("scalar02", "not a number below 2**32", b"CSeq", id="scalar02: request numbers too large"),
    pytest.param("scalarlg", "not a number below 2**32", b"CSeq", id="scalarlg: response numbers too large"),
    pytest.param("quotbal", "is not an address", b"To:", id="quotbal: open quote"),
    pytest.param("ltgtruri", "in angle brackets", b"INVITE", id="ltgtruri: Request-URI in brackets"),
    pytest.param("lwsruri", "single spaces", b"INVITE", id="lwsruri: space in the Request-URI"),
    pytest.param("lwsstart", "single spaces", b"INVITE", id="lwsstart: spaces in the start line"),
    pytest.param("trws", "single spaces", b"OPTIONS", id="trws: spaces at the end of the start line"),
    pytest.param("escruri", "the Request-URI has headers", b"INVITE", id="escruri: headers in the Request-URI"),
    pytest.param("baddate", "16:00:00 EST", b"Date", id="baddate: not GMT"),
    pytest.param("regbadct", "is not an address", b"Contact", id="regbadct: '?' without brackets"),
    pytest.param("badaspec", "is not an address", b"To:", id="badaspec: spaces within brackets"),
    pytest.param("baddn", "is not an address", b"From:", id="baddn: commas in an unquoted name"),
    pytest.param("badvers", "the version is SIP/7.0", b"OPTIONS", id="badvers: version"),
    pytest.param("mismatch01", "the method is INVITE", b"CSeq", id="mismatch01: methods differ"),
    pytest.param("mismatch02", "the method is INVITE", b"CSeq", id="mismatch02: unknown method differs"),
    pytest.param("bigcode", "a status from 100 to 699", b"SIP/2.0 4", id="bigcode: status"),
]


@pytest.mark.parametrize(("name", "reason", "line"), REFUSED)
def test_an_invalid_message_is_refused_with_a_reason_and_its_place(name: str, reason: str, line: bytes) -> None:
    data = INVALID[name]
    with pytest.raises(MessageError) as refused:
        parse_message(data)
    assert reason in str(refused.value)
    assert data[refused.value.offset :].startswith(line)
    assert refused.value.status == (505 if name == "badvers" else 400)


def test_every_invalid_message_of_the_rfc_has_its_row() -> None:
    assert [row.values[0] for row in REFUSED] == list(INVALID)


JUDGED = [
    #            name          refused because        why so
    pytest.param("badbranch", None, id="badbranch: the branch is the transaction layer's business"),
    pytest.param("insuf", "From is missing", id="insuf: without From, To and Call-ID it is nobody's message"),
    pytest.param("unkscm", None, id="unkscm: the element answers 416"),
    pytest.param("novelsc", None, id="novelsc: the element answers 416"),
    pytest.param("unksm2", None, id="unksm2: a registrar answers 400, a reader need not know the schemes"),
    pytest.param("bext01", None, id="bext01: the element answers 420"),
    pytest.param("invut", None, id="invut: the element answers 415"),
    pytest.param("regaut01", None, id="regaut01: the registrar does not know the scheme"),
    pytest.param("multi01", "CSeq comes twice", id="multi01: which of the two calls is meant?"),
    pytest.param("mcl01", "Content-Length comes twice", id="mcl01: where does the body end?"),
    pytest.param("bcast", None, id="bcast: the second Via is the transport's business"),
    pytest.param("zeromf", None, id="zeromf: a proxy answers 483"),
    pytest.param("cparam01", None, id="cparam01: a parameter of the header"),
    pytest.param("cparam02", None, id="cparam02: a parameter of the URI"),
    pytest.param("regescrt", None, id="regescrt: headers in a bracketed URI are allowed"),
    pytest.param("sdp01", None, id="sdp01: the element answers 406"),
    pytest.param("inv2543", None, id="inv2543: RFC 2543 knew no branch, tag and Max-Forwards"),
]


@pytest.mark.parametrize(("name", "reason"), JUDGED)
def test_an_unusual_message_is_refused_only_where_a_reader_would_have_to_guess(name: str, reason: str | None) -> None:
    data = UNUSUAL[name]
    if reason is None:
        message = parse_message(data)
        assert parse_message(message.to_bytes()) == message
    else:
        with pytest.raises(MessageError, match=reason) as refused:
            parse_message(data)
        assert refused.value.status == 400


def test_every_unusual_message_of_the_rfc_has_its_row() -> None:
    assert [row.values[0] for row in JUDGED] == list(UNUSUAL)


def test_white_space_and_folding_do_not_change_what_wsinv_says() -> None:
    message = parse_message(WSINV)
    assert message.cseq == (9, "INVITE")
    assert (message.from_tag, message.to_tag) == ("98asjd8", "1918181833n")
    assert message.sender.display_name == r'"J Rosenberg \\\""'
    assert (message.via.transport, message.branch) == ("UDP", "390skdjuw")
    assert len(message.values("v")) == 3
    assert message.contact is not None
    assert message.contact.parameters == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))
    assert message.header("Subject") == ""
    assert message.header("newfangledheader") == "newfangled value continued newfangled value"
    assert len(message.body) == 150


def test_the_widest_choice_of_characters_is_kept_byte_by_byte() -> None:
    message = parse_message(INTMETH)
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.from_tag == "_token~1'+`*%!-."
    assert message.to_bytes() == INTMETH.replace(b"~:\xef", b"~: \xef")


def test_percent_escapes_have_no_meaning_in_methods_and_header_names() -> None:
    message = parse_message(ESC02)
    assert message.method == "RE%47IST%45R"
    assert message.values("Contact") == ("<sip:alias1@host1.example.com>", "<sip:alias3@host3.example.com>")


def test_34_vias_in_17_spellings_are_34_vias() -> None:
    assert len(parse_message(LONGREQ).values("Via")) == 34


def test_what_follows_the_first_message_of_a_datagram_is_cut_off() -> None:
    message = parse_message(DBLREQ)
    assert (message.method, message.body) == ("REGISTER", b"")


def test_a_binary_body_is_kept() -> None:
    assert parse_message(MPART01).body == MPART01[-553:]


def test_a_reason_phrase_may_be_unicode() -> None:
    assert UNREASON.startswith(parse_message(UNREASON).start_line.encode())
