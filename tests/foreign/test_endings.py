"""However simkit ends, its children end with it, and with all that they started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..leftovers import PROC, living
from .playing import REFRESHED, ROOT, command

ENDS = [
    pytest.param(signal.SIGINT, 130, "1", id="Ctrl-C"),
    pytest.param(signal.SIGINT, 130, "2", id="Ctrl-C, with worker processes"),
    pytest.param(signal.SIGTERM, -signal.SIGTERM, "1", id="SIGTERM"),
    pytest.param(signal.SIGHUP, -signal.SIGHUP, "1", id="SIGHUP: the terminal is closed"),
]


@pytest.mark.skipif(not PROC.is_dir(), reason="only /proc shows what is left")
@pytest.mark.parametrize(("number", "status", "jobs"), ENDS)
def test_a_signal_ends_the_children_too(
    number: signal.Signals, status: int, jobs: str, tmp_path: Path, nothing_is_left_behind: str
) -> None:
    """Even those that ignore SIGTERM."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(REFRESHED.format(extra=""))
    words = ["one.yaml", "two.yaml", "-j", jobs, "--logic", f"alice={command('timer.py', 'stubborn')}"]
    program = [sys.executable, "-m", "simkit", "simulate", *words, "--logic-timeout", "60"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:
        give_up_at = time.monotonic() + 20
        while sum("stubborn" in each and "simkit" not in each for each in living(nothing_is_left_behind)) < int(jobs):
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
        os.kill(process.pid, number)
        process.communicate(timeout=20)
    assert process.returncode == status
    assert living(nothing_is_left_behind) == []
