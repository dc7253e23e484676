"""`simkit new`: write a flow, or a timer logic, to start from."""

import shlex

import click

from ..errors import SetupError
from ..flows.starters import STARTERS
from .main import likely
from .terminal import say

LOGIC = "logic"


@click.command()
@click.argument("name", required=False)
@click.argument("file", required=False)
@click.option("--lang", metavar="LANGUAGE", help="The language of a timer logic: go, python or node.")
def command(name: str | None, file: str | None, lang: str | None) -> int:
    """Write a starter flow as FILE, by default NAME.yaml; - prints it. Without NAME, the starters are listed.

    simkit new logic --lang LANGUAGE FOLDER copies what runs your own timer in simkit's time.

    What is there already is left alone.
    """
    if name == LOGIC:
        _write_logic(lang, file)
    elif lang is not None:
        raise click.UsageError("--lang goes with 'logic': simkit new logic --lang go FOLDER")
    elif name is None:
        say("\n".join(f"{starter:<10} {_about(text)}" for starter, text in STARTERS.items()))
        say(f"{LOGIC:<10} A timer of yours in simkit's time: simkit new logic --lang go FOLDER.")
    elif name in STARTERS:
        _write_flow(name, file)
    else:
        known = (*STARTERS, LOGIC)
        hint = likely(name, known) or f"; there are {', '.join(known)}"
        raise click.UsageError(f"no starter '{name}'{hint}")
    return 0


def _write_flow(name: str, file: str | None) -> None:
    if file == "-":
        say(STARTERS[name].rstrip("\n"))
        return
    path = file or f"{name}.yaml"
    _write(path, STARTERS[name])
    say(f"wrote {path}; now: simkit simulate {path}")


def _about(text: str) -> str:
    """The comment that a starter begins with."""
    return text.splitlines()[0].removeprefix("# ")


def _write(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror}") from None


def _write_logic(lang: str | None, folder: str | None) -> None:
    from ..foreign.starting import LANGUAGES, copy_template

    if lang is None or lang not in LANGUAGES:
        known = "\n".join(f"  {name:<8} {language.about}" for name, language in LANGUAGES.items())
        said = "" if lang is None else f"no template in '{lang}'{likely(lang, LANGUAGES)}; "
        raise click.UsageError(f"{said}say --lang:\n{known}")
    folder = folder or f"{lang}-timer"
    copy_template(lang, folder)
    language, place = LANGUAGES[lang], shlex.quote(folder if folder.startswith(("/", ".")) else f"./{folder}")
    logic = language.logic.format(place)
    steps = [language.prepare.format(place), "simkit new refresh"]
    steps.append(f"simkit simulate refresh.yaml --logic {shlex.quote(f'alice={logic}')}")
    say(f"wrote {folder}; now:\n" + "\n".join(f"  {step}" for step in steps if step))
