"""Who is asked answers, once; who asks is not fooled (RFC 3261 section 22, RFC 7616, RFC 8760)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simkit.settings import Account, ChallengeSettings, SessionTimerSettings
from simkit.sip.digest import Credentials, answer, parse_challenge, parse_credentials
from simkit.sip.message import Message, Request, Response
from simkit.ua.challenger import NONCES_MAX, Challenger
from simkit.ua.events import CallEvent, Fact
from simkit.ua.identifiers import Identifiers
from simkit.ua.session_timer import SessionTimer
from simkit.ua.timer_logic import GiveUp, Retry
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import MS, S

from .pair import Pair, request

ALICE = Account("alice", "sesame")
REALM = ChallengeSettings("example.org", ALICE, status=401)
TIMER = SessionTimerSettings(default_expires_s=1800, prefer_refresher="uac")


def asked(
    challenge: ChallengeSettings = REALM, *, account: Account | None = ALICE, timer: SessionTimerSettings = TIMER
) -> Pair:
    """Make a pair of which bob challenges alice."""
    bob = UserAgentSettings(session_timer=timer, challenge=challenge)
    return Pair(UserAgentSettings(session_timer=timer, account=account), bob)


def requests(pair: Pair, method: str) -> list[Request]:
    return [sent.message for sent in pair.wire if isinstance(sent.message, Request) and sent.line == method]


def counts(pair: Pair) -> list[tuple[str, int | None]]:
    """Return each request of alice's: its method, and how often it says that its nonce was used."""
    sent = (each.message for each in pair.wire if each.sender == "alice" and isinstance(each.message, Request))
    return [(each.method, credentials_of(each).nc if each.header("Authorization") else None) for each in sent]


def credentials_of(message: Message, name: str = "Authorization") -> Credentials:
    value = message.header(name)
    assert value is not None
    return parse_credentials(value)


# --- the caller ------------------------------------------------------------------------------------------------------


def test_a_challenged_invite_is_sent_again_as_a_new_request_of_the_same_call() -> None:
    """RFC 3261 section 22.2: the next CSeq; section 8.1.3.5: the same Call-ID, To and From."""
    pair = asked().call().run(1)
    assert [line for _, line in pair.lines()] == ["INVITE", "401 INVITE", "ACK", "INVITE", "200 INVITE", "ACK"]
    first, again = requests(pair, "INVITE")
    assert (first.cseq.number, again.cseq.number) == (1, 2)
    assert first.branch != again.branch
    for name in ("Call-ID", "From", "To", "Session-Expires", "Supported", "Contact"):
        assert first.header(name) == again.header(name)
    assert first.body == again.body
    assert first.header("Authorization") is None
    given = credentials_of(again)
    assert (given.username, given.realm, given.nc, given.uri) == ("alice", "example.org", 1, again.uri)


def test_both_acks_have_the_credentials_of_their_invite() -> None:
    """RFC 3261 section 22.1."""
    pair = asked().call().run(1)
    to_failure, to_success = requests(pair, "ACK")
    assert to_failure.header("Authorization") is None
    assert to_success.header("Authorization") == requests(pair, "INVITE")[1].header("Authorization")


def test_the_nonce_is_kept_and_counted_for_refreshes_and_bye() -> None:
    pair = asked().call().run(1900)
    pair.alice.hang_up(now=pair.now)
    pair.run(1901)
    assert counts(pair) == [
        *[("INVITE", None), ("ACK", None), ("INVITE", 1), ("ACK", 1), ("INVITE", 2), ("ACK", 2), ("INVITE", 3)],
        *[("ACK", 3), ("BYE", 4)],
    ]
    assert len({credentials_of(each).nonce for each in requests(pair, "INVITE")[1:]}) == 1
    assert len({credentials_of(each).cnonce for each in requests(pair, "INVITE")[1:]}) == 3
    assert pair.count(Fact.RETRIED) == 1


@pytest.mark.parametrize("use_update", [False, True], ids=["re-INVITE", "UPDATE"])
def test_a_refresh_with_a_stale_nonce_is_sent_again_and_has_not_failed(use_update: bool) -> None:
    """RFC 7616 section 3.3: stale=true asks for another try with the new nonce, and for no other password."""
    pair = asked(replace(REALM, nonce_lasts_us=600 * S), timer=replace(TIMER, use_update=use_update)).call().run(1801)
    method = "UPDATE" if use_update else "INVITE"
    assert pair.times(f"401 {method}") == [0, 900, 1800] if not use_update else [900, 1800]
    assert pair.times(method)[-4:] == [900, 900, 1800, 1800]
    assert parse_challenge(pair.last(f"401 {method}").header("WWW-Authenticate") or "").stale
    assert credentials_of(requests(pair, method)[-1]).nc == 1
    assert pair.count(Fact.REFRESHED, "alice") == 2
    assert pair.count(Fact.REFRESH_FAILED) == 0
    assert pair.ends() == {}


def test_the_session_counts_from_the_2xx_to_the_request_with_credentials() -> None:
    pair = asked(replace(REALM, nonce_lasts_us=600 * S))
    pair.latency_us = 100 * MS
    pair.call().run(2000)
    up_at = next(at for at, name, event in pair.facts if event.fact is Fact.UP and name == "alice")
    refresh, again, third, _ = [sent.at for sent in pair.wire if sent.line == "INVITE" and sent.at > up_at]
    assert refresh == up_at + 900 * S
    assert again == refresh + 200 * MS
    assert third == again + 200 * MS + 900 * S  # half the interval from the arrival of the 2xx


def test_a_wrong_password_is_tried_once() -> None:
    """RFC 3261 section 22.1: not with the credentials that have just been rejected."""
    pair = asked(account=Account("alice", "wrong")).call().run(100)
    assert [line for _, line in pair.lines()] == ["INVITE", "401 INVITE", "ACK"] * 2
    assert pair.ends()["alice"] == (0, "rejected", False)
    assert pair.idle()


@pytest.mark.parametrize("account", [None, Account("bob", "sesame")], ids=["nobody", "somebody else"])
def test_who_is_not_the_one_that_is_asked_for_does_not_get_through(account: Account | None) -> None:
    pair = asked(account=account).call().run(100)
    assert len(requests(pair, "INVITE")) == (1 if account is None else 2)
    assert pair.ends()["alice"] == (0, "rejected", False)


def test_a_password_that_is_refused_in_the_middle_of_a_call_fails_the_refresh_each_time_it_is_tried() -> None:
    pair = asked(replace(REALM, methods=("UPDATE",)), timer=replace(TIMER, use_update=True))
    pair.alice_settings = replace(pair.alice_settings, account=Account("alice", "wrong"))
    pair.__post_init__()
    pair.call().run(1801)
    tries = pair.times("UPDATE")
    assert tries[:2] == [900, 900]
    assert len(tries) == 2 * pair.count(Fact.REFRESH_FAILED) == 6
    assert pair.ends()["bob"] == (1768, "session-expired", True)


def test_an_options_outside_of_a_call_is_answered_for_too() -> None:
    pair = asked()
    pair.alice.options("sip:bob@192.0.2.2:5060", now=0)
    pair.run(1)
    assert [line for _, line in pair.lines()] == ["OPTIONS", "401 OPTIONS", "OPTIONS", "200 OPTIONS"]
    assert pair.facts == []


def test_a_cancelled_invite_is_not_sent_again() -> None:
    """A 401 that crosses the CANCEL ends the call."""
    bob = UserAgentSettings(answer_after_us=None)
    pair = Pair(UserAgentSettings(account=ALICE), bob)
    pair.call().run(0.3)
    pair.swallows = lambda receiver, message: receiver == "bob" and message.method == "CANCEL"
    pair.alice.cancel(now=pair.now)
    pair.bob.reject(401, (("WWW-Authenticate", 'Digest realm="r", nonce="n"'),), now=pair.now)
    pair.run(1)
    assert len(requests(pair, "INVITE")) == 1
    assert pair.ends()["alice"][1] == "cancelled"


def test_a_cancel_goes_without_credentials_and_unchallenged() -> None:
    """RFC 3261 section 22.1: nobody could send it again."""
    pair = asked()
    pair.bob_settings = replace(pair.bob_settings, answer_after_us=None)
    pair.__post_init__()
    pair.call().run(0.3)
    pair.alice.cancel(now=pair.now)
    pair.run(1)
    cancel, invite = requests(pair, "CANCEL")[0], requests(pair, "INVITE")[1]
    assert (cancel.branch, cancel.cseq.number) == (invite.branch, 2)
    assert cancel.header("Authorization") is None
    assert pair.times("200 CANCEL")
    assert pair.ends()["alice"][1] == "cancelled"


def test_a_refresh_whose_call_has_ended_meanwhile_is_not_sent_again() -> None:
    pair = asked(replace(REALM, nonce_lasts_us=600 * S))
    pair.latency_us = 100 * MS
    pair.call().run(900.5)
    pair.alice.hang_up(now=pair.now)
    pair.run(1000)
    assert len(requests(pair, "INVITE")) == 3
    assert [at for at, line in pair.lines("alice") if line == "INVITE" and at > 901] == []


def test_a_422_to_the_request_with_credentials_is_answered_with_credentials() -> None:
    pair = asked()
    pair.alice_settings = replace(pair.alice_settings, session_timer=replace(TIMER, default_expires_s=90))
    pair.bob_settings = replace(pair.bob_settings, session_timer=replace(TIMER, min_se_s=120))
    pair.__post_init__()
    pair.call().run(1)
    assert counts(pair) == [
        *[("INVITE", None), ("ACK", None), ("INVITE", 1), ("ACK", 1), ("INVITE", 2), ("ACK", 2)],
    ]
    assert [each.cseq.number for each in requests(pair, "INVITE")] == [1, 2, 3]
    assert pair.times("422 INVITE") == [0]


# --- several challenges, and hostile ones ----------------------------------------------------------------------------

Answering = Callable[[Request, int], tuple[tuple[str, str], ...] | None]


def answered_by(challenges: Answering, *, status: int = 401) -> Pair:
    """Make a pair of which bob answers alice's n-th request (from 0) with these headers; None: as usual."""
    pair = Pair(UserAgentSettings(account=ALICE))
    seen = [0]

    def swallows(receiver: str, message: Message) -> bool:
        if receiver != "bob" or not isinstance(message, Request) or message.method == "ACK":
            return False
        headers = challenges(message, seen[0])
        seen[0] += 1
        if headers is not None:
            pair.bob.reply(message, status, headers, now=pair.now)
        return headers is not None

    pair.swallows = swallows
    return pair


def asking(*values: str, times: int = 1) -> Answering:
    return lambda _, number: tuple(("WWW-Authenticate", value) for value in values) if number < times else None


TOPMOST = [
    pytest.param(("MD5", "SHA-256"), "MD5", id="the topmost"),
    pytest.param(("SHA-256", "MD5"), "SHA-256", id="the topmost, whatever it is"),
    pytest.param(("SHA-512-256", "MD5-sess", "SHA-256", "MD5"), "SHA-256", id="the topmost that is understood"),
]


@pytest.mark.parametrize(("offered", "chosen"), TOPMOST)
def test_of_several_challenges_the_topmost_that_is_understood_is_answered(
    offered: tuple[str, ...], chosen: str
) -> None:
    """RFC 8760 section 2.4."""
    values = [f'Digest realm="r", nonce="{name}", algorithm={name}, qop="auth"' for name in offered]
    pair = answered_by(asking(*values)).call().run(1)
    given = [parse_credentials(value) for value in requests(pair, "INVITE")[1].values("Authorization")]
    assert [(each.nonce, each.algorithm.value) for each in given] == [(chosen, chosen)]
    assert pair.count(Fact.UP) == 2


@pytest.mark.parametrize("values", [(), ("Basic realm=x",), ('Digest realm="r", nonce="n", algorithm=AKAv1-MD5',)])
def test_a_challenge_that_is_not_understood_rejects_the_call(values: tuple[str, ...]) -> None:
    pair = answered_by(asking(*values)).call().run(1)
    assert len(requests(pair, "INVITE")) == 1
    assert pair.ends()["alice"][1] == "rejected"


def test_each_realm_has_its_own_answer_and_all_go_into_the_next_request() -> None:
    realms = asking('Digest realm="one", nonce="1"', 'Digest realm="two", nonce="2"')
    pair = answered_by(realms).call().run(1)
    given = [parse_credentials(value) for value in requests(pair, "INVITE")[1].values("Authorization")]
    assert [(each.realm, each.nonce) for each in given] == [("one", "1"), ("two", "2")]


def test_a_proxy_and_a_callee_are_both_answered() -> None:
    """RFC 3261 section 22.3."""

    def challenges(message: Request, number: int) -> tuple[tuple[str, str], ...] | None:
        if number == 0:
            return (("WWW-Authenticate", 'Digest realm="callee", nonce="c", qop="auth"'),)
        if number == 1:
            pair.bob.reply(message, 407, (("Proxy-Authenticate", 'Digest realm="p", nonce="q"'),), now=pair.now)
            return ()
        return None

    pair = answered_by(challenges)
    pair.call().run(1)
    last = requests(pair, "INVITE")[-1]
    assert (last.cseq.number, credentials_of(last).nc) == (3, 2)
    assert credentials_of(last, "Proxy-Authorization").nonce == "q"


def test_another_nonce_for_old_credentials_is_answered_though_nobody_calls_it_stale() -> None:
    """A server that has lost its nonces may say no more; what it rejects is the nonce (RFC 3261 section 22.1)."""

    def challenges(_: Request, number: int) -> tuple[tuple[str, str], ...] | None:
        nonce = {0: "old", 2: "new"}.get(number)
        return (("WWW-Authenticate", f'Digest realm="r", nonce="{nonce}", qop="auth"'),) if nonce else None

    pair = answered_by(challenges).call().run(1000)
    given = [credentials_of(each) for each in requests(pair, "INVITE")[1:]]
    assert [(each.nonce, each.nc) for each in given] == [("old", 1), ("old", 2), ("new", 1)]
    assert pair.count(Fact.REFRESHED, "alice") == 1


ENDLESS = [
    pytest.param(lambda n: f'Digest realm="r", nonce="{n}"', 2, id="a new nonce each time"),
    pytest.param(lambda n: 'Digest realm="r", nonce="same"', 2, id="the same nonce each time"),
    pytest.param(lambda n: f'Digest realm="r", nonce="{n}", stale=true', 3, id="stale each time"),
    pytest.param(lambda n: f'Digest realm="{n}", nonce="{n}"', 6, id="another realm each time"),
]


@pytest.mark.parametrize(("challenge", "sent"), ENDLESS)
def test_challenges_without_end_are_not_answered_without_end(challenge: Callable[[int], str], sent: int) -> None:
    pair = answered_by(lambda _, number: (("WWW-Authenticate", challenge(number)),)).call().run(100)
    assert len(requests(pair, "INVITE")) == sent
    assert pair.ends()["alice"][1] == "rejected"


# --- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("qop", [True, False])
@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
def test_both_sides_agree_on_each_way_to_prove_it(algorithms: tuple[str, ...], qop: bool) -> None:
    pair = asked(replace(REALM, algorithms=algorithms, qop=qop)).call().run(1000)
    assert credentials_of(requests(pair, "INVITE")[1]).algorithm.value == algorithms[0]
    assert pair.count(Fact.REFRESHED, "alice") == 1
    assert pair.ends() == {}


def test_only_the_methods_that_are_named_are_challenged() -> None:
    pair = asked(replace(REALM, methods=("BYE",))).call().run(1)
    assert pair.times("200 INVITE")
    pair.alice.hang_up(now=pair.now)
    pair.run(2)
    assert [line for _, line in pair.lines()][-4:] == ["BYE", "401 BYE", "BYE", "200 BYE"]


def test_the_caller_may_ask_too() -> None:
    alice = UserAgentSettings(session_timer=TIMER, challenge=replace(REALM, status=407))
    pair = Pair(alice, UserAgentSettings(session_timer=TIMER, account=ALICE)).call().run(1)
    pair.bob.hang_up(now=pair.now)
    pair.run(2)
    assert [line for _, line in pair.lines("bob")][-2:] == ["BYE", "BYE"]
    assert credentials_of(requests(pair, "BYE")[1], "Proxy-Authorization").nc == 1


def challenger(**others: object) -> Challenger:
    class Chance:
        def random(self) -> float:
            return 0.5

    return Challenger(replace(REALM, **others), Identifiers(Chance()))  # type: ignore[arg-type]


def proof(asking: Challenger, *, nc: int = 1, now: int = 0, method: str = "BYE", nonce: str | None = None) -> Request:
    """Return a request that answers a challenge, by the count and nonce given."""
    refusal = asking.refusal(request(method), now=now)
    assert refusal is not None
    challenge = parse_challenge(refusal[1][0][1])
    challenge = challenge if nonce is None else replace(challenge, nonce=nonce)
    given = answer(challenge, "alice", "sesame", method=method, uri="sip:x", cnonce="c", nc=nc)
    return request(method, headers=(("Authorization", str(given)),))


def is_stale(asking: Challenger, message: Request, *, now: int = 0) -> bool | None:
    """Return whether a request is told that its nonce is stale; None where it passes."""
    refusal = asking.refusal(message, now=now)
    return None if refusal is None else parse_challenge(refusal[1][0][1]).stale


def test_a_count_that_was_used_is_stale_and_a_higher_one_is_not() -> None:
    """RFC 7616 section 3.4: a replay."""
    asking = challenger()
    first = proof(asking, nc=2)
    assert [is_stale(asking, first) for _ in range(2)] == [None, True]


def test_a_nonce_grows_old_to_the_microsecond() -> None:
    asking = challenger(nonce_lasts_us=5 * S, qop=False)
    message = proof(asking)
    assert is_stale(asking, message, now=5 * S - 1) is None
    assert is_stale(asking, message, now=5 * S) is True


def test_a_nonce_that_nobody_gave_out_is_stale_if_the_password_is_right() -> None:
    """RFC 7616 section 3.3: only then."""
    asking = challenger()
    assert is_stale(asking, proof(asking, nonce="mine")) is True


def test_what_cannot_be_read_and_what_is_for_another_realm_is_passed_over() -> None:
    asking = challenger()
    good = proof(asking)
    others = (("Authorization", "Bearer x"), ("Authorization", 'Digest username="x", realm="other", nonce="n"'))
    assert is_stale(asking, request("BYE", headers=others)) is False
    assert (
        is_stale(asking, request("BYE", headers=(*others, ("Authorization", good.header("Authorization") or ""))))
        is None
    )


def test_the_nonces_that_are_kept_are_bounded() -> None:
    asking = challenger()
    oldest = proof(asking)
    for _ in range(NONCES_MAX):
        asking.refusal(request("BYE"), now=0)
    assert is_stale(asking, oldest) is True


def test_neither_ack_nor_cancel_is_ever_challenged() -> None:
    """RFC 3261 section 22.1, even where a flow names them."""
    asking = challenger(methods=("ACK", "CANCEL", "BYE"))
    assert asking.refusal(request("ACK"), now=0) is None
    assert asking.refusal(request("CANCEL"), now=0) is None
    assert asking.refusal(request("BYE"), now=0) is not None


# --- all in all ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_nonces() -> None:
    written = [[sent.message.to_bytes() for sent in asked().call().run(1000).wire] for _ in range(2)]
    assert written[0] == written[1]


def test_a_password_is_in_no_message_and_no_word_about_the_parties() -> None:
    pair = asked().call().run(1000)
    said = b"".join(sent.message.to_bytes() for sent in pair.wire)
    assert b"sesame" not in said
    assert "sesame" not in repr((ALICE, REALM, pair.alice_settings, pair.bob_settings))


def test_a_timer_logic_does_not_hear_of_a_challenge(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    receive = SessionTimer.receive_response

    def listening(logic: SessionTimer, response: Response, *, now: int) -> Retry | GiveUp | None:
        heard.append(response.status)
        return receive(logic, response, now=now)

    monkeypatch.setattr(SessionTimer, "receive_response", listening)
    pair = asked(replace(REALM, nonce_lasts_us=600 * S)).call().run(1801)
    assert pair.times("401 INVITE") == [0, 900, 1800]
    assert heard == [200, 200, 200]


def test_a_retry_is_a_fact_about_the_call() -> None:
    pair = asked().call().run(1)
    assert [event for _, _, event in pair.facts if event.fact is Fact.RETRIED] == [
        CallEvent(Fact.RETRIED, requests(pair, "INVITE")[0].call_id, "401")
    ]
