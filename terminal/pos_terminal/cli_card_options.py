"""Options that several verbs of `pos-terminal` share about the money that is asked for and the card that is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from pos_terminal.cli_options import CurrencyOption, UsageError, read_amount, read_currency
from pos_terminal.pin import Pin
from pos_terminal.transaction import ENTRY_MODES, MANUAL

CardOption = Annotated[str, typer.Option("--card", help="A test card's name, or a card number.")]
EntryOption = Annotated[str, typer.Option("--entry", help="How the card is read: swipe, chip, manual.")]
PinOption = Annotated[str | None, typer.Option("--pin", help="The cardholder's PIN.")]


@dataclass(frozen=True, slots=True)
class MoneyOptions:
    """An amount that must be named, and its currency."""

    amount: Annotated[str, typer.Option("--amount", help="As people write it: 12.34.")]
    currency: CurrencyOption = "CNY"

    def money(self) -> tuple[int, str]:
        """The amount in minor units, and the currency's number; raises UsageError."""
        currency = read_currency(self.currency)
        return read_amount(self.amount, currency), currency.number


@dataclass(frozen=True, slots=True, repr=False)
class ReadingOptions:
    """How the card is read, and the PIN that is keyed in."""

    entry: EntryOption = "swipe"
    manual: Annotated[bool, typer.Option("--manual", help="The same as --entry manual.")] = False
    pin: PinOption = None

    def reading(self) -> tuple[str, Pin | None]:
        """DE22 without a PIN, and the PIN; raises UsageError and PinError."""
        return read_entry(self.entry, self.manual), read_pin(self.pin)


def read_entry(entry: str, manual: bool = False) -> str:
    """DE22 without a PIN; raises UsageError."""
    if entry not in ENTRY_MODES or (manual and entry == "chip"):
        known = ", ".join(ENTRY_MODES)
        raise UsageError(f"--entry {entry!r}: one of {known}, and --manual goes with manual alone")
    return MANUAL if manual else ENTRY_MODES[entry]


def read_pin(pin: str | None) -> Pin | None:
    """The PIN that was keyed in, None without one; raises PinError."""
    return None if pin is None else Pin(pin)
