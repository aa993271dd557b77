"""What was agreed with somebody, as a running host keeps it: shown, replaced, listed by version, put back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from pos_host.options import UsageError
from pos_host.verbs.asking import Asked
from pos_host.verbs.listing import Column

OfMerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="Of this merchant; else the acquirer's.")]
OfTerminalOption = Annotated[str | None, typer.Option("--terminal-id", help="Of this terminal of the merchant.")]
ValidFromOption = Annotated[
    str | None, typer.Option("--valid-from", help="An instant with an offset (policies) or a day (fees); else now.")
]
VersionOption = Annotated[int, typer.Option("--version", min=1, help="As the history numbers it.")]

_KEYS: tuple[Column, ...] = (
    ("key", "key"),
    ("value", "value"),
    ("its own", "own"),
)
_VERSIONS: tuple[Column, ...] = (
    ("version", "version"),
    ("state", "state"),
    ("valid from", "valid_from"),
    ("by", "by"),
    ("why", "why"),
    ("values", "values"),
)


class Agreed(NamedTuple):
    """What one side agreed to: its path in the API, and whom the query names."""

    path: str
    query: dict[str, Any]

    def show_keys(self, asked: Asked) -> None:
        """What holds: a line for each key."""
        found = asked.host.get(self.path, **self.query)
        if asked.as_json:
            asked.show_one(found)
            return
        own = found["values"]
        lines = ({"key": key, "value": value, "own": key in own} for key, value in found["effective"].items())
        asked.show(lines, _KEYS, "keys")

    def replace(self, asked: Asked, values: dict[str, Any], valid_from: str | None, why: str) -> None:
        """Give it these values and no others."""
        body = _dated({"values": values, "why": why}, valid_from)
        asked.show_one(asked.host.put(self.path, body, **self.query))

    def show_versions(self, asked: Asked) -> None:
        """Every version, as the host orders them."""
        asked.show(asked.host.items(f"{self.path}/history", **self.query), _VERSIONS, "versions")

    def restore(self, asked: Asked, version: int, valid_from: str | None, why: str) -> None:
        """Have an earlier version hold again."""
        body = _dated({"version": version, "why": why}, valid_from)
        asked.show_one(asked.host.post(f"{self.path}/restore", body, **self.query))

    def withdraw(self, asked: Asked, version: int, why: str) -> None:
        """Take back a version that has not begun."""
        body = {"version": version, "why": why}
        asked.show_one(asked.host.post(f"{self.path}/withdraw", body, **self.query))


def agreed_in(kind: str, merchant_id: str | None, terminal_id: str | None) -> Agreed:
    """What holds for the acquirer, a merchant or a terminal; `kind` begins the API's path. Raises UsageError for a
    terminal of no merchant."""
    if terminal_id is not None and merchant_id is None:
        raise UsageError("--terminal-id: goes with --merchant-id")
    level = "acquirer" if merchant_id is None else "merchant" if terminal_id is None else "terminal"
    return Agreed(f"/{kind}/{level}", {"merchant_id": merchant_id, "terminal_id": terminal_id})


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


def _dated(body: dict[str, Any], valid_from: str | None) -> dict[str, Any]:
    return body if valid_from is None else {**body, "valid_from": valid_from}
