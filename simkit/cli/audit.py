"""`simkit audit`: judge captures by the rules."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from ..captures.logs import read_log
from ..errors import CaptureError, NothingToRunError
from ..processes.interruptions import undisturbed
from ..reports.audit import (
    BROKEN_MAX,
    TOLD_MAX,
    CaptureAudit,
    audit_blocks,
    audit_table,
    audit_verdict,
    is_broken,
    log_text,
)
from ..rulebook import Severity
from . import options
from .main import EXIT_INTERRUPTED
from .options import Reported
from .outputs import STANDARD_OUTPUT, Output
from .progress import ReadingProgress
from .spool import Section, Spool
from .terminal import say, style

if TYPE_CHECKING:
    from ..captures.reader import CaptureReader

EXIT_BROKEN: Final = 1
NEW_OBJECTS: Final = 1_000_000
"""New objects between two looks for cycles: judging leaves none, but a capture may hold what nobody has tried."""
SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("--speed", type=click.IntRange(1), default=1, metavar="N", help="The captures were taken in N-fold time.")
@click.option("--strict", is_flag=True, help="Warnings count too, not only errors.")
@click.option("--log", metavar="FILE", help="What somebody logged meanwhile: told beside what it is about.")
@click.option("--json", metavar="FILE", help="Write one JSON object a line for each capture.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option("-q", "--quiet", is_flag=True, help="Say only the table or the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Tell every call in full.")
@options.colour
def command(paths: tuple[str, ...], speed: int, strict: bool, log: str | None, **given: Any) -> int:
    """Judge the calls of captures by RFC 4028 and what decides a call's fate: files, folders, or - for standard input.

    An error is a broken MUST, a warning a broken SHOULD, a note a custom that the field knows. Exit code 1 where there
    is an error (with --strict, a warning); 2 where a capture cannot be read; 5 where there is no call in any.
    """
    options, captures, audited = Reported(**given), [*_captures(paths)], list[CaptureAudit]()
    options.check_files(captures, "the capture")
    interrupted = False
    with ExitStack() as stack:
        outputs = {name: stack.enter_context(Output(path)) for name, path in options.files().items() if path}
        spool = stack.enter_context(Spool()) if options.verbose or options.json is not None else None
        try:
            for path in captures:
                audited.append(capture := _audit(path, speed, spool))
                if log is not None:
                    _read_log(log, capture)
                _say(capture, options, is_first=len(audited) == 1)
                if capture.interrupted:
                    break
        except KeyboardInterrupt:
            interrupted = True
        _write(audited, outputs)
    _say_all(audited, options)
    if interrupted:
        raise KeyboardInterrupt
    return _exit_code(audited, strict=strict)


def _read_log(path: str, capture: CaptureAudit) -> None:
    """Put a log beside a capture; say if there is nothing to be found in it. Raises CaptureError."""
    capture.log = read_log(path, taken_at_us=capture.began_at_us)
    if text := log_text(capture):
        say(text, err=True)


def _say(capture: CaptureAudit, options: Reported, *, is_first: bool) -> None:
    if capture.unreadable is not None:
        say(capture.unreadable, err=True)
    elif not options.quiet and not options.is_silent:
        for block in audit_blocks(capture, style(options.colour), verbose=options.verbose):
            say(block if is_first else f"\n{block}")
            is_first = False


def _say_all(audited: list[CaptureAudit], options: Reported) -> None:
    looks = style(options.colour)
    if len(audited) > 1 and not options.is_silent:
        say(("" if options.quiet else "\n") + audit_table(audited, looks))
    elif options.quiet and not options.is_silent and audited and audited[0].unreadable is None:
        say(audit_verdict(audited[0], looks))


def _exit_code(audited: list[CaptureAudit], *, strict: bool) -> int:
    if audited[-1].interrupted:
        return EXIT_INTERRUPTED
    if any(capture.unreadable is not None for capture in audited):
        return CaptureError.exit_code
    if not any(capture.call_count for capture in audited):
        only = "standard input" if audited[0].path == STANDARD_OUTPUT else audited[0].path
        raise NothingToRunError(f"no SIP message is in {'any of them' if len(audited) > 1 else only}")
    severities = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return EXIT_BROKEN if any(capture.counts[one] for capture in audited for one in severities) else 0


def _write(audited: list[CaptureAudit], outputs: Mapping[str, Output]) -> None:
    """Write what was found; an interruption has to wait until a file is whole."""
    from ..reports.audit_json import audit_json, audit_junit

    for name, output in outputs.items():
        with nullcontext() if output.path == STANDARD_OUTPUT else undisturbed(), output.writing() as stream:
            if name == "--json":
                for capture in audited:
                    stream.writelines(piece.encode() for piece in audit_json(capture))
                    stream.write(b"\n")
            else:
                stream.write(audit_junit(audited).encode())


def _captures(paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the captures that are meant: files as named, folders searched. Raises NothingToRunError."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path)
            for name in names
            if name.endswith(SUFFIXES) and not name.startswith(".")
        )
        if not found:
            raise NothingToRunError(f"{path}: no capture here: a file that ends in .pcap or .pcapng")
        yield from found


def _audit(path: str, speed: int, spool: Spool | None) -> CaptureAudit:
    """Read a capture and judge its calls as they end, so that memory does not grow with the file.

    The spool, if there is one, is to keep them all.
    """
    from ..captures.reader import read_capture
    from ..runs.garbage import collecting_rarely

    capture, progress = CaptureAudit(path, speed=speed), ReadingProgress(path)
    try:
        with read_capture(path, progress=progress.read) as reader, collecting_rarely(NEW_OBJECTS):
            try:
                _judge(capture, reader, progress, None if spool is None else spool.section())
            except KeyboardInterrupt:
                capture.interrupted = True
            finally:
                progress.clear()
            capture.packets, capture.skipped, capture.truncated = reader.packets, reader.skipped, reader.truncated
            capture.began_at_us, capture.lasted_us = reader.began_at_us or 0, reader.last_at
            capture.malformed = [f"frame {each.frame}: {each.reason}" for each in reader.malformed[:TOLD_MAX]]
    except CaptureError as error:
        capture.unreadable = str(error)
    return capture


def _judge(capture: CaptureAudit, reader: "CaptureReader", progress: ReadingProgress, section: Section | None) -> None:
    """Judge each call; of many, those are held that are told of, unless all are wanted."""
    from ..audit.auditor import audit_call
    from ..captures.calls import captured_calls

    held_max = TOLD_MAX + BROKEN_MAX
    capture.all_calls = section or ()
    for call in captured_calls(reader, begun=progress.begun):
        found = audit_call(call.trace, speed=capture.speed, ended_at=call.watched_until)
        if section is not None:
            section.add(found)
        capture.call_count += 1
        capture.sip_messages += len(call.trace.records)  # a capture has nothing else
        capture.counts.update(finding.severity for finding in found.findings)
        if capture.call_count <= TOLD_MAX or (is_broken(found) and len(capture.calls) < held_max):
            capture.calls.append(found)
        progress.judged(capture.call_count)
