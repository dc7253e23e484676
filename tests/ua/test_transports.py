"""What another transport changes for a user agent: its names, its timers, and what becomes of a lost connection."""

from dataclasses import replace

import pytest

from simkit.settings import BaseTimes, SessionTimerSettings
from simkit.sip.message import Request
from simkit.sip.transport import Transport
from simkit.ua.events import Fact
from simkit.ua.identifiers import Identifiers
from simkit.ua.scripted import ScriptedParty
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

from .pair import ALICE, BOB, Pair

TIMER = SessionTimerSettings(default_expires_s=1800, prefer_refresher="uac")
TCP = UserAgentSettings(times=BaseTimes(reliable=True), transport=Transport.TCP, session_timer=TIMER)
TLS = replace(TCP, transport=Transport.TLS)
SIX = ("2001:db8::1", 5060)

WRITTEN = [
    pytest.param(Transport.UDP, ALICE, "sip:alice@192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060", id="UDP"),
    pytest.param(
        Transport.TCP, ALICE, "sip:alice@192.0.2.1:5060;transport=tcp", "SIP/2.0/TCP 192.0.2.1:5060", id="TCP"
    ),
    pytest.param(Transport.TLS, ALICE, "sips:alice@192.0.2.1:5060", "SIP/2.0/TLS 192.0.2.1:5060", id="TLS"),
    pytest.param(
        Transport.TCP, SIX, "sip:alice@[2001:db8::1]:5060;transport=tcp", "SIP/2.0/TCP [2001:db8::1]:5060", id="IPv6"
    ),
]


@pytest.mark.parametrize(("transport", "address", "uri", "sent_by"), WRITTEN)
def test_a_transport_is_written_into_uri_and_via(
    transport: Transport, address: tuple[str, int], uri: str, sent_by: str
) -> None:
    assert transport.uri(address, user="alice") == uri
    assert transport.sent_by(address) == sent_by


@pytest.mark.parametrize(("settings", "scheme", "parameter"), [(TCP, "sip", ";transport=tcp"), (TLS, "sips", "")])
def test_contact_and_request_uri_name_the_transport_from_and_to_do_not(
    settings: UserAgentSettings, scheme: str, parameter: str
) -> None:
    """RFC 3261 section 19.1.1, table 1: transport has no place in From and To."""
    pair = Pair(settings, settings)
    pair.alice.invite(settings.transport.uri(BOB, user="bob"), now=0)
    pair.run(1)
    invite, answer, ack = (sent.message for sent in pair.wire)
    assert isinstance(invite, Request)
    assert isinstance(ack, Request)
    assert invite.uri == ack.uri == f"{scheme}:bob@192.0.2.2:5060{parameter}"
    assert invite.header("Contact") == f"<{scheme}:alice@192.0.2.1:5060{parameter}>"
    assert answer.header("Contact") == f"<{scheme}:bob@192.0.2.2:5060{parameter}>"
    assert (invite.header("From") or "").startswith(f"<{scheme}:alice@192.0.2.1:5060>;tag=")
    assert invite.header("To") == f"<{scheme}:bob@192.0.2.2:5060>"
    assert invite.via.transport == settings.transport.name


def test_over_tcp_no_request_is_repeated_and_is_given_up_as_late_as_ever() -> None:
    """RFC 3261 table 4: timers A and E do not run, B and F do."""
    pair = Pair(TCP, TCP).call().run(1)
    pair.dead.add("bob")
    pair.run(1000)
    assert pair.times("INVITE") == [0, 900]
    assert pair.times("BYE") == [932]
    assert pair.ends()["alice"] == (932, "refresh-failed", True)
    assert pair.count(Fact.OVER, "alice") == 1
    assert [at for at, _, event in pair.facts if event.fact is Fact.OVER] == [964 * S]


def test_over_tcp_a_rejection_is_sent_once_and_a_2xx_until_its_ack() -> None:
    """Timer G does not run; section 13.3.1.4 repeats the 2xx over any transport."""
    for settings, line, times in (
        (replace(TCP, reject_with=486), "486 INVITE", [0]),
        (TCP, "200 INVITE", [0, 0.5, 1.5, 3.5]),
    ):
        pair = Pair(TCP, settings)
        pair.swallows = lambda receiver, message: receiver == "bob" and message.method == "ACK"
        assert pair.call().run(4).times(line) == times


def test_a_lost_connection_is_like_a_503_to_what_waits_and_no_end_of_the_session() -> None:
    """RFC 3261 section 8.1.3.1."""
    pair = Pair(TCP, TCP).call().run(1)
    pair.swallows = lambda receiver, message: receiver == "bob" and pair.now == 900 * S
    pair.run(905)
    assert pair.times("INVITE") == [0, 900]
    pair.alice.disconnected(BOB, now=pair.now)
    pair.run(1760)
    failed = [(at, event.detail) for at, _, event in pair.facts if event.fact is Fact.REFRESH_FAILED]
    assert failed == [(900 * S, "503")]
    assert len(pair.times("INVITE")) == 3
    assert pair.count(Fact.REFRESHED, "alice") == 1
    assert pair.ends() == {}


def test_a_call_that_cannot_be_placed_for_want_of_a_connection_is_rejected_at_once() -> None:
    pair = Pair(TCP, TCP)
    pair.dead.add("bob")
    pair.call()
    pair.alice.disconnected(BOB, now=0)
    pair.run(100)
    assert pair.ends()["alice"] == (0, "rejected", False)
    assert pair.idle()


@pytest.mark.parametrize("peer", [BOB, ("192.0.2.9", 5060)])
def test_a_connection_that_nothing_waits_for_may_be_lost(peer: tuple[str, int]) -> None:
    pair = Pair(TCP, TCP).call().run(10)
    pair.alice.disconnected(peer, now=pair.now)
    pair.run(3000)
    assert pair.count(Fact.REFRESHED, "alice") == 3
    assert pair.ends() == {}


@pytest.mark.parametrize("reliable", [False, True])
def test_a_scripted_party_that_resends_repeats_over_tcp_its_2xx_alone(reliable: bool) -> None:
    class Chance:
        def random(self) -> float:
            return 0.5

    transport = Transport.TCP if reliable else Transport.UDP
    times = BaseTimes(reliable=reliable)
    party = ScriptedParty("bob", BOB, identifiers=Identifiers(Chance()), resends=times, transport=transport)
    party.receive(Pair().call().alice.outgoing()[0].message, now=0)
    for status, again in ((486, not reliable), (200, True)):
        party.send_response(status, "INVITE", now=0)
        party.outgoing()
        party.handle_deadline(now=S // 2)
        assert bool(party.outgoing()) is again
    party.send_request("BYE", "sip:alice@192.0.2.1", ALICE, now=S)
    (sent,) = party.outgoing()
    assert sent.message.via.transport == transport.name
