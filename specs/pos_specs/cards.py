"""Cards by number: the check digit, the organisation a BIN belongs to, whether it is domestic."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources

from pos_specs.errors import DialectError

DOMESTIC = "CUP"
"""The organisation whose cards count in the domestic half of UnionPay totals (unionpay.md 4.1)."""

LONGEST_PREFIX = 8
"""An issuer identification number has six or eight digits (ISO/IEC 7812-1)."""

PAN_DIGITS = range(12, 20)
"""A PAN has 12 to 19 digits; ISO/IEC 7812-1 allows up to 19, shorter ones are not in use."""


def organisation(pan: str) -> str:
    """The card organisation as DE63.1 names it (CUP, VIS, MCC, MAE, JCB, DCC, AMX), "000" if unknown."""
    return _of_prefix(pan[:LONGEST_PREFIX])


@lru_cache(maxsize=4096)
def _of_prefix(digits: str) -> str:
    """Remembered by the issuer's digits, so that no card number is kept."""
    known = _organisations()
    for prefix_length in range(len(digits), 0, -1):
        found = known.get(digits[:prefix_length])
        if found is not None:
            return found
    return "000"


def pan_of_track2(track2: str) -> str:
    """The PAN of a track 2 value: what stands before the separator `D` or `=`."""
    return track2.replace("=", "D").partition("D")[0]


@lru_cache(maxsize=1)
def _organisations() -> dict[str, str]:
    source = resources.files("pos_specs") / "data" / "card_organisations.toml"
    table = tomllib.loads(source.read_text("utf-8"))
    prefixes: dict[str, str] = {}
    for name, ranges in table.items():
        for text in ranges["prefixes"]:
            for prefix in _expand(text):
                if prefix in prefixes:
                    raise DialectError("card_organisations.toml", name, f"prefix {prefix} is also {prefixes[prefix]}")
                prefixes[prefix] = name
    return prefixes


def _expand(text: str) -> list[str]:
    """`"51-55"` → 51, 52 … 55; a single prefix stands for itself."""
    low, _, high = text.partition("-")
    if not high:
        return [low]
    return [f"{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]
