"""A real stack that we know how to start: its configuration, which is in `peers/`, made to fit, and its command.

In the files of `peers/NAME/` and in commands `@{word}` stands for what differs from start to start: `PLACEHOLDERS`.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from ..errors import SetupError
from ..processes.last_lines import last_lines
from ..processes.short import run_to_end
from ..settings import SessionTimerSettings
from .order import Address, Ready, StartOrder

PEERS: Final = Path(__file__).parent / "peers"
PLACEHOLDERS: Final = "folder prefix host port expires min_se half_ms bye_ms open refresh supported".split()

BUILD_S: Final = 60.0
ASK_S: Final = 10.0
BYE_LEAD_MAX_S: Final = 32  # RFC 4028 section 10: the smaller of 32 s and a third of the interval

_PLACEHOLDER: Final = re.compile(r"@\{(\w+)\}")
_VERSION: Final = re.compile(r"(?<![\d.])\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Peer:
    """A stack, where it is installed."""

    name: str
    """What it is called here; its files are in the folder of this name."""
    title: str
    command: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    """Commands that succeed where it is installed."""
    version: tuple[str, ...]
    """A command that names its version."""
    package: str
    """What Debian calls it; "" where it does not ship it."""
    ready: Ready = Ready.OPTIONS
    is_proxy: bool = False
    one_call: bool = False
    """It puts its calls on hold when another comes: each needs a process of its own."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    """Folders that it wants to be there."""
    build: tuple[str, ...] = ()
    """A command that makes the program, in its folder."""
    in_warp: str = ""
    """What is to be known of it in N-fold time."""

    @property
    def is_installed(self) -> bool:
        """Whether it can be started here."""
        return all(_succeeds(command) for command in self.needs)

    def installed_version(self) -> str:
        """Return "3.6.1"; "" where it does not say."""
        done = run_to_end(self.version, within_s=ASK_S)
        found = _VERSION.search(done.output) if done else None
        return found[0] if found else ""

    def prepared(self, folder: str, address: Address, timer: SessionTimerSettings, *, warp: int) -> StartOrder:
        """Write its files into a folder of its own, and return how to start it. Raises SetupError."""
        values = {**_values(folder, address, timer), "prefix": self._prefix()}
        try:
            for name in ("", *self.folders):
                os.makedirs(os.path.join(folder, name), exist_ok=True)
            for path in self.files():
                text = _filled_in(path.read_text("utf-8"), values)
                Path(folder, path.name).write_text(text, "utf-8")
        except OSError as error:
            raise SetupError(f"cannot write {folder}: {error.strerror}") from None
        self._build(folder)
        return StartOrder(
            tuple(_filled_in(word, values) for word in self.command),
            address,
            ready=self.ready,
            warp=warp,
            environment={name: _filled_in(value, values) for name, value in self.environment.items()},
            folder=folder,
        )

    def files(self) -> list[Path]:
        """Return its files, with their placeholders."""
        folder = PEERS / self.name
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _prefix(self) -> str:
        """Return where it is installed, such as /usr: its modules are in there."""
        program = shutil.which(self.command[0])
        return os.path.dirname(os.path.dirname(os.path.realpath(program))) if program else ""

    def _build(self, folder: str) -> None:
        if not self.build:
            return
        done = run_to_end(self.build, within_s=BUILD_S, folder=folder)
        if done is None:
            raise SetupError(f"{self.title}'s callee cannot be built in {folder}: it cannot be run, or takes too long")
        if done.status != 0:
            said = last_lines(done.output.splitlines())
            raise SetupError("\n    ".join([f"{self.title}'s callee cannot be built in {folder}", *said]))


@cache
def _succeeds(command: tuple[str, ...]) -> bool:
    if len(command) == 1:
        return shutil.which(command[0]) is not None
    done = run_to_end(command, within_s=ASK_S)
    return done is not None and done.status == 0


def _values(folder: str, address: Address, timer: SessionTimerSettings) -> dict[str, str]:
    host, port = address
    expires = timer.default_expires_s
    lead = min(BYE_LEAD_MAX_S, expires // 3)
    return {
        "folder": os.path.abspath(folder),
        "host": host,
        "port": str(port),
        "expires": str(expires),
        "min_se": str(timer.min_se_s),
        "half_ms": str(expires * 500),
        "bye_ms": str((expires - lead) * 1000),
        "open": timer.prefer_refresher or "uac",
        "refresh": "by_update" if timer.use_update else "by_invite",
        "supported": "timed" if timer.enabled else "untimed",
    }


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
