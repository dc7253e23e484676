"""Every way in which a flow file can be wrong, and what its author is told.

One small file for each message: faults/NAME.yaml, and in NAME.txt the whole text that is shown. To write the texts
anew, run with SIMKIT_UPDATE_GOLDENS=1 and read the difference.
"""

import os
from pathlib import Path

import pytest

from simkit.errors import FlowError
from simkit.flows.loader import load

FAULTS = Path(__file__).parent / "faults"
FILES = sorted(FAULTS.glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_bad_file_is_told_what_is_wrong_where_and_how_to_mend_it(file: Path) -> None:
    with pytest.raises(FlowError) as raised:
        load(file.read_bytes(), file.name)
    shown = f"{raised.value}\n"
    golden = file.with_suffix(".txt")
    if os.environ.get("SIMKIT_UPDATE_GOLDENS"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_no_text_repeats_a_password(file: Path) -> None:
    assert "sesame" not in file.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_text_has_its_file() -> None:
    assert {text.stem for text in FAULTS.glob("*.txt")} == {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_each_fault_points_into_its_line(file: Path) -> None:
    lines = file.read_bytes().decode("utf-8", "replace").split("\n")
    with pytest.raises(FlowError) as raised:
        load(file.read_bytes(), file.name)
    for fault in raised.value.faults:
        assert fault.source.path == file.name
        written, shown = lines[fault.source.line - 1], fault.source.text  # of a broken line, what precedes the fault
        assert len(shown) <= len(written)
        assert all(seen in (there, "*") for seen, there in zip(shown, written, strict=False))  # passwords are hidden
        assert 1 <= fault.source.column <= len(fault.source.text) + 1
