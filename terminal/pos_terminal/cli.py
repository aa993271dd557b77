"""The `pos-terminal` command: a verb per function a terminal can begin, and verbs for many terminals."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pos_specs.currencies import MoneyError
from pos_specs.errors import DialectError
from pos_specs.release import release
from pos_specs.security.errors import SecurityError
from pos_terminal.addresses import AddressError
from pos_terminal.applications.application import NoSuchTotals, NotSpoken
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import CardError
from pos_terminal.cli_authorisations import add_authorisation_verbs
from pos_terminal.cli_fleet import add_fleet_verbs
from pos_terminal.cli_management import add_management_verbs
from pos_terminal.cli_options import UsageError
from pos_terminal.cli_replay import add_replay_verb
from pos_terminal.cli_sales import add_sale_verbs
from pos_terminal.cli_scenarios import add_scenario_verbs
from pos_terminal.cli_shipped_scenarios import add_shipped_scenarios_verb
from pos_terminal.client import NoConnection
from pos_terminal.downloads import DownloadFailed
from pos_terminal.host_books import ApiFailed
from pos_terminal.memory import MemoryDamaged
from pos_terminal.memory_file import MemoryInUse
from pos_terminal.pin import PinError
from pos_terminal.pin_pad import PadError
from pos_terminal.requests import NoSuchFunction, RequestImpossible
from pos_terminal.states import NotNow

BAD_USAGE = (
    AddressError,
    CardError,
    DialectError,
    MemoryDamaged,
    MoneyError,
    NoSuchFunction,
    NoSuchTotals,
    NotSpoken,
    NotInLog,
    PinError,
    RequestImpossible,
    SecurityError,
    UsageError,
)
"""What the caller can put right: exit code 2."""

FAILED = (ApiFailed, DownloadFailed, MemoryInUse, NoConnection, NotNow, PadError)
"""What was asked for and could not be done: exit code 1."""

app = typer.Typer(
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulated POS terminals that trade against a host and keep books of their own.",
)


def _show_release(asked: bool) -> None:
    if asked:
        typer.echo(f"pos-terminal {release()}")
        raise typer.Exit


@app.callback()
def before_every_verb(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_release, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None: ...


add_management_verbs(app)
add_sale_verbs(app)
add_authorisation_verbs(app)
add_fleet_verbs(app)
add_replay_verb(app)
add_scenario_verbs(app)
add_shipped_scenarios_verb(app)


def main() -> None:
    """Run the command: 0 done, 1 what was asked for failed, 2 bad usage; one clear line on standard error."""
    raise SystemExit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The command with these arguments; gives its exit code."""
    try:
        code = app(arguments or ["--help"], standalone_mode=False, prog_name="pos-terminal")
        return code if isinstance(code, int) else 0
    except BAD_USAGE as error:
        return _complain(str(error), 2)
    except FAILED as error:
        return _complain(str(error), 1)
    except TyperException as error:
        return _complain(error.format_message(), 2)
    except (Abort, KeyboardInterrupt):
        return 1


def _complain(text: str, code: int) -> int:
    typer.echo(f"pos-terminal: {' '.join(text.split())}", err=True)
    return code
