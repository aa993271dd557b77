"""What a terminal keeps of one transaction: enough to print, void, reverse and upload it.

The PAN is kept in clear, since a batch upload must send it. This terminal works with test cards only;
tracks are never kept but made again from the number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pos_terminal.cards import Card

MAGNETIC = "022"
"""DE22: magnetic stripe read, no PIN."""
MANUAL = "012"
"""DE22: number keyed in, no PIN."""
CHIP = "052"
"""DE22: chip read, no PIN."""

ENTRY_MODES = {"swipe": MAGNETIC, "chip": CHIP, "manual": MANUAL}
"""The same by the words that people use for them."""

WITH_PIN, WITHOUT_PIN = "1", "2"
"""Third digit of DE22 (unionpay.md 2; hypercom.md's sources agree)."""

SALES = frozenset({"purchase", "cash_advance", "completion", "completion_advice", "offline_purchase", "adjust"})
"""Functions that sell: the debit side of every settlement (unionpay.md 4.1)."""

COMPLETIONS = frozenset({"completion", "completion_advice"})

VOIDS: dict[str, frozenset[str]] = {
    "purchase_void": frozenset({"purchase", "cash_advance", "offline_purchase", *COMPLETIONS}),
    "refund_void": frozenset({"refund"}),
    "completion_void": COMPLETIONS,
    "auth_void": frozenset({"auth"}),
}
"""What each void takes back; a completion has a void of its own in some dialects, and is voided as a sale in others."""

ADDITIONAL, TIP, CHIP_OFFLINE = "additional", "tip", "chip"
"""Varieties: of a pre-authorisation that adds to one, of an adjust, of an offline purchase."""

CERTIFIED = frozenset({"purchase", "cash_advance"})
"""What the chip gives a certificate for that the host is told of."""

ADJUSTABLE = frozenset({"purchase", "completion", "completion_advice", "offline_purchase"})
"""What an adjust gives another amount."""


@dataclass(slots=True)
class Original:
    """The transaction that a void, a refund, a completion or an adjust speaks of. Unknown texts are "".

    `sent_at` is the clock as it was sent, `date` and `time` the host's MMDD and hhmmss of it.
    """

    stan: str = ""
    rrn: str = ""
    batch_number: str = ""
    approval_code: str = ""
    date: str = ""
    mti: str = ""
    sent_at: str = ""
    invoice: str = ""
    organisation: str = ""
    amount_minor: int = 0
    time: str = ""


@dataclass(slots=True)
class Transaction:
    """One financial transaction; `amount_minor` in minor units of `currency` (ISO 4217 numeric).

    `sent_at` is the terminal's clock as MMDDhhmmss, the year YY before it in dialects of 1993; `host_date` (MMDD) and
    `host_time` (hhmmss) come from the answer.
    `organisation` is DE63.1 of the answer (UnionPay), "" where the host names none. `variety` tells the
    forms of one function apart (an application's own names), `tip_minor` is the part of an adjust that is
    a tip, `adjusted` says that an adjust has taken its place. `icc` is DE55 as it was sent, upper-case hex,
    `chip_failed` that the card refused the host's answer. A pre-authorisation is `completed` or not.
    """

    function: str
    stan: str
    amount_minor: int
    currency: str
    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    entry_mode: str
    batch_number: str
    invoice: str
    sent_at: str
    original: Original | None = None
    mti: str = ""
    processing_code: str = ""
    rrn: str = ""
    approval_code: str = ""
    host_date: str = ""
    host_time: str = ""
    organisation: str = ""
    voided: bool = False
    reversed: bool = False
    variety: str = ""
    condition_code: str = ""
    message_type: str = ""
    tip_minor: int = 0
    adjusted: bool = False
    completed: bool = False
    partial: bool = False
    icc: str = field(repr=False, default="")
    chip_failed: bool = False

    @property
    def stands(self) -> bool:
        """Approved (only approved ones are logged), not reversed, and no adjust in its place."""
        return not (self.reversed or self.adjusted)

    @property
    def effective(self) -> bool:
        """It stands and was not voided."""
        return self.stands and not self.voided

    @property
    def sells(self) -> bool:
        """True on the debit side of a settlement."""
        return self.function in SALES

    @property
    def open(self) -> bool:
        """For a pre-authorisation: it can still be completed or voided."""
        return self.effective and not self.completed

    @property
    def local_date(self) -> str:
        """MMDD by the terminal's clock."""
        return self.sent_at[-10:-6]

    @property
    def local_time(self) -> str:
        """hhmmss by the terminal's clock."""
        return self.sent_at[-6:]

    @property
    def card(self) -> Card:
        """The card that was read."""
        return Card(self.pan, self.expiry)

    @property
    def swiped(self) -> bool:
        """True when the magnetic stripe was read."""
        return self.entry_mode[:2] == MAGNETIC[:2]

    @property
    def by_chip(self) -> bool:
        """True when the chip was read."""
        return self.entry_mode[:2] == CHIP[:2]

    def as_original(self) -> Original:
        """This transaction as a void or refund names it."""
        return Original(
            stan=self.stan,
            rrn=self.rrn,
            batch_number=self.batch_number,
            approval_code=self.approval_code,
            date=self.host_date or self.local_date,
            time=self.host_time or self.local_time,
            mti=self.mti,
            sent_at=self.sent_at,
            invoice=self.invoice,
            organisation=self.organisation,
            amount_minor=self.amount_minor,
        )


def transaction_from(table: dict[str, Any]) -> Transaction:
    """The transaction in a dictionary made by `dataclasses.asdict`; raises TypeError or KeyError."""
    original = table["original"]
    return Transaction(**{**table, "original": None if original is None else Original(**original)})
