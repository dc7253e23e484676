"""Identifiers: unique, short, and the same for the same seed (RFC 3261 sections 8.1.1.4, 8.1.1.7 and 19.3)."""

from random import Random

import pytest

from simkit.sip.headers import split_list
from simkit.ua.identifiers import MAGIC_COOKIE, Identifiers


class Fixed:
    """Chance that always falls the same way."""

    def __init__(self, drawn: float) -> None:
        self._drawn = drawn

    def random(self) -> float:
        return self._drawn


def names(identifiers: Identifiers, times: int) -> list[str]:
    return [
        name
        for _ in range(times)
        for name in (identifiers.branch(), identifiers.tag(), identifiers.call_id("192.0.2.1"))
    ]


def test_a_branch_begins_with_the_magic_cookie() -> None:
    """RFC 3261 section 8.1.1.7."""
    assert Identifiers(Random(1)).branch().startswith(MAGIC_COOKIE)


def test_a_call_id_names_the_host() -> None:
    """RFC 3261 section 8.1.1.4: locally unique, and made global by the host."""
    assert Identifiers(Random(1)).call_id("192.0.2.1").endswith("@192.0.2.1")


def test_the_same_seed_gives_the_same_names_and_another_seed_others() -> None:
    first, again, other = (names(Identifiers(Random(seed)), 50) for seed in (7, 7, 8))

    assert first == again
    assert not set(first) & set(other)


def test_no_name_comes_twice_among_the_parties_of_a_run() -> None:
    """RFC 3261 section 19.3: unique in space and time."""
    random = Random(3)
    parties = [Identifiers(random) for _ in range(200)]
    made = [name for party in parties for name in names(party, 20)]

    assert len(set(made)) == len(made)


def test_session_ids_count_up_and_fit_a_signed_64_bit_number() -> None:
    """RFC 3264 section 5 bounds them so."""
    identifiers = Identifiers(Fixed(1 - 2**-53))
    ids = [identifiers.session_id() for _ in range(3)]

    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    assert 0 < ids[0] < 2**63


@pytest.mark.parametrize("drawn", [0.0, 1 - 2**-53])
def test_the_ends_of_chance_still_give_short_tokens(drawn: float) -> None:
    """RFC 3261 section 25.1: a branch and a tag are tokens."""
    identifiers = Identifiers(Fixed(drawn))
    for name in (identifiers.branch(), identifiers.tag()):
        assert name.isalnum()
        assert name.isascii()
        assert len(name) <= 24
        assert split_list(name) == (name,)
