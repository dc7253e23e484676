"""How the lines of a flow unfold."""

from itertools import islice

from simkit.runs.cursor import Cursor
from simkit.runs.plan import Plan, Turn

from .playing import SCRIPTED, flow_of

REPEATED = """
    - alice -> bob: INVITE
    - repeat: 2
      every: 10s
      flow:
        - net: {drop: "alice -> bob: ACK"}
        - alice -> bob: UPDATE
        - repeat: 2
          flow:
            - bob -> alice: OPTIONS
            - bob -> alice: INFO
    - alice -> bob: BYE
"""


def said(turn: Turn) -> str:
    return turn.line.step.text.rpartition(": ")[2] + (f" {turn.number}" if turn.beginning else "")


def test_a_repeat_unfolds_turn_by_turn_and_its_first_line_gets_the_time_of_the_turn() -> None:
    plan = Plan(flow_of(REPEATED, actors=SCRIPTED))
    turn = ["OPTIONS", "INFO", "OPTIONS", "INFO"]
    expected = ["INVITE", "ACK", "UPDATE 1", *turn, "ACK", "UPDATE 2", *turn, "BYE"]
    assert [said(one) for one in plan.turns()] == expected


def test_a_turn_that_opens_with_a_repeat_gives_its_time_to_the_first_line_in_it() -> None:
    lines = """
        - repeat: 2
          every: 10s
          flow:
            - repeat: 2
              flow:
                - alice -> bob: INFO
    """
    assert [said(one) for one in Plan(flow_of(lines, actors=SCRIPTED)).turns()] == ["INFO 1", "INFO", "INFO 2", "INFO"]


def test_the_turns_of_two_calls_are_counted_apart() -> None:
    plan = Plan(flow_of(REPEATED, actors=SCRIPTED))
    one, other = (next(islice(plan.turns(), 2, None)) for _ in range(2))
    assert one.line is other.line
    assert one.beginning is not other.beginning


def test_a_million_turns_are_not_unrolled() -> None:
    lines = "- repeat: 1000000\n  flow:\n    - alice -> bob: INFO\n- alice -> bob: BYE"
    cursor = Cursor(Plan(flow_of(lines, actors=SCRIPTED)))
    assert cursor.peek(0) is not None
    assert len(cursor.ahead()) == 64
    assert {line.step.text for line in cursor.rest(10)} == {"alice -> bob: INFO"}


def test_a_line_is_an_order_only_where_its_sender_is_scripted() -> None:
    actors = "alice: {role: scripted}\nbob: {role: uas}"
    plan = Plan(flow_of("- alice -> bob: INVITE", "- bob -> alice: 200 INVITE", actors=actors))
    assert [line.is_order for line in plan.observations] == [True, False]
    assert [line.is_awaited for line in plan.observations] == [False, True]


def test_a_cursor_keeps_what_was_overtaken_and_skips_what_is_optional() -> None:
    lines = """
        - alice -> bob: INVITE
          optional: true
        - alice -> bob: UPDATE
        - alice -> bob: BYE
    """
    cursor = Cursor(Plan(flow_of(lines)))
    waiting = cursor.waiting()
    assert waiting is not None
    assert said(waiting) == "UPDATE"
    assert len(cursor.ahead()) == 3
    taken = cursor.take(2)
    assert said(taken) == "BYE"
    assert taken not in cursor
    assert [said(turn) for turn in cursor.before(2)] == ["UPDATE"]
    cursor.skip(1)
    assert cursor.peek(0) is waiting
    assert cursor.peek(1) is None
