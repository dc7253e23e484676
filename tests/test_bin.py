"""bin/simkit and bin/prepare: the first use makes .venv, whatever happened before, and later ones cost nothing.

A stand-in for Python notes what it is asked to do, so that nothing is downloaded.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

STAND_IN = """\
#!/bin/sh
case "$*" in
    "-m venv "*) echo venv >>"$LOG"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip --version" | "-m compileall "*) ;;
    "-m pip install "*) shift 4; echo "install $*" >>"$LOG"; exit "${PIP_STATUS-0}" ;;
    "-P -m simkit"*) shift 3; echo "simkit $*" ;;
    *) exec "%s" "$@" ;;
esac
"""


class Checkout:
    """A copy of what bin/simkit needs, in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "my check out"
        self.log = folder / "log"
        self.python = folder / "stand-in"
        self.python.write_text(STAND_IN % sys.executable)
        self.python.chmod(0o755)
        self.root.mkdir()
        shutil.copytree(ROOT / "bin", self.root / "bin")
        (self.root / "pyproject.toml").write_text("[project]\n")

    def start(self, *words: str, command: Path | None = None, **variables: str) -> "subprocess.Popen[str]":
        """Start bin/simkit, or another command, somewhere else."""
        environment = {**os.environ, "SIMKIT_PYTHON": str(self.python), "LOG": str(self.log), **variables}
        return subprocess.Popen(
            [str(command or self.root / "bin/simkit"), *words],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, command: Path | None = None, **variables: str) -> tuple[int, str, str]:
        """Run it to its end; return its exit code, output and errors."""
        with self.start(*words, command=command, **variables) as process:
            output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    @property
    def steps(self) -> list[str]:
        """What Python was asked to make so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout(tmp_path)


def test_the_first_use_makes_the_environment_and_says_so(checkout: Checkout) -> None:
    status, output, errors = checkout.run("explain", "a b")
    assert (status, output) == (0, "simkit explain a b\n")
    assert errors == "simkit: first use here: making .venv, which takes a minute\n"
    assert checkout.steps == ["venv", f"install --disable-pip-version-check -e {checkout.root}"]


def test_later_uses_make_nothing(checkout: Checkout) -> None:
    checkout.run()
    made = checkout.steps
    assert checkout.run("x") == (0, "simkit x\n", "")
    assert checkout.steps == made


def test_it_is_found_through_symbolic_links(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "near").symlink_to("my check out/bin/simkit")
    (tmp_path / "far").symlink_to(tmp_path / "near")
    checkout.run()
    assert checkout.run("x", command=tmp_path / "far") == (0, "simkit x\n", "")


@pytest.mark.parametrize(("name", "module"), [("run_local_test", "local_test"), ("interop", "interop")])
def test_the_other_commands_start_likewise(checkout: Checkout, name: str, module: str) -> None:
    checkout.run()
    python = checkout.root / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    command = checkout.root / "bin" / name
    assert checkout.run("x y", command=command) == (0, f"-P -m simkit.cli.{module} x y\n", "")


def test_the_exit_code_is_that_of_the_command(checkout: Checkout) -> None:
    checkout.run()
    python = checkout.root / ".venv/bin/python"
    python.write_text("#!/bin/sh\nexit 5\n")
    assert checkout.run()[0] == 5


def test_a_new_pyproject_renews_the_environment(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert checkout.run("x") == (0, "simkit x\n", "simkit: renewing .venv\n")
    assert [step.split()[0] for step in checkout.steps] == ["venv", "install", "install"]


def test_a_checkout_that_was_moved_makes_it_anew(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run()
    checkout.root = checkout.root.rename(tmp_path / "elsewhere")
    assert checkout.run("x")[:2] == (0, "simkit x\n")
    assert checkout.steps[-2] == "venv"
    assert checkout.steps[-1].endswith(f"-e {tmp_path}/elsewhere")


def test_an_environment_that_was_left_half_made_is_made_anew(checkout: Checkout) -> None:
    half = checkout.root / ".venv"
    (half / "bin").mkdir(parents=True)
    shutil.copy(checkout.python, half / "bin/python")
    (half / "unfinished").touch()
    (half / "rest").touch()
    assert checkout.run("x")[:2] == (0, "simkit x\n")
    assert checkout.steps[0] == "venv"
    assert not (half / "rest").exists()


def test_an_environment_without_a_python_is_made_anew(checkout: Checkout) -> None:
    (checkout.root / ".venv").mkdir()
    assert checkout.run("x")[:2] == (0, "simkit x\n")
    assert checkout.steps[0] == "venv"


def test_several_first_uses_at_once_make_it_once(checkout: Checkout) -> None:
    processes = [checkout.start(str(number)) for number in range(4)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == [f"simkit {number}\n" for number in range(4)]
    assert [step.split()[0] for step in checkout.steps] == ["venv", "install"]


def test_what_cannot_be_installed_is_told_and_tried_again(checkout: Checkout) -> None:
    status, output, errors = checkout.run("x", PIP_STATUS="1")
    assert (status, output) == (3, "")
    assert errors.endswith("cannot install what it needs into .venv (see above); is there a network?\n")
    assert checkout.run("x") == (0, "simkit x\n", "simkit: renewing .venv\n")


def test_tests_need_more_and_are_enough_for_simkit_itself(checkout: Checkout) -> None:
    assert checkout.run("dev", command=checkout.root / "bin/prepare")[0] == 0
    assert checkout.steps[-1].endswith(f"-e {checkout.root}[dev]")
    assert checkout.run("x") == (0, "simkit x\n", "")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SIMKIT_PYTHON": "/bin/false"}, "simkit: SIMKIT_PYTHON=/bin/false is no Python 3.11 or newer"),
        ({"SIMKIT_PYTHON": "", "PATH": "/nonexistent"}, "simkit: needs Python 3.11 or newer with its venv module: apt"),
    ],
    ids=["the one named does not do", "there is none"],
)
def test_without_a_python_that_does_it_says_what_to_do(
    checkout: Checkout, variables: dict[str, str], said: str
) -> None:
    status, output, errors = checkout.run("x", command=None, **variables)
    assert (status, output) == (3, "")
    assert errors.startswith(said)
    assert len(errors.splitlines()) == 1


@pytest.mark.skipif(not (ROOT / ".venv/prepared-dev").exists(), reason="bin/test has not been run here")
def test_bin_simkit_is_the_command_line() -> None:
    done = subprocess.run([ROOT / "bin/simkit", "--help"], cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: simkit [OPTIONS] COMMAND")
