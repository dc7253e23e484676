"""The times that follow from the rules, computed: session intervals (RFC 4028), retransmissions (RFC 3261)."""

from collections.abc import Iterator

from ..settings import BaseTimes
from ..units import S

INTERVALS_S = (90, 96, 120, 128, 180, 300, 600, 1800, 3600)
"""Below 96 s the lead is a third of the interval; from 128 s on a refresh times out before the BYE is due."""


def timing() -> str:
    """Return the timing tables."""
    return "\n".join([*session_table(), "", *retransmission_table(BaseTimes())])


def session_table() -> Iterator[str]:
    """Yield when each session interval has a refresh, its timeout, and a BYE due."""
    yield "Seconds after the 2xx that starts the session interval (RFC 4028 sections 7.2 and 10)"
    yield ""
    yield "  interval   refresh due   its timeout   BYE of the other side   expiry"
    for interval_s in INTERVALS_S:
        refresh_s = interval_s // 2
        bye_s = interval_s - min(32, interval_s // 3)
        timeout_s = refresh_s + BaseTimes().timeout_us // S
        yield f"  {interval_s:>8}   {refresh_s:>11}   {timeout_s:>11}   {bye_s:>21}   {interval_s:>6}"
    yield ""
    yield "  Below 128 s a refresh that gets no answer outlives the other side's BYE: the two may cross."


def retransmission_table(base: BaseTimes) -> Iterator[str]:
    """Yield when each kind of message is sent over UDP while nothing answers it."""
    yield "Seconds at which a message is sent over UDP while nothing answers it (T1 0.5 s, T2 4 s; RFC 3261 section 17)"
    yield ""
    rows = (
        ("INVITE", "timer A; B gives up", sendings(base.t1_us, base.timeout_us, base.timeout_us)),
        ("other request", "timer E; F gives up", sendings(base.t1_us, base.t2_us, base.timeout_us)),
        ("3xx-6xx to INVITE", "timer G; H gives up", sendings(base.t1_us, base.t2_us, base.timeout_us)),
        ("2xx to INVITE", "until its ACK; then BYE", sendings(base.t1_us, base.t2_us, base.timeout_us)),
    )
    for message, timers, sent in rows:
        times = " ".join(f"{at / S:g}" for at in sent)
        yield f"  {message:<18} {times}; over at {base.timeout_us / S:g}"
        yield f"  {'':<18} ({timers})"
    yield ""
    yield "  Over TCP and TLS each is sent once, and given up at the same time; the 2xx is sent as over UDP."


def sendings(first_us: int, longest_us: int, until_us: int) -> list[int]:
    """Return when a message is sent: the gaps double from `first_us` up to `longest_us`."""
    sent, gap = [0], first_us
    while sent[-1] + gap < until_us:
        sent.append(sent[-1] + gap)
        gap = min(2 * gap, longest_us)
    return sent
