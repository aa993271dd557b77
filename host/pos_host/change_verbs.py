"""What verbs about a merchant's things have in common: the steps of lives; of changes also applying and blockers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import AdminOption, JsonOption, ReadyFileOption, TokenOption, office_at, part
from pos_host.options import UsageError

MerchantArgument = Annotated[str, typer.Argument(metavar="MERCHANT", help="The merchant's number.")]
NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="Its number, as the list gives it.")]
FileArgument = Annotated[
    str,
    typer.Argument(metavar="FILE", help="JSON as the API takes it; - reads standard input."),
]

BLOCKERS: tuple[Column, ...] = (
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


def path_of(merchant_id: str, *parts: str) -> str:
    """The API's path of something of a merchant."""
    return "/".join(("/merchants", part(merchant_id), *(part(one) for one in parts)))


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
    def list_command(
        merchant_id: MerchantArgument,
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List a merchant's changes, the oldest first."""
        office = office_at(admin, token, ready_file)
        show(office.items(path_of(merchant_id, collection)), columns, "changes", as_json=as_json)

    @app.command("show")
    def show_command(
        merchant_id: MerchantArgument,
        number: NumberArgument,
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show one change."""
        show_one(office_at(admin, token, ready_file).get(path_of(merchant_id, collection, number)), as_json=as_json)


def _add_applying(app: typer.Typer, collection: str) -> None:
    @app.command("blockers")
    def blockers_command(
        merchant_id: MerchantArgument,
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Tell every reason why it cannot be changed now; exit 1 where one of them blocks."""
        found = office_at(admin, token, ready_file).get(path_of(merchant_id, collection, "blockers"))["items"]
        show(found, BLOCKERS, "reasons", as_json=as_json)
        if any(blocker["blocks"] for blocker in found):
            raise typer.Exit(1)

    @app.command("apply")
    def apply_command(
        merchant_id: MerchantArgument,
        file: FileArgument,
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Hand in an application."""
        office = office_at(admin, token, ready_file)
        show_one(office.post(path_of(merchant_id, collection), body_in(file)), as_json=as_json)


def _add_plain(app: typer.Typer, collection: str, step: StepVerb) -> None:
    @app.command(step.name, help=step.help)
    def command(
        merchant_id: MerchantArgument,
        number: NumberArgument,
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        office = office_at(admin, token, ready_file)
        show_one(office.post(path_of(merchant_id, collection, number, step.name)), as_json=as_json)


def _add_told(app: typer.Typer, collection: str, step: StepVerb) -> None:
    default = "" if step.optional else ...

    @app.command(step.name, help=step.help)
    def command(
        merchant_id: MerchantArgument,
        number: NumberArgument,
        told: str = typer.Option(default, f"--{step.asks}", help="In your own words, for the record."),
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        office = office_at(admin, token, ready_file)
        path = path_of(merchant_id, collection, number, step.name)
        show_one(office.post(path, {step.asks: told}), as_json=as_json)


def _add_reasons(app: typer.Typer, collection: str, step: StepVerb) -> None:
    @app.command(step.name, help=step.help)
    def command(
        merchant_id: MerchantArgument,
        number: NumberArgument,
        reasons: Annotated[list[str], typer.Option("--reason", help="A reason for the refusal; repeatable.")],
        admin: AdminOption = None,
        token: TokenOption = None,
        ready_file: ReadyFileOption = None,
        as_json: JsonOption = False,
    ) -> None:
        office = office_at(admin, token, ready_file)
        path = path_of(merchant_id, collection, number, step.name)
        show_one(office.post(path, {"reasons": reasons}), as_json=as_json)
