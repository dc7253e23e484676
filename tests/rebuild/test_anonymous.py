"""Nobody is named any more, and everybody still is the same throughout."""

import re

from simkit.rebuild.anonymous import Anonymous
from simkit.sip.message import Message, Request
from simkit.sip.parser import parse_message
from simkit.trace import Trace, Transit

INVITE = """\
INVITE sips:dave.secret@pbx.example.com:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 10.1.2.3:5061;branch=z9hG4bKsecret1;rport=5061;received=10.9.9.9, SIP/2.0/UDP [2001:db8::7];branch=b
v: SIP/2.0/UDP nobody.example.com;branch=c
Max-Forwards: 70
From: "Carol Confidential" <sip:carol.secret@pbx.example.com>;tag=abc;x=carol.secret
t: <sips:dave.secret@pbx.example.com>
Call-ID: secret-call@10.1.2.3
CSeq: 1 INVITE
Contact: <sip:carol.secret@10.1.2.3:5061;transport=tls>;+sip.instance="secret"
Record-Route: <sip:edge.example.com;lr=on;secret=1>, <sip:10.1.2.3:5061;lr>
P-Asserted-Identity: <tel:+15551234>
User-Agent: SecretPhone/1.0
Subject: secret
Authorization: Digest username="carol.secret"
Supported: timer
Session-Expires: 120;refresher=uac
Content-Type: application/sdp
Content-Length: 0

v=0
o=carol.secret 77 78 IN IP4 10.1.2.3
s=Secret talks
i=secret
e=carol.secret@example.com
c=IN IP4 10.1.2.3
t=0 0
m=audio 4000 RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=candidate:1 1 UDP 1 10.1.2.3 4000 typ host
a=ice-pwd:secretsecret
a=sendonly
"""
ODD = Request(
    "BYE",
    "tel:+15551234",
    (("Via", "secret"), ("From", "secret<"), ("To", "<tel:secret>"), ("Call-ID", "x"), ("CSeq", "2 BYE")),
    b"secret",
)


def transit(message: Message, number: int = 1) -> Transit:
    return Transit(number, 0, "10.1.2.3:5061", "[2001:db8::7]:5060", message)


def invite() -> Message:
    head, _, body = INVITE.partition("\n\n")
    raw = head.replace("Content-Length: 0", f"Content-Length: {len(body) + body.count(chr(10))}")
    return parse_message((raw + "\n\n" + body).replace("\n", "\r\n").encode())


def told(*messages: Message) -> list[Transit]:
    trace = Trace([transit(message, number) for number, message in enumerate(messages, start=1)])
    return list(Anonymous().trace(trace).messages())


def test_no_name_is_left() -> None:
    for each in told(invite(), ODD):
        text = each.message.to_bytes().decode().replace("z9hG4bKsecret1", "")
        for name in ("secret", "Secret", "carol", "Carol", "dave", "10.1.2.3", "10.9.9.9", "pbx", "edge", "555", "7]"):
            assert name not in text, text
        assert "10.1.2.3" not in each.sender
        assert "2001" not in each.receiver


def test_what_a_session_needs_is_kept() -> None:
    (each,) = told(invite())
    message = each.message
    assert isinstance(message, Request)
    kept = message.branch, message.from_tag, message.header("Session-Expires")
    assert kept == ("z9hG4bKsecret1", "abc", "120;refresher=uac")
    assert re.fullmatch(r"sips:user2@192\.0\.2\.[0-9]:5061", message.uri)
    assert re.fullmatch(r'"Name 1" <sip:user1@192\.0\.2\.[0-9]>;tag=abc', message.header("From") or "")
    assert re.fullmatch(r"<sips:user2@192\.0\.2\.[0-9]>", message.header("t") or "")
    assert [each.endswith(";lr>") for each in message.values("Record-Route")] == [True, True]
    assert message.call_id == "call-1@example.invalid"
    assert message.body.decode().split("\r\n") == [
        *("v=0", "o=user1 77 78 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP 0"),
        *("a=rtpmap:0 PCMU/8000", "a=sendonly", ""),
    ]
    assert message.header("Content-Length") == str(len(message.body))


def test_the_same_name_becomes_the_same_everywhere_and_another_another() -> None:
    anonymous = Anonymous()
    assert anonymous.call_id("a") == anonymous.call_id("a") != anonymous.call_id("b")
    first, second = (anonymous.trace(Trace([transit(invite())])).messages().__next__() for _ in range(2))
    assert first == second
    assert first.sender.split(":")[0] == first.message.via.host


def test_more_hosts_than_a_network_for_documentation_has_still_differ() -> None:
    anonymous = Anonymous()
    traces = [Trace([Transit(1, 0, f"10.0.{n // 250}.{n % 250}:5060", "10.9.9.9:5060", invite())]) for n in range(600)]
    places = {next(anonymous.trace(trace).messages()).sender for trace in traces}
    assert len(places) == 600
