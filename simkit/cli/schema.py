"""`simkit schema`: the JSON Schema of flow files."""

import click

from .terminal import say


@click.command()
def command() -> int:
    """Print the JSON Schema of flow files, for editors that complete and check.

    \b
    simkit schema > flow.schema.json
    # yaml-language-server: $schema=flow.schema.json     (first line of a flow)
    """  # noqa: D301 - \b is click's: keep these lines
    import json

    from ..flows.json_schema import write_schema

    say(json.dumps(write_schema(), indent=2))
    return 0
