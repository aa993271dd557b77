"""Options that several verbs of `pos-terminal` share, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_specs.currencies import Currency, MoneyError, find_currency, parse_amount
from pos_terminal.addresses import Address, ReadyFile, default_address, parse_address, read_ready_file

DEFAULT_MERCHANT = "898000000000001"

FIRST_LETTERS = {"hypercom": "H", "iso87-ascii": "I"}
"""What terminal ids begin with by dialect, T where nothing is said: a host knows a terminal by its id and
merchant, and one that trades in one dialect cannot go on in another while its batch is open."""

HostOption = Annotated[
    str | None, typer.Option("--host", metavar="ADDR:PORT", help="The host's listener for the dialect.")
]
DialectOption = Annotated[str, typer.Option("--dialect", help="A shipped dialect, or a file ./mybank.toml.")]
MerchantOption = Annotated[str, typer.Option("--merchant-id", help="Up to fifteen characters.")]
CurrencyOption = Annotated[str, typer.Option("--currency", help="ISO 4217 code or number.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document per line.")]
ReadyFileOption = Annotated[
    Path | None, typer.Option("--ready-file", help="What the host wrote: its listeners, API and token.")
]
StanOption = Annotated[str | None, typer.Option("--stan", help="The transaction in the terminal's memory.")]

USUAL_TERMINAL_ID = 8
"""Characters of DE41; a dialect may have more (sixteen in BASE24)."""


class UsageError(Exception):
    """Bad usage: one line on standard error, exit code 2."""


def first_letter(dialect: str) -> str:
    """What the ids of a dialect's terminals begin with."""
    return FIRST_LETTERS.get(dialect, "T")


def check_identity(merchant_id: str, terminal_id: str, longest_id: int = USUAL_TERMINAL_ID) -> None:
    """Raise UsageError for ids that no message can carry."""
    for name, value, longest in (("merchant-id", merchant_id, 15), ("terminal-id", terminal_id, longest_id)):
        if not 0 < len(value) <= longest or not value.isascii() or not value.isprintable():
            raise UsageError(f"--{name} {value!r}: one to {longest} ASCII characters")


def check_timeout(timeout_s: float) -> None:
    """Raise UsageError for a wait that is none."""
    if not 0 < timeout_s <= 3600:
        raise UsageError(f"--timeout {timeout_s}: more than 0 and at most 3600 seconds")


def read_currency(name: str) -> Currency:
    """What `--currency` names; raises UsageError."""
    try:
        return find_currency(name)
    except MoneyError as error:
        raise UsageError(f"--currency: {error}") from None


def read_amount(text: str, currency: Currency, option: str = "--amount") -> int:
    """An amount in minor units; raises UsageError naming the option."""
    try:
        return parse_amount(text, currency)
    except MoneyError as error:
        raise UsageError(f"{option}: {error}") from None


def read_stan(text: str | None) -> str:
    """`12` and `000012` alike, "" for none; raises UsageError."""
    if text is None:
        return ""
    if not text.isdigit() or not text.isascii() or len(text) > 6:
        raise UsageError(f"--stan {text!r}: up to six digits")
    return f"{int(text):06d}"


def resolve_address(host: str | None, dialect: str, ready: ReadyFile | None) -> Address:
    """`--host`, else the ready file's listener of that dialect, else the default port."""
    if host:
        return parse_address(host)
    if ready is None:
        return default_address(dialect)
    found = ready.listeners.get(dialect)
    if found is None:
        raise UsageError(f"the ready file names no listener for {dialect}: {', '.join(ready.listeners)}")
    return found


def read_ready(path: Path | None) -> ReadyFile | None:
    """The ready file, if one was named."""
    return None if path is None else read_ready_file(path)
