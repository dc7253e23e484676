"""`simkit import`: make a flow of SIPp scenarios, or of a recorded call."""

import os
import sys
from collections.abc import Sequence

import click

from ..errors import Fault, FlowError, Source
from ..reports.counts import counted
from ..sip.transport import Transport
from ..sipp.data_file import DataFile, read_data_file
from ..sipp.importing import PEERS, Imported, Terms, import_scenarios
from ..sipp.ladder import Note, Remark
from .outputs import STANDARD_OUTPUT, write_new
from .recordings import is_capture
from .terminal import say

MAX_BYTES = 1 << 21


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", metavar="FLOW", help="The file to write: by default as the scenario; - prints it.")
@click.option("--force", is_flag=True, help="Write over what is there already.")
@click.option("--service", default="service", metavar="NAME", help="What stands for [service], as SIPp's -s (service).")
@click.option(
    "--transport", type=click.Choice(("udp", "tcp")), default="udp", help="What carries it: SIPp's -t u1 or t1 (udp)."
)
@click.option("--inf", metavar="FILE", help="The data file with [field0] and so on: a case for each of its lines.")
@click.option(
    "--peer", type=click.Choice(PEERS), default=PEERS[0], help="Whom one scenario talks to: ours, scripted (ours)."
)
@click.option("--call", metavar="N or CALL-ID", help="Which call of a capture.")
@click.option("--all", "every", is_flag=True, help="Every call of a capture, into the folder that -o names.")
@click.option("--anonymise", is_flag=True, help="Tell calls of a capture without names and addresses.")
@click.option("--speed", type=click.IntRange(1), default=1, metavar="N", help="The capture was taken in N-fold time.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
def command(
    files: tuple[str, ...],
    output: str | None,
    force: bool,
    service: str,
    transport: str,
    inf: str | None,
    peer: str,
    call: str | None,
    every: bool,
    anonymise: bool,
    speed: int,
    quiet: bool,
) -> int:
    """Make a flow of a SIPp scenario (XML), of two that talk to each other, or of a call in a capture.

    What SIPp does becomes a scripted party; whom it talks to is a party of ours. What cannot be carried over is listed
    with its place, and stands beside its step in the flow, as do the usual mistakes of tests for session timers.

    Of a recorded call both parties are ours, with the session timers that they showed; times count from the messages
    that they follow from. A party that did something else than our timer logic is scripted.

    Exit code: 0 a flow was written, 2 wrong usage or a file that is neither, 3 the flow cannot be written.
    """
    if any(map(is_capture, files)):
        if len(files) > 1 or inf:
            raise click.UsageError("a capture is imported alone: its calls are chosen by --call or --all")
        from .recorded_calls import Terms as CallTerms
        from .recorded_calls import import_calls

        return import_calls(files[0], CallTerms(call, every, anonymise, speed, output, force, quiet))
    if call or every or anonymise:
        raise click.UsageError("--call, --all and --anonymise are about captures (.pcap, .pcapng), and this is none")
    if len(files) > 2:
        raise click.UsageError(f"{len(files)} scenarios: one makes a flow, or two that talk to each other")
    contents = [(path, _read(path)) for path in files]
    data = read_data_file(_read(inf), inf) if inf else None
    imported = import_scenarios(contents, Terms(service, Transport(transport), data, peer))
    path = output or f"{imported.name}.yaml"
    write_new(path, imported.text, force=force)
    _tell(imported, data, inf, quiet=quiet or path == STANDARD_OUTPUT)
    if path != STANDARD_OUTPUT and not quiet:
        say(f"wrote {path}: {_summary(imported)}; now: simkit simulate {path}")
    return 0


def _read(path: str) -> bytes:
    """Return the content of a file, "-" being standard input; a little more than is read of it at most."""
    try:
        if path == STANDARD_OUTPUT:
            return sys.stdin.buffer.read(MAX_BYTES)
        with open(path, "rb") as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise FlowError([Fault(Source(path, 1), f"cannot be read: {reason}")]) from None


def _tell(imported: Imported, data: DataFile | None, inf: str | None, *, quiet: bool) -> None:
    """Say what is to be known about the scenario, with its places."""
    for note in imported.notes:
        if note.remark is not Remark.LEFT_OUT:
            say(str(note.fault()), err=True)
    if data is not None and data.left_out:
        say(f"{inf}: {data.left_out} more lines are left out: a flow has {len(data.rows)} cases at most", err=True)
    left_out = [note for note in imported.notes if note.remark is Remark.LEFT_OUT]
    if left_out and not quiet:
        say(f"left out, for it changes no message: {_places(left_out)}", err=True)


def _places(notes: Sequence[Note]) -> str:
    return ", ".join(f"{note.message} (line {note.source.line})" for note in notes)


def _summary(imported: Imported) -> str:
    counts = {remark: sum(note.remark is remark for note in imported.notes) for remark in Remark}
    told = [counted(imported.messages, "message")]
    if counts[Remark.NOT_CARRIED_OVER]:
        told.append(f"{counted(counts[Remark.NOT_CARRIED_OVER], 'thing')} not carried over")
    if counts[Remark.MISTAKE]:
        told.append(counted(counts[Remark.MISTAKE], "mistake"))
    return ", ".join(told)
