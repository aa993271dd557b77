"""The verbs of `pos-terminal` around a pre-authorisation: make it, add to it, give it back, complete it, undo that."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.cards import find_card
from pos_terminal.cli_options import (
    AmountOption,
    CurrencyOption,
    EntryOption,
    ManualOption,
    PinOption,
    StanOption,
    TerminalOptions,
    read_amount,
    read_currency,
    read_entry,
    read_pin,
    read_stan,
    terminal_verb,
)
from pos_terminal.cli_originals import (
    ApprovalCode,
    OriginalBatch,
    OriginalDate,
    OriginalRrn,
    OriginalStan,
    UnloggedAmount,
    UnloggedCard,
    money_of,
    particulars,
)
from pos_terminal.commands import Authorise, Command, Complete, CompleteUnlogged, Void, VoidUnlogged
from pos_terminal.memory import Memory
from pos_terminal.terminal_session import run_command
from pos_terminal.transaction import Original

AdviceOption = Annotated[bool, typer.Option("--advice", help="Tell the host instead of asking it (0220).")]


def add_authorisation_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("auth")(auth)
    app.command("auth-void")(auth_void)
    app.command("completion")(completion)
    app.command("completion-void")(completion_void)


@terminal_verb
def auth(
    options: TerminalOptions,
    amount: AmountOption,
    card: Annotated[str | None, typer.Option("--card", help="A test card's name, or a card number.")] = None,
    currency: CurrencyOption = "CNY",
    entry: EntryOption = "swipe",
    manual: ManualOption = False,
    pin: PinOption = None,
    approval_code: Annotated[
        str, typer.Option("--approval-code", help="Of the pre-authorisation that this one adds to.")
    ] = "",
    stan: Annotated[str | None, typer.Option("--stan", help="STAN of the pre-authorisation to add to.")] = None,
) -> int:
    """Reserve an amount; with --approval-code or --stan, on top of an earlier reservation."""
    money = read_currency(currency)
    added_to = Original(stan=read_stan(stan), approval_code=approval_code) if stan or approval_code else None
    known = None if card is None and added_to is not None else find_card(card or "unionpay")
    command = Authorise(
        known, read_amount(amount, money), money.number, read_entry(entry, manual), read_pin(pin), added_to
    )
    return run_command(options, lambda memory, language: command)


@terminal_verb
def auth_void(
    options: TerminalOptions,
    stan: StanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the host even if the memory says no.")] = False,
    pin: PinOption = None,
    original_stan: OriginalStan = "",
    original_batch: OriginalBatch = "",
    original_date: OriginalDate = "",
    approval_code: ApprovalCode = "",
    amount: UnloggedAmount = None,
    card: UnloggedCard = None,
    currency: CurrencyOption = "CNY",
) -> int:
    """Give a reservation back: that of --stan, else the last open one."""
    original = particulars(original_stan, "", original_batch, original_date, approval_code)

    def make(memory: Memory, language: Language) -> Command:
        known = read_stan(stan) or _remembered(memory, approval_code, card)
        if original is None or known:
            return Void(known, force, "auth_void", read_pin(pin))
        return VoidUnlogged(*money_of(card, amount, currency), original, "auth_void")

    return run_command(options, make)


@terminal_verb
def completion(
    options: TerminalOptions,
    amount: UnloggedAmount = None,
    stan: StanOption = None,
    advice: AdviceOption = False,
    pin: PinOption = None,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    original_date: OriginalDate = "",
    approval_code: ApprovalCode = "",
    card: UnloggedCard = None,
    currency: CurrencyOption = "CNY",
) -> int:
    """Sell what was reserved: the pre-authorisation of --stan, else the last open one."""
    original = particulars(original_stan, original_rrn, original_batch, original_date, approval_code)
    asked = read_amount(amount, read_currency(currency)) if amount is not None else None

    def make(memory: Memory, language: Language) -> Command:
        told = advice or not _has(language, "completion")  # Hypercom and ISO 1987 have the advice alone
        known = read_stan(stan) or _remembered(memory, approval_code, card)
        if original is None or known:
            return Complete(asked, known, told, read_pin(pin))
        return CompleteUnlogged(*money_of(card, amount, currency), original, told)

    return run_command(options, make)


@terminal_verb
def completion_void(
    options: TerminalOptions,
    stan: StanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the host even if the log says no.")] = False,
    pin: PinOption = None,
    original_stan: OriginalStan = "",
    original_rrn: OriginalRrn = "",
    original_batch: OriginalBatch = "",
    original_date: OriginalDate = "",
    approval_code: ApprovalCode = "",
    amount: UnloggedAmount = None,
    card: UnloggedCard = None,
    currency: CurrencyOption = "CNY",
) -> int:
    """Take a completion back: that of --stan, else the last one; its pre-authorisation is open again."""
    original = particulars(original_stan, original_rrn, original_batch, original_date, approval_code)

    def make(memory: Memory, language: Language) -> Command:
        if original is not None:
            function = "completion_void" if _has(language, "completion_void") else "purchase_void"
            return VoidUnlogged(*money_of(card, amount, currency), original, function)
        if _has(language, "completion_void"):
            return Void(read_stan(stan), force, "completion_void", read_pin(pin))
        completed = read_stan(stan) or batch_log.last_voidable(memory.log, "completion_void").stan
        return Void(completed, force, pin=read_pin(pin))

    return run_command(options, make)


def _remembered(memory: Memory, approval_code: str, card: str | None) -> str:
    """STAN of the open pre-authorisation of that code, "" where none is remembered or a card is named too."""
    if not approval_code or card is not None:
        return ""
    held = [t.stan for t in memory.authorisations if t.open and t.approval_code == approval_code]
    return held[0] if held else ""


def _has(language: Language, function: str) -> bool:
    return any(rule.name == function for rule in language.dialect.functions)
