"""Go and Node for tests: found on this machine, or a reason to do without them. Continuous integration has them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"


def program(name: str, *places: str) -> str:
    """Return the path of a program. Skips where there is none, but fails in continuous integration."""
    beside = os.path.dirname(sys.executable)
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join((beside, *places)))
    if found is None:
        message = f"there is no {name} on this machine"
        if IN_CI:
            pytest.fail(f"{message}: .ci/run is to install it")
        pytest.skip(message)
    return found


def go() -> str:
    """Return the path of a Go that has testing/synctest."""
    found = program("go", "/usr/local/go/bin")
    version = run(found, "env", "GOVERSION").removeprefix("go").split(".")
    if tuple(map(int, version[:2])) < (1, 25):
        pytest.skip(f"Go {'.'.join(version)} has no testing/synctest: 1.25 does")
    return found


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command that must succeed; return its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def built_by_go(folder: Path) -> str:
    """Build a template for Go, with whatever timer lies in the folder; return its logic."""
    run(go(), "test", "-c", "-vet=off", "-o", "timer", ".", cwd=folder)
    return f"{folder / 'timer'} -test.run=^TestSimkit$"
