"""Test cards by name, and any card by its number. No card here was ever issued to anybody."""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.cards import PAN_DIGITS, organisation
from pos_specs.masking import mask_pan

EXPIRY = "3012"
"""Expiry of every test card, YYMM; far enough away, and the host checks none."""

SERVICE_CODE = "201"
"""ISO/IEC 7813: international, chip, normal authorisation."""


class CardError(ValueError):
    """What was given is neither a test card's name nor a card number."""


class Card(NamedTuple):
    """A card a terminal can read: its number and its expiry (YYMM)."""

    pan: str
    expiry: str = EXPIRY

    @property
    def organisation(self) -> str:
        """The card organisation by the leading digits, as DE63.1 names it."""
        return organisation(self.pan)


TEST_CARDS = {
    "unionpay-debit": Card("6222021000112233449"),
    "unionpay-credit": Card("6250941234567898"),
    "unionpay": Card("6212345678901234569"),
    "visa": Card("4111111111111111"),
    "mastercard": Card("5555555555554444"),
    "jcb": Card("3530111333300000"),
    "amex": Card("378282246310005"),
    "diners": Card("30569309025904"),
}
"""Public test numbers of the schemes, and numbers made up in UnionPay's 62 range."""

DOMESTIC_CARDS = ("unionpay-debit", "unionpay-credit", "unionpay")
FOREIGN_CARDS = ("visa", "mastercard", "jcb")


def find_card(name: str) -> Card:
    """The test card of that name, or the card of that number; raises CardError for anything else."""
    card = TEST_CARDS.get(name.lower())
    if card is not None:
        return card
    if not (name.isdigit() and name.isascii()):
        raise CardError(f"no test card {name!r}; there are {', '.join(TEST_CARDS)}, or give a number")
    if len(name) not in PAN_DIGITS:
        raise CardError(f"card {mask_pan(name)} has {len(name)} digits instead of 12 to 19")
    return Card(name)


def track2(card: Card, separator: str) -> str:
    """The card's track 2 with a made-up discretionary part; at most 37 characters (ISO/IEC 7813)."""
    return f"{card.pan}{separator}{card.expiry}{SERVICE_CODE}0000000000"[:37]
