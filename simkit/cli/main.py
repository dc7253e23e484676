"""`simkit`: its commands, each loaded when it is called, and what becomes of errors.

Only click is imported here, so that `simkit --help` is quick. A command is a function that returns its exit code.
"""

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from .. import __version__
from ..errors import SetupError, SimkitError
from .terminal import say, silence, tolerate

COMMANDS: Final = {  # in the order of --help; the module of the same name has each as `command`
    "simulate": "Run flows in virtual time.",
    "replay": "Play flows over the loopback, as real packets.",
    "audit": "Judge captures by the rules.",
    "compare": "Put two captures, or a capture and a flow, side by side.",
    "import": "Make a flow of SIPp scenarios, or of a recorded call.",
    "export": "Make SIPp scenarios of a flow.",
    "conform": "Put a timer logic to the test, rule by rule.",
    "museum": "Show the defects that real stacks had, and who catches them.",
    "check": "Check flow files without running them.",
    "new": "Write a starter flow.",
    "explain": "Say what a rule asks, and why.",
    "schema": "Print the JSON Schema of flow files, for editors.",
}
EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130


class Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = "importing" if cmd_name == "import" else cmd_name  # a keyword of Python names no module
        command: click.Command = import_module(f".{module}", __package__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; an unknown one is a usage error that names the likely one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"unknown command '{args[0]}'{likely(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and exit by its code."""
        exit_by(lambda: super(Commands, self).main(*args, **extra | {"prog_name": "simkit", "standalone_mode": False}))


def exit_by(run: Callable[[], int]) -> NoReturn:
    """Exit by the code that this returns, or by what it raises; what the user can put right is one message."""
    tolerate()
    try:
        status = run()
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except SimkitError as error:
        say(str(error), err=True)
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted", err=True)
        status = EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of --help has seen enough
        silence(sys.stdout)
        status = 0
    except OSError as error:  # files are opened with care: what is left is standard output
        silence(sys.stdout)
        say(f"cannot write the output: {error.strerror}", err=True)
        status = SetupError.exit_code
    sys.exit(status)


def likely(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)", or "" where nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Test SIP session timers (RFC 4028) in milliseconds.

    \b
    simkit new refresh             write a flow to start from
    simkit simulate refresh.yaml   run it: hours of calls, no waiting
    simkit explain RFC4028-10      what the rules say, and why
    """  # noqa: D301 - \b is click's: keep these lines
