"""Elements to a `Scenario`, as SIPp 3.6 and 3.7 read them, or every fault of the file with its place."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final, TypedDict

from ..errors import Fault, FlowError, Source
from .actions import ACTIONS, read_actions
from .attributes import Values, names_in
from .scenario import Action, AnyStep, Branch, Condition, Foreign, Nop, Pause, Receive, Scenario, Send
from .xml import Element, Text, lines_of, read_xml

_STATISTICS: Final = (
    *("rtd", "start_rtd", "repeat_rtd", "counter"),
    *("crlf", "hide", "hiderest", "display", "ignoresdp"),
)
"""Attributes about SIPp's figures and its screen, and about media: they change no message."""
_TABLES: Final = ("CallLengthRepartition", "ResponseTimeRepartition")


def read_scenario(data: bytes, path: str) -> Scenario:
    """Read a scenario file. Raises FlowError with its faults."""
    document = read_xml(data, path)
    root = document.root
    if root.name != "scenario":
        wrong = f"<{root.name}> is no SIPp scenario: that begins with <scenario name=...>"
        raise FlowError([Fault(root.source, wrong)])
    reading = Reading(path)
    scenario = reading.scenario(root, document.oddities)
    if reading.faults:
        raise FlowError(reading.faults)
    return scenario


class _SharedParts(TypedDict):
    """What all steps have."""

    source: Source
    index: int
    branch: Branch | None
    condition: Condition | None
    actions: tuple[Action, ...]
    lost: float


class Reading:
    """One pass over the elements, collecting every fault on the way."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._values = Values()
        self.faults = self._values.faults
        self._oddities: list[Fault] = []
        self._harmless: dict[str, Fault] = {}
        self._steps: list[AnyStep] = []
        self._labels: dict[str, int] = {}
        self._beginning: list[Action] = []
        self._shared: set[str] = set()

    def scenario(self, root: Element, oddities: tuple[Fault, ...]) -> Scenario:
        """Return what the root element says."""
        for element in root.children:
            self._read(element)
        if not self._steps and not self.faults:
            self.faults.append(Fault(root.source, "the scenario has no <send>, <recv> or <pause>: nothing happens"))
        self._check_labels()
        return Scenario(
            self.path,
            root.value("name") or "",
            root.source,
            tuple(self._steps),
            self._labels,
            tuple(self._beginning),
            frozenset(self._shared),
            (*oddities, *self._oddities),
            tuple(self._harmless.values()),
        )

    def _read(self, element: Element) -> None:
        if element.name in _STEPS:
            self._note_statistics(element)
            self._steps.append(_STEPS[element.name](self, element))
        elif element.name == "label":
            self._label(element)
        elif element.name in ("Global", "User"):
            self._shared |= set(names_in(element.value("variables")))
        elif element.name == "init":
            for inner in element.children:
                self._beginning += read_actions(self._values, inner)
        elif element.name in _TABLES or element.name == "DefaultMessage":
            self._leave_out(element.name, element.source)
        elif element.name in ACTIONS:
            message = f"SIPp refuses <{element.name}> here: put it into an <action> of the step before"
            self._oddities.append(Fault(element.source, message))
        elif element.name != "Reference":
            near = get_close_matches(element.name, [*_STEPS, "label", "init", "Global"], n=1)
            hint = f" (did you mean <{near[0]}>?)" if near else ""
            self.faults.append(Fault(element.source, f"<{element.name}> is no part of a SIPp scenario{hint}"))

    def _label(self, element: Element) -> None:
        name = element.value("id")
        if name is None:
            self.faults.append(Fault(element.source, 'a label has a name: <label id="1"/>'))
        elif name in self._labels:
            self.faults.append(Fault(element.place("id"), f"label '{name}' stands in this scenario twice"))
        else:
            self._labels[name] = len(self._steps)

    def _check_labels(self) -> None:
        for step in self._steps:
            wanted = [step.branch.label] if step.branch else []
            if isinstance(step, Receive) and step.on_timeout is not None:
                wanted.append(step.on_timeout)
            for label in wanted:
                if label not in self._labels:
                    self.faults.append(Fault(step.source, f"there is no label '{label}' to go to"))

    def _note_statistics(self, element: Element) -> None:
        for name in _STATISTICS:
            if name in element.attributes:
                self._leave_out(name, element.place(name))

    def _leave_out(self, name: str, source: Source) -> None:
        self._harmless.setdefault(name, Fault(source, name))

    # --- steps ---

    def send(self, element: Element) -> Send:
        """Read `<send>`."""
        message, places = clean(element.cdata) if element.cdata else (None, ())
        if message is None:
            self.faults.append(Fault(element.source, "<send> has no message: SIPp looks for it in <![CDATA[ ... ]]>"))
            message = Text("", element.source)
        transaction = element.value("start_txn") or element.value("ack_txn")
        return Send(
            **self._shared_parts(element),
            message=message,
            lines=places,
            retrans_us=self._values.milliseconds(element, "retrans"),
            transaction=transaction,
        )

    def receive(self, element: Element) -> Receive:
        """Read `<recv>`."""
        request, response = element.value("request"), element.value("response")
        if (request is None) == (response is None):
            which = "either request or response, not both" if request else 'request="METHOD" or response="STATUS"'
            self.faults.append(Fault(element.source, f"<recv> has {which}"))
        return Receive(
            **self._shared_parts(element),
            request=request,
            response=response,
            is_expression=self._values.boolean(element, "regexp_match"),
            optional=element.value("optional") in ("true", "global"),
            timeout_us=self._values.milliseconds(element, "timeout"),
            on_timeout=element.value("ontimeout"),
            keeps_routes=self._values.boolean(element, "rrs"),
            transaction=element.value("response_txn"),
            authenticates=self._values.boolean(element, "auth"),
        )

    def pause(self, element: Element) -> Pause:
        """Read `<pause>` and `<timewait>`."""
        distribution = element.value("distribution") or ""
        if distribution == "fixed":
            shortest = longest = self._values.milliseconds(element, "value")
        elif distribution == "uniform" or "min" in element.attributes:
            shortest, longest = self._values.milliseconds(element, "min"), self._values.milliseconds(element, "max")
        else:
            shortest = longest = self._values.milliseconds(element, "milliseconds")
        return Pause(
            **self._shared_parts(element),
            duration_us=shortest,
            latest_us=max(shortest, longest),
            variable=element.value("variable"),
            distribution="" if distribution in ("fixed", "uniform") else distribution,
        )

    def nop(self, element: Element) -> Nop:
        """Read `<nop>`."""
        return Nop(**self._shared_parts(element))

    def foreign(self, element: Element) -> Foreign:
        """Read `<sendCmd>` and `<recvCmd>`."""
        return Foreign(**self._shared_parts(element), name=element.name)

    def _shared_parts(self, element: Element) -> _SharedParts:
        label, variable = element.value("next"), element.value("condexec")
        chance = self._values.number(element, "chance", 1.0)
        return {
            "source": element.source,
            "index": len(self._steps),
            "branch": None if label is None else Branch(label, element.value("test"), chance),
            "condition": Condition(variable, self._values.boolean(element, "condexec_inverse")) if variable else None,
            "actions": tuple(read_actions(self._values, element)),
            "lost": self._values.number(element, "lost", 0.0),
        }


_STEPS: Final[Mapping[str, Callable[[Reading, Element], AnyStep]]] = {
    "send": Reading.send,
    "recv": Reading.receive,
    "pause": Reading.pause,
    "timewait": Reading.pause,
    "nop": Reading.nop,
    "sendCmd": Reading.foreign,
    "recvCmd": Reading.foreign,
}


def clean(cdata: Text) -> tuple[Text | None, tuple[Source, ...]]:
    """Return a message without white space around its lines, and where each line stands; None for an empty one.

    The blank lines before it go; of those behind it one line end stays, so that a body ends as SIPp ends it.
    """
    lines = [(line.strip(" \t"), source) for line, source in lines_of(cdata)]
    while lines and not lines[0][0]:
        del lines[0]
    ended = bool(lines) and not lines[-1][0]
    while lines and not lines[-1][0]:
        del lines[-1]
    if not lines:
        return None, ()
    text = "\n".join(line for line, _ in lines)
    return Text(f"{text}\n" if ended else text, lines[0][1]), tuple(source for _, source in lines)
