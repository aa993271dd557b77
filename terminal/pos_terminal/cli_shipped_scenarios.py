"""The verb of `pos-terminal` that shows which scenarios come with the package."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pos_terminal.cli_options import JsonOption, UsageError


def add_shipped_scenarios_verb(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("scenarios")(scenarios)


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Print this one, to copy from.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only those with this tag.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the scenarios that come with the package, by the names that `run` takes, or print one of them."""
    if name is None:
        _list(tag or [], as_json)
        return
    if tag or as_json:
        raise UsageError("--tag and --json are for the list, not for one scenario")
    from pos_terminal.scenarios.shipped_scenarios import shipped_path

    path = shipped_path(name)
    if path is None or path.is_dir():
        raise UsageError(f"{name}: no shipped scenario of that name; pos-terminal scenarios lists them")
    typer.echo(path.read_text("utf-8"), nl=False)


def _list(tags: list[str], as_json: bool) -> None:
    """A line for each file: its name, its title and its tags."""
    from pos_terminal.scenarios.loading import load_file
    from pos_terminal.scenarios.shipped_scenarios import shipped_names, shipped_path
    from pos_terminal.scenarios.suite import chosen

    told = 0
    for name in shipped_names():
        path = shipped_path(name)
        rows = [] if path is None else chosen(load_file(path), tags)
        if not rows:
            continue
        told += 1
        first = rows[0]
        document = {
            "name": name,
            "scenario": first.title,
            "description": first.description,
            "tags": list(first.tags),
            "dialects": list(dict.fromkeys(dialect for row in rows for dialect in row.dialects)),
            "rows": len(rows),
        }
        tagged = f" ({', '.join(first.tags)})" if first.tags else ""
        typer.echo(json.dumps(document, ensure_ascii=False) if as_json else f"{name}: {first.title}{tagged}")
    if not told:
        raise UsageError(f"no shipped scenario has the tag {' or '.join(tags)}")
