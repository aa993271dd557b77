"""The keys a host works with: the TOML file of --keys, read and checked without any cryptography.

    default_tmk = "0123456789ABCDEFFEDCBA9876543210"     # 8, 16 or 24 bytes; may be left out

    [[tmk]]                                  # for one terminal, or without terminal_id for a whole merchant
    merchant_id = "104110070118888"
    terminal_id = "T0000001"
    key = "…"

    [[base_key]]                             # DUKPT; the longest prefix that fits a KSN wins
    name = "pads of 2024"
    algorithm = "tdes"                       # or "aes"
    ksn_prefix = "FFFF98765432"
    key = "…"

    [[issuer_key]]                           # EMV; the longest BIN that fits a PAN wins
    name = "test bank"
    scheme = "visa"                          # or "mastercard", "unionpay"
    bins = ["4"]
    cryptogram = "…"                         # integrity, confidentiality: for issuer scripts, may be left out

    [[fixed_keys]]                           # working keys of a terminal that never receives any
    merchant_id = "…"
    terminal_id = "…"
    pin = "…"
    mac = "…"                                # DES keys; track may be left out

A mistake is told with file and key, never with the value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from pos_specs.errors import why_unreadable
from pos_specs.security.errors import KeyFileError
from pos_specs.security.issuer_keys import IssuerKeys, Scheme
from pos_specs.security.key_table import KeyTable
from pos_specs.security.keys import WorkingKeys

TEST_KEYS = "test_keys.toml"
"""The shipped file: keys that are published everywhere, for tests only."""

MOST_BYTES = 16 << 20
"""A hundred thousand terminals with keys of their own take 11 MB; a larger file was not meant."""

T = TypeVar("T")

_DES_BYTES = (8, 16, 24)
_BASE_KEY_BYTES = {"tdes": (16,), "aes": (16, 24, 32)}
_LONGEST_BIN = 11
_LONGEST_KSN_PREFIX = 20
_SCHEMES: tuple[Scheme, ...] = ("visa", "mastercard", "unionpay")


@dataclass(frozen=True, slots=True)
class BaseKey:
    """A base derivation key of DUKPT; the repr shows its name and method only."""

    name: str
    algorithm: Literal["tdes", "aes"]
    ksn_prefix: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of one file; the repr shows where they came from and nothing else."""

    source: str
    default_tmk: bytes | None = field(repr=False)
    _tmks: dict[tuple[str, str], bytes] = field(repr=False)
    _base_keys: dict[str, BaseKey] = field(repr=False)
    _issuer_keys: dict[str, IssuerKeys] = field(repr=False)
    _fixed_keys: dict[tuple[str, str], WorkingKeys] = field(repr=False)

    def tmk(self, merchant_id: str, terminal_id: str) -> bytes | None:
        """The master key of a terminal: its own, else its merchant's, else the default; None without any."""
        own = self._tmks.get((merchant_id, terminal_id)) or self._tmks.get((merchant_id, ""))
        return own or self.default_tmk

    def base_key(self, ksn: bytes) -> BaseKey | None:
        """The DUKPT base key whose prefix fits the KSN best; None when none fits.

        A TDES KSN that lost its first F bytes on the way is filled up again.
        """
        whole = ksn.rjust(10, b"\xff").hex().upper()
        return _longest(self._base_keys, whole)

    def issuer_key(self, pan: str) -> IssuerKeys | None:
        """The keys of the issuer whose BIN fits the PAN best; None when none fits."""
        return _longest(self._issuer_keys, pan[:_LONGEST_BIN])

    def fixed_keys(self, merchant_id: str, terminal_id: str) -> WorkingKeys | None:
        """The working keys of a terminal that never receives any; None for every other."""
        return self._fixed_keys.get((merchant_id, terminal_id))


def load_key_file(path: Path | None = None) -> KeyRing:
    """The keys of a file, the shipped test keys without one; raises KeyFileError naming file and key."""
    if path is None:
        return parse_key_file((resources.files("pos_specs") / "data" / TEST_KEYS).read_bytes(), TEST_KEYS)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise KeyFileError(str(path), "", f"is larger than {MOST_BYTES} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(str(path), "", why_unreadable(error)) from None
    return parse_key_file(content, str(path))


def parse_key_file(content: bytes, file: str) -> KeyRing:
    """The keys in the bytes of a file; `file` is its name in errors. Raises KeyFileError."""
    table, reason = _toml(content)
    if reason:
        raise KeyFileError(file, "", reason)
    return _read(KeyTable(file, "", table))


def _toml(content: bytes) -> tuple[dict[str, Any], str]:
    try:
        return tomllib.loads(content.decode("utf-8")), ""
    except UnicodeDecodeError as error:
        return {}, f"is not UTF-8 at byte {error.start}"
    except tomllib.TOMLDecodeError as error:
        # Only the place: the rest of the message may quote what stands there.
        place = re.search(r"\(at (.*)\)$", str(error))
        return {}, f"is not TOML{' at ' + place[1] if place else ''}"


def _read(top: KeyTable) -> KeyRing:
    ring = KeyRing(
        source=top.file,
        default_tmk=top.optional_key("default_tmk", _DES_BYTES) or None,
        _tmks=_by_terminal(top, "tmk", _tmk),
        _base_keys=_base_keys(top),
        _issuer_keys=_issuer_keys(top),
        _fixed_keys=_by_terminal(top, "fixed_keys", _working_keys),
    )
    top.done()
    return ring


def _tmk(table: KeyTable) -> bytes:
    return table.key("key", _DES_BYTES)


def _working_keys(table: KeyTable) -> WorkingKeys:
    if not table.text("terminal_id", "").strip():
        raise table.fail("terminal_id", "is missing")
    pin, mac = table.key("pin", _DES_BYTES), table.key("mac", _DES_BYTES)
    return WorkingKeys(pin, mac, table.optional_key("track", _DES_BYTES))


def _by_terminal(top: KeyTable, name: str, read: Callable[[KeyTable], T]) -> dict[tuple[str, str], T]:
    """What each table of the list holds, by merchant and terminal (empty: all of the merchant's)."""
    found: dict[tuple[str, str], T] = {}
    for table in top.tables(name):
        identity = (table.text("merchant_id"), table.text("terminal_id", ""))
        if identity in found:
            raise table.fail("terminal_id", "this merchant and terminal stand in the file already")
        found[identity] = read(table)
        table.done()
    return found


def _base_keys(top: KeyTable) -> dict[str, BaseKey]:
    found: dict[str, BaseKey] = {}
    for table in top.tables("base_key"):
        algorithm: Literal["tdes", "aes"] = table.one_of("algorithm", ("tdes", "aes"))
        prefix = table.text("ksn_prefix").upper()
        if not re.fullmatch(rf"[0-9A-F]{{1,{_LONGEST_KSN_PREFIX}}}", prefix):
            raise table.fail("ksn_prefix", f"must be 1 to {_LONGEST_KSN_PREFIX} hex digits")
        if prefix in found:
            raise table.fail("ksn_prefix", f"is also that of {found[prefix].name}")
        key = table.key("key", _BASE_KEY_BYTES[algorithm])
        found[prefix] = BaseKey(table.label("name"), algorithm, prefix, key)
        table.done()
    return found


def _issuer_keys(top: KeyTable) -> dict[str, IssuerKeys]:
    found: dict[str, IssuerKeys] = {}
    for table in top.tables("issuer_key"):
        scheme: Scheme = table.one_of("scheme", _SCHEMES)
        cryptogram = table.key("cryptogram", (16,))
        keys = IssuerKeys(
            table.label("name"),
            scheme,
            cryptogram,
            table.optional_key("integrity", (16,)),
            table.optional_key("confidentiality", (16,)),
        )
        for issuer_bin in table.texts("bins"):
            if not re.fullmatch(rf"[0-9]{{1,{_LONGEST_BIN}}}", issuer_bin):
                raise table.fail("bins", f"each must be 1 to {_LONGEST_BIN} digits")
            if issuer_bin in found:
                raise table.fail("bins", f"{issuer_bin} is also one of {found[issuer_bin].name}")
            found[issuer_bin] = keys
        table.done()
    return found


def _longest(by_prefix: dict[str, T], digits: str) -> T | None:
    for length in range(len(digits), 0, -1):
        found = by_prefix.get(digits[:length])
        if found is not None:
            return found
    return None
