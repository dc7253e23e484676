"""Texts that people read, kept beside the tests: a change of theirs is a change to look at.

SIMKIT_UPDATE_GOLDENS=1 writes them anew.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "goldens"


def assert_golden(name: str, text: str) -> None:
    """Compare a text with the one that is kept."""
    path = FOLDER / name
    if os.environ.get("SIMKIT_UPDATE_GOLDENS") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
