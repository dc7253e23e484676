"""What libfaketime does not reach is recognised before it runs at speed 1."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from simkit.sut.reach import is_python, why_unreachable

from .conftest import elf

LOAD, DYNAMIC, INTERP = 1, 2, 3
GO = bytes(16) + b"\xff Go buildinf:\x08\x02"
PROGRAMS = [
    pytest.param(elf(LOAD, INTERP, DYNAMIC), None, id="dynamic"),
    pytest.param(elf(LOAD, INTERP, bits=32), None, id="dynamic, 32 bits"),
    pytest.param(elf(LOAD, INTERP, bits=32, order=">"), None, id="dynamic, the other byte order"),
    pytest.param(elf(LOAD), "is statically linked", id="static"),
    pytest.param(elf(LOAD, DYNAMIC), "is statically linked", id="static, position independent"),
    pytest.param(elf(LOAD, bits=32), "is statically linked", id="static, 32 bits"),
    pytest.param(elf(LOAD, INTERP, more=GO), "is written in Go, which makes its system calls by itself", id="Go"),
    pytest.param(elf(LOAD, more=GO), "is written in Go, which makes its system calls by itself", id="Go, static"),
    pytest.param(b"\xcf\xfa\xed\xfe" + GO, "is written in Go, which makes its system calls by itself", id="Go, macOS"),
    pytest.param(b"\xcf\xfa\xed\xfe" + bytes(64), None, id="macOS"),
    pytest.param(b"", None, id="empty"),
]


@pytest.mark.parametrize(("content", "reason"), PROGRAMS)
def test_a_binary_is_looked_into(tmp_path: Path, content: bytes, reason: str | None) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    assert why_unreachable(str(path)) == (reason and f"{path} {reason}")


SCRIPTS = [
    pytest.param("#!{folder}/static\n", id="by a static binary"),
    pytest.param("#! {folder}/static -x\n", id="with an argument"),
    pytest.param("#!/usr/bin/env static\n", id="by env"),
    pytest.param("#!/usr/bin/env -S A=b static -x\n", id="by env, with more"),
    pytest.param("#!{folder}/script\n", id="by a script"),
]


@pytest.mark.parametrize("first_line", SCRIPTS)
def test_of_a_script_is_looked_at_what_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_line: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name, content in {
        "static": elf(LOAD),
        "script": f"#!{tmp_path}/static\n".encode(),
        "program": first_line.format(folder=tmp_path).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o755)
    assert why_unreachable(str(tmp_path / "program")) == f"{tmp_path}/static is statically linked"


@pytest.mark.parametrize("first_line", ["#!\n", "#!/usr/bin/env\n", "#!'\n", "#!/no/such/program\n", "\n"])
def test_a_script_that_nobody_runs_is_left_to_the_start(tmp_path: Path, first_line: str) -> None:
    (tmp_path / "program").write_text(first_line)
    assert why_unreachable(str(tmp_path / "program")) is None


def test_a_script_that_runs_itself_is_followed_so_far_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text(f"#!{path}\n")
    path.chmod(0o755)
    assert why_unreachable(str(path)) is None


@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID], ids=["set-uid", "set-gid"])
def test_a_program_that_gains_privileges_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bit: int
) -> None:
    path = tmp_path / "program"
    path.write_bytes(elf(LOAD, INTERP))
    path.chmod(0o755 | bit)
    assert why_unreachable(str(path)) is None  # it gains nothing by what it is already
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    monkeypatch.setattr(os, "getegid", lambda: path.stat().st_gid + 1)
    assert why_unreachable(str(path)) == f"{path} is set-uid, or has capabilities of its own"


PYTHONS = [("python3.11", True), ("server.py", True), ("sipp", False)]


@pytest.mark.parametrize(("name", "expected"), PYTHONS)
def test_python_is_recognised(tmp_path: Path, name: str, expected: bool) -> None:
    path = tmp_path / name
    path.write_text("#!/usr/bin/env python3\n" if name.endswith(".py") else "")
    path.chmod(0o755)
    assert is_python(str(path)) == expected


@pytest.mark.skipif(shutil.which("go") is None, reason="no go")
def test_go_itself_is_a_program_in_go() -> None:
    go = shutil.which("go")
    assert go is not None
    assert "is written in Go" in str(why_unreachable(os.path.realpath(go)))
