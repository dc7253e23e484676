"""Templates for timer logic in other languages: copied for a user to put a timer of their own in the toy's place."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import SetupError

TEMPLATES: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")


@dataclass(frozen=True, slots=True)
class Language:
    """What is to be done with a copy of its template: commands, in which {} is the folder."""

    about: str
    prepare: str
    logic: str


LANGUAGES: Final[Mapping[str, Language]] = {
    "go": Language(
        "a timer that uses time.AfterFunc, unchanged, by testing/synctest (Go 1.25 or newer)",
        "(cd {} && go test -c -o timer .)",
        "{}/timer -test.run=^TestSimkit$",
    ),
    "python": Language(
        "a timer that uses threading.Timer, in a process of its own; or a class in simkit's",
        "",
        "python3 {}/process.py",
    ),
    "node": Language(
        "a SIP endpoint that uses setTimeout, by @sinonjs/fake-timers",
        "(cd {} && npm install)",
        "node {}/simkit.js",
    ),
}


def copy_template(language: str, folder: str) -> None:
    """Copy a template into a folder that is new or empty. Raises SetupError where that cannot be done."""
    template = os.path.join(TEMPLATES, language)
    try:
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            raise SetupError(f"{folder} is not empty: name another folder")
        for entry in os.scandir(template):
            if entry.is_file():
                shutil.copyfile(entry.path, os.path.join(folder, entry.name))
    except OSError as error:
        raise SetupError(f"cannot write {folder}: {error.strerror}") from None
