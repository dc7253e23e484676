"""`simkit audit`: judge captures by the rules."""

import os
from collections.abc import Iterator
from typing import Any, Final

import click

from ..errors import CaptureError, NothingToRunError
from ..reports.audit import BROKEN_MAX, TOLD_MAX, CaptureAudit, audit_table, audit_text, audit_verdict, is_broken
from ..rulebook import Severity
from .outputs import STANDARD_OUTPUT, Output
from .terminal import say, style

EXIT_BROKEN: Final = 1
SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("--speed", type=click.IntRange(1), default=1, metavar="N", help="The captures were taken in N-fold time.")
@click.option("--strict", is_flag=True, help="Warnings count too, not only errors.")
@click.option("--json", metavar="FILE", help="Write one JSON object a line for each capture.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option("-q", "--quiet", is_flag=True, help="Say only the table or the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Tell every call in full.")
@click.option("--color/--no-color", "colour", default=None, help="Colours, whatever the terminal.")
def command(paths: tuple[str, ...], speed: int, strict: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Judge the calls of captures by RFC 4028 and what decides a call's fate: files, folders, or - for standard input.

    An error is a broken MUST, a warning a broken SHOULD, a note a custom that the field knows. Exit code 1 where there
    is an error (with --strict, a warning); 2 where a capture cannot be read.
    """
    keeps_all = verbose or given["json"] is not None  # else memory does not grow with the calls
    looks, silent = style(given["colour"]), STANDARD_OUTPUT in (given["json"], given["junit"])
    audited = []
    for path in _captures(paths):
        capture = _audit(path, speed, keeps_all=keeps_all)
        audited.append(capture)
        if capture.unreadable is not None:
            say(capture.unreadable, err=True)
        elif not quiet and not silent:
            say(("\n" if len(audited) > 1 else "") + audit_text(capture, looks, verbose=verbose))
    if len(audited) > 1 and not silent:
        say(("" if quiet else "\n") + audit_table(audited, looks))
    elif quiet and not silent and audited[0].unreadable is None:
        say(audit_verdict(audited[0], looks))
    _write(audited, given)
    return _exit_code(audited, strict=strict)


def _exit_code(audited: list[CaptureAudit], *, strict: bool) -> int:
    if any(capture.unreadable is not None for capture in audited):
        return CaptureError.exit_code
    severities = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return EXIT_BROKEN if any(capture.counts[one] for capture in audited for one in severities) else 0


def _write(audited: list[CaptureAudit], given: dict[str, Any]) -> None:
    import json

    from ..reports.audit_json import audit_junit, audit_object

    if given["json"]:
        with Output(given["json"]) as output:
            output.write("".join(json.dumps(audit_object(capture)) + "\n" for capture in audited))
    if given["junit"]:
        with Output(given["junit"]) as output:
            output.write(audit_junit(audited))


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


def _audit(path: str, speed: int, *, keeps_all: bool) -> CaptureAudit:
    """Read a capture and judge its calls as they end, so that memory does not grow with the file."""
    from ..audit.auditor import audit_call
    from ..captures.calls import captured_calls
    from ..captures.reader import read_capture
    from ..runs.crowd import collecting_rarely

    capture, kept_max = CaptureAudit(path), TOLD_MAX + BROKEN_MAX
    try:
        with read_capture(path) as reader, collecting_rarely():
            for call in captured_calls(reader):
                found = audit_call(call.trace, speed=speed, ended_at=call.watched_until)
                capture.call_count += 1
                capture.sip_messages += sum(1 for _ in call.trace.messages())
                capture.counts.update(finding.severity for finding in found.findings)
                if keeps_all or capture.call_count <= TOLD_MAX or (is_broken(found) and len(capture.calls) < kept_max):
                    capture.calls.append(found)
    except CaptureError as error:
        capture.unreadable = str(error)
        return capture
    capture.packets, capture.skipped, capture.truncated = reader.packets, reader.skipped, reader.truncated
    capture.malformed = [f"frame {each.frame}: {each.reason}" for each in reader.malformed[:TOLD_MAX]]
    return capture
