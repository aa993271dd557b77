"""Settlement totals as the wire carries them: UnionPay DE48, Hypercom DE63, ISO 1987 DE74–97.

All three are a mapping from group to `Side`. Which transaction counts in which group is the books' rule;
here is only the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pos_specs.message import Message


class Side(NamedTuple):
    """How many, and how much in minor units."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody misses
    amount_minor: int


NOTHING = Side(0, 0)
Totals = dict[str, Side]

UNIONPAY_GROUPS = ("domestic_debit", "domestic_credit", "foreign_debit", "foreign_credit")
ISO87_GROUPS = ("credits", "credits_reversal", "debits", "debits_reversal")
_ISO87_COUNTS = {74: "credits", 75: "credits_reversal", 76: "debits", 77: "debits_reversal"}
_ISO87_AMOUNTS = {86: "credits", 87: "credits_reversal", 88: "debits", 89: "debits_reversal"}

BALANCED, NOT_BALANCED, JUDGED_WRONG = "1", "2", "3"
"""UnionPay reconciliation codes (unionpay.md 4.1, digits 30 and 61 of DE48)."""


def parse_unionpay(value: str) -> Totals:
    """The four groups of a DE48 of 62 digits, or the first two of 31; raises ValueError for another form.

    Source: unionpay.md 4.1.
    """
    if len(value) not in (31, 62) or not value.isdigit():
        raise ValueError(f"totals of {len(value)} characters instead of 62 or 31 digits")
    totals: Totals = {}
    for half, name in zip(range(0, len(value), 31), ("domestic", "foreign"), strict=False):
        totals[f"{name}_debit"] = Side(int(value[half + 12 : half + 15]), int(value[half : half + 12]))
        totals[f"{name}_credit"] = Side(int(value[half + 27 : half + 30]), int(value[half + 15 : half + 27]))
    return totals


def write_unionpay(totals: Mapping[str, Side], codes: tuple[str, str], digits: int = 62) -> str:
    """DE48 of 62 or 31 digits; `codes` are the reconciliation codes of the domestic and the foreign half.

    Raises ValueError when a count is over 999 or an amount over twelve digits.
    """
    text = ""
    for name, code in zip(("domestic", "foreign"), codes, strict=True):
        for side in (totals.get(f"{name}_debit", NOTHING), totals.get(f"{name}_credit", NOTHING)):
            text += _digits(side.amount_minor, 12) + _digits(side.count, 3)
        text += code
    return text[:digits]


def parse_hypercom(value: str, groups: Sequence[str]) -> Totals:
    """The groups a DE63 carries, in order: 15 digits each, count n3 and amount n12 (hypercom.md 2.4).

    Raises ValueError when the value is not 15, 30, 60, … digits or has more groups than the dialect.
    """
    if not value.isdigit() or not value.isascii() or len(value) % 15 or len(value) // 15 > len(groups):
        raise ValueError(f"totals of {len(value)} characters: not up to {len(groups)} groups of 15 digits")
    pieces = [value[at : at + 15] for at in range(0, len(value), 15)]
    return {name: Side(int(piece[:3]), int(piece[3:])) for name, piece in zip(groups, pieces, strict=False)}


def write_hypercom(totals: Mapping[str, Side], groups: Iterable[str]) -> str:
    """DE63 of the named groups in order; raises ValueError when a number does not fit."""
    sides = [totals.get(name, NOTHING) for name in groups]
    return "".join(_digits(side.count, 3) + _digits(side.amount_minor, 12) for side in sides)


def parse_iso87(message: Message) -> Totals:
    """The four groups of a reconciliation; absent elements are zero (hypercom.md 3.2)."""
    fields = message.fields
    amounts = {name: int(fields.get(number, "0")) for number, name in _ISO87_AMOUNTS.items()}
    return {name: Side(int(fields.get(number, "0")), amounts[name]) for number, name in _ISO87_COUNTS.items()}


def write_iso87(totals: Mapping[str, Side]) -> dict[int, str]:
    """DE74–77, 86–89 and 97; raises ValueError when a number does not fit."""
    fields = {n: _digits(totals.get(name, NOTHING).count, 10) for n, name in _ISO87_COUNTS.items()}
    fields |= {n: _digits(totals.get(name, NOTHING).amount_minor, 16) for n, name in _ISO87_AMOUNTS.items()}
    fields[97] = net_settlement(totals)
    return fields


def net_settlement(totals: Mapping[str, Side]) -> str:
    """DE97 = 86 − 87 − 88 + 89 as sign and 16 digits: C when positive or zero, D when negative."""
    amount = {name: totals.get(name, NOTHING).amount_minor for name in ISO87_GROUPS}
    net = amount["credits"] - amount["credits_reversal"] - amount["debits"] + amount["debits_reversal"]
    return ("D" if net < 0 else "C") + _digits(abs(net), 16)


def _digits(number: int, size: int) -> str:
    text = f"{number:0{size}d}"
    if len(text) > size or number < 0:
        raise ValueError(f"{number} does not fit into {size} digits")
    return text
