"""When to try again what the peer refused (RFC 3261 sections 14.1 and 20.33, RFC 4028 section 10).

Durations only: what is tried again, and whether that is still wanted, its owner knows.
"""

from typing import Final

from ..sip.message import Response
from ..units import MS, S
from .identifiers import Random

GRID_US: Final = 10 * MS  # RFC 3261 section 14.1
OWNER_LEAST_US: Final = 2100 * MS
OWNER_MOST_US: Final = 4000 * MS
OTHER_MOST_US: Final = 2000 * MS

WAIT_MIN_US: Final = 10 * S  # ours: as long as the longest Retry-After of RFC 3261 section 14.2
SAME_FAILURE_MAX: Final = 3  # ours: RFC 4028 section 10 has nobody keep retrying on the same error
FAILURES_MAX: Final = 10  # ours: nor on ever other ones

_RETRY_AFTER_DIGITS_MAX: Final = 10


def glare_wait_us(random: Random, *, owns_call_id: bool) -> int:
    """Return how long to wait after 491, so that of two sides one comes first (RFC 3261 section 14.1)."""
    least_us, most_us = (OWNER_LEAST_US, OWNER_MOST_US) if owns_call_id else (0, OTHER_MOST_US)
    return least_us + int(random.random() * ((most_us - least_us) // GRID_US + 1)) * GRID_US


def retry_after_us(response: Response) -> int | None:
    """Return the wait that Retry-After asks for (RFC 3261 section 20.33); None where there is none that can be read."""
    value = response.header("Retry-After")
    if value is None:
        return None
    digits = value.partition(";")[0].partition("(")[0].strip()
    readable = digits.isascii() and digits.isdigit() and len(digits) <= _RETRY_AFTER_DIGITS_MAX
    return int(digits) * S if readable else None


def refresh_wait_us(
    failures: tuple[int, ...], retry_after: int | None, left_us: int, random: Random, *, owns_call_id: bool
) -> int | None:
    """Return how long to wait before a session refresh that failed is tried again; None: it is not.

    `failures` are the statuses since the last 2xx, the latest at the end; `left_us` is the time until the other side
    hangs up. The waits are calm, each half of what is left, unless the status asks for another.
    """
    status = failures[-1]
    same = failures.count(status)
    if status == 422 or same >= SAME_FAILURE_MAX or len(failures) >= FAILURES_MAX:
        return None  # a 422 that could be mended has been: what is left was given up
    if status == 491 and same == 1:
        return glare_wait_us(random, owns_call_id=owns_call_id)  # RFC 3261 section 14.1: once more
    if retry_after is not None:
        return retry_after
    return max(WAIT_MIN_US, left_us // 2)
