"""A system under test: a real SIP stack, started, made ready, watched and stopped, with all that it has forked."""

import contextlib
import errno
import os
import shlex
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from time import monotonic, monotonic_ns, sleep
from typing import Final

from ..errors import SetupError
from ..processes.group import Process, end_group, end_of, signal_group, start_group
from ..processes.interruptions import orderly_ends, undisturbed
from ..processes.last_lines import last_lines
from ..processes.port_holder import port_holder
from ..sip.transport import Transport
from ..sip.uri import host_port
from . import warp
from .log import Log, LogLine
from .order import Address, Ready, StartOrder
from .readiness import Prober, prober
from .watchdog import Watchdog

OUTPUT_NAME: Final = "output.log"
GRACE_S: Final = 3.0
"""How long it may take to end after SIGTERM, in real time."""

_GLANCE_S: Final = 0.05


@contextlib.contextmanager
def started(order: StartOrder) -> Iterator["System"]:
    """Start a system, wait until it is ready, and end it however this block is left.

    SIGTERM and SIGHUP end us after it; a watchdog ends it where we cannot. Raises SetupError, with the last lines of
    its log, where it does not start, ends again or is not ready in time.
    """
    with orderly_ends():
        system = System(order)
        try:
            system.start()
            yield system
        finally:
            system.end()


class System:
    """A system that can be started, and ended as often as one likes."""

    def __init__(self, order: StartOrder) -> None:
        self.order = order
        self.warnings: tuple[str, ...] = ()
        """What is to be known about it, for whoever tests it."""
        self._process: Process | None = None
        self._watchdog: Watchdog | None = None
        self._was_killed = False
        self._private: str | None = None
        """A folder that is gone when it has ended."""
        self._log: Log | None = None

    # --- starting ---

    def start(self) -> None:
        """Start it and wait until it is ready. Raises SetupError."""
        assert self._process is None, "it has ended, or was never started"
        program = self._program()
        environment = {**os.environ, **self.order.environment}
        if self.order.warp > 1:
            warp.check_reachable(program)
            environment = warp.warped(self.order.warp, environment)
            self.warnings = tuple(warp.warnings(self.order.warp, program))
        self._check_free()
        since_ns = monotonic_ns()
        self._start(environment)
        try:
            self._await_ready(since_ns)
            if self.order.warp > 1:
                warp.check_reached(self.order.address[1], self._protocol)
        except BaseException:
            self._end()
            raise

    @property
    def _protocol(self) -> str:
        return "tcp" if self.order.transport.is_reliable else "udp"

    def _program(self) -> str:
        """Return the path of the program."""
        name = self.order.command[0]
        found = shutil.which(name, path=self.order.environment.get("PATH"))
        if found is None:
            reason = "it may not be executed" if os.path.exists(name) and os.sep in name else "there is no such command"
            raise SetupError(f"{self._name} cannot be started: {reason}")
        return found

    def _check_free(self) -> None:
        place = host_port(self.order.address)
        try:
            with _bound(self.order.address, self.order.transport):
                return
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"{port_holder(self.order.address[1], protocol=self._protocol)} holds the port already"
            else:
                reason = str(error.strerror or error)
        raise SetupError(f"{self._name} cannot have {place}: {reason}")

    def _start(self, environment: dict[str, str]) -> None:
        try:
            path = self._output()
            with open(path, "ab") as output, undisturbed():
                if self._log is None:
                    self._log = Log([path, *filter(None, [self.order.log])])
                    self._log.begin()
                self._process = start_group(self.order.command, output=output, errors=output, environment=environment)
                self._watchdog = Watchdog(self._process, self._private and path)
                self._was_killed = False
        except (OSError, ValueError) as error:  # ValueError: a NUL in the command
            self._end()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SetupError(f"{self._name} cannot be started: {reason}") from None

    def _output(self) -> str:
        """Return the file for its standard output and error, in a folder that is there. Raises OSError."""
        if self.order.folder is not None:
            os.makedirs(self.order.folder, exist_ok=True)
            return os.path.join(self.order.folder, OUTPUT_NAME)
        if self._private is None:
            self._private = tempfile.mkdtemp(prefix="simkit-")
        return os.path.join(self._private, OUTPUT_NAME)

    def _await_ready(self, since_ns: int) -> None:
        within_s = self.order.within_us / 1e6
        give_up_at = monotonic() + within_s
        try:
            with prober(self.order.address, self.order.transport) as asking:
                while not self._is_ready(asking, since_ns):
                    self.check_alive()
                    if monotonic() > give_up_at:
                        lack = self._lack(asking)
                        raise self._failure(f"is not ready after {self.order.within_us / 1e6:g} s: {lack}")
        except OSError as error:
            raise SetupError(f"cannot ask {host_port(self.order.address)}: {error.strerror or error}") from None

    def _is_ready(self, prober: Prober, since_ns: int) -> bool:
        ready = self.order.ready
        if isinstance(ready, str):
            sleep(_GLANCE_S)
            return self._log is not None and self._log.holds(ready, since_ns=since_ns)
        if ready is Ready.PORT:
            is_open = prober.is_open(within_s=_GLANCE_S)
        else:
            is_open = prober.answers_options(within_s=_GLANCE_S)
        if not is_open:
            sleep(_GLANCE_S)
        return is_open

    def _lack(self, prober: Prober) -> str:
        if isinstance(self.order.ready, str):
            return f"it has not said '{self.order.ready}'"
        place = host_port(self.order.address)
        if prober.is_open(within_s=_GLANCE_S):
            return f"{place} is open, but OPTIONS is not answered"
        return f"nobody listens at {place}"

    # --- watching ---

    @property
    def process(self) -> int | None:
        """The process that leads its group; None where it has ended."""
        return self._process.pid if self._process is not None else None

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or stands still."""
        return self._process is not None and self._process.poll() is None

    def check_alive(self) -> None:
        """Raise SetupError where it has ended by itself."""
        if self._process is not None and self._process.poll() is not None and not self._was_killed:
            how = end_of(self._process.returncode)
            if self._process.returncode == 0:
                how += " (it must stay in the foreground)"
            raise self._failure(how)

    def log_lines(self) -> tuple[LogLine, ...]:
        """Return what it has written so far."""
        return self._log.lines() if self._log else ()

    def last_lines(self) -> tuple[str, ...]:
        """Return the end of what it has written, as it is shown in errors."""
        return last_lines([line.text for line in self.log_lines()])

    def _failure(self, what: str) -> SetupError:
        return SetupError("\n    ".join([f"{self._name} {what}", *self.last_lines()]))

    @property
    def _name(self) -> str:
        return f"the system under test ('{shlex.join(self.order.command)}')"

    # --- trouble ---

    def freeze(self) -> None:
        """Stop it where it stands: SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on: SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, without a word to its peers: SIGKILL."""
        self._was_killed = True
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def restart(self) -> None:
        """End it, if it lives, and start it anew; what it wrote before stays in the log. Raises SetupError."""
        self._end()
        self.start()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            signal_group(self._process, number)

    # --- ending ---

    def end(self) -> None:
        """End it: by SIGTERM, and in any case by SIGKILL. What it has written can still be read."""
        try:
            self._end()
        finally:
            if self._log is not None:
                self._log.end()
            if self._private is not None:
                shutil.rmtree(self._private, ignore_errors=True)

    def _end(self) -> None:
        process, self._process = self._process, None
        watchdog, self._watchdog = self._watchdog, None
        if process is None:
            return
        try:
            end_group(process, asked_s=GRACE_S)
        finally:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            if watchdog is not None:
                watchdog.dismiss()
            warp.sweep(process.pid)


def _bound(address: Address, transport: Transport) -> socket.socket:
    """Return a socket that holds an address. Raises OSError where it is taken."""
    kind = socket.SOCK_STREAM if transport.is_reliable else socket.SOCK_DGRAM
    bound = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, kind)
    try:
        if transport.is_reliable:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past what rests of the last run
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound
