"""Whether libfaketime reaches a program: what it preloads, the dynamic linker has to load, and libc has to be asked.

Static and Go binaries ask the kernel themselves, and set-uid programs are loaded without preloads: under libfaketime
they run on in real time, silently. ELF and Mach-O are looked into; what a script is run by is looked at in its place.
"""

import mmap
import os
import shlex
import shutil
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Final

SCRIPTS_MAX: Final = 4  # a script that is run by a script ...: as far as Linux follows (execve(2))

_ELF: Final = b"\x7fELF"
_MACH_O: Final = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_GO_BUILD_INFO: Final = b"\xff Go buildinf:"  # debug/buildinfo of Go's library: in every binary since 1.13
_PT_INTERP: Final = 3
_PROTECTED_BY_MACOS: Final = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/System/")


def why_unreachable(program: str) -> str | None:
    """Return why libfaketime does not reach a program, by its path; None where it may. Raises OSError."""
    for path in _loaded(program):
        reason = _reason(path)
        if reason is not None:
            return f"{path} {reason}"
    return None


def is_python(program: str) -> bool:
    """Whether a program, by its path, is Python or run by it. Raises OSError."""
    return any(os.path.basename(path).startswith("python") for path in _loaded(program))


def _loaded(program: str) -> Iterator[str]:
    """Yield a program, what it is run by if it is a script, and so on."""
    path: str | None = program
    for _ in range(SCRIPTS_MAX):
        if path is None:
            return
        yield path
        path = _interpreter(path)


def _interpreter(path: str) -> str | None:
    with open(path, "rb") as program:
        first = program.readline(512)
    if not first.startswith(b"#!"):
        return None
    with suppress(ValueError):
        words = shlex.split(first[2:].decode("utf-8", "replace"))
        if words and os.path.basename(words[0]) == "env":
            words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return shutil.which(words[0]) if words else None
    return None


def _reason(path: str) -> str | None:
    if _gains_privileges(path):
        return "is set-uid, or has capabilities of its own"
    if sys.platform == "darwin" and os.path.realpath(path).startswith(_PROTECTED_BY_MACOS):
        return "is protected by macOS"
    with open(path, "rb") as program:
        head = program.read(4)
        if head == _ELF or head in _MACH_O:
            with mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                if whole.find(_GO_BUILD_INFO) >= 0:
                    return "is written in Go, which makes its system calls by itself"
        if head == _ELF and not _has_interpreter(program):
            return "is statically linked"
    return None


def _gains_privileges(path: str) -> bool:
    status = os.stat(path)
    if status.st_mode & stat.S_ISUID and status.st_uid != os.geteuid():
        return True
    if status.st_mode & stat.S_ISGID and status.st_gid != os.getegid():
        return True
    if sys.platform == "linux" and os.geteuid() != 0:
        with suppress(OSError):  # it has none
            return bool(os.getxattr(path, "security.capability"))
    return False


def _has_interpreter(elf: IO[bytes]) -> bool:
    """Whether an ELF file names a dynamic linker: its program headers have a PT_INTERP (elf(5))."""
    elf.seek(0)
    header = elf.read(64).ljust(64, b"\0")
    is_64_bit, order = header[4] == 2, "<" if header[5] == 1 else ">"
    layout, at = ("Q14xHH", 32) if is_64_bit else ("I10xHH", 28)
    table_at, size, count = struct.unpack_from(order + layout, header, at)
    elf.seek(table_at)
    table = elf.read(size * count)
    kinds = (struct.unpack_from(f"{order}I", table, each)[0] for each in range(0, len(table) - 3, size or 1))
    return _PT_INTERP in kinds
