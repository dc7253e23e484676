"""The command line, called in a folder of its own that holds a few flows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simkit.cli.main import main

from .flows import FLOWS, VALUES

Simkit = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder we are in; `flows/` holds FLOWS."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "COLUMNS", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "flows").mkdir()
    for name, text in FLOWS.items():
        (tmp_path / "flows" / f"{name}.yaml").write_text(text)
    (tmp_path / "values.yaml").write_text(VALUES)
    return tmp_path


@pytest.fixture
def simkit(folder: Path) -> Simkit:
    """Call `simkit` with these words."""

    def call(*words: str, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(main, words, input=input)

    return call
