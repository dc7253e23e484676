"""The museum's pieces: machines of ours, told with symptom, cause, rules and source, and seated where a flow says."""

import pytest

from simkit.api import FlowError, load_flow, simulate
from simkit.museum import ABSENT, PIECES, Piece, Visible
from simkit.rulebook import RULES
from simkit.ua.proxy import Proxy
from simkit.ua.user_agent import UserAgent

EVERY = [pytest.param(piece, id=id) for id, piece in PIECES.items()]

CALL = """
simkit: 1
name: call
actors:
  alice: {{role: uac, route: proxy, session_timer: {{prefer_refresher: uac}}, logic: {alice}}}
  proxy: {{role: proxy, logic: {proxy}}}
  bob: {{role: uas}}
limit: 1800s
allow: [INVITE, 200 INVITE, ACK, BYE, 200 BYE]
flow:
  - alice: call bob
"""


@pytest.mark.parametrize("piece", EVERY)
def test_a_piece_tells_what_was_seen_and_why_in_sentences(piece: Piece) -> None:
    assert piece.symptom.endswith(".")
    assert piece.cause.endswith(".")
    assert piece.source


@pytest.mark.parametrize("piece", EVERY)
def test_a_piece_breaks_rules_that_the_rulebook_has(piece: Piece) -> None:
    assert piece.rules
    assert set(piece.rules) <= RULES.keys()


@pytest.mark.parametrize("piece", EVERY)
def test_a_piece_is_a_machine_of_ours_that_is_not_ours(piece: Piece) -> None:
    ours = Proxy if piece.of_proxy else UserAgent
    assert issubclass(piece.machine, ours)
    assert piece.machine is not ours
    assert piece.machine.__name__ != ours.__name__


def test_no_two_pieces_are_the_same_machine() -> None:
    assert len({piece.machine for piece in PIECES.values()}) == len(PIECES)


def test_what_is_not_in_the_museum_has_a_reason_and_is_not_in_it() -> None:
    assert not {absent.id for absent in ABSENT} & PIECES.keys()
    assert all(absent.why.endswith(".") for absent in ABSENT)


def test_most_pieces_are_visible_in_a_capture() -> None:
    assert sum(piece.visible is Visible.FULLY for piece in PIECES.values()) > len(PIECES) * 3 // 4


@pytest.mark.parametrize("piece", EVERY)
def test_a_piece_takes_the_place_that_a_flow_gives_it(piece: Piece) -> None:
    logic = f"museum:{piece.id}"
    flow = load_flow(
        CALL.format(alice="rfc4028", proxy=logic) if piece.of_proxy else CALL.format(alice=logic, proxy="rfc4028")
    )
    assert simulate(flow).messages >= 2


WRONG = [
    pytest.param("museum:M99", "rfc4028", "no such museum piece; `simkit museum` lists them", id="no piece"),
    pytest.param("museum:M73", "rfc4028", "a defect of a proxy, which alice is not", id="a proxy's, of a caller"),
    pytest.param("rfc4028", "museum:M01", "a defect of a user agent, which proxy is not", id="a caller's, of a proxy"),
]


@pytest.mark.parametrize(("alice", "proxy", "message"), WRONG)
def test_a_piece_in_the_wrong_place_is_a_fault_of_the_flow(alice: str, proxy: str, message: str) -> None:
    with pytest.raises(FlowError, match=message):
        simulate(load_flow(CALL.format(alice=alice, proxy=proxy)))
