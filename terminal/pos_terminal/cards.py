"""Test cards by name, and any card by its number. No card here was ever issued to anybody."""

from __future__ import annotations

from typing import NamedTuple

from pos_specs.cards import PAN_DIGITS, organisation
from pos_specs.masking import mask_pan
from pos_specs.test_cards import find_test_card, shipped_test_cards

EXPIRY = "4912"
"""Expiry of a card given by its number alone, YYMM: that of the test cards, far enough away."""

SERVICE_CODE = "201"
"""ISO/IEC 7813: international, chip, normal authorisation."""


class CardError(ValueError):
    """What was given is neither a test card's name nor a card number."""


class Card(NamedTuple):
    """A card a terminal can read: its number and its expiry (YYMM)."""

    pan: str
    expiry: str = EXPIRY

    def __repr__(self) -> str:
        """Masked: a repr ends in logs."""
        return f"Card({mask_pan(self.pan)})"

    @property
    def organisation(self) -> str:
        """The card organisation by the leading digits, as DE63.1 names it."""
        return organisation(self.pan)


TEST_CARDS = {card.name: Card(card.pan, card.expiry) for card in shipped_test_cards().values()}
"""The shipped table by name: docs/test-cards.md."""

DOMESTIC_CARDS = ("unionpay-debit", "unionpay-credit", "unionpay")
FOREIGN_CARDS = ("visa", "mastercard", "jcb")


def find_card(name: str) -> Card:
    """The test card of that name, or the card of that number; raises CardError for anything else."""
    card = find_test_card(name.lower())
    if card is not None:
        return Card(card.pan, card.expiry)
    if not (name.isdigit() and name.isascii()):
        known = ", ".join(TEST_CARDS)
        raise CardError(f"no test card {name!r}; there are {known}, or give a number")
    if len(name) not in PAN_DIGITS:
        raise CardError(f"card {mask_pan(name)} has {len(name)} digits instead of 12 to 19")
    listed = shipped_test_cards().get(name)
    return Card(name) if listed is None else Card(listed.pan, listed.expiry)


def track2(card: Card, separator: str) -> str:
    """The card's track 2, filled with zeros to its 37 characters (ISO/IEC 7813).

    A shorter one would have its separator in the part that a track key enciphers (unionpay.md 5.4).
    """
    return f"{card.pan}{separator}{card.expiry}{SERVICE_CODE}".ljust(37, "0")
