"""Each template, copied and built as its user would, keeps every rule that the conformance flows exercise."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simkit.flows.loader import load_path
from simkit.flows.model import Flow
from simkit.foreign.starting import LANGUAGES, copy_template

from .building import IN_CI, built_by_go, do_without, program, run
from .playing import ROOT, played, refreshed

FLOWS = sorted((ROOT / "flows" / "rfc4028").glob("*.yaml"))
BEYOND_THE_TOY = {"node": {"route", "refresh-challenged"}}
"""Flows about what a template does without: the endpoint knows no proxies, and has no credentials."""


def python_process(folder: Path) -> str:
    return f"{sys.executable} {folder / 'process.py'}"


def python_class(folder: Path) -> str:
    return "python:in_process:SessionTimer"


def node(folder: Path) -> str:
    npm = program("npm")
    try:
        run(npm, "install", "--prefer-offline", "--no-audit", "--no-fund", cwd=folder)
    except AssertionError as error:
        do_without(f"npm cannot install: {error}")
    return f"{program('node')} {folder / 'simkit.js'}"


BUILDS = [
    pytest.param("go", built_by_go, 1, id="go"),
    pytest.param("python", python_process, 4, id="python, a process"),
    pytest.param("python", python_class, 1, id="python, a class"),
    pytest.param("node", node, 4, id="node"),
]


def flows(every: int) -> list[Flow]:
    """Return every case of every flow in continuous integration; elsewhere one of some: each starts a process."""
    found: list[Flow] = []
    for path in FLOWS if IN_CI else FLOWS[::every]:
        cases = load_path(str(path))
        found += cases if IN_CI else cases[:1]
    return [flow for flow in found if "subject" in flow.actors and flow.actors["subject"].role.value in ("uac", "uas")]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "build", "every"), BUILDS)
def test_a_toy_keeps_the_rules(
    language: str, build: Callable[[Path], str], every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    copy_template(language, str(tmp_path))
    logic = build(tmp_path)
    runs = {
        flow.title: played(flow, subject=logic)
        for flow in flows(every)
        if flow.name not in BEYOND_THE_TOY.get(language, ())
    }
    failed = {title: run.broken or run.failures[0].headline for title, run in runs.items() if not run.passed}
    assert failed == {}
    assert len(runs) > 10


def test_every_language_is_built_here() -> None:
    assert {build.values[0] for build in BUILDS} == set(LANGUAGES)


def test_two_timers_in_go_play_against_each_other(go_logic: str) -> None:
    run = played(refreshed("network: {latency: 40ms}"), alice=go_logic, bob=go_logic)
    assert run.passed, run.failures


def test_the_part_of_the_go_template_that_is_ours_has_sixty_lines_at_most(tmp_path: Path) -> None:
    """Beside the imports, comments and empty lines."""
    copy_template("go", str(tmp_path))
    text = (tmp_path / "simkit_test.go").read_text().partition("\n)\n")[2]
    assert len([line for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]) <= 60
