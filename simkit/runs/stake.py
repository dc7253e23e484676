"""The rule of RFC 4028 that is at stake where a call failed: a hint beside the failure, never a verdict.

`stake_of_call` finds it, and `stake_of_proxy` where a proxy is about.
"""

from typing import NamedTuple


class Stake(NamedTuple):
    """A rule, and what it means here."""

    rule: str
    note: str
