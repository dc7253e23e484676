"""The check-list of a call says no more than was seen."""

import pytest

from simkit.reports.audit import call_text
from simkit.reports.style import PLAIN

from ..audit.building import Tape, sdp

UNTIMED = ("Session-Expires", "Require")


def without_timer() -> Tape:
    tape = Tape()
    tape.invite(without=("Session-Expires",))
    tape.respond(200, without=UNTIMED)
    tape.ack()
    return tape


def switched_on_by_a_request() -> Tape:
    tape = without_timer()
    tape.at(10).reinvite("bob")
    tape.respond(200)
    tape.ack()
    return tape


def switched_on_by_a_2xx() -> Tape:
    tape = without_timer()
    tape.at(10).request("bob", "INVITE", body=sdp("bob", version=2))
    tape.respond(200, ("Session-Expires", "600;refresher=uac"))
    tape.ack()
    return tape


def named_by_the_callee() -> Tape:
    tape = Tape()
    tape.invite(without=("Session-Expires",))
    tape.respond(200)
    tape.ack()
    return tape


def declined() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(200, without=UNTIMED)
    tape.ack()
    return tape


def rejected() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(486)
    return tape


def seen_from_the_middle() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh()
    del tape.trace.records[:3]
    return tape


OFFERS = [
    (Tape().set_up(), "1800, offered by alice; answered 1800;refresher=uac"),
    (declined(), "1800, offered by alice; answered without one"),
    (rejected(), "1800, offered by alice"),
    (seen_from_the_middle(), "1800;refresher=uac, offered by alice"),
    (named_by_the_callee(), "1800;refresher=uac, first named by bob in the 2xx at 0.000"),
    (
        switched_on_by_a_request(),
        "1800;refresher=uas, first named by bob in the INVITE at 10.000; the call was set up without",
    ),
    (
        switched_on_by_a_2xx(),
        "600;refresher=uac, first named by alice in the 2xx at 10.000; the call was set up without",
    ),
]
OFFER_IDS = ("answered", "declined", "rejected", "mid-call", "2xx", "later request", "later 2xx")


@pytest.mark.parametrize(("tape", "words"), OFFERS, ids=OFFER_IDS)
def test_a_timer_is_told_by_who_named_it_first(tape: Tape, words: str) -> None:
    text = unwrapped(tape)
    following = text.split("session timer ", 1)[1]
    assert following.startswith((f"{words} in force", f"{words} end"))


def test_who_is_not_heard_of_again_is_not_said_to_have_left_anything_undone() -> None:
    text = unwrapped(Tape().set_up(), until=2000)
    assert "not done" not in text
    assert "refresh by alice: not seen: nothing more was heard of it" in text
    assert "BYE by bob: not seen: nothing more was heard of it" in text
    assert "expiry: the session expired unattended: nothing more was heard of either side" in text


def unwrapped(tape: Tape, *, until: float | None = None) -> str:
    return " ".join(call_text(tape.audit(until=until), PLAIN).split())
