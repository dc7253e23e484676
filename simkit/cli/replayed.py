"""Recorded calls that were played again: told call by call, and written down where asked, as far as all has come."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import click

from ..errors import NothingToRunError, SimkitError
from ..reports.replayed import ReplayedCall, call_line, differences_text, totals_line
from ..runs.run import Address
from ..runs.verdict import Verdict
from ..trace import Trace
from .main import EXIT_FAILED, EXIT_INTERRUPTED
from .options import Reported
from .outputs import Output
from .recordings import find_captures
from .terminal import say, style
from .words import Manner

TOLD_MAX: Final = 20
"""Of so many calls each is told; of more, only those that differ."""
SHOWN_MAX: Final = 3
"""Of so many calls that differ it is shown in what, unless everything is to be said."""


@dataclass(frozen=True, slots=True)
class PlayedCapture:
    """What came of one capture."""

    calls: Sequence[ReplayedCall]
    seen: Sequence[Trace]
    """What `--save` keeps."""
    addresses: Mapping[str, Address]
    """Where each party was."""


@dataclass(slots=True)
class Replay:
    """Plays captures one after the other, and says and writes what came of them."""

    paths: Sequence[str]
    options: Reported
    save: str | None
    stop: bool
    play: Callable[[str], PlayedCapture]
    _played: list[PlayedCapture] = field(default_factory=list)
    _shown: int = 0

    def run(self) -> int:
        """Return the exit code. Raises SimkitError for what goes wrong in between, when all before it is written."""
        self.options.check_files(self.paths, "the capture")
        if self.save and len(self.paths) > 1:
            raise click.UsageError(f"--save keeps the messages of one capture, not of {len(self.paths)}")
        with ExitStack() as stack:
            outputs = {name: stack.enter_context(Output(path)) for name, path in self.options.files().items() if path}
            error = self._play_all()
            self._write(outputs)
        calls = [call for played in self._played for call in played.calls]
        if len(calls) > 1 and self.options.manner is not Manner.SILENT:
            say(totals_line(calls, style(self.options.colour)))
        if isinstance(error, KeyboardInterrupt) or any(call.interrupted for call in calls):
            return EXIT_INTERRUPTED
        if error is not None:
            raise error
        return 0 if all(call.verdict is Verdict.PASS for call in calls) else EXIT_FAILED

    def _play_all(self) -> BaseException | None:
        """Play until something ends it, and return what."""
        try:
            for path in self.paths:
                played = self.play(path)
                self._played.append(played)
                self._tell(played.calls)
                failed = any(call.verdict is not Verdict.PASS for call in played.calls)
                if any(call.interrupted for call in played.calls) or (failed and self.stop):
                    break
        except (KeyboardInterrupt, SimkitError) as error:
            return error
        return None

    def _tell(self, calls: Sequence[ReplayedCall]) -> None:
        manner, look = self.options.manner, style(self.options.colour)
        if manner is Manner.SILENT:
            return
        for call in calls:
            failed = call.verdict is not Verdict.PASS
            if manner is Manner.VERBOSE or (call.verdict is Verdict.FAIL and self._shown < SHOWN_MAX):
                self._shown += 1
                say(differences_text(call, look, verbose=manner is Manner.VERBOSE) + "\n")
            is_one = len(self.paths) == len(calls) == 1
            if failed or manner is Manner.VERBOSE or is_one or (manner is Manner.PLAIN and len(calls) <= TOLD_MAX):
                say(call_line(call, look))

    def _write(self, outputs: Mapping[str, Output]) -> None:
        from ..captures.writer import write_pcap
        from ..reports.replayed_formats import replayed_junit, replayed_lines

        calls = [call for played in self._played for call in played.calls]
        for name, output in outputs.items():
            if name == "--json":
                output.write(replayed_lines(calls))
            elif name == "--junit":
                output.write(replayed_junit(calls))
            elif self._played:
                with output.writing() as stream:
                    write_pcap(stream, self._played[0].seen, self._played[0].addresses)


def chosen_captures(paths: Sequence[str], text: str | None) -> list[str]:
    """Return the captures that the paths mean and `-k` chooses. Raises CaptureError, NothingToRunError."""
    found = [path for folder in paths for path in find_captures(folder)]
    chosen = [path for path in found if text is None or text.lower() in path.lower()]
    if not chosen:
        raise NothingToRunError(f"no capture has -k {text}" if found else f"{', '.join(paths)}: no capture here")
    return chosen
