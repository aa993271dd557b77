"""Options that several verbs of `pos-terminal` share, and what they mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

import typer

from pos_specs.language import Language, open_language
from pos_terminal.addresses import Address, ReadyFile, default_address, parse_address, read_ready_file

DEFAULT_MERCHANT = "898000000000001"
STATE_FOLDER = Path("var/terminals")

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
PrefixOption = Annotated[
    str | None, typer.Option("--terminal-prefix", help="What the terminals' ids begin with; a number follows.")
]
CardOption = Annotated[str, typer.Option("--card", help="A test card's name, or a card number.")]
AmountOption = Annotated[str, typer.Option("--amount", help="As people write it: 12.34.")]


class UsageError(Exception):
    """Bad usage: one line on standard error, exit code 2."""


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """The options of every verb that is one terminal's."""

    host: HostOption = None
    dialect: DialectOption = "unionpay"
    terminal_id: Annotated[
        str, typer.Option("--terminal-id", help="Up to eight characters; by default T0000001, or H or I by dialect.")
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

    def language(self) -> Language:
        """The dialect, compiled."""
        return open_language(self.dialect)

    def address(self) -> Address:
        """Where the host listens."""
        return parse_address(self.host) if self.host else default_address(self.language().name)

    def memory_path(self) -> Path:
        """The file of the terminal's memory."""
        if self.state is not None:
            return self.state
        name = f"{self.language().name}-{self.merchant_id}-{self.terminal_id}"
        return STATE_FOLDER / f"{quote(name, safe='')}.json"

    def check(self) -> None:
        """Raise UsageError for what no terminal could be or do."""
        check_identity(self.merchant_id, self.terminal_id)
        check_timeout(self.timeout)


def terminal_verb(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb the common options; it gets them as one `TerminalOptions`, its own ones by name."""
    common = {field.name for field in fields(TerminalOptions)}

    @wraps(verb)
    def run(**values: Any) -> int:
        values["terminal_id"] = values["terminal_id"] or f"{first_letter(values['dialect'])}0000001"
        options = TerminalOptions(**{name: values.pop(name) for name in common})
        options.check()
        return verb(options, **values)

    hints = {
        **get_type_hints(verb, include_extras=True),
        **get_type_hints(TerminalOptions, include_extras=True),
    }
    own = [p for p in inspect.signature(verb).parameters.values() if p.name != "options"]
    shared = list(inspect.signature(TerminalOptions).parameters.values())
    parameters = [p.replace(annotation=hints[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *shared)]
    run.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
    return run


def first_letter(dialect: str) -> str:
    """What the ids of a dialect's terminals begin with."""
    return FIRST_LETTERS.get(dialect, "T")


def check_identity(merchant_id: str, terminal_id: str) -> None:
    """Raise UsageError for ids that no message can carry."""
    for name, value, longest in (("merchant-id", merchant_id, 15), ("terminal-id", terminal_id, 8)):
        if not 0 < len(value) <= longest or not value.isascii() or not value.isprintable():
            raise UsageError(f"--{name} {value!r}: one to {longest} ASCII characters")


def check_timeout(timeout_s: float) -> None:
    """Raise UsageError for a wait that is none."""
    if not 0 < timeout_s <= 3600:
        raise UsageError(f"--timeout {timeout_s}: more than 0 and at most 3600 seconds")


def check_fleet(terminals: int, merchant_id: str, prefix: str) -> None:
    """Raise UsageError for a fleet whose terminals cannot be numbered."""
    room = 8 - len(prefix)
    if not 0 < len(prefix) < 8 or not prefix.isascii() or not prefix.isprintable():
        raise UsageError(f"--terminal-prefix {prefix!r}: one to seven ASCII characters")
    if not 0 < terminals < 10**room:
        raise UsageError(f"--terminals {terminals}: from 1 to {10**room - 1} with prefix {prefix}")
    check_identity(merchant_id, prefix)


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
