"""The `pos-terminal` command: a verb per function a terminal can begin, and verbs for many terminals."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from pos_specs.errors import DialectError
from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.addresses import AddressError
from pos_terminal.applications.application import NoSuchTotals
from pos_terminal.batch_log import NotInLog
from pos_terminal.cards import CardError, find_card
from pos_terminal.cli_fleet import add_fleet_verbs
from pos_terminal.cli_options import (
    AmountOption,
    CardOption,
    CurrencyOption,
    TerminalOptions,
    UsageError,
    terminal_verb,
)
from pos_terminal.client import NoConnection
from pos_terminal.commands import Command, Manage, Purchase, Refund, Reverse, Settle, Void, VoidUnlogged
from pos_terminal.host_books import ApiFailed
from pos_terminal.memory import Memory, MemoryDamaged
from pos_terminal.memory_file import MemoryInUse
from pos_terminal.money import MoneyError, find_currency, parse_amount
from pos_terminal.requests import NoSuchFunction, RequestImpossible
from pos_terminal.states import NotNow
from pos_terminal.terminal_session import run_command
from pos_terminal.transaction import MAGNETIC, MANUAL, Original

BAD_USAGE = (
    AddressError,
    CardError,
    DialectError,
    MemoryDamaged,
    MoneyError,
    NoSuchFunction,
    NoSuchTotals,
    NotInLog,
    RequestImpossible,
    UsageError,
)
"""What the caller can put right: exit code 2."""

FAILED = (ApiFailed, MemoryInUse, NoConnection, NotNow)
"""What was asked for and could not be done: exit code 1."""

StanOption = Annotated[str | None, typer.Option("--stan", help="The transaction in the terminal's batch.")]
OriginalStan = Annotated[str, typer.Option("--original-stan", help="STAN of a purchase no longer in the log.")]
OriginalRrn = Annotated[str, typer.Option("--original-rrn", help="Its reference number (DE37).")]
OriginalBatch = Annotated[str, typer.Option("--original-batch", help="Its batch number.")]
OriginalDate = Annotated[str, typer.Option("--original-date", help="Its date, MMDD.")]

app = typer.Typer(
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Simulated POS terminals that trade against a host and keep books of their own.",
)
add_fleet_verbs(app)


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


@app.command("sign-in")
@terminal_verb
def sign_in(options: TerminalOptions) -> int:
    """Sign in; a UnionPay host gives the batch number."""
    return run_command(options, lambda memory, language: Manage("sign_in"))


@app.command("sign-off")
@terminal_verb
def sign_off(options: TerminalOptions) -> int:
    """Sign off."""
    return run_command(options, lambda memory, language: Manage("sign_off"))


@app.command("echo")
@terminal_verb
def echo(options: TerminalOptions) -> int:
    """Test the line."""
    return run_command(options, lambda memory, language: Manage("echo"))


@app.command("purchase")
@terminal_verb
def purchase(
    options: TerminalOptions,
    amount: AmountOption,
    card: CardOption = "unionpay",
    currency: CurrencyOption = "CNY",
    manual: Annotated[bool, typer.Option("--manual", help="Key the number in instead of swiping.")] = False,
) -> int:
    """Sell for an amount."""
    money = find_currency(currency)
    command = Purchase(find_card(card), parse_amount(amount, money), money.number, MANUAL if manual else MAGNETIC)
    return run_command(options, lambda memory, language: command)


@app.command("purchase-void")
@terminal_verb
def purchase_void(
    options: TerminalOptions,
    stan: StanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the host even if the log says no.")] = False,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    amount: Annotated[str | None, typer.Option("--amount", help="Of a purchase no longer in the log.")] = None,
    card: Annotated[str | None, typer.Option("--card", help="Of a purchase no longer in the log.")] = None,
    currency: CurrencyOption = "CNY",
) -> int:
    """Take back a purchase of the open batch."""
    original = Original(stan=original_stan, rrn=original_rrn, batch_number=original_batch)

    def make(memory: Memory, language: Language) -> Command:
        if stan is not None:
            return Void(_stan(stan), force)
        if not (original_stan or original_rrn) or amount is None or card is None:
            raise UsageError("give --stan, or --original-stan, --original-rrn, --amount and --card")
        money = find_currency(currency)
        return VoidUnlogged(find_card(card), parse_amount(amount, money), money.number, original)

    return run_command(options, make)


@app.command("refund")
@terminal_verb
def refund(
    options: TerminalOptions,
    amount: AmountOption,
    card: Annotated[str | None, typer.Option("--card", help="A test card's name, or a number.")] = None,
    currency: CurrencyOption = "CNY",
    stan: StanOption = None,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    original_date: OriginalDate = "",
) -> int:
    """Give money back for a purchase; UnionPay wants it named, by --stan or by the --original options."""
    money = find_currency(currency)
    amount_minor = parse_amount(amount, money)

    def make(memory: Memory, language: Language) -> Command:
        if stan is not None:
            sold = batch_log.find(memory.log, _stan(stan))
            own = find_card(card) if card is not None else find_card(sold.pan)._replace(expiry=sold.expiry)
            return Refund(own, amount_minor, money.number, sold.as_original())
        named = Original(stan=original_stan, rrn=original_rrn, batch_number=original_batch, date=original_date)
        original = named if original_stan or original_rrn else None
        if original is None and language.dialect.totals_kind == "unionpay48":
            raise UsageError("a UnionPay refund names its purchase: give --stan, or --original-rrn and so on")
        return Refund(find_card(card or "unionpay"), amount_minor, money.number, original)

    return run_command(options, make)


@app.command("reversal")
@terminal_verb
def reversal(options: TerminalOptions, stan: StanOption = None) -> int:
    """Send the pending reversal now; with --stan, undo that transaction of the batch."""
    return run_command(options, lambda memory, language: Reverse("" if stan is None else _stan(stan)))


@app.command("settle")
@terminal_verb
def settle(
    options: TerminalOptions,
    leave_out: Annotated[
        str | None, typer.Option("--leave-out", help="STAN of a record to leave out of the totals.")
    ] = None,
) -> int:
    """Settle the batch, uploading it when the host disagrees; goes on where it was cut off."""

    def make(memory: Memory, language: Language) -> Command:
        if leave_out is None:
            return Settle()
        return Settle(leave_out=batch_log.find(memory.log, _stan(leave_out)).stan)

    return run_command(options, make)


def _stan(text: str) -> str:
    """`12` and `000012` alike."""
    if not text.isdigit() or not text.isascii() or len(text) > 6:
        raise UsageError(f"--stan {text!r}: up to six digits")
    return f"{int(text):06d}"
