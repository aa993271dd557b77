"""How verbs ask a running host: the options that say which host and as whom, and what the verb is handed for them.

A verb's first parameter is what its decorator makes of these options; typer sees the options in its place, behind the
verb's own. verbs/merchant.py is the example.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Concatenate, NamedTuple
from urllib.parse import urlsplit

import typer

from pos_host.options import UsageError
from pos_host.verbs.listing import Column, show, show_one
from pos_host.verbs.office_client import OfficeClient

DEFAULT_ADMIN = "http://127.0.0.1:8580"
DEFAULT_TOKEN_FILE = Path("var/pos-host.db.admin-token")
"""Beside the store that `pos-host serve` has where nobody said otherwise."""

AdminOption = Annotated[
    str | None, typer.Option("--admin", envvar="POS_HOST_ADMIN", help=f"URL of the host's API ({DEFAULT_ADMIN}).")
]
TokenOption = Annotated[
    str | None,
    typer.Option("--token", envvar="POS_HOST_TOKEN", help=f"Your token; by default what {DEFAULT_TOKEN_FILE} holds."),
]
ReadyFileOption = Annotated[
    Path | None, typer.Option("--ready-file", help="The host's ready file, which has both URL and token.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document per line.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]
NeededWhyOption = Annotated[str, typer.Option("--why", help="The reason, in words.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]


class Asked(NamedTuple):
    """The host that a verb asks, and how the user wants to see what it answers."""

    host: OfficeClient
    as_json: bool

    def show(self, items: Iterable[dict[str, Any]], columns: tuple[Column, ...], what: str) -> None:
        """Print a list; `what` names it above the table, in the plural."""
        show(items, columns, what, as_json=self.as_json)

    def show_one(self, item: dict[str, Any]) -> None:
        """Print one thing."""
        show_one(item, as_json=self.as_json)


def asks_a_host(verb: Callable[Concatenate[Asked, ...], None]) -> Callable[..., None]:
    """The verb with `--admin`, `--token`, `--ready-file` and `--json`, of which its first parameter is made."""
    return _first_made_by(_asked, verb)


def needs_a_host(verb: Callable[Concatenate[OfficeClient, ...], None]) -> Callable[..., None]:
    """The same without `--json`, for a verb that shows nothing or has forms of its own."""
    return _first_made_by(office_at, verb)


def office_at(admin: AdminOption = None, token: TokenOption = None, ready_file: ReadyFileOption = None) -> OfficeClient:
    """The host that the options mean; raises UsageError for a ready file that cannot be read, or no token."""
    if ready_file is not None:
        ready = _read_ready_file(ready_file)
        return OfficeClient(admin or ready["http"], token or ready["admin_token"])
    base_url = admin or DEFAULT_ADMIN
    if urlsplit(base_url).scheme not in ("http", "https"):
        raise UsageError(f"--admin {base_url}: must be a URL such as {DEFAULT_ADMIN}")
    return OfficeClient(base_url, token or _default_token())


def _asked(
    admin: AdminOption = None,
    token: TokenOption = None,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
) -> Asked:
    return Asked(office_at(admin, token, ready_file), as_json)


def _first_made_by(make: Callable[..., Any], verb: Callable[..., None]) -> Callable[..., None]:
    """`verb` with the parameters of `make` in place of its first one. typer reads both signature and annotations, and
    knows no module whose names it could look up in them: they hold the types themselves."""
    options = inspect.signature(make, eval_str=True).parameters
    _, *own = inspect.signature(verb, eval_str=True).parameters.values()

    @functools.wraps(verb)
    def command(**given: Any) -> None:
        first = make(**{name: given.pop(name) for name in options})
        verb(first, **given)

    parameters = [*own, *options.values()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _read_ready_file(path: Path) -> dict[str, str]:
    try:
        ready = json.loads(path.read_text("utf-8"))
        told = {name: ready[name] for name in ("http", "admin_token")}
    except OSError as error:
        raise UsageError(f"--ready-file {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"--ready-file {path}: is no ready file of this host") from None
    if not told["http"]:
        raise UsageError(f"--ready-file {path}: that host runs without --http, so it cannot be asked")
    return told


def _default_token() -> str:
    try:
        return DEFAULT_TOKEN_FILE.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"no token: give --token or --ready-file (there is no {DEFAULT_TOKEN_FILE} here)") from None
