"""The options of every verb of `pos-terminal` that is one terminal's: which host, who it is, how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from pos_specs.language import Language, open_language
from pos_terminal.addresses import Address, default_address, parse_address
from pos_terminal.cli_options import (
    DEFAULT_MERCHANT,
    USUAL_TERMINAL_ID,
    DialectOption,
    HostOption,
    JsonOption,
    MerchantOption,
    check_identity,
    check_timeout,
    first_letter,
)
from pos_terminal.cli_security_options import PadOptions, TlsOptions, WorkingKeyOptions
from pos_terminal.pin_pad import PadSettings

STATE_FOLDER = Path("var/terminals")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalOptions:
    """One terminal and its host; raises UsageError for what no terminal could be or do."""

    host: HostOption = None
    dialect: DialectOption = "unionpay"
    named_id: Annotated[
        str,
        typer.Option(
            "--terminal-id",
            help="Up to eight characters, in base24-pos sixteen; by default T0000001, H or I by dialect.",
        ),
    ] = ""
    merchant_id: MerchantOption = DEFAULT_MERCHANT
    state: Annotated[
        Path | None,
        typer.Option("--state", help=f"The terminal's memory; by default a file under {STATE_FOLDER}."),
    ] = None
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")] = 60.0
    totals_digits: Annotated[
        int | None,
        typer.Option("--totals-digits", help="A shorter form of the totals: unionpay 31, hypercom 60, 30, 15."),
    ] = None
    receipt: Annotated[bool, typer.Option("--receipt", help="Print the slip, the card number masked.")] = False
    expect: Annotated[
        str | None, typer.Option("--expect", help="Exit with 1 unless the answer has this response code.")
    ] = None
    as_json: JsonOption = False
    tls: TlsOptions
    pad: PadOptions
    keys: WorkingKeyOptions

    def __post_init__(self) -> None:
        check_identity(self.merchant_id, self.terminal_id, _longest_terminal_id(self.language()))
        check_timeout(self.timeout)

    @property
    def terminal_id(self) -> str:
        """Who the terminal is, where nothing is said the first of its dialect."""
        return self.named_id or f"{first_letter(self.dialect)}0000001"

    def language(self) -> Language:
        """The dialect, compiled."""
        return open_language(self.dialect)

    def address(self) -> Address:
        """Where the host listens."""
        return parse_address(self.host) if self.host else default_address(self.language().name)

    def pad_settings(self) -> PadSettings:
        """What the PIN pad is loaded with; raises UsageError."""
        return self.keys.loaded_into(self.pad.settings())

    def memory_path(self) -> Path:
        """The file of the terminal's memory."""
        if self.state is not None:
            return self.state
        name = f"{self.language().name}-{self.merchant_id}-{self.terminal_id}"
        return STATE_FOLDER / f"{quote(name, safe='')}.json"


def _longest_terminal_id(language: Language) -> int:
    """How many characters of a terminal's id the dialect's messages carry."""
    element = language.dialect.elements.get(41)
    return USUAL_TERMINAL_ID if element is None else element.max_length
