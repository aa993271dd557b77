"""Options that several verbs of `pos-terminal` share about TLS and about the keys in the PIN pad."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING, Annotated

import typer

from pos_terminal.cli_options import UsageError
from pos_terminal.pin_pad import SCHEME, TEST_TMK, PadSettings

if TYPE_CHECKING:
    import ssl

SCHEMES = ("001", "003", "004", "005", "006")
"""60.3 of a UnionPay sign-in (unionpay.md 2.1): single-length, double-length, with track key; SM4 the same."""

KEY_HEX_DIGITS = (16, 32, 48)
"""DES keys of one, two or three parts; SM4 keys have 32."""

KSN_HEX_DIGITS, BDK_HEX_DIGITS = (16, 18, 20, 24), (32, 48, 64)
"""TDES DUKPT (ANSI X9.24-1): ten bytes, of which F on the left may be missing; a key of two parts. AES DUKPT
(X9.24-3): twelve bytes; a key of 16, 24 or 32."""

TmkOption = Annotated[
    str | None, typer.Option("--tmk", metavar="HEX", help="The terminal's master key; by default the public test key.")
]
NoMacOption = Annotated[bool, typer.Option("--no-mac", help="Make and check no MAC, for a host without.")]


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """Whether the line is TLS, and with whose certificates."""

    tls: Annotated[bool, typer.Option("--tls", help="Speak TLS to the host.")] = False
    tls_ca: Annotated[
        Path | None, typer.Option("--tls-ca", help="Who certified the host (PEM); by default whom this machine trusts.")
    ] = None
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="The terminal's own certificate (PEM).")] = None
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key; by default in the same file.")] = None

    def context(self) -> ssl.SSLContext | None:
        """What TLS needs, None where it is not spoken; raises UsageError naming option and file."""
        if not self.tls:
            named = (("--tls-ca", self.tls_ca), ("--tls-cert", self.tls_cert), ("--tls-key", self.tls_key))
            for option, path in named:
                if path is not None:
                    raise UsageError(f"{option} {path}: needs --tls")
            return None
        from pos_terminal.tls import TlsError, client_context

        try:
            return client_context(self.tls_ca, self.tls_cert, self.tls_key)
        except TlsError as error:
            raise UsageError(str(error)) from None


@dataclass(frozen=True, slots=True, repr=False)
class PadOptions:
    """What a PIN pad is loaded with before it signs in."""

    tmk: TmkOption = None
    scheme: Annotated[
        str, typer.Option("--scheme", help="Keys a unionpay sign-in asks for: 001, 003, 004; SM4: 005, 006.")
    ] = SCHEME
    no_mac: NoMacOption = False

    def settings(self) -> PadSettings:
        """The same, read; raises UsageError naming the option, never the key."""
        if self.scheme not in SCHEMES:
            raise UsageError(f"--scheme {self.scheme!r}: one of {', '.join(SCHEMES)}")
        return PadSettings(tmk=_key("tmk", self.tmk) or TEST_TMK, scheme=self.scheme, uses_mac=not self.no_mac)


@dataclass(frozen=True, slots=True, repr=False)
class WorkingKeyOptions:
    """Keys for messages and PINs that no sign-in gave: fixed ones, or those that DUKPT derives."""

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

    def loaded_into(self, pad: PadSettings) -> PadSettings:
        """The settings with these keys too; raises UsageError naming the option, never the key."""
        if self.bdk and not self.ksn:
            raise UsageError("--bdk: needs --ksn, the serial number of the device")
        return replace(
            pad,
            mac_key=_key("mac-key", self.mac_key),
            pin_key=_key("pin-key", self.pin_key),
            ksn=_key("ksn", self.ksn, KSN_HEX_DIGITS),
            bdk=_key("bdk", self.bdk, BDK_HEX_DIGITS),
        )


def _key(option: str, text: str | None, digit_counts: tuple[int, ...] = KEY_HEX_DIGITS) -> bytes:
    digits = (text or "").replace(" ", "")
    if digits and (len(digits) not in digit_counts or not set(digits) <= set(hexdigits)):
        lengths = " or ".join(str(length) for length in digit_counts)
        raise UsageError(f"--{option}: must be {lengths} hex digits, not {len(digits)} characters")
    return bytes.fromhex(digits)
