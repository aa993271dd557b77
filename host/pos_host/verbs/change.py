"""What verbs about a merchant's things have in common: the steps of lives; of changes also applying and blockers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from pos_host.options import UsageError
from pos_host.verbs.asking import Asked, asks_a_host
from pos_host.verbs.listing import Column
from pos_host.verbs.whom import MerchantArgument, merchant_path

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="Its number, as the list gives it.")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="JSON as the API takes it; - reads standard input.")]

_BLOCKERS: tuple[Column, ...] = (
    ("code", "code"),
    ("blocks", "blocks"),
    ("what", "text"),
    ("concerns", "concerns"),
    ("remedy", "remedy"),
)


class StepVerb(NamedTuple):
    """A step that has a verb of its own. `asks` is what it has to be told: "", or the key of a text (`why`), or of a
    list of texts (`reasons`)."""

    name: str
    help: str
    asks: str = ""
    optional: bool = False


def add_steps(app: typer.Typer, collection: str, steps: tuple[StepVerb, ...]) -> None:
    """Give `app` the steps of a life; `collection` is the last part of the API's path."""
    for step in steps:
        if not step.asks:
            _add_plain(app, collection, step)
        elif step.asks == "reasons":
            _add_reasons(app, collection, step)
        else:
            _add_told(app, collection, step)


def body_in(file: str) -> dict[str, Any]:
    """The JSON object in a file, or on standard input for `-`; raises UsageError, which never repeats what it holds."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        body = json.loads(text)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{file}{place}: is no JSON") from None
    except RecursionError:
        raise UsageError(f"{file}: is nested too deeply") from None
    if not isinstance(body, dict):
        raise UsageError(f"{file}: must be a JSON object")
    return body


def show_blockers(asked: Asked, blockers: list[dict[str, Any]]) -> None:
    """Print what stands against a change; exit 1 where one of it blocks."""
    asked.show(blockers, _BLOCKERS, "reasons")
    if any(blocker["blocks"] for blocker in blockers):
        raise typer.Exit(1)


def add_change_verbs(app: typer.Typer, collection: str, steps: tuple[StepVerb, ...]) -> None:
    """Give `app` what there is for a change: list, show, blockers, apply and the steps of its life."""
    _add_reading(app, collection)
    _add_applying(app, collection)
    add_steps(app, collection, steps)


def _add_reading(app: typer.Typer, collection: str) -> None:
    columns: tuple[Column, ...] = (
        ("no", "change_id"),
        ("state", "state"),
        ("possible", "possible"),
        ("by", "submitted_by"),
        ("reviewed by", "reviewed_by"),
        ("changed", "changed_at"),
    )

    @app.command("list")
    @asks_a_host
    def list_command(asked: Asked, merchant_id: MerchantArgument) -> None:
        """List a merchant's changes, the oldest first."""
        asked.show(asked.host.items(merchant_path(merchant_id, collection)), columns, "changes")

    @app.command("show")
    @asks_a_host
    def show_command(asked: Asked, merchant_id: MerchantArgument, number: NumberArgument) -> None:
        """Show one change."""
        asked.show_one(asked.host.get(merchant_path(merchant_id, collection, number)))


def _add_applying(app: typer.Typer, collection: str) -> None:
    @app.command("blockers")
    @asks_a_host
    def blockers_command(asked: Asked, merchant_id: MerchantArgument) -> None:
        """Tell every reason why it cannot be changed now; exit 1 where one of them blocks."""
        show_blockers(asked, asked.host.get(merchant_path(merchant_id, collection, "blockers"))["items"])

    @app.command("apply")
    @asks_a_host
    def apply_command(asked: Asked, merchant_id: MerchantArgument, file: FileArgument) -> None:
        """Hand in an application."""
        asked.show_one(asked.host.post(merchant_path(merchant_id, collection), body_in(file)))


def _add_plain(app: typer.Typer, collection: str, step: StepVerb) -> None:
    @app.command(step.name, help=step.help)
    @asks_a_host
    def command(asked: Asked, merchant_id: MerchantArgument, number: NumberArgument) -> None:
        asked.show_one(asked.host.post(merchant_path(merchant_id, collection, number, step.name)))


def _add_told(app: typer.Typer, collection: str, step: StepVerb) -> None:
    default = "" if step.optional else ...

    @app.command(step.name, help=step.help)
    @asks_a_host
    def command(
        asked: Asked,
        merchant_id: MerchantArgument,
        number: NumberArgument,
        told: str = typer.Option(default, f"--{step.asks}", help="In your own words, for the record."),
    ) -> None:
        path = merchant_path(merchant_id, collection, number, step.name)
        asked.show_one(asked.host.post(path, {step.asks: told}))


def _add_reasons(app: typer.Typer, collection: str, step: StepVerb) -> None:
    @app.command(step.name, help=step.help)
    @asks_a_host
    def command(
        asked: Asked,
        merchant_id: MerchantArgument,
        number: NumberArgument,
        reasons: Annotated[list[str], typer.Option("--reason", help="A reason for the refusal; repeatable.")],
    ) -> None:
        path = merchant_path(merchant_id, collection, number, step.name)
        asked.show_one(asked.host.post(path, {"reasons": reasons}))
