"""The command line as a whole: help, wrong usage, and what a start loads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import simkit as package
from simkit.cli.main import COMMANDS, Commands
from simkit.errors import SetupError

from .conftest import Simkit

HEAVY = ("pytest", "scapy", "simpy", "tabulate", "yaml")


ROOT = Path(package.__file__).parent.parent


def python(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python with these words."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def loaded_by(*words: str, cwd: Path) -> set[str]:
    """The modules that are loaded once `simkit` has run with these words."""
    script = (
        "import sys\n"
        "from simkit.cli.main import main\n"
        f"try: main({list(words)!r})\n"
        "except SystemExit as exit: assert exit.code == 0, exit.code\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = python("-c", script, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_lists_every_command_in_its_order(simkit: Simkit) -> None:
    result = simkit("--help")
    assert result.exit_code == 0
    listed = result.stdout.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(simkit: Simkit, name: str) -> None:
    result = simkit(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: simkit {name} ")


def test_help_loads_nothing_but_click_and_errors(tmp_path: Path) -> None:
    loaded = loaded_by("--help", cwd=tmp_path)
    assert loaded.isdisjoint(HEAVY)
    ours = {name for name in loaded if name.startswith("simkit.")}
    assert ours == {"simkit.cli", "simkit.cli.main", "simkit.cli.terminal", "simkit.errors"}


def test_a_single_flow_loads_no_library_that_it_does_not_need(folder: Path) -> None:
    loaded = loaded_by("simulate", "flows/short.yaml", cwd=folder)
    assert "simpy" in loaded
    assert loaded.isdisjoint({"scapy", "tabulate", "pytest", "multiprocessing", "simkit.rulebook"})


def test_an_audit_loads_no_machine_and_nothing_that_plays(tmp_path: Path) -> None:
    loaded = loaded_by("audit", "-q", str(ROOT / "captures" / "ack-lost.pcap"), cwd=tmp_path)
    assert "simkit.audit.auditor" in loaded
    assert loaded.isdisjoint({"simpy", "simkit.ua", "simkit.drivers", "simkit.foreign"})


def test_importing_the_package_loads_nothing_of_it() -> None:
    script = "import sys, simkit; print(*(name for name in sys.modules if name.startswith('simkit.')))"
    assert python("-c", script).stdout.strip() == ""


def test_the_version_is_the_packages(simkit: Simkit) -> None:
    assert simkit("--version").stdout == f"simkit {package.__version__}\n"


USAGE = [
    pytest.param(["simulat"], "unknown command 'simulat' (did you mean 'simulate'?)", id="a command nearly right"),
    pytest.param(["frobnicate"], "unknown command 'frobnicate'", id="a command far off"),
    pytest.param(["simulate", "--sed", "2", "x"], "--seed", id="an option nearly right"),
    pytest.param(["simulate"], "Missing argument 'PATH...'", id="no path"),
    pytest.param(["simulate", "x", "--set", "se"], "'se' is not name=value", id="--set without a value"),
    pytest.param(["simulate", "x", "--set", "=90"], "'=90' is not name=value", id="--set without a name"),
    pytest.param(["simulate", "x", "--calls", "0"], "0 is not in the range x>=1", id="no calls"),
    pytest.param(["explain", "RFC4028-99"], "no rule 'RFC4028-99'", id="an unknown rule"),
    pytest.param(["new", "refrsh"], "no starter 'refrsh' (did you mean 'refresh'?)", id="a starter nearly right"),
]


@pytest.mark.parametrize(("words", "message"), USAGE)
def test_wrong_usage_says_what_is_wrong_and_exits_with_2(simkit: Simkit, words: list[str], message: str) -> None:
    result = simkit(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def failing_with(error: BaseException) -> Commands:
    """The group, with a command that raises."""

    def command() -> None:
        raise error

    return Commands("simkit", callback=command, invoke_without_command=True)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SetupError("port 5060 is taken"), 3, "port 5060 is taken\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 0, ""),
        (OSError(28, "No space left on device"), 3, "cannot write the output: No space left on device"),
    ],
    ids=["surroundings", "interruption", "a reader that has gone", "a full disk"],
)
def test_an_error_is_one_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    monkeypatch.setattr("simkit.cli.main.silence", lambda stream: None)
    result = CliRunner().invoke(failing_with(error), [])
    assert (result.exit_code, result.stderr.strip(), result.stdout) == (status, said.strip(), "")


def test_a_fault_of_ours_is_not_hidden() -> None:
    result = CliRunner().invoke(failing_with(AssertionError("ours")), [])
    assert isinstance(result.exception, AssertionError)


def test_python_m_simkit_is_the_command_line() -> None:
    done = python("-m", "simkit", "simulat")
    assert done.returncode == 2
    assert "did you mean 'simulate'?" in done.stderr


@pytest.mark.parametrize("module", ["simkit.cli.main", "click", "simkit.cli.audit", "simkit.captures.reader", "zlib"])
def test_an_interruption_is_one_line_while_anything_is_still_being_loaded(tmp_path: Path, module: str) -> None:
    """Ctrl-C within the first tenth of a second meets the imports."""
    script = (
        "import runpy, sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        f"sys.modules.pop({module!r}, None)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.argv = ['simkit', 'audit', 'missing.pcap']\n"
        "runpy.run_module('simkit', run_name='__main__')\n"
    )
    done = python("-c", script, cwd=tmp_path)
    assert (done.returncode, done.stderr.strip(), done.stdout) == (130, "interrupted", "")
