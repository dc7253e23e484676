"""N-fold time, by libfaketime, and never speed 1 in silence."""

import os
import sys
import time
from pathlib import Path

import pytest

from simkit.errors import SetupError
from simkit.sut import warp
from simkit.sut.order import StartOrder
from simkit.sut.system import started

from .conftest import Order, elf


def has_libfaketime() -> bool:
    try:
        warp.warped(2, {})
    except SetupError:
        return os.environ.get("CI") == "true"
    return True


needs_libfaketime = pytest.mark.skipif(not has_libfaketime(), reason="no libfaketime")
SCRIPT = "#!/bin/sh\n"


def stack_in_sh(folder: Path, text: str) -> str:
    path = folder / "stack.sh"
    path.write_text(SCRIPT + text)
    path.chmod(0o755)
    return str(path)


def test_libfaketime_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    library = tmp_path / "libfaketimeMT.so.1"
    named = {warp.LIBRARY_VARIABLE: str(library), "LD_PRELOAD": "other.so"}
    with pytest.raises(SetupError, match=f"^SIMKIT_LIBFAKETIME is {library}, and there is no such file$"):
        warp.warped(20, named)
    library.touch()
    assert warp.warped(20, named) == {**named, "LD_PRELOAD": f"{library}:other.so", "FAKETIME": "+0 x20"}


def test_macos_preloads_by_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    library = tmp_path / "libfaketime.1.dylib"
    library.touch()
    named = {warp.LIBRARY_VARIABLE: str(library)}
    added = {"DYLD_INSERT_LIBRARIES": str(library), "DYLD_FORCE_FLAT_NAMESPACE": "1", "FAKETIME": "+0 x20"}
    assert warp.warped(20, named) == {**named, **added}


def test_without_libfaketime_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warp, "_PLACES", ("/no/such/*.so",))
    with pytest.raises(SetupError, match=r"without libfaketime: apt install faketime, brew install libfaketime, or"):
        warp.warped(20, {})


@needs_libfaketime
def test_a_stack_runs_in_n_fold_time(tmp_path: Path, free_port: int) -> None:
    program = stack_in_sh(tmp_path, "sleep 20; echo awake; exec sleep 6000\n")
    began = time.monotonic()
    with started(StartOrder((program,), ("127.0.0.1", free_port), "awake", warp=100)) as system:
        assert system.warnings == ("in 100-fold time the machine's own delays count: beyond 60 runs fail by chance",)
    assert time.monotonic() - began < 15
    assert not [name for name in os.listdir("/dev/shm") if name.endswith(f"_{system.process}")]


@needs_libfaketime
def test_what_drops_the_preload_on_its_way_is_recognised_at_run_time(order: Order) -> None:
    wanted = order()
    with (
        pytest.raises(SetupError, match=r"does not reach it: .*python.* has not loaded it; test it in real"),
        started(StartOrder(("env", "-i", *wanted.command), wanted.address, warp=2)),
    ):
        pass


@needs_libfaketime
def test_a_program_out_of_reach_is_not_started(tmp_path: Path, free_port: int) -> None:
    program = tmp_path / "program"
    program.write_bytes(elf(1))
    program.chmod(0o755)
    text = "libfaketime does not reach it: .*/program is statically linked; test it in real time \\(--warp 1\\)"
    with pytest.raises(SetupError, match=text), started(StartOrder((str(program),), ("127.0.0.1", free_port), warp=2)):
        pass


def test_python_is_warned_of() -> None:
    assert [*warp.warnings(20, sys.executable)] == [
        "Python hangs in threading.Event.wait under libfaketime: if it does, test it in real time"
    ]
    assert [*warp.warnings(20, "/no/such/program")] == []
