"""`--config FILE`: a TOML file whose keys are the options. Command line over environment over file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import typer

from pos_host.options import UsageError


def config_option(context: typer.Context, path: Path | None) -> Path | None:
    """Take the file's keys as the defaults of this command; raises UsageError naming file and key."""
    if path is None:
        return None
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: not TOML: {error}") from None
    known = {parameter.name for parameter in context.command.params} - {"config"}
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in known:
            raise UsageError(f"--config {path}: {key}: is no option of this command")
        if not isinstance(value, str | int | list):
            raise UsageError(f"--config {path}: {key}: must be a text, a number or a list of texts")
        defaults[name] = value
    context.default_map = {**(context.default_map or {}), **defaults}
    return path
