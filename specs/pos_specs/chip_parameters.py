"""What a chip terminal downloads: the schemes' public keys, and the applications it accepts.

The shipped table is `data/chip_parameters.toml`. The data objects and their order are those of unionpay.md 2.3. That
a date is eight characters and a contactless limit six bytes of BCD was seen in public terminal code and in a captured
0830, both outside that document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file
from pos_specs.tlv import build_tlv

RSA, SHA_1 = "01", "01"
"""The only algorithms of EMV book 2 for these keys."""

LARGEST_FLOOR_LIMIT = 0xFFFFFFFF
"""Four bytes, as 9F1B has them (EMV book 3, annex A)."""

LARGEST_AMOUNT = 999_999_999_999
"""Twelve digits."""


@dataclass(frozen=True, slots=True)
class CaKey:
    """A scheme's public key; all hex but `expiry`, which is YYYYMMDD."""

    rid: str
    index: str
    expiry: str
    modulus: str
    exponent: str
    checksum: str

    def entry(self) -> bytes:
        """What a list of keys says of it, as TLV."""
        return build_tlv([("9F06", self.rid), ("9F22", self.index), ("DF05", self.expiry.encode("ascii").hex())])

    def download(self) -> bytes:
        """The whole key as TLV."""
        algorithms = [("DF06", SHA_1), ("DF07", RSA)]
        key = [("DF02", self.modulus), ("DF04", self.exponent), ("DF03", self.checksum)]
        return self.entry() + build_tlv([*algorithms, *key])


@dataclass(frozen=True, slots=True)
class Application:
    """An application that terminals accept; `objects` are its data objects in the order of a download."""

    name: str
    aid: str
    objects: tuple[tuple[str, str], ...]

    def entry(self) -> bytes:
        """What a list of applications says of it, as TLV."""
        return build_tlv([("9F06", self.aid)])

    def download(self) -> bytes:
        """The application with its parameters as TLV."""
        return build_tlv([("9F06", self.aid), *self.objects])


@dataclass(frozen=True, slots=True)
class ChipParameters:
    """Keys and applications, in the order of their file."""

    ca_keys: tuple[CaKey, ...]
    applications: tuple[Application, ...]

    def ca_key(self, rid: str, index: str) -> CaKey | None:
        """The key of a RID and index, both in upper-case hex."""
        return next((key for key in self.ca_keys if (key.rid, key.index) == (rid, index)), None)

    def application(self, aid: str) -> Application | None:
        """The application of an identifier in upper-case hex."""
        return next((found for found in self.applications if found.aid == aid), None)


@lru_cache(maxsize=1)
def shipped_chip_parameters() -> ChipParameters:
    """The shipped keys and applications."""
    return read_chip_parameters(resources.files("pos_specs") / "data" / "chip_parameters.toml")


def read_chip_parameters(path: Path | Traversable) -> ChipParameters:
    """The keys and applications of the TOML file at `path`; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    keys = tuple(_ca_key(row) for row in top.tables("ca_key"))
    defaults = top.raw("defaults", {})
    applications = tuple(_application(row, defaults) for row in top.tables("application"))
    top.done("a file of chip parameters")
    return ChipParameters(keys, applications)


def _ca_key(row: CheckedTable) -> CaKey:
    key = CaKey(
        rid=_hex(row, "rid", 5, 5),
        index=_hex(row, "index", 1, 1),
        expiry=row.matching("expiry", r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", "must be YYYYMMDD"),
        modulus=_hex(row, "modulus", 64, 248),
        exponent=_hex(row, "exponent", 1, 3),
        checksum=_hex(row, "checksum", 20, 20),
    )
    hashed = bytes.fromhex(key.rid + key.index + key.modulus + key.exponent)
    if sha1(hashed, usedforsecurity=False).hexdigest().upper() != key.checksum:
        raise row.fail("checksum", "is not the SHA-1 of RID, index, modulus and exponent")
    row.done("a CA key")
    return key


def _application(row: CheckedTable, defaults: dict[str, Any]) -> Application:
    name, aid = row.text("name"), _hex(row, "aid", 5, 16)
    row.table = {**defaults, **row.table}
    application = Application(
        name,
        aid,
        (
            ("DF01", "00" if row.flag("partial_selection") else "01"),
            ("9F08", _hex(row, "version", 2, 2)),
            ("DF11", _hex(row, "tac_default", 5, 5)),
            ("DF12", _hex(row, "tac_online", 5, 5)),
            ("DF13", _hex(row, "tac_denial", 5, 5)),
            ("9F1B", f"{row.number('floor_limit_minor', 0, LARGEST_FLOOR_LIMIT):08X}"),
            ("DF15", f"{row.number('random_threshold_minor', 0, LARGEST_FLOOR_LIMIT):08X}"),
            ("DF16", f"{row.number('random_percent_most', 0, 99):02d}"),
            ("DF17", f"{row.number('random_percent', 0, 99):02d}"),
            ("DF14", _hex(row, "ddol", 2, 252)),
            ("DF18", "01" if row.flag("online_pin") else "00"),
            ("9F7B", _amount(row, "electronic_cash_limit_minor")),
            ("DF19", _amount(row, "contactless_floor_limit_minor")),
            ("DF20", _amount(row, "contactless_limit_minor")),
            ("DF21", _amount(row, "contactless_cvm_limit_minor")),
        ),
    )
    row.done("an application")
    return application


def _amount(row: CheckedTable, key: str) -> str:
    return f"{row.number(key, 0, LARGEST_AMOUNT):012d}"


def _hex(row: CheckedTable, key: str, least_bytes: int, most_bytes: int) -> str:
    value = row.text(key)
    if re.fullmatch(r"(?:[0-9A-F]{2})+", value) is None or not least_bytes <= len(value) // 2 <= most_bytes:
        length = str(least_bytes) if least_bytes == most_bytes else f"{least_bytes} to {most_bytes}"
        raise row.fail(key, f"must be {length} bytes in upper-case hex")
    return value
