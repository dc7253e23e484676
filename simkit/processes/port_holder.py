"""Who holds a UDP or TCP port that is taken, as far as the system lets us see (Linux: proc(5))."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_LOCAL_ADDRESS, _INODE = 1, 9  # columns of the tables


def port_holder(port: int, *, protocol: str = "udp", proc: Path = _PROC) -> str:
    """Return "sipp (process 4711)" where that can be found out, else how to look for it."""
    for process in holders(port, protocol=protocol, proc=proc):
        with suppress(OSError):  # it has just ended
            return f"{(proc / str(process) / 'comm').read_text().strip()} (process {process})"
    return f"another program (try: lsof -nP -i{protocol.upper()}:{port})"


def holders(port: int, *, protocol: str = "udp", proc: Path = _PROC) -> Iterator[int]:
    """Yield the processes that have a port open, whatever the address, as far as that can be found out."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, protocol, proc)}
    if not sockets:
        return
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):  # it is not ours to look at, or has just ended
            if any(os.readlink(held) in sockets for held in (process / "fd").iterdir()):
                yield int(process.name)


def _inodes(port: int, protocol: str, proc: Path) -> Iterator[str]:
    """Yield the sockets that are bound to a port."""
    for table in (protocol, f"{protocol}6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                if int(columns[_LOCAL_ADDRESS].rpartition(":")[2], 16) == port:
                    yield columns[_INODE]
