"""`simkit replay`: play flows over the loopback as real packets, and hold what was seen against their recordings."""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from heapq import merge
from typing import Any, Final

import click
from click.core import ParameterSource

from ..captures.comparison import Comparison, Kind
from ..errors import ForeignError, SimkitError
from ..flows.systems import with_stand_ins
from ..rebuild.deviations import Settled
from ..reports.deviation import choices_text
from ..reports.flow_lines import Origin, Side
from ..reports.style import Style
from ..runs.play import LOCAL_HOST, TOLERANCE_US
from ..runs.playable import check_replayable
from ..runs.run import Address, Run
from ..sip.uri import host_port
from .main import EXIT_FAILED, EXIT_INTERRUPTED
from .options import Values, ignore, of_flows, of_reports
from .outputs import Output
from .places import HostAndPort
from .plans import plan_text
from .playing import Done, play_each
from .plays import Chosen, Play
from .recordings import is_capture
from .replay_options import AUTO, Options, Speed, ports
from .replayed import chosen_captures
from .running import check_all
from .selection import Selection
from .systems import Target, of_systems
from .terminal import say, style
from .times import DURATION
from .words import Manner, Words

_NOT_FOR_MESSAGES: Final = frozenset(
    "seed values case tags calls logics timers flow update sut start ready warp log".split()
)
"""What is said of flows, and not of recorded messages."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FLOW or CAPTURE...")
@click.option("--speed", type=Speed(), default=AUTO, metavar="N", help="Clocks run N-fold; auto: idle time is skipped.")
@click.option(
    "--tolerance", type=DURATION, default=TOLERANCE_US, metavar="TIME", help="How late the machine may be (100ms)."
)
@click.option("--host", metavar="ADDRESS", help="Which address of this machine: 127.0.0.1, or what reaches the target.")
@click.option("--port", "ports", multiple=True, metavar="ACTOR=PORT", callback=ports, help="Give an actor this port.")
@of_flows
@click.option("--flow", metavar="FLOW", help="The flow that a capture is a recording of, where it does not say.")
@click.option("--rebuild", is_flag=True, help="Rebuild the calls of captures, whatever flow they are of.")
@click.option(
    "--recorded-speed", type=click.IntRange(1), default=1, metavar="N", help="The capture was taken in N-fold time."
)
@click.option("--target", type=HostAndPort(), metavar="HOST:PORT", help="Play one side against this real system.")
@click.option("--as", "side", type=click.Choice(("uac", "uas")), help="Which side we play against it (uac).")
@of_systems
@click.option("--allow-host", is_flag=True, help="Let packets leave the loopback, not too fast.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--verbatim", is_flag=True, help="Send the messages of captures as they are.")
@ignore
@click.option("--update", is_flag=True, help="Make what is seen the new recording, where everything held.")
@click.option("--save", metavar="FILE", help="Keep what was seen on the wire of one flow or capture.")
@of_reports
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: Values,
    values: dict[str, str],
    case: str | None,
    text: str | None,
    tags: Values,
    logics: dict[str, str],
    flow: str | None,
    rebuild: bool,
    verbatim: bool,
    target: Address | None,
    side: str | None,
    sut: str | None,
    start: tuple[str, ...],
    ready: str | None,
    warp: int | None,
    log: str | None,
    **given: Any,
) -> int:
    """Play flows over the loopback, and compare with their recordings: files, folders, or - for standard input.

    Messages go between sockets of this machine (UDP, TCP or TLS), and are judged as in virtual time, give or take the
    tolerance. The recording of flows/NAME.yaml is captures/NAME.pcap; either may be named. Of a capture that is no
    flow's, each call is rebuilt as a flow, and played with our timer logic: that shows where the recorded stacks did
    something else. FILE may be - for standard output, which then holds nothing else.

    Exit code: 0 all held, 1 something did not, 2 wrong usage or a file that
    cannot be loaded, 3 the surroundings (a port is taken), 5 nothing to run.
    """
    options = Options(**given)
    if verbatim or (target and any(map(is_capture, paths))):
        _refuse(context, _NOT_FOR_MESSAGES, "with --verbatim" if verbatim else "where captures meet a --target")
        captures = chosen_captures(paths, text)
        if target is None:
            return _verbatim(captures, options)
        _refuse(context, {"verbatim"}, "with --target")
        return _against(captures, options, target, side or "uac")
    selection = Selection(paths, values, case, text, tags)
    chosen = Chosen(
        selection,
        logics,
        flow,
        rebuild,
        recorded_speed=options.recorded_speed,
        seed=options.seed,
        compares=not options.update,
    )
    plays = chosen.plays()
    tested = Target(target, side, sut, start, ready, warp, log)
    tested.check([play.flow for play in plays])
    if target and options.update:
        raise click.UsageError("--update keeps what simkit plays by itself; --save keeps what a --target said")
    plays = [replace(play, flow=tested.replaces(play.flow)) for play in plays]
    options.check(plays)
    check_all([play.flow for play in plays], check_replayable)
    return _plan(plays, options) if options.dry_run else _replay(plays, options)


def _refuse(context: click.Context, names: Collection[str], way: str) -> None:
    """Raise UsageError for options that have no meaning in a way of replay."""
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is not ParameterSource.DEFAULT
        if option.name in names and given:
            raise click.UsageError(f"{option.opts[-1]} has no meaning {way}")


def _verbatim(captures: Sequence[str], options: Options) -> int:
    from .verbatim import Terms as VerbatimTerms
    from .verbatim import replay_verbatim

    options.check_ports(())
    terms = VerbatimTerms(
        speed=options.speed,
        recorded_speed=options.recorded_speed,
        tolerance_us=options.tolerance,
        host=options.host or LOCAL_HOST,
        allow_host=options.allow_host,
        dry_run=options.dry_run,
        ignore=options.ignore,
    )
    return replay_verbatim(captures, terms, options, save=options.save, stop=options.stop)


def _against(captures: Sequence[str], options: Options, target: Address, side: str) -> int:
    """Play one side; time runs as it does for the target, unless a speed is given."""
    from .target import Terms as TargetTerms
    from .target import replay_against

    options.check_ports((side,))
    terms = TargetTerms(
        target=target,
        side=side,
        speed=options.speed or 1,
        recorded_speed=options.recorded_speed,
        tolerance_us=options.tolerance,
        host=options.host,
        port=options.ports.get(side, 0),
        allow_host=options.allow_host,
        dry_run=options.dry_run,
        ignore=options.ignore,
    )
    return replay_against(captures, terms, options, save=options.save, stop=options.stop)


def _plan(plays: Sequence[Play], options: Options) -> int:
    """Say what would be sent, as virtual time has it."""
    from ..runs.simulate import simulate

    host = options.host or LOCAL_HOST
    for each in plays:
        run = simulate(with_stand_ins(each.flow), seed=options.seed, calls=options.calls, keep_all=True)
        others = {actor.name for actor in each.flow.systems}
        messages = merge(*(trace.messages() for trace in run.traces.values()), key=lambda transit: transit.sent_at)
        sent = [transit for transit in messages if transit.sender not in others]
        places = ", ".join(f"to {host_port(actor.at)}" for actor in each.flow.systems if actor.at) or f"on {host}"
        say(plan_text(f"{each.flow.title}: {places} would go", sent))
    return 0


def _replay(plays: Sequence[Play], options: Options) -> int:
    from ..reports.wire import wire_line

    writers = ((_write_capture, options.save), (_write_json, options.json), (_write_junit, options.junit))
    look = style(options.colour)
    words = Words(len(plays), options.manner, look, timers=options.timers)
    done: list[Done] = []
    with ExitStack() as stack:
        outputs = [(write, stack.enter_context(Output(path))) for write, path in writers if path]
        ended_by = _collect(plays, options, words, done)
        for write, output in outputs:
            write(output, done)
    runs = [each.run for each in done]
    words.end(runs)
    if runs and options.manner in (Manner.PLAIN, Manner.VERBOSE):
        say(wire_line(runs, look, saved=options.save))
    if isinstance(ended_by, KeyboardInterrupt) or any(run.interrupted for run in runs):
        return EXIT_INTERRUPTED
    if ended_by is not None:
        raise ended_by
    if any(run.broken for run in runs):
        return ForeignError.exit_code
    return 0 if all(run.passed for run in runs) else EXIT_FAILED


def _collect(plays: Sequence[Play], options: Options, words: Words, done: list[Done]) -> BaseException | None:
    """Play all, and say what came of each; return what ended them before the last."""
    interrupted = False
    with closing(play_each(plays, options.terms, words)) as coming:
        try:
            for each in coming:
                comparison = each.play.compare(each.run, ignore=options.ignore)
                done.append(each)
                _say(each, comparison, options, words, len(done), of=len(plays))
                interrupted = interrupted or each.run.interrupted
                if options.stop and not each.run.passed:
                    break
        except (KeyboardInterrupt, SimkitError) as error:
            return error
    return KeyboardInterrupt() if interrupted else None


def _say(each: Done, comparison: Comparison | None, options: Options, words: Words, number: int, *, of: int) -> None:
    from ..reports.systems import systems_text

    look, run = style(options.colour), each.run
    audits = each.audits if run.flow.systems else None
    more = "" if audits is None else systems_text(run, audits, look, verbose=options.verbose)
    words.add(run, number, more=more)
    if comparison is not None:
        _tell(each.play, comparison, options, look)
    if each.play.rebuilt is not None and (options.verbose or (of == 1 and options.manner is Manner.PLAIN)):
        _tell_recorded(each.play.rebuilt, run, options, look)
    if options.update:
        _update(each.play, run, options)


def _tell(play: Play, comparison: Comparison, options: Options, look: Style) -> None:
    """Say in what a run differs from its recording; where it does not, only if everything is to be said."""
    from ..reports.comparison import comparison_text

    if play.flow.systems and options.manner is Manner.PLAIN and not comparison.equal:
        counts = comparison.counts()
        what = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
        say(f"\nbeside {play.path}: {what} (-v tells them; they decide nothing)")
    elif options.manner is Manner.VERBOSE or (options.manner is not Manner.SILENT and not comparison.equal):
        names, origin = (play.path or "", "what was seen now"), Origin(play.flow, Side.B)
        text = comparison_text(comparison, look, names=names, origin=origin, verbose=options.verbose)
        say(f"\n{text}\n")


def _tell_recorded(rebuilt: Settled, run: Run, options: Options, look: Style) -> None:
    """Say what is remarkable in a recorded call."""
    from ..reports.audit import call_text

    if choices := choices_text(rebuilt, look):
        say(f"\n{choices}")
    if options.verbose or not run.passed:
        say(f"\nThe recorded call, by the rules:\n\n{call_text(rebuilt.rebuilt.audit, look)}")
    say("")


def _update(play: Play, run: Run, options: Options) -> None:
    """Make what was seen the flow's recording, where everything held."""
    if not play.path or not run.passed:
        return
    os.makedirs(os.path.dirname(play.path), exist_ok=True)
    with Output(play.path) as output:
        _write_capture(output, [Done(play, run, None)])
    if options.manner in (Manner.PLAIN, Manner.VERBOSE):
        say(f"recorded: {play.path}", err=True)


def _write_capture(output: Output, done: Sequence[Done]) -> None:
    from ..captures.writer import write_pcap

    recordings = [each.run.wire.recording for each in done if each.run.wire]
    addresses = {name: address for each in done for name, address in each.run.addresses.items()}
    with output.writing() as stream:
        write_pcap(stream, recordings, addresses)


def _write_json(output: Output, done: Sequence[Done]) -> None:
    from ..reports.json_report import json_line

    output.write("".join(json_line(each.run, more=_more(each)) for each in done))


def _more(done: Done) -> Mapping[str, object]:
    """Return what JSON says of a run with a real system, or of a call that was rebuilt."""
    from ..reports.systems import systems_object

    return (
        systems_object(done.run, done.audits) if done.audits is not None and done.run.flow.systems else done.play.more()
    )


def _write_junit(output: Output, done: Sequence[Done]) -> None:
    from ..reports.junit import junit

    output.write(junit(each.run for each in done))
