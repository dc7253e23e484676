"""A program that is run to its end, and what it said."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    status: int
    output: str
    """What it wrote to standard output and standard error."""


def run_to_end(command: Sequence[str], *, within_s: float, folder: str | None = None) -> Done | None:
    """Run a program in a folder; None where it cannot be run, or takes longer than this."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=within_s,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"))
