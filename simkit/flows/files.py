"""Which files are meant: flow files as they are named, and folders searched for them."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..errors import Fault, FlowError, NothingToRunError, Source
from .faults import likely_word
from .yaml_source import MAX_BYTES

STDIN: Final = "-"
"""The path that means standard input."""

_SUFFIXES: Final = (".yaml", ".yml")
_FLOW_KEY = re.compile(rb"""^(?:\xef\xbb\xbf)?(?:simkit|"simkit"|'simkit')[ \t]*:""", re.MULTILINE)


def find_flow_files(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the flow files that are meant, each once: files as named, folders searched, in the order of their names.

    In a folder a flow file is a .yaml or .yml file with `simkit:` at its top; hidden folders are left out. Raises
    FlowError where a path does not exist, with all such paths; NothingToRunError for a folder without flows.
    """
    missing = [path for path in paths if path != STDIN and not os.path.lexists(path)]
    if missing:
        raise FlowError([_missing(path) for path in missing])
    found: dict[str, None] = {}
    for path in paths:
        if not os.path.isdir(path):
            found[path] = None
            continue
        inside = sorted(_search(path))
        if not inside:
            raise NothingToRunError(f"{path}: no flow here: a .yaml file with 'simkit: 1' at its top")
        found.update(dict.fromkeys(inside))
    return tuple(found)


def _search(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)
            if name.endswith(_SUFFIXES) and is_flow(path):
                yield path


def is_flow(path: str) -> bool:
    """Tell a flow file from other YAML: it has the key `simkit` at its top. One that cannot be read counts as one."""
    """Whether a YAML file has the key `simkit` at its top; true where it cannot be read."""
    if not os.path.isfile(path):  # a pipe would keep us waiting
        return False
    try:
        with open(path, "rb") as file:
            return _FLOW_KEY.search(file.read(MAX_BYTES)) is not None
    except OSError:
        return True  # that it cannot be read is told when it is loaded


def _missing(path: str) -> Fault:
    folder, name = os.path.split(path)
    try:
        neighbours = tuple(sorted(os.listdir(folder or ".")))
    except OSError:
        return Fault(Source(path, 1), "no such file or folder")
    likely = likely_word(name, neighbours)
    hint = f" (did you mean {os.path.join(folder, likely)}?)" if likely else ""
    return Fault(Source(path, 1), f"no such file or folder{hint}")
