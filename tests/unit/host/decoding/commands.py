"""`decode`, `encode` and `dialects` mounted as the host's command does, and run in process."""

import json
from typing import Any

import typer
from click.testing import Result
from typer.testing import CliRunner

from pos_host.verbs.decode import decode_command, encode_command
from pos_host.verbs.dialect import dialects_app

app = typer.Typer()
app.command("decode")(decode_command)
app.command("encode")(encode_command)
app.add_typer(dialects_app)


def run(*words: str, lines: str = "") -> Result:
    """One call of the command, `lines` on its standard input."""
    return CliRunner().invoke(app, words, input=lines)


def documents(result: Result) -> list[dict[str, Any]]:
    """The JSON documents on standard output."""
    return [json.loads(line) for line in result.stdout.splitlines()]
