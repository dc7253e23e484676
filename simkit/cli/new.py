"""`simkit new`: write a flow to start from."""

import click

from ..errors import SetupError
from ..flows.starters import STARTERS
from .main import likely
from .terminal import say


@click.command()
@click.argument("name", required=False)
@click.argument("file", required=False)
def command(name: str | None, file: str | None) -> int:
    """Write a starter flow as FILE, by default NAME.yaml; - prints it. Without NAME, the starters are listed.

    A file that is there already is left alone.
    """
    if name is None:
        say("\n".join(f"{starter:<10} {_about(text)}" for starter, text in STARTERS.items()))
        return 0
    if name not in STARTERS:
        hint = likely(name, STARTERS) or f"; there are {', '.join(STARTERS)}"
        raise click.UsageError(f"no starter '{name}'{hint}")
    if file == "-":
        say(STARTERS[name].rstrip("\n"))
        return 0
    path = file or f"{name}.yaml"
    _write(path, STARTERS[name])
    say(f"wrote {path}; now: simkit simulate {path}")
    return 0


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
