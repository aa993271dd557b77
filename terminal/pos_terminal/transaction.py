"""What a terminal keeps of one transaction: enough to print, void, reverse and upload it.

The PAN is kept in clear, since a batch upload must send it. This terminal works with test cards only;
tracks are never kept but made again from the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAGNETIC = "022"
"""DE22: magnetic stripe read, no PIN."""
MANUAL = "012"
"""DE22: number keyed in, no PIN."""


@dataclass(slots=True)
class Original:
    """The transaction that a void or a refund speaks of. Unknown texts are "".

    `sent_at` is MMDDhhmmss as it was sent, `date` the host's MMDD of it.
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


@dataclass(slots=True)
class Transaction:
    """One financial transaction; `amount_minor` in minor units of `currency` (ISO 4217 numeric).

    `sent_at` is the terminal's clock as MMDDhhmmss; `host_date` and `host_time` come from the answer.
    `organisation` is DE63.1 of the answer (UnionPay), "" where the host names none.
    """

    function: str
    stan: str
    amount_minor: int
    currency: str
    pan: str
    expiry: str
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

    @property
    def stands(self) -> bool:
        """Approved (only approved ones are logged) and not reversed."""
        return not self.reversed

    @property
    def effective(self) -> bool:
        """Neither reversed nor voided."""
        return not (self.reversed or self.voided)

    def as_original(self) -> Original:
        """This transaction as a void or refund names it."""
        return Original(
            stan=self.stan,
            rrn=self.rrn,
            batch_number=self.batch_number,
            approval_code=self.approval_code,
            date=self.host_date or self.sent_at[:4],
            mti=self.mti,
            sent_at=self.sent_at,
            invoice=self.invoice,
            organisation=self.organisation,
        )


def transaction_from(table: dict[str, Any]) -> Transaction:
    """The transaction in a dictionary made by `dataclasses.asdict`; raises TypeError or KeyError."""
    original = table["original"]
    return Transaction(**{**table, "original": None if original is None else Original(**original)})
