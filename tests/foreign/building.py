"""Go and Node for tests: found on this machine, or a reason to do without them. Continuous integration has them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

IN_CI = os.environ.get("CI") == "true"


def program(name: str, *places: str) -> str:
    """Return the path of a program: beside this Python, on the path, or in one of these places; or skip."""
    beside = os.path.dirname(sys.executable)
    found = shutil.which(name, path=os.pathsep.join((beside, os.environ.get("PATH", ""), *places)))
    if found is None:
        do_without(f"there is no {name} on this machine")
    return found


def do_without(reason: str) -> NoReturn:
    """Skip; in continuous integration, fail."""
    if IN_CI:
        pytest.fail(f"{reason}: .ci/run is to install it")
    pytest.skip(reason)


def go() -> str:
    """Return the path of a Go that has testing/synctest, or skip."""
    found = program("go", "/usr/local/go/bin")
    version = run(found, "env", "GOVERSION").removeprefix("go")
    if tuple(map(int, version.split(".")[:2])) < (1, 25):
        do_without(f"Go {version} has no testing/synctest: 1.25 does")
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
