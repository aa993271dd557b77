"""The verbs of `pos-terminal` around a pre-authorisation: make it, add to it, give it back, complete it, undo that."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.cards import find_card
from pos_terminal.cli_card_options import MoneyOptions, PinOption, ReadingOptions, read_pin
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import StanOption, read_stan
from pos_terminal.cli_originals import OriginalRrn, ReservationOptions, UnloggedOptions
from pos_terminal.cli_terminal_options import TerminalOptions
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


@grouped_options
def auth(
    *,
    asked: MoneyOptions,
    card: Annotated[str | None, typer.Option("--card", help="A test card's name, or a card number.")] = None,
    read: ReadingOptions,
    approval_code: Annotated[
        str, typer.Option("--approval-code", help="Of the pre-authorisation that this one adds to.")
    ] = "",
    stan: Annotated[str | None, typer.Option("--stan", help="STAN of the pre-authorisation to add to.")] = None,
    options: TerminalOptions,
) -> int:
    """Reserve an amount; with --approval-code or --stan, on top of an earlier reservation."""
    added_to = Original(stan=read_stan(stan), approval_code=approval_code) if stan or approval_code else None
    known = None if card is None and added_to is not None else find_card(card or "unionpay")
    command = Authorise(known, *asked.money(), *read.reading(), added_to)
    return run_command(options, lambda memory, language: command)


@grouped_options
def auth_void(
    *,
    stan: StanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the host even if the memory says no.")] = False,
    pin: PinOption = None,
    named: ReservationOptions,
    unlogged: UnloggedOptions,
    options: TerminalOptions,
) -> int:
    """Give a reservation back: that of --stan, else the last open one."""
    original = named.original()

    def make(memory: Memory, language: Language) -> Command:
        known = read_stan(stan) or _remembered(memory, named, unlogged)
        if original is None or known:
            return Void(known, force, "auth_void", read_pin(pin))
        return VoidUnlogged(*unlogged.card_and_money(), original, "auth_void")

    return run_command(options, make)


@grouped_options
def completion(
    *,
    stan: StanOption = None,
    advice: AdviceOption = False,
    pin: PinOption = None,
    original_rrn: OriginalRrn = "",
    named: ReservationOptions,
    unlogged: UnloggedOptions,
    options: TerminalOptions,
) -> int:
    """Sell what was reserved: the pre-authorisation of --stan, else the last open one."""
    original = named.original(original_rrn)
    amount_minor = unlogged.amount_minor()

    def make(memory: Memory, language: Language) -> Command:
        told = advice or not _has(language, "completion")  # Hypercom and ISO 1987 have the advice alone
        known = read_stan(stan) or _remembered(memory, named, unlogged)
        if original is None or known:
            return Complete(amount_minor, known, told, read_pin(pin))
        return CompleteUnlogged(*unlogged.card_and_money(), original, told)

    return run_command(options, make)


@grouped_options
def completion_void(
    *,
    stan: StanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Ask the host even if the log says no.")] = False,
    pin: PinOption = None,
    original_rrn: OriginalRrn = "",
    named: ReservationOptions,
    unlogged: UnloggedOptions,
    options: TerminalOptions,
) -> int:
    """Take a completion back: that of --stan, else the last one; its pre-authorisation is open again."""
    original = named.original(original_rrn)

    def make(memory: Memory, language: Language) -> Command:
        if original is not None:
            function = "completion_void" if _has(language, "completion_void") else "purchase_void"
            return VoidUnlogged(*unlogged.card_and_money(), original, function)
        if _has(language, "completion_void"):
            return Void(read_stan(stan), force, "completion_void", read_pin(pin))
        completed = read_stan(stan) or batch_log.last_voidable(memory.log, "completion_void").stan
        return Void(completed, force, pin=read_pin(pin))

    return run_command(options, make)


def _remembered(memory: Memory, named: ReservationOptions, unlogged: UnloggedOptions) -> str:
    """STAN of the open pre-authorisation of that approval code, "" where none is remembered or a card is named too."""
    if not named.approval_code or unlogged.card is not None:
        return ""
    held = [t.stan for t in memory.authorisations if t.open and t.approval_code == named.approval_code]
    return held[0] if held else ""


def _has(language: Language, function: str) -> bool:
    return any(rule.name == function for rule in language.dialect.functions)
