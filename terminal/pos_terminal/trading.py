"""What a simulated shop does next: intents drawn by chance, and commands made of them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from pos_terminal import batch_log
from pos_terminal.cards import DOMESTIC_CARDS, FOREIGN_CARDS, TEST_CARDS, Card
from pos_terminal.commands import Command, Purchase, Refund, Void
from pos_terminal.transaction import Transaction

VOIDS, REFUNDS = 0.10, 0.08
"""Shares of voids and refunds among a terminal's transactions; the rest are purchases."""

DOMESTIC = 0.7
"""Share of purchases with a domestic card."""

SMALLEST_MINOR, LARGEST_MINOR = 100, 50_000
"""Purchases are drawn evenly between these."""


class Intent(NamedTuple):
    """One transaction to do. `pick` (0 to 1) chooses among the purchases there are when its turn comes."""

    function: str
    card: Card
    amount_minor: int
    pick: float


def draw_intent(chance: Random, *, purchase: bool = False) -> Intent:
    """The next thing to do; with `purchase` certainly a purchase."""
    roll = 1.0 if purchase else chance.random()
    function = "purchase_void" if roll < VOIDS else "refund" if roll < VOIDS + REFUNDS else "purchase"
    names = DOMESTIC_CARDS if chance.random() < DOMESTIC else FOREIGN_CARDS
    card = TEST_CARDS[chance.choice(names)]
    return Intent(function, card, chance.randint(SMALLEST_MINOR, LARGEST_MINOR), chance.random())


def command_for(intent: Intent, log: Sequence[Transaction], currency: str) -> Command:
    """The command of an intent; a purchase where there is nothing to void or refund."""
    purchase = _pick(intent, log) if intent.function != "purchase" else None
    if purchase is None:
        return Purchase(intent.card, intent.amount_minor, currency)
    if intent.function == "purchase_void":
        return Void(purchase.stan)
    card = Card(purchase.pan, purchase.expiry)
    amount_minor = min(intent.amount_minor, purchase.amount_minor)
    return Refund(card, amount_minor, purchase.currency, purchase.as_original())


def _pick(intent: Intent, log: Sequence[Transaction]) -> Transaction | None:
    """A purchase neither voided nor refunded; never the only one, so that the batch keeps money in it."""
    purchases = batch_log.effective_purchases(log)
    refunded = {t.original.stan for t in log if t.function == "refund" and t.original is not None}
    free = [t for t in purchases if t.stan not in refunded]
    if len(purchases) < 2 or not free:
        return None
    return free[int(intent.pick * len(free))]
