"""A class of somebody else's in the seat: found, checked, and blamed by its own lines."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simkit.errors import FlowError, ForeignError
from simkit.runs.simulate import simulate

from .playing import played, refreshed
from .test_time import said

WELL = "from simkit.ua.session_timer import SessionTimer as Timer\n"
BROKEN = f"""\
{WELL}
from simkit.ua.timer_logic import Bye, Refresh


class Broken(Timer):
    __slots__ = ()

    def {{method}}(self, *given, **named):
        {{body}}


def helper():
    raise ValueError("no such interval")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to be in, from which modules come; it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = sys.path.copy(), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_a_class_is_found_in_the_current_folder(here: Path) -> None:
    (here / "stack").mkdir()
    (here / "stack/timers.py").write_text(WELL)
    run = played(refreshed(), alice="python:stack.timers:Timer")
    assert run.passed
    assert said(run) == said(simulate(refreshed()))


def test_a_function_may_make_the_logic(here: Path) -> None:
    (here / "timers.py").write_text(
        f"{WELL}def make(settings, *, side, random):\n    return Timer(settings, side=side, random=random)\n"
    )
    assert played(refreshed(), alice="python:timers:make").passed


MISSING = [
    pytest.param("", "nothing:Timer", "there is no module 'nothing', neither installed nor in ", id="no module"),
    pytest.param("", "timers.deep:Timer", "there is no module 'timers.deep'", id="a module that is no package"),
    pytest.param("", "timers:Timer", "module 'timers' has no 'Timer'", id="no class"),
    pytest.param(
        "Timer = 5", "timers:Timer", "'Timer' cannot be called: it is an int, and a class is wanted", id="int"
    ),
    pytest.param(
        "class Timer:\n    def state(self): ...\n    next_deadline = None",
        "timers:Timer",
        "class 'Timer' lacks the methods make_request, receive_request, sent_response, receive_response, "
        "refresh_result, next_deadline, handle_deadline, close (see simkit.ua.timer_logic.TimerLogic)",
        id="methods missing",
    ),
    pytest.param(
        "import no_such_thing", "timers:Timer", "importing it raised ModuleNotFoundError", id="its own import"
    ),
    pytest.param(
        "x = 1 / 0", "timers:Timer", "importing it raised ZeroDivisionError: division by zero", id="it raises"
    ),
    pytest.param("def (", "timers:Timer", "importing it raised SyntaxError: invalid syntax", id="it is no Python"),
]


@pytest.mark.parametrize(("source", "name", "what"), MISSING)
def test_what_cannot_be_seated_is_a_fault_of_the_flow(here: Path, source: str, name: str, what: str) -> None:
    (here / "timers.py").write_text(source)
    with pytest.raises(FlowError) as raised:
        played(refreshed(), alice=f"python:{name}")
    text = str(raised.value)
    assert text.startswith(f"refreshed.yaml:5:3: python:{name}: {what}")
    assert "simkit/" not in text.replace("simkit.ua", "")


def test_the_line_that_raised_on_import_is_shown(here: Path) -> None:
    (here / "timers.py").write_text("\nx = 1 / 0\n")
    with pytest.raises(FlowError, match=r'    File ".*timers\.py", line 2, in <module>\n +x = 1 / 0'):
        played(refreshed(), alice="python:timers:Timer")


RETURNED = [
    pytest.param("make_request", "return 'Supported: timer'", "'Supported: timer', and a tuple of (", id="headers"),
    pytest.param("make_request", "return (('A', 1),)", "(('A', 1),), and a tuple of (", id="a header with a number"),
    pytest.param("receive_response", "return True", "True, and Retry, GiveUp or None is wanted", id="a verdict"),
    pytest.param("next_deadline", "return 45.0", "45.0, and whole microseconds or None is wanted", id="a float"),
    pytest.param(
        "handle_deadline", "return Refresh('OPTIONS')", "Refresh(method='OPTIONS'), and Refresh,", id="method"
    ),
    pytest.param("handle_deadline", "return Bye('bored')", "Bye(reason='bored'), and Refresh, Bye (with", id="reason"),
    pytest.param("refresh_result", "return 'bye'", "'bye', and Bye (with one of the reasons hung-up,", id="no Bye"),
    pytest.param("state", "return None", "None, and a SessionState is wanted", id="no state"),
]


@pytest.mark.parametrize(("method", "body", "what"), RETURNED)
def test_what_a_method_returns_amiss_is_told(here: Path, method: str, body: str, what: str) -> None:
    (here / "timers.py").write_text(BROKEN.format(method=method, body=body))
    run = played(refreshed(), alice="python:timers:Broken")
    assert run.broken is not None
    assert f"alice's logic (python:timers:Broken): {method}() returned {what}" in str(run.broken)


def test_what_a_method_raises_is_told_by_its_own_lines(here: Path) -> None:
    (here / "timers.py").write_text(BROKEN.format(method="handle_deadline", body="helper()"))
    run = played(refreshed(), alice="python:timers:Broken")
    assert run.broken is not None
    assert str(run.broken).replace(str(here), "HERE").splitlines() == [
        "refreshed.yaml:13:5: at 45.000 s, alice's logic (python:timers:Broken): "
        "handle_deadline() raised ValueError: no such interval",
        "   13 |   - alice -> bob: INVITE",
        "      |     ^ the flow had come to this line",
        '    File "HERE/timers.py", line 10, in handle_deadline',
        "      helper()",
        '    File "HERE/timers.py", line 14, in helper',
        '      raise ValueError("no such interval")',
    ]


def test_a_logic_that_cannot_be_made_is_told(here: Path) -> None:
    (here / "timers.py").write_text(
        "def make(settings):\n    return None\n\n\ndef none(*given, **named):\n    return None\n"
    )
    run = played(refreshed(), alice="python:timers:make")
    assert "making it raised TypeError: make() got an unexpected keyword argument 'side'" in str(run.broken)
    run = played(refreshed(), alice="python:timers:none")
    assert "what was made, a NoneType, lacks the methods make_request, " in str(run.broken)


def test_an_interruption_is_no_failure_of_theirs(here: Path) -> None:
    (here / "timers.py").write_text(BROKEN.format(method="handle_deadline", body="raise KeyboardInterrupt"))
    run = played(refreshed(), alice="python:timers:Broken")
    assert run.interrupted
    assert run.broken is None


def test_from_python_the_failure_is_raised(here: Path) -> None:
    from simkit import simulate as run_flow

    (here / "timers.py").write_text(BROKEN.format(method="state", body="helper()"))
    with pytest.raises(ForeignError, match=r"state\(\) raised ValueError"):
        run_flow(refreshed(), logic={"bob": "python:timers:Broken"})
