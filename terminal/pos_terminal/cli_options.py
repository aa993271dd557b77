"""Options that several verbs of `pos-terminal` share, and what they mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from urllib.parse import quote

import typer

from pos_specs.currencies import Currency, MoneyError, find_currency, parse_amount
from pos_specs.language import Language, open_language
from pos_terminal.addresses import Address, ReadyFile, default_address, parse_address, read_ready_file
from pos_terminal.pin import Pin
from pos_terminal.pin_pad import SCHEME, TEST_TMK, PadSettings
from pos_terminal.transaction import CHIP, MAGNETIC, MANUAL

if TYPE_CHECKING:
    import ssl

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
TlsOption = Annotated[bool, typer.Option("--tls", help="Speak TLS to the host.")]
TlsCaOption = Annotated[
    Path | None, typer.Option("--tls-ca", help="Who certified the host (PEM); by default whom this machine trusts.")
]
TlsCertOption = Annotated[Path | None, typer.Option("--tls-cert", help="The terminal's own certificate (PEM).")]
TlsKeyOption = Annotated[Path | None, typer.Option("--tls-key", help="Its key; by default in the same file.")]
TmkOption = Annotated[
    str | None, typer.Option("--tmk", metavar="HEX", help="The terminal's master key; by default the public test key.")
]
SchemeOption = Annotated[
    str, typer.Option("--scheme", help="Keys a unionpay sign-in asks for: 001, 003, 004; SM4: 005, 006.")
]
NoMacOption = Annotated[bool, typer.Option("--no-mac", help="Make and check no MAC, for a host without.")]
PinOption = Annotated[str | None, typer.Option("--pin", help="The cardholder's PIN.")]
EntryOption = Annotated[str, typer.Option("--entry", help="How the card is read: swipe, chip, manual.")]
ManualOption = Annotated[bool, typer.Option("--manual", help="The same as --entry manual.")]
StanOption = Annotated[str | None, typer.Option("--stan", help="The transaction in the terminal's memory.")]
AmountOption = Annotated[str, typer.Option("--amount", help="As people write it: 12.34.")]


SCHEMES = ("001", "003", "004", "005", "006")
"""60.3 of a UnionPay sign-in (unionpay.md 2.1): single-length, double-length, with track key; SM4 the same."""

KEY_HEX_DIGITS = (16, 32, 48)
"""DES keys of one, two or three parts; SM4 keys have 32."""


USUAL_TERMINAL_ID = 8
"""Characters of DE41; a dialect may have more (sixteen in BASE24)."""

KSN_HEX_DIGITS, BDK_HEX_DIGITS = (16, 18, 20, 24), (32, 48, 64)
"""TDES DUKPT (ANSI X9.24-1): ten bytes, of which F on the left may be missing; a key of two parts. AES DUKPT
(X9.24-3): twelve bytes; a key of 16, 24 or 32."""


class UsageError(Exception):
    """Bad usage: one line on standard error, exit code 2."""


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """The options of every verb that is one terminal's."""

    host: HostOption = None
    dialect: DialectOption = "unionpay"
    terminal_id: Annotated[
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
    tls: TlsOption = False
    tls_ca: TlsCaOption = None
    tls_cert: TlsCertOption = None
    tls_key: TlsKeyOption = None
    tmk: TmkOption = None
    scheme: SchemeOption = SCHEME
    mac_key: Annotated[
        str | None, typer.Option("--mac-key", metavar="HEX", help="Instead of the sign-in's MAC key.")
    ] = None
    pin_key: Annotated[
        str | None, typer.Option("--pin-key", metavar="HEX", help="Instead of the sign-in's PIN key.")
    ] = None
    ksn: Annotated[
        str | None, typer.Option("--ksn", metavar="HEX", help="DUKPT: the serial number to count on from.")
    ] = None
    bdk: Annotated[
        str | None, typer.Option("--bdk", metavar="HEX", help="DUKPT: its base key; by default a public test key.")
    ] = None
    no_mac: NoMacOption = False

    def language(self) -> Language:
        """The dialect, compiled."""
        return open_language(self.dialect)

    def address(self) -> Address:
        """Where the host listens."""
        return parse_address(self.host) if self.host else default_address(self.language().name)

    def tls_context(self) -> ssl.SSLContext | None:
        """What TLS needs, None without `--tls`; raises UsageError."""
        return read_tls(self.tls, self.tls_ca, self.tls_cert, self.tls_key)

    def pad(self) -> PadSettings:
        """What the PIN pad is loaded with; raises UsageError."""
        pad = read_pad(self.tmk, self.scheme, self.mac_key, self.pin_key, no_mac=self.no_mac)
        if self.bdk and not self.ksn:
            raise UsageError("--bdk: needs --ksn, the serial number of the device")
        return replace(pad, ksn=_key("ksn", self.ksn, KSN_HEX_DIGITS), bdk=_key("bdk", self.bdk, BDK_HEX_DIGITS))

    def memory_path(self) -> Path:
        """The file of the terminal's memory."""
        if self.state is not None:
            return self.state
        name = f"{self.language().name}-{self.merchant_id}-{self.terminal_id}"
        return STATE_FOLDER / f"{quote(name, safe='')}.json"

    def check(self) -> None:
        """Raise UsageError for what no terminal could be or do."""
        check_identity(self.merchant_id, self.terminal_id, longest_terminal_id(self.language()))
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


def longest_terminal_id(language: Language) -> int:
    """How many characters of a terminal's id the dialect's messages carry."""
    element = language.dialect.elements.get(41)
    return USUAL_TERMINAL_ID if element is None else element.max_length


def check_identity(merchant_id: str, terminal_id: str, longest_id: int = USUAL_TERMINAL_ID) -> None:
    """Raise UsageError for ids that no message can carry."""
    for name, value, longest in (("merchant-id", merchant_id, 15), ("terminal-id", terminal_id, longest_id)):
        if not 0 < len(value) <= longest or not value.isascii() or not value.isprintable():
            raise UsageError(f"--{name} {value!r}: one to {longest} ASCII characters")


def check_timeout(timeout_s: float) -> None:
    """Raise UsageError for a wait that is none."""
    if not 0 < timeout_s <= 3600:
        raise UsageError(f"--timeout {timeout_s}: more than 0 and at most 3600 seconds")


def read_tls(tls: bool, ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What the options of TLS say, None where it is not spoken; raises UsageError naming option and file."""
    if not tls:
        for name, path in (("--tls-ca", ca), ("--tls-cert", cert), ("--tls-key", key)):
            if path is not None:
                raise UsageError(f"{name} {path}: needs --tls")
        return None
    from pos_terminal.tls import TlsError, client_context

    try:
        return client_context(ca, cert, key)
    except TlsError as error:
        raise UsageError(str(error)) from None


def read_pad(
    tmk: str | None, scheme: str, mac_key: str | None = None, pin_key: str | None = None, *, no_mac: bool = False
) -> PadSettings:
    """What the PIN pad is loaded with; raises UsageError naming the option, never the key."""
    if scheme not in SCHEMES:
        raise UsageError(f"--scheme {scheme!r}: one of {', '.join(SCHEMES)}")
    return PadSettings(
        tmk=_key("tmk", tmk) or TEST_TMK,
        scheme=scheme,
        mac_key=_key("mac-key", mac_key),
        pin_key=_key("pin-key", pin_key),
        uses_mac=not no_mac,
    )


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


def read_pin(pin: str | None) -> Pin | None:
    """The PIN that was keyed in, None without one; raises PinError."""
    return None if pin is None else Pin(pin)


def read_entry(entry: str, manual: bool) -> str:
    """DE22 without a PIN; raises UsageError."""
    known = {"swipe": MAGNETIC, "chip": CHIP, "manual": MANUAL}
    if entry not in known or (manual and entry == "chip"):
        raise UsageError(f"--entry {entry!r}: one of {', '.join(known)}, and --manual goes with manual alone")
    return MANUAL if manual else known[entry]


def read_stan(text: str | None) -> str:
    """`12` and `000012` alike, "" for none; raises UsageError."""
    if text is None:
        return ""
    if not text.isdigit() or not text.isascii() or len(text) > 6:
        raise UsageError(f"--stan {text!r}: up to six digits")
    return f"{int(text):06d}"


def _key(option: str, text: str | None, digit_counts: tuple[int, ...] = KEY_HEX_DIGITS) -> bytes:
    digits = (text or "").replace(" ", "")
    if digits and (len(digits) not in digit_counts or not set(digits) <= set(hexdigits)):
        lengths = " or ".join(str(length) for length in digit_counts)
        raise UsageError(f"--{option}: must be {lengths} hex digits, not {len(digits)} characters")
    return bytes.fromhex(digits)


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
