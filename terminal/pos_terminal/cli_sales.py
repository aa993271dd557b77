"""The verbs of `pos-terminal` that sell, pay out, take back and give back."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_specs.currencies import find_currency
from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.cards import find_card
from pos_terminal.cli_card_options import (
    CardOption,
    EntryOption,
    MoneyOptions,
    PinOption,
    ReadingOptions,
    read_entry,
    read_pin,
)
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import CurrencyOption, StanOption, UsageError, read_amount, read_currency, read_stan
from pos_terminal.cli_originals import (
    OriginalBatch,
    OriginalDate,
    OriginalRrn,
    OriginalStan,
    UnloggedOptions,
    particulars,
)
from pos_terminal.cli_terminal_options import TerminalOptions
from pos_terminal.commands import (
    Adjust,
    CashAdvance,
    Command,
    Inquire,
    Purchase,
    Refund,
    SellOffline,
    Void,
    VoidUnlogged,
)
from pos_terminal.memory import Memory
from pos_terminal.terminal_session import run_command

ForceOption = Annotated[bool, typer.Option("--force", help="Ask the host even if the log says no.")]
LaterOption = Annotated[bool, typer.Option("--later", help="Tell the host before the settlement, not now.")]


def add_sale_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("balance")(balance)
    app.command("purchase")(purchase)
    app.command("purchase-void")(purchase_void)
    app.command("refund")(refund)
    app.command("refund-void")(refund_void)
    app.command("cash-advance")(cash_advance)
    app.command("offline-purchase")(offline_purchase)
    app.command("adjust")(adjust)


@grouped_options
def balance(
    *,
    card: CardOption = "unionpay",
    currency: CurrencyOption = "CNY",
    read: ReadingOptions,
    options: TerminalOptions,
) -> int:
    """Ask what is on the card."""
    command = Inquire(find_card(card), read_currency(currency).number, *read.reading())
    return run_command(options, lambda memory, language: command)


@grouped_options
def purchase(
    *,
    asked: MoneyOptions,
    card: CardOption = "unionpay",
    read: ReadingOptions,
    partial: Annotated[bool, typer.Option("--partial", help="Take less, where the card has less.")] = False,
    options: TerminalOptions,
) -> int:
    """Sell for an amount."""
    command = Purchase(find_card(card), *asked.money(), *read.reading(), partial)
    return run_command(options, lambda memory, language: command)


@grouped_options
def purchase_void(
    *,
    stan: StanOption = None,
    force: ForceOption = False,
    pin: PinOption = None,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    unlogged: UnloggedOptions,
    options: TerminalOptions,
) -> int:
    """Take back a purchase of the open batch."""
    original = particulars(original_stan, original_rrn, original_batch)

    def make(memory: Memory, language: Language) -> Command:
        if stan is not None:
            return Void(read_stan(stan), force, pin=read_pin(pin))
        if original is None or unlogged.amount is None or unlogged.card is None:
            raise UsageError("give --stan, or --original-stan, --original-rrn, --amount and --card")
        return VoidUnlogged(*unlogged.card_and_money(), original)

    return run_command(options, make)


@grouped_options
def refund(
    *,
    asked: MoneyOptions,
    card: Annotated[str | None, typer.Option("--card", help="A test card's name, or a number.")] = None,
    stan: StanOption = None,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    original_date: OriginalDate = "",
    options: TerminalOptions,
) -> int:
    """Give money back for a purchase; UnionPay wants it named, by --stan or by the --original options."""
    money = asked.money()

    def make(memory: Memory, language: Language) -> Command:
        if stan is not None:
            sold = batch_log.find(memory.log, read_stan(stan))
            own = find_card(card) if card is not None else sold.card
            return Refund(own, *money, sold.as_original())
        original = particulars(original_stan, original_rrn, original_batch, original_date)
        if original is None and language.dialect.totals_kind == "unionpay48":
            raise UsageError("a UnionPay refund names its purchase: give --stan, or --original-rrn and so on")
        return Refund(find_card(card or "unionpay"), *money, original)

    return run_command(options, make)


@grouped_options
def refund_void(
    *,
    stan: StanOption = None,
    force: ForceOption = False,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    unlogged: UnloggedOptions,
    options: TerminalOptions,
) -> int:
    """Take back a refund of the open batch: that of --stan, else the last one."""
    original = particulars(original_stan, original_rrn, "")

    def make(memory: Memory, language: Language) -> Command:
        if original is None:
            return Void(read_stan(stan), force, "refund_void")
        return VoidUnlogged(*unlogged.card_and_money(), original, "refund_void")

    return run_command(options, make)


@grouped_options
def cash_advance(
    *,
    asked: MoneyOptions,
    card: CardOption = "unionpay",
    read: ReadingOptions,
    options: TerminalOptions,
) -> int:
    """Hand out cash on a card."""
    command = CashAdvance(find_card(card), *asked.money(), *read.reading())
    return run_command(options, lambda memory, language: command)


@grouped_options
def offline_purchase(
    *,
    asked: MoneyOptions,
    card: CardOption = "unionpay",
    entry: EntryOption = "manual",
    approval_code: Annotated[
        str, typer.Option("--approval-code", help="What the issuer said on the telephone: up to six characters.")
    ] = "000000",
    later: LaterOption = False,
    options: TerminalOptions,
) -> int:
    """Sell without asking, with --entry chip by the card's purse; the host is told at once, or before settling."""
    if not 0 < len(approval_code) <= 6 or not (approval_code.isascii() and approval_code.isalnum()):
        raise UsageError(f"--approval-code {approval_code!r}: one to six letters and digits")
    command = SellOffline(find_card(card), *asked.money(), read_entry(entry), f"{approval_code:<6}", later)
    return run_command(options, lambda memory, language: command)


@grouped_options
def adjust(
    *,
    amount: Annotated[str | None, typer.Option("--amount", help="The new amount, tip and all.")] = None,
    tip: Annotated[str | None, typer.Option("--tip", help="What is added to the sale's amount.")] = None,
    stan: Annotated[str | None, typer.Option("--stan", help="The sale; by default the last one.")] = None,
    later: LaterOption = False,
    options: TerminalOptions,
) -> int:
    """Give a sale of the open batch another amount, mostly because of a tip."""
    if (amount is None) == (tip is None):
        raise UsageError("give either --amount, the new one, or --tip, what comes on top")

    def make(memory: Memory, language: Language) -> Command:
        sale = batch_log.adjustable(memory.log, read_stan(stan) or batch_log.last_adjustable(memory.log).stan)
        money = find_currency(sale.currency)
        tip_minor = 0 if tip is None else read_amount(tip, money, "--tip")
        amount_minor = sale.amount_minor + tip_minor if amount is None else read_amount(amount, money)
        return Adjust(sale.stan, amount_minor, tip_minor, later)

    return run_command(options, make)
