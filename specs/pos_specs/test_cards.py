"""Test cards: numbers that no bank ever issued to anybody, and what their issuer says of each.

The shipped table is `data/test_cards.toml`; docs/test-cards.md describes it for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pos_specs.card_number import luhn_valid
from pos_specs.cards import PAN_DIGITS, organisation
from pos_specs.checked_table import CheckedTable
from pos_specs.dialect_file import Place, SourcedTable, read_file
from pos_specs.vocabulary import CARD_OUTCOMES

PRODUCTS = ("debit", "credit", "prepaid")
"""What kind of account stands behind a card."""

FIXED_OUTCOMES = tuple(outcome for outcome in CARD_OUTCOMES if outcome != "partially_approved")
"""What an issuer can say whatever the amount is: a part is only a part of something."""

LARGEST_AMOUNT = 999_999_999_999
"""Twelve digits, as DE4 and DE54 have them."""


@dataclass(frozen=True, slots=True)
class TestCard:
    """One card of the table. Its issuer says `outcome`, unless expiry, PIN or amount are against it first.

    `expiry` is YYMM. Amounts are in minor units of whatever currency is asked, and stay as they are whatever is
    bought: over `limit_minor` a transaction is too large, over `balance_minor` there are no funds, over
    `available_minor` only that much is approved, where the terminal takes a part. None sets no such limit.
    `script` is an issuer's command (upper-case hex) for the chip, sent with each approval; "" sends none.
    """

    name: str
    pan: str = field(repr=False)
    organisation: str
    product: str
    expiry: str
    pin: str = field(repr=False)
    outcome: str
    balance_minor: int
    limit_minor: int | None
    available_minor: int | None
    script: str = ""


Table = Mapping[str, TestCard]


@lru_cache(maxsize=1)
def shipped_test_cards() -> Table:
    """The shipped cards by their number."""
    return read_test_cards(resources.files("pos_specs") / "data" / "test_cards.toml")


def find_test_card(name: str) -> TestCard | None:
    """The shipped card of that name, or None."""
    return next((card for card in shipped_test_cards().values() if card.name == name), None)


def read_test_cards(path: Path | Traversable) -> Table:
    """The cards of the TOML file at `path` by their number; raises DialectError naming file, line and key."""
    file = read_file(path)
    top = CheckedTable(SourcedTable(file.table, {(): Place(file, ())}), (), file.table)
    cards: dict[str, TestCard] = {}
    names: set[str] = set()
    for row in top.tables("card"):
        card = _card(row)
        if card.pan in cards:
            raise row.fail("pan", f"is also the number of {cards[card.pan].name}")
        if card.name in names:
            raise row.fail("name", f"{card.name!r} is used twice")
        cards[card.pan] = card
        names.add(card.name)
    top.done("a table of test cards")
    return cards


def _card(row: CheckedTable) -> TestCard:
    card = TestCard(
        name=row.matching("name", r"[a-z0-9]+(-[a-z0-9]+)*", "must be words of a-z and 0-9 joined by -"),
        pan=_pan(row),
        organisation=row.text("organisation"),
        product=row.choice("product", PRODUCTS),
        expiry=row.matching("expiry", r"[0-9]{2}(0[1-9]|1[0-2])", "must be YYMM"),
        pin=row.matching("pin", r"[0-9]{4,12}", "must have 4 to 12 digits (ISO 9564-1)"),
        outcome=row.choice("outcome", FIXED_OUTCOMES, "approved"),
        balance_minor=row.number("balance_minor", 0, LARGEST_AMOUNT),
        limit_minor=_amount(row, "limit_minor"),
        available_minor=_amount(row, "available_minor"),
        script=row.matching("script", r"([0-9A-F]{2}){5,123}", "must be a command in hex")
        if "script" in row.table
        else "",
    )
    known = organisation(card.pan)
    if card.organisation != known:
        raise row.fail("organisation", f"is {card.organisation!r}, but the number belongs to {known}")
    row.done("a test card")
    return card


def _pan(row: CheckedTable) -> str:
    """The card number; what is refused is not quoted, since it might be somebody's."""
    pan = row.text("pan")
    if len(pan) not in PAN_DIGITS or not luhn_valid(pan):
        raise row.fail("pan", "must have 12 to 19 digits and a right check digit")
    return pan


def _amount(row: CheckedTable, key: str) -> int | None:
    return row.number(key, 0, LARGEST_AMOUNT) if key in row.table else None
