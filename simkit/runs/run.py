"""What a run yields: the verdict, how each expectation came out, the failures, what calls come to, and the traces.

Reports read this and nothing else. All times are microseconds of virtual time since the run began.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import ForeignError
from ..flows.model import Flow
from ..trace import Trace
from .verdict import Expectation, Failure, Verdict

if TYPE_CHECKING:
    from ..drivers.outside import Hearsay
    from .load import Load

Address = tuple[str, int]

SHOWN_MAX: Final = 10
"""How many failed calls are shown, with their failures and traces."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a party broke."""

    rule: str
    severity: str
    actor: str
    at: int
    frame: int
    text: str


@dataclass(frozen=True, slots=True)
class CallSummary:
    """One call in numbers."""

    call_id: str
    session_interval_s: int | None
    refresher: str | None
    """The party that refreshed last, by name."""
    refreshes: int
    ended_by: str | None
    ended_us: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Logged:
    """A line that a real system has logged."""

    at: int
    """When it came."""
    text: str


@dataclass(frozen=True, slots=True)
class Tested:
    """A real system under test, as it was met."""

    name: str
    command: str = ""
    """By which it was started; "" where it ran already."""
    warp: int = 1
    warnings: tuple[str, ...] = ()
    log: tuple[Logged, ...] = ()


@dataclass(frozen=True, slots=True)
class Wire:
    """How a run was played over sockets, and what went over the wire."""

    speed: int | None
    """How many times as fast as real time the parties' clocks ran; None: as fast, but idle time was skipped."""
    tolerance_us: int
    """What was simultaneous, in the run's time."""
    recording: Trace
    """The messages of all calls as they were seen."""
    recorded_by: str
    """Who saw them: "scapy's sniffer on lo", "the sockets"."""
    note: str = ""
    """Why it was not the sniffer."""
    strays: int = 0
    """Datagrams that came from elsewhere, and were ignored."""
    heard: "Hearsay | None" = None
    """What real systems said beside their calls; None: there was none."""
    tested: tuple[Tested, ...] = ()
    """The real systems."""

    def calls(self) -> list[Trace]:
        """Return the recording call by call, by Call-ID, as one reads a capture."""
        traces: dict[str | None, Trace] = defaultdict(Trace)
        for transit in self.recording.messages():
            traces[transit.message.header("Call-ID")].records.append(transit)
        return list(traces.values())

    @property
    def pace(self) -> str:
        """Return "real time, idle time skipped", "real time" or "60 times real time"."""
        if self.speed is None:
            return "real time, idle time skipped"
        return "real time" if self.speed == 1 else f"{self.speed} times real time"


@dataclass(slots=True)
class Run:
    """One flow, run once."""

    flow: Flow
    seed: int
    verdict: Verdict
    virtual_us: int
    """When the last thing happened that anybody could see: timers that only tidy up do not count."""
    wall_us: int
    messages: int
    expectations: list[Expectation] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failures_omitted: int = 0
    """Further failing calls whose failures are not listed."""
    calls: list[CallSummary] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    traces: Mapping[int, Trace] = field(default_factory=dict)
    """By call number from 0: all of them where asked for, else those of the first calls and of the first failures."""
    addresses: Mapping[str, Address] = field(default_factory=dict)
    """Where each party is."""
    interrupted: bool = False
    broken: ForeignError | None = None
    """What ended the run: the failure of a party's code that is not ours."""
    wire: Wire | None = None
    """None: it was played in virtual time."""
    load: "Load | None" = None
    """Many calls against a real system, in figures."""

    @property
    def driver(self) -> str:
        """Return what it was played by: "virtual" or "loopback"."""
        return "loopback" if self.wire else "virtual"

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return self.verdict is Verdict.PASS

    @property
    def trace(self) -> Trace:
        """The trace of the first call."""
        return self.traces[0]
