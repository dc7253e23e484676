"""`bin/bench [--quick | --full] [--json FILE] [NAME...]`: print what simkit costs. It judges nothing."""

import json
import platform
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from subprocess import CalledProcessError

from tabulate import tabulate

from simkit import __version__

from .figures import BENCHES, FULL, QUICK, USUAL, Figure

ABOUT = "Print what simkit costs, each figure beside that of another program, run in turns with it. Nothing is judged."
HEADERS = ("", "figure", "goal", "ratio", "to")


def main() -> None:
    """Run the benches that are named, or all."""
    options = _options(sys.argv[1:])
    found: dict[str, list[Figure]] = {}
    for name in options.names or BENCHES:
        sys.stderr.write(f"{name} ...\n")
        try:
            found[name] = list(BENCHES[name](options.effort))
        except CalledProcessError as error:
            sys.exit(f"{shlex.join(error.cmd)} failed:\n{error.stderr}")
    sys.stdout.write(f"{_surroundings()}\n\n{table(each for figures in found.values() for each in figures)}\n")
    if options.json:
        figures = {name: [asdict(each) for each in figures] for name, figures in found.items()}
        options.json.write_text(json.dumps({"surroundings": _surroundings(), "figures": figures}, indent=2) + "\n")


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser("bin/bench", description=ABOUT)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; without one: all")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", dest="effort", action="store_const", const=QUICK, help="few rounds, 1,000 calls")
    effort.add_argument(
        "--full", dest="effort", action="store_const", const=FULL, help="100,000 calls and a million messages too"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    parser.set_defaults(effort=USUAL)
    options = parser.parse_args(words)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no bench '{unknown[0]}'; there are {', '.join(BENCHES)}")
    return options


def _surroundings() -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}"
    return f"simkit {__version__}, {python}, {machine}; seconds on the processor, medians of programs run in turns"


def table(figures: Iterable[Figure]) -> str:
    """Return a line for each figure, and for each further ratio of it."""
    rows: list[tuple[str, ...]] = []
    for figure in figures:
        first = (figure.what, _number(figure.value, figure.unit), _number(figure.goal, figure.unit))
        for beside, ratio in figure.ratios.items() or (("", None),):
            rows.append((*first, _number(ratio, ""), beside))
            first = ("", "", "")
    columns = ("left", "right", "right", "right", "left")
    return tabulate(rows, HEADERS, tablefmt="plain", disable_numparse=True, colalign=columns, preserve_whitespace=True)


def _number(value: float | None, unit: str) -> str:
    """Write three digits and the unit; nothing for None."""
    if value is None:
        return ""
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip()


if __name__ == "__main__":
    main()
