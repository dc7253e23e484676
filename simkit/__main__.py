"""The program `simkit`, and `python -m simkit`."""

import sys


def main() -> None:
    """Run the command line. An interruption is one line even where it comes while that is being loaded."""
    try:
        from simkit.cli.main import main as command_line

        command_line()
    except (KeyboardInterrupt, RuntimeError) as error:
        if not any(isinstance(each, KeyboardInterrupt) for each in (error, error.__cause__)):
            raise  # Python 3.11 has a RuntimeError for what comes while a class is being made
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    finally:
        exec("")  # else Python, interrupted within another exec(), would end itself by the signal after all


if __name__ == "__main__":
    main()
