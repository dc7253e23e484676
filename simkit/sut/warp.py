"""N-fold time for a program as it is, by preloading libfaketime: what it waits for comes N times as soon.

The library is preloaded directly, not by way of the wrapper `faketime`, which forks: signals would go to the wrong
process. What libfaketime does not reach is told, for it would run at speed 1 (`reach`).
"""

import glob
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import SetupError
from ..processes.port_holder import holders
from .reach import is_python, why_unreachable

WARP: Final = 20
"""A sensible factor: T1 is 25 ms of real time then, and a busy machine takes 14 ms to turn a message round."""
WARP_SAFE: Final = 60
"""Beyond this, one run in five fails by the machine's own delays."""
LIBRARY_VARIABLE: Final = "SIMKIT_LIBFAKETIME"

_PLACES: Final = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",  # Debian, Ubuntu
    "/usr/lib*/faketime/libfaketimeMT.so.1",  # Fedora, Arch
    "/usr/local/lib*/faketime/libfaketimeMT.so.1",
    "/opt/homebrew/lib/faketime/libfaketime*.dylib",
    "/usr/local/lib/faketime/libfaketime*.dylib",
)
_SHARED: Final = ("/dev/shm/faketime_shm_{}", "/dev/shm/sem.faketime_sem_{}")


def pace(factor: int) -> str:
    """Return "in 20-fold time", or "in real time"."""
    return "in real time" if factor == 1 else f"in {factor}-fold time"


def warped(factor: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which programs run in N-fold time. Raises SetupError where there is no libfaketime."""
    library = _library(environment)
    preload = "DYLD_INSERT_LIBRARIES" if sys.platform == "darwin" else "LD_PRELOAD"
    libraries = [library, *filter(None, [environment.get(preload)])]
    added = {preload: ":".join(libraries), "FAKETIME": f"+0 x{factor}"}
    if sys.platform == "darwin":
        added["DYLD_FORCE_FLAT_NAMESPACE"] = "1"
    return {**environment, **added}


def _library(environment: Mapping[str, str]) -> str:
    named = environment.get(LIBRARY_VARIABLE)
    places = [named] if named else [path for place in _PLACES for path in sorted(glob.glob(place))]
    for path in places:
        if os.path.isfile(path):
            return path
    if named:
        raise SetupError(f"{LIBRARY_VARIABLE} is {named}, and there is no such file")
    raise SetupError(
        "time cannot be warped without libfaketime: apt install faketime, brew install libfaketime, "
        f"or name one by {LIBRARY_VARIABLE}=/path/to/libfaketimeMT.so.1"
    )


def check_reachable(program: str) -> None:
    """Raise SetupError for a program, by its path, that libfaketime does not reach."""
    with suppress(OSError):  # what cannot be read is for the start to tell
        reason = why_unreachable(program)
        if reason is not None:
            raise SetupError(_at_speed_1(reason))


def check_reached(port: int, protocol: str = "udp") -> None:
    """Raise SetupError where a process that has this port open runs without libfaketime, as far as that shows.

    Such as one that was started by a script with an environment of its own. Linux only: elsewhere nothing shows.
    """
    for process in holders(port, protocol=protocol):
        with suppress(OSError):  # not ours to look at, or gone
            program = os.readlink(f"/proc/{process}/exe")
            check_reachable(program)
            if "libfaketime" not in Path(f"/proc/{process}/maps").read_text("utf-8", "replace"):
                raise SetupError(_at_speed_1(f"{program} (process {process}) has not loaded it"))


def _at_speed_1(reason: str) -> str:
    return f"libfaketime does not reach it: {reason}; test it in real time (--warp 1)"


def warnings(factor: int, program: str) -> Iterator[str]:
    """Yield what is to be known of a program in N-fold time."""
    if factor > WARP_SAFE:
        yield f"in {factor}-fold time the machine's own delays count: beyond {WARP_SAFE} runs fail by chance"
    with suppress(OSError):
        if is_python(program):
            yield "Python hangs in threading.Event.wait under libfaketime: if it does, test it in real time"


def sweep(process: int) -> None:
    """Take away what libfaketime leaves in shared memory for a process that was killed."""
    for path in _SHARED:
        with suppress(OSError):
            os.unlink(path.format(process))
