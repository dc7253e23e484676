"""Which files are meant."""

from pathlib import Path

import pytest

from simkit.errors import FlowError, NothingToRunError
from simkit.flows.files import find_flow_files

from .samples import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "b.yaml": SMALL,
        "a.yml": "# comment\n" + SMALL,
        "sub/c.yaml": "name: x\nsimkit: 1\n",
        "other.yaml": "redis:\n  simkit: 1\n",
        "notes.txt": SMALL,
        ".git/d.yaml": SMALL,
        "bom.yaml": "\ufeff" + SMALL,
        "empty/none.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_folder_is_searched_for_flows_in_the_order_of_their_names(folder: Path) -> None:
    found = [str(Path(path).relative_to(folder)) for path in find_flow_files([str(folder)])]
    assert found == ["a.yml", "b.yaml", "bom.yaml", "sub/c.yaml"]


def test_a_file_is_taken_as_it_is_named_and_once(folder: Path) -> None:
    notes = str(folder / "notes.txt")
    assert find_flow_files([notes, "-", notes]) == (notes, "-")


def test_a_folder_without_flows_leaves_nothing_to_run(folder: Path) -> None:
    with pytest.raises(NothingToRunError, match="no flow here"):
        find_flow_files([str(folder / "empty")])


def test_all_missing_paths_are_named_with_the_likely_one(folder: Path) -> None:
    paths = [str(folder / "b.yml"), str(folder / "nowhere" / "x.yaml")]
    with pytest.raises(FlowError) as raised:
        find_flow_files(paths)
    assert str(raised.value).split("\n") == [
        f"{paths[0]}:1:1: no such file or folder (did you mean {folder / 'b.yaml'}?)",
        f"{paths[1]}:1:1: no such file or folder",
    ]
