"""`pos-host policies`, and what `pos-host fees` does with a running host: what was agreed, changed and put back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.listing import Column, show, show_one
from pos_host.office_client import (
    AdminOption,
    JsonOption,
    ReadyFileOption,
    TokenOption,
    WhyOption,
    office_at,
)
from pos_host.options import UsageError

policies_app = typer.Typer(name="policies", help="Settlement policies.", no_args_is_help=True)

POLICIES, SCHEDULES = "policies", "fee-schedules"
"""Their paths in the API."""

MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="Of this merchant; else the acquirer's.")]
TerminalOption = Annotated[str | None, typer.Option("--terminal-id", help="Of this terminal of the merchant.")]
ValidFromOption = Annotated[
    str | None, typer.Option("--valid-from", help="An instant with an offset (policies) or a day (fees); else now.")
]
VersionOption = Annotated[int, typer.Option("--version", min=1, help="As the history numbers it.")]
FileOption = Annotated[
    Path | None, typer.Option("--file", help="TOML with all that the scope has of its own; without it, the settings.")
]
SettingArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="Keys to change; KEY= takes the scope's own away.")
]

VERSION_COLUMNS: tuple[Column, ...] = (
    ("version", "version"),
    ("state", "state"),
    ("valid from", "valid_from"),
    ("by", "by"),
    ("why", "why"),
    ("values", "values"),
)


@policies_app.command("show")
def show_policy(
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what holds: a line for each key, what is inherited among them."""
    path, query = _scope(POLICIES, merchant_id, terminal_id)
    found = office_at(admin, token, ready_file).get(path, **query)
    if as_json:
        show_one(found, as_json=True)
        return
    lines = ({"key": key, "value": value, "own": key in found["values"]} for key, value in found["effective"].items())
    show(lines, (("key", "key"), ("value", "value"), ("its own", "own")), "keys", as_json=False)


@policies_app.command("set")
def set_policy(
    settings: SettingArgument = None,
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    file: FileOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change keys of a scope's own; what is not named stays."""
    office = office_at(admin, token, ready_file)
    path, query = _scope(POLICIES, merchant_id, terminal_id)
    if file is not None:
        values = read_values(file)
    else:
        values = {**office.get(path, **query)["values"], **_settings(settings or [])}
    body = {"values": {key: value for key, value in values.items() if value != ""}, "why": why}
    show_one(office.put(path, dated(body, valid_from), **query), as_json=as_json)


@policies_app.command("history")
def policy_history(
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every version of a scope, the latest first."""
    path, query = _scope(POLICIES, merchant_id, terminal_id)
    office = office_at(admin, token, ready_file)
    show(office.items(f"{path}/history", **query), VERSION_COLUMNS, "versions", as_json=as_json)


@policies_app.command("restore")
def restore_policy(
    version: VersionOption,
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring an earlier version back."""
    path, query = _scope(POLICIES, merchant_id, terminal_id)
    body = dated({"version": version, "why": why}, valid_from)
    show_one(office_at(admin, token, ready_file).post(f"{path}/restore", body, **query), as_json=as_json)


@policies_app.command("withdraw")
def withdraw_policy(
    version: VersionOption,
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back a version that has not begun."""
    path, query = _scope(POLICIES, merchant_id, terminal_id)
    body = {"version": version, "why": why}
    show_one(office_at(admin, token, ready_file).post(f"{path}/withdraw", body, **query), as_json=as_json)


def show_fees(
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the rules that a running host asks for a scope, in that order."""
    path, query = _scope(SCHEDULES, merchant_id, terminal_id)
    found = office_at(admin, token, ready_file).get(path, **query)
    if as_json:
        show_one(found, as_json=True)
        return
    columns = (("rule", "name"), ("products", "products"), ("entries", "entries"), ("currency", "currency"))
    more = (("rate %", "rate_percent"), ("cap", "cap_minor"), ("from", "amount_from_minor"), ("to", "amount_to_minor"))
    show(found["effective"]["rule"], (*columns, *more), "rules", as_json=False)


def set_fees(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A fee schedule (TOML): what the scope has of its own.")],
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a scope a schedule of its own, in place of the one it had."""
    path, query = _scope(SCHEDULES, merchant_id, terminal_id)
    body = dated({"values": read_values(file), "why": why}, valid_from)
    show_one(office_at(admin, token, ready_file).put(path, body, **query), as_json=as_json)


def fees_history(
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every version of a scope's schedule, the latest first."""
    path, query = _scope(SCHEDULES, merchant_id, terminal_id)
    office = office_at(admin, token, ready_file)
    show(office.items(f"{path}/history", **query), VERSION_COLUMNS, "versions", as_json=as_json)


def restore_fees(
    version: VersionOption,
    merchant_id: MerchantOption = None,
    terminal_id: TerminalOption = None,
    valid_from: ValidFromOption = None,
    why: WhyOption = "",
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring an earlier schedule back."""
    path, query = _scope(SCHEDULES, merchant_id, terminal_id)
    body = dated({"version": version, "why": why}, valid_from)
    show_one(office_at(admin, token, ready_file).post(f"{path}/restore", body, **query), as_json=as_json)


def add_fee_verbs(fees_app: typer.Typer) -> None:
    """Give `pos-host fees` the verbs that ask a running host."""
    fees_app.command("show")(show_fees)
    fees_app.command("set")(set_fees)
    fees_app.command("history")(fees_history)
    fees_app.command("restore")(restore_fees)


def read_values(file: Path) -> dict[str, Any]:
    """The table of a TOML file in JSON's types: days and times become texts. Raises UsageError."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: {error}") from None
    except RecursionError:
        raise UsageError(f"{file}: is nested too deeply") from None
    plain: dict[str, Any] = _plain(table)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, (str, int, float)) else value.isoformat()


def _scope(kind: str, merchant_id: str | None, terminal_id: str | None) -> tuple[str, dict[str, Any]]:
    """The path of a scope, and what the query names."""
    if terminal_id is not None and merchant_id is None:
        raise UsageError("--terminal-id: goes with --merchant-id")
    level = "acquirer" if merchant_id is None else "merchant" if terminal_id is None else "terminal"
    return f"/{kind}/{level}", {"merchant_id": merchant_id, "terminal_id": terminal_id}


def _settings(settings: list[str]) -> dict[str, str | int]:
    """KEY=VALUE each; whole numbers as such."""
    found: dict[str, str | int] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"{setting}: must be KEY=VALUE, such as cutoff=22:00")
        found[key] = int(value) if value.isascii() and value.isdigit() else value
    return found


def dated(body: dict[str, Any], valid_from: str | None) -> dict[str, Any]:
    return body if valid_from is None else {**body, "valid_from": valid_from}
