"""`simkit simulate`: what is chosen, what is said, what is written, and by which code it exits."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simkit.cli import running
from simkit.flows.model import Flow
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict

from .conftest import Simkit
from .flows import BAD, FLOWS, PASSING, WARNED

ROOT = Path(running.__file__).parent.parent.parent


def test_one_flow_is_drawn_and_judged(simkit: Simkit) -> None:
    result = simkit("simulate", "flows/short.yaml")
    assert result.exit_code == 0
    assert result.stdout.partition(" in ")[0].splitlines()[0] == "short  A short call."
    assert re.search(r"^ +0.000   │── INVITE  1800 ─+▶│$", result.stdout, re.MULTILINE)
    assert re.search(r"^PASS  6 of 6 expectations   10.000 s in .* ms   5 messages$", result.stdout, re.MULTILINE)


def test_several_flows_end_in_a_table_and_totals_with_failures_first(simkit: Simkit) -> None:
    result = simkit("simulate", "flows")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("flows/late.yaml:")
    assert any("expected at 11.000 s (up + 11s)" in line for line in lines)
    table = [line.split()[:2] for line in lines if line.startswith(("PASS", "FAIL"))]
    assert table[0] == ["FAIL", "late"]
    assert {title for _, title in table[1:-1]} == {"cases[length=10s]", "cases[length=20s]", "short"}
    assert lines[-1].startswith("FAIL  3 of 4 flows   ")
    assert "│" not in result.stdout


def test_quiet_says_only_failures_and_totals(simkit: Simkit) -> None:
    assert len(simkit("simulate", "-q", "flows/cases.yaml").stdout.splitlines()) == 1
    single = simkit("simulate", "-q", "flows/late.yaml").stdout
    assert single.startswith("flows/late.yaml:")
    assert "│" not in single


def test_verbose_draws_every_ladder(simkit: Simkit) -> None:
    assert simkit("simulate", "-v", "flows").stdout.count("── INVITE ") == 4


def test_timers_are_shown_where_asked_for(simkit: Simkit) -> None:
    assert "timer" not in simkit("simulate", "flows/short.yaml").stdout
    assert "refresh" in simkit("simulate", "--timers", "flows/short.yaml").stdout.partition("alice")[2]


CHOICES = [
    pytest.param(["-k", "cases"], ["cases[length=10s]", "cases[length=20s]"], id="-k: a part of the name"),
    pytest.param(["-k", "LENGTH=1"], ["cases[length=10s]"], id="-k: a part of the case, whatever its letters"),
    pytest.param(["--case", "20"], ["cases[length=20s]"], id="--case: a part of the label"),
    pytest.param(["--tag", "plain"], ["short"], id="--tag"),
    pytest.param(["--tag", "plain", "--tag", "broken"], ["late", "short"], id="--tag: any of several"),
    pytest.param(["--tag", "plain", "-k", "sho"], ["short"], id="--tag and -k: both"),
]


@pytest.mark.parametrize(("options", "titles"), CHOICES)
def test_flows_are_chosen_by_name_case_and_tag(simkit: Simkit, options: list[str], titles: list[str]) -> None:
    lines = simkit("simulate", "flows", "--json", "-", *options).stdout.splitlines()
    chosen = [json.loads(line) for line in lines]
    names = [Path(each["flow"]).stem + (f"[{each['case']}]" if each["case"] else "") for each in chosen]
    assert names == titles


NOTHING = [
    pytest.param(
        ["--case", "30"],
        "no flow has --case 30; there are: cases[length=10s], cases[length=20s], late, short",
        id="case",
    ),
    pytest.param(["--tag", "x"], "no flow has --tag x; there are: --tag broken, --tag plain, --tag quick", id="tag"),
    pytest.param(["-k", "x", "--tag", "y"], "no flow has -k x --tag y; there are: --tag broken", id="both"),
]


@pytest.mark.parametrize(("options", "message"), NOTHING)
def test_choosing_nothing_says_what_there_is(simkit: Simkit, options: list[str], message: str) -> None:
    result = simkit("simulate", "flows", *options)
    assert result.exit_code == 5
    assert result.stderr.startswith(message)


def test_set_takes_the_place_of_a_value(simkit: Simkit) -> None:
    result = simkit("simulate", "values.yaml", "--set", "length=40s", "--set", "length=50s", "--json", "-")
    assert json.loads(result.stdout)["virtual_us"] == 50_000_000


def test_an_unknown_value_is_a_fault(simkit: Simkit) -> None:
    result = simkit("simulate", "values.yaml", "--set", "lenght=1s")
    assert result.exit_code == 2
    assert "--set lenght: unknown value 'lenght' (did you mean length?)" in result.stderr


def test_faults_of_all_files_are_told_before_anything_runs(simkit: Simkit, folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(BAD)
    result = simkit("simulate", "flows/short.yaml", "one.yaml", "two.yaml", "--json", "out.json")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines() if ".yaml:" in line] == ["one.yaml"] * 2 + [
        "two.yaml"
    ] * 2
    assert result.stdout == ""
    assert not (folder / "out.json").exists()


def test_what_a_simulation_cannot_do_is_told_before_anything_runs(simkit: Simkit, folder: Path) -> None:
    (folder / "log.yaml").write_text(PASSING.replace("ended_by: alice", "ended_by: alice, log: registered"))
    result = simkit("simulate", "flows/short.yaml", "log.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no system under test whose log could be read" in result.stderr


def test_warnings_go_to_standard_error(simkit: Simkit) -> None:
    result = simkit("simulate", "-", "--json", "-", input=WARNED)
    assert result.exit_code == 0
    assert "warning: default_expires is 30 s" in result.stderr
    assert json.loads(result.stdout)["flow"] == "-"


def test_x_stops_at_the_first_failure(simkit: Simkit) -> None:
    result = simkit("simulate", "flows/late.yaml", "flows/short.yaml", "-x")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("FAIL  0 of 1 flow ")


def test_calls_are_played_at_once(simkit: Simkit) -> None:
    assert json.loads(simkit("simulate", "flows/short.yaml", "--calls", "3", "--json", "-").stdout)["messages"] == 15


def test_the_seed_is_the_one_given(simkit: Simkit) -> None:
    outputs = [simkit("simulate", "flows/short.yaml", "--seed", seed, "--json", "-").stdout for seed in ("7", "7", "8")]
    calls = [json.loads(output)["calls"][0]["call_id"] for output in outputs]
    assert calls[0] == calls[1] != calls[2]


def test_runs_come_in_the_order_of_the_flows_whichever_worker_has_done_them(simkit: Simkit) -> None:
    alone = simkit("simulate", "flows", "--json", "-")
    together = simkit("simulate", "flows", "--json", "-", "-j", "3")
    assert together.exit_code == 1
    assert together.stdout == alone.stdout


def test_x_stops_workers_too(simkit: Simkit) -> None:
    result = simkit("simulate", "flows/late.yaml", "flows/short.yaml", "-x", "-j", "2")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("FAIL  0 of 1 flow ")


# --- what is written --------------------------------------------------------------------------------------------------


def test_every_file_asked_for_is_written(simkit: Simkit, folder: Path) -> None:
    files = {"--json": "out.json", "--junit": "out.xml", "--pcap": "out.pcap"}
    result = simkit("simulate", "flows/late.yaml", *(word for pair in files.items() for word in pair))
    assert result.exit_code == 1
    assert json.loads((folder / "out.json").read_text())["verdict"] == "fail"
    assert ElementTree.parse(folder / "out.xml").getroot().get("failures") == "1"
    assert (folder / "out.pcap").read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
    assert sorted(path.name for path in folder.iterdir()) == ["flows", *sorted(files.values()), "values.yaml"]


@pytest.mark.parametrize("words", [(), ("--wall",)], ids=["not asked for", "asked for"])
def test_files_hold_wall_clock_times_only_where_asked_for(simkit: Simkit, words: tuple[str, ...]) -> None:
    run = json.loads(simkit("simulate", "flows/short.yaml", "--json", "-", *words).stdout)
    assert (run["wall_us"] is not None) == bool(words)
    suites = ElementTree.fromstring(simkit("simulate", "flows/short.yaml", "--junit", "-", *words).stdout)
    assert ("time" in suites.attrib) == bool(words)


def test_a_file_that_cannot_be_written_is_known_before_anything_runs(simkit: Simkit) -> None:
    result = simkit("simulate", "flows/short.yaml", "--json", "nowhere/out.json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "cannot write nowhere/out.json: No such file or directory\n"


def test_machine_readable_output_has_standard_output_to_itself(simkit: Simkit) -> None:
    assert simkit("simulate", "flows/short.yaml", "--tap").stdout.startswith("TAP version 14\n1..1\nok 1 - ")
    assert simkit("simulate", "flows/short.yaml", "--junit", "-").stdout.startswith("<?xml")
    assert simkit("simulate", "flows/short.yaml", "--pcap", "-").stdout_bytes[:4] == b"\xd4\xc3\xb2\xa1"


def test_github_annotations_follow_the_words(simkit: Simkit) -> None:
    lines = simkit("simulate", "flows/late.yaml", "--github").stdout.splitlines()
    assert lines[0].startswith("late  ")
    assert lines[-1].startswith("::error file=flows/late.yaml,line=")
    assert not simkit("simulate", "flows/short.yaml", "--github").stdout.splitlines()[-1].startswith("::")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["flows/short.yaml", "--json", "-", "--tap"], "--json - and --tap cannot share standard output"),
        (["flows", "--pcap", "x.pcap"], "--pcap takes the messages of one flow, not of 4: choose by --case or -k"),
    ],
    ids=["two on standard output", "a capture of several flows"],
)
def test_what_cannot_be_done_together_is_wrong_usage(simkit: Simkit, words: list[str], message: str) -> None:
    result = simkit("simulate", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: {message}\n" in result.stderr


def test_colours_come_only_when_asked_for_or_on_a_terminal(simkit: Simkit) -> None:
    assert "\x1b[" not in simkit("simulate", "flows/short.yaml").stdout
    assert "\x1b[" in simkit("simulate", "flows/short.yaml", "--color").stdout


# --- the surroundings -------------------------------------------------------------------------------------------------


def interrupted_run(flow: Flow, **_: object) -> Run:
    """What `simulate` returns when Ctrl-C is pressed."""
    run = simulate(flow)
    run.verdict, run.interrupted = Verdict.ERROR, True
    return run


def test_an_interruption_reports_and_writes_what_was_found(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "simulate", interrupted_run)
    result = simkit("simulate", "flows", "--json", "out.json")
    assert result.exit_code == 130
    assert len((folder / "out.json").read_text().splitlines()) == 1
    assert result.stdout.splitlines()[-1].startswith("ERROR  0 of 1 flow ")


def start(*words: str, cwd: Path, **variables: str) -> "subprocess.Popen[str]":
    """Start `simkit` as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "simkit", *words]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_the_work_and_leaves_whole_files(folder: Path, jobs: str) -> None:
    (folder / "endless.yaml").write_text(FLOWS["short"].replace("simkit: 1", "simkit: 1\ncalls: 1000000"))
    words = ("simulate", "flows/short.yaml", "endless.yaml", "-v", "-j", jobs, "--json", "out.json")
    with start(*words, cwd=folder) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first flow has come in
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    runs = [json.loads(line) for line in (folder / "out.json").read_text().splitlines()]
    assert runs[0]["verdict"] == "pass"


def test_a_reader_that_goes_away_changes_nothing_but_what_is_shown(folder: Path) -> None:
    with start("simulate", "flows", "-v", "--json", "out.json", cwd=folder) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert len((folder / "out.json").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">/dev/full", 3, "cannot write the output: No space left on device\n"),
        ("--json /dev/full >/dev/null", 3, "cannot write /dev/full: No space left on device\n"),
        (">&-", 0, ""),
        ("--json /dev/null >/dev/null", 0, ""),
        ("- <&- >/dev/null", 2, "-:1:1: the file is empty"),
    ],
)
def test_odd_outputs_are_no_reason_for_a_traceback(folder: Path, redirection: str, status: int, said: str) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    script = f"exec {sys.executable} -m simkit simulate flows/short.yaml {redirection}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variables", "ascii"),
    [({"PYTHONIOENCODING": "ascii"}, True), ({"LC_ALL": "C"}, True), ({"PYTHONIOENCODING": "utf-8"}, False)],
    ids=["an encoding without lines", "the C locale", "UTF-8"],
)
def test_ladders_are_ascii_where_the_locale_needs_it(folder: Path, variables: dict[str, str], ascii: bool) -> None:
    (folder / "umlaut.yaml").write_text(FLOWS["short"].replace("A short call", "Ein kürzeres Gespräch"), "utf-8")
    with start("simulate", "umlaut.yaml", cwd=folder, **variables) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.isascii() == ascii


def test_no_output_is_written_over_a_flow_or_another_output(simkit: Simkit, folder: Path) -> None:
    before = (folder / "flows" / "short.yaml").read_text()
    result = simkit("simulate", "flows/short.yaml", "--json", "flows/../flows/short.yaml")
    assert result.exit_code == 2
    assert "--json flows/../flows/short.yaml would write over the flow" in result.stderr
    assert (folder / "flows" / "short.yaml").read_text() == before
    result = simkit("simulate", "flows/short.yaml", "--json", "same.out", "--junit", "same.out")
    assert result.exit_code == 2
    assert "--junit same.out would write over --json" in result.stderr


def test_a_message_that_cannot_be_made_fails_its_line_and_the_others_go_on(simkit: Simkit, folder: Path) -> None:
    (folder / "raw.yaml").write_text(
        "simkit: 1\nname: raw\nactors:\n  alice: {role: uac}\n  bob: {role: scripted}\nflow:\n  - alice: call bob\n"
        "  - alice -> bob: INVITE\n  - bob -> alice: 200 INVITE\n    raw: |\n      SIP/2.0 nonsense\n"
    )
    for jobs in ("1", "2"):
        result = simkit("simulate", "raw.yaml", "flows/short.yaml", "-j", jobs)
        assert result.exit_code == 1
        assert "raw.yaml:9:5: 'bob -> alice: 200 INVITE' cannot be done at 0.000 s" in result.stdout
        assert "1 of 2 flows" in result.stdout


def test_cases_that_are_overridden_to_be_the_same_run_once(simkit: Simkit) -> None:
    result = simkit("simulate", "flows/cases.yaml", "--set", "length=7s", "-q")
    assert result.exit_code == 0
    assert "7.000 s" in result.stdout
