"""Calls through two proxies over a network that loses messages: what holds whatever is lost, and whoever hangs up."""

from contextlib import suppress
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import LocalError
from simkit.settings import ProxySessionSettings, SessionTimerSettings
from simkit.sip.message import Request
from simkit.ua.events import Fact
from simkit.ua.proxy import ProxySettings
from simkit.ua.user_agent_settings import UserAgentSettings

from .chain import Chain

PROXIES = {
    "p1": ProxySettings(session_timer=ProxySessionSettings(default_expires_s=180)),
    "p2": ProxySettings(session_timer=ProxySessionSettings(max_expires_s=120)),
}
AFTER_ALL_S = 2000
"""By then every session of these calls has expired, and every transaction has died."""


def timer(*, enabled: bool) -> UserAgentSettings:
    return UserAgentSettings(
        session_timer=SessionTimerSettings(enabled=enabled, default_expires_s=240),
        supported=("timer",) if enabled else (),
    )


def play(seed: int, loss_percent: int, alice_knows: bool, bob_knows: bool) -> Chain:
    chance = Random(seed)
    chain = Chain(
        PROXIES,
        alice_settings=timer(enabled=alice_knows),
        bob_settings=timer(enabled=bob_knows),
        loses=lambda line, nth: chance.random() * 100 < loss_percent,
        seed=seed,
    )
    chain.call()
    for at_s in (chance.choice((1, 50, 130, 400)), 500):  # the first may come too early
        chain.run(at_s)
        with suppress(LocalError):
            (chain.alice if chance.random() < 0.5 else chain.bob).hang_up(now=chain.now)
    return chain.run(AFTER_ALL_S)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    loss_percent=st.sampled_from((0, 10, 30, 60)),
    alice_knows=st.booleans(),
    bob_knows=st.booleans(),
)
def test_whatever_is_lost_a_proxy_only_passes_on_and_comes_to_rest(
    seed: int, loss_percent: int, alice_knows: bool, bob_knows: bool
) -> None:
    chain = play(seed, loss_percent, alice_knows, bob_knows)
    proxies = [party for name, party in chain.parties.items() if name in PROXIES]
    assert all(proxy.next_deadline() is None for proxy in proxies)
    _nothing_is_made_up(chain)
    _what_is_known_ends(chain, knows=alice_knows or bob_knows)


def _nothing_is_made_up(chain: Chain) -> None:
    """But for ACK and CANCEL, which belong to a hop, a proxy sends no request that had not come to it."""
    came: set[tuple[str, str | None, str | None]] = set()
    for sent in chain.wire:
        about = sent.message.header("From"), sent.message.header("CSeq")
        if sent.sender in PROXIES and isinstance(sent.message, Request):
            assert sent.message.method in ("ACK", "CANCEL") or (sent.sender, *about) in came
        came.add((sent.receiver, *about))


def _what_is_known_ends(chain: Chain, *, knows: bool) -> None:
    """A proxy that saw the call up sees it end, by BYE or by expiration, if anybody had a session timer."""
    for name in PROXIES:
        facts = [event.fact for _, party, event in chain.facts if party == name]
        ups, ends = facts.count(Fact.UP), facts.count(Fact.ENDED)
        assert ends <= ups
        assert ends == ups or not knows
