"""The README is true: its commands print what it says, its flows load, its Python runs, and it leaves nothing out.

A line "..." in an output stands for any lines. How long something took is not compared, nor real time's microseconds.
What a real stack did is compared but for its times, which may differ by a little, and its version.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
import yaml

from simkit import load_flows
from simkit.cli.main import COMMANDS, EXIT_FAILED, EXIT_INTERRUPTED, main
from simkit.errors import SimkitError
from simkit.flows import schema
from simkit.flows.model import Verb
from simkit.sut.known_peers import SIPP

from .sut.needing import need

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")

_FENCED = re.compile(r"^```(?P<language>\w+)(?: title=(?P<title>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_WALL = re.compile(r"(?:\b[0-9]+\.[0-9]{6} s )?\bin (?:under 1 ms|[0-9.]+ ?(?:ms|s)\b)")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    title: str | None
    """The file that it is, or is a part of."""
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.language} in line {self.line}"


def blocks_of(language: str) -> list[Block]:
    return [
        Block(found["language"], found["title"], found["text"], TEXT.count("\n", 0, found.start()) + 1)
        for found in _FENCED.finditer(TEXT)
        if found["language"] == language
    ]


def exchanges(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console and the output that is said to follow."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


# Where simkit is installed, pytest loads the plugin by itself.
_PLUGIN = (
    [] if any(point.name == "simkit" for point in entry_points(group="pytest11")) else ["-p", "simkit.pytest_plugin"]
)
PROGRAMS = {
    "bin/run_local_test": ["-m", "simkit.cli.local_test"],
    "bin/simkit": ["-m", "simkit"],
    "path/simkit": ["-m", "simkit"],
    "path/pytest": ["-m", "pytest", "-p", "no:cacheprovider", *_PLUGIN],
    "path/python": [],
}


class Reader:
    """Somebody who tries what the README says, in a folder with simkit and what the README has them write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("flows", "captures"):
            shutil.copytree(ROOT / name, folder / name)
        for name, words in PROGRAMS.items():
            program = folder / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *words])} "$@"\n')
            program.chmod(0o755)
        for block in blocks_of("yaml"):
            if block.title and not (ROOT / block.title).exists():
                path = folder / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, "utf-8")

    def run(self, command: str) -> tuple[int, str]:
        """Return the exit code of a command and all that it prints."""
        usual = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LC_"))}
        environment = usual | {
            "COLUMNS": "80",
            "LANG": "C.UTF-8",
            "PATH": f"{self.folder / 'path'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
        }
        done = subprocess.run(
            ["sh", "-c", f"exec 2>&1; {command}"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """A reader with a fresh folder."""
    return Reader(tmp_path)


_VERSION = re.compile(r"\b\d+\.\d+\.\d+\b")
_SIP_TIME = re.compile(r" *\b(\d+(?:\.\d+)?)(?= s\b|   )")


def seen_of_a_stack(text: str) -> tuple[str, list[float]]:
    """Return what a stack did, without its version, and the times of that."""
    text = _VERSION.sub("V", _WALL.sub("in N ms", text))
    return _SIP_TIME.sub(" N", text), [float(seconds) for seconds in _SIP_TIME.findall(text)]


@pytest.mark.parametrize("block", blocks_of("console"), ids=str)
def test_commands_print_what_is_said(reader: Reader, block: Block) -> None:
    for command, said in exchanges(block):
        if "run_local_test" in command:
            check_what_a_stack_does(reader, command, said)
            continue
        _, printed = reader.run(command)
        expected, actual = (_WALL.sub("in N ms", text) for text in (said, printed))
        pattern = "".join(r"(?:.*\n)*?" if line == "...\n" else re.escape(line) for line in expected.splitlines(True))
        if not re.fullmatch(pattern, actual):
            assert actual == expected, command


def check_what_a_stack_does(reader: Reader, command: str, said: str) -> None:
    """Compare what a real stack did, times being near; of a busy machine ask for less speed."""
    need(SIPP)
    expected, expected_s = seen_of_a_stack(said)
    seen, seen_s = seen_of_a_stack(reader.run(command)[1])
    if seen != expected:
        seen, seen_s = seen_of_a_stack(reader.run(f"{command} --warp 10")[1].replace("in 10-fold", "in 20-fold"))
    assert seen == expected, command
    assert seen_s == pytest.approx(expected_s, abs=5)


@pytest.mark.parametrize("block", [block for block in blocks_of("yaml") if "simkit: 1" in block.text], ids=str)
def test_flows_load(block: Block) -> None:
    for flow in load_flows(block.text):
        assert f"{flow.name}.yaml" == block.title


@pytest.mark.parametrize("block", [block for block in blocks_of("yaml") if "simkit: 1" not in block.text], ids=str)
def test_parts_of_files_are_in_them(block: Block) -> None:
    assert block.title
    if block.title.startswith("flows/"):
        assert block.text in (ROOT / block.title).read_text("utf-8")
    else:
        assert isinstance(yaml.safe_load(block.text), dict)


def test_the_workflow_holds(reader: Reader) -> None:
    (workflow,) = (yaml.safe_load(block.text) for block in blocks_of("yaml") if "jobs:" in block.text)
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert [reader.run(command)[0] for command in commands] == [0]
    assert (reader.folder / "report.xml").exists()


@pytest.mark.parametrize("block", blocks_of("python"), ids=str)
def test_python_runs(reader: Reader, block: Block) -> None:
    (reader.folder / "test_it.py").write_text(block.text, "utf-8")
    status, output = reader.run("pytest -q test_it.py" if "def test_" in block.text else "python test_it.py")
    assert status == 0, output


def test_nothing_else_is_fenced() -> None:
    languages = ("console", "yaml", "python")
    assert TEXT.count("\n```") == 2 * sum(len(blocks_of(language)) for language in languages)


def names_that_must_be_in_the_readme() -> Iterator[str]:
    simulate = main.get_command(click.Context(main), "simulate")
    assert simulate is not None
    for parameter in simulate.params:
        if isinstance(parameter, click.Option):
            yield from (
                option for option in (*parameter.opts, *parameter.secondary_opts) if len(option) == 2 or "--" in option
            )
    yield from (f"simkit {command}" for command in COMMANDS)
    yield from (verb.value for verb in Verb)
    for block in (schema.STIMULUS, schema.OBSERVATION, schema.NET, schema.REPEAT_LINE, schema.MATCHER):
        yield from block
    yield from (key for key in schema.FLOW if key not in ("transport",))
    yield from (key for key in schema.EXPECT if key not in ("log", "violations"))


def test_nothing_is_left_out() -> None:
    words = set(re.findall(r"[\w-]+(?: [\w]+)?", TEXT)) | set(re.findall(r"[\w-]+", TEXT))
    assert [name for name in names_that_must_be_in_the_readme() if name not in words] == []


def test_every_exit_code_is_explained() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    errors = {error.exit_code for error in SimkitError.__subclasses__()}
    assert codes == {0, EXIT_FAILED, EXIT_INTERRUPTED} | errors


def test_the_parts_that_are_named_are_there() -> None:
    parts = re.findall(r"^\| ((?:`[\w./]+`(?:, )?)+) \|", TEXT.partition("| part of")[2], re.MULTILINE)
    assert len(parts) > 5
    for part in (name for names in parts for name in re.findall(r"`([^`]+)`", names)):
        assert (ROOT / "simkit" / part).exists()
