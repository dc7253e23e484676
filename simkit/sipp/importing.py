"""SIPp scenarios made into a flow: one against a party of ours, or two against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import Fault, FlowError
from ..flows.model import LIMIT_US
from ..flows.schema import MAX_LIMIT_US
from ..sip.transport import Transport
from ..units import HOUR
from .bodies import write_bodies
from .data_file import DataFile
from .filling import Names
from .flow_yaml import Heading, declared, declared_scripted, flow_name, flow_text
from .ladder import Ladder, Note, Remark, Shape
from .meeting import Meeting
from .mistakes import find_mistakes
from .partner import Partner, Partnering
from .player import Player, player
from .quotes import Quotes
from .reading import read_scenario
from .scenario import Scenario, Send
from .telling import Telling

CALLER, CALLEE = "alice", "bob"
_SPARE_US = 1 * HOUR
OURS, SCRIPTED = PEERS = ("ours", "scripted")
"""Whom a scenario may talk to that comes alone."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What SIPp would have been told on its command line, and who the peer is to be."""

    service: str = "service"
    """Stands for [service]."""
    transport: Transport = Transport.UDP
    """What carries the messages: SIPp's -t u1 or t1."""
    data: DataFile | None = None
    """Stands for [field0] and so on."""
    peer: str = OURS
    """Whom a scenario talks to that comes alone."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A flow, and what is to be said about it."""

    text: str
    """YAML."""
    notes: tuple[Note, ...]
    """By their place: what is not carried over, what is a mistake, and what changes nothing."""
    messages: int
    """How many lines of the ladder are messages."""
    name: str


def import_scenarios(files: Sequence[tuple[str, bytes]], terms: Terms) -> Imported:
    """Make a flow of one scenario, or of two that talk to each other; `files` are paths and contents.

    Raises FlowError with the places where a file is no scenario, or where it has nothing that a flow can say.
    """
    scenarios = [read_scenario(data, path) for path, data in files]
    ladder, quotes = Ladder(), Quotes()
    fields = terms.data.fields if terms.data else ()
    names = _names(scenarios, terms, fields)
    players = [player(scenario, each, ladder, quotes) for scenario, each in zip(scenarios, names, strict=True)]
    if len(players) == 1:
        actors = _alone(players[0], ladder, terms)
    else:
        Meeting(ladder).play(players[0], players[1])
        actors = {each.name: _scripted(each) for each in players}
    if not ladder.next_number:
        nothing = Fault(scenarios[0].source, "no message of this scenario can be carried over")
        raise FlowError([nothing, *(note.fault() for note in ladder.notes)])
    for each in players:
        write_bodies(each)
        find_mistakes(each, ladder)
    for scenario in scenarios:
        for fault in scenario.oddities:
            ladder.note(Remark.MISTAKE, fault.source, fault.message, ladder.line_before(fault.source))
        for fault in scenario.harmless:
            ladder.notes.append(Note(Remark.LEFT_OUT, fault.source, fault.message))
    return _written(scenarios, actors, ladder, terms, lasts_us=max(each.lasts_us for each in players))


def _names(scenarios: Sequence[Scenario], terms: Terms, fields: tuple[str, ...]) -> list[Names]:
    """Return who is who: who sends first is the caller."""
    first_calls = _calls(scenarios[0]) or (len(scenarios) == 2 and not _calls(scenarios[1]))
    order = (CALLER, CALLEE) if first_calls else (CALLEE, CALLER)
    return [
        Names(own, peer, str(number), terms.service, terms.transport, fields)
        for number, (own, peer) in enumerate((order, order[::-1])[: len(scenarios)], start=1)
    ]


def _calls(scenario: Scenario) -> bool:
    """Whether a scenario sends before it receives anything."""
    first = next((step for step in scenario.steps if hasattr(step, "message") or hasattr(step, "optional")), None)
    return isinstance(first, Send)


def _alone(one: Player, ladder: Ladder, terms: Terms) -> dict[str, str]:
    Telling(ladder).tell(one)
    names = one.side.names
    if terms.peer == SCRIPTED:
        for line in ladder.lines():
            if line.sender == names.peer:
                line.shape = Shape()
        partner = Partner("scripted")
    else:
        partner = Partnering(ladder, one.story, own=names.own, name=names.peer).partner(one.account)
    actors = {names.own: _scripted(one), names.peer: declared(partner)}
    return {name: actors[name] for name in sorted(actors)}


def _scripted(one: Player) -> str:
    retransmits = any(isinstance(step, Send) and step.retrans_us for step in one.side.scenario.steps)
    return declared_scripted(one.account, retransmits=retransmits or one.repeats)


def _written(
    scenarios: Sequence[Scenario], actors: Mapping[str, str], ladder: Ladder, terms: Terms, *, lasts_us: int
) -> Imported:
    titles = [scenario.name for scenario in scenarios if scenario.name]
    about = " and ".join(f"'{title}'" for title in titles) or "a scenario without a name"
    heading = Heading(
        name=flow_name([scenario.path for scenario in scenarios]),
        about=f"What SIPp does in {about}.",
        sources=tuple(scenario.path for scenario in scenarios),
        transport=terms.transport,
        limit_us=None if lasts_us < LIMIT_US - _SPARE_US else min(lasts_us + LIMIT_US, MAX_LIMIT_US),
        actors=tuple(sorted(actors.items())),
        cases=terms.data.cases if terms.data else (),
    )
    notes = sorted(ladder.notes, key=lambda note: (note.source.path, note.source.line, note.source.column))
    return Imported(flow_text(heading, ladder), tuple(notes), ladder.next_number, heading.name)
