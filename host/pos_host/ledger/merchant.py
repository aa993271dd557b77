"""A merchant as its terminals' books see it."""

from __future__ import annotations

from pos_host.ledger.merchant_rows import RecordRow

MERCHANT = "merchant"
"""Kind of a merchant's own record; its id is the merchant's number."""


class Merchant:
    """`status` is active, suspended, closing or closed. One object per merchant, shared by the books of its terminals;
    it changes only after a commit. `recorded` is False until the store has a record of it."""

    __slots__ = ("merchant_id", "recorded", "status")

    def __init__(self, merchant_id: str) -> None:
        self.merchant_id = merchant_id
        self.status = "active"
        self.recorded = False

    def take(self, row: RecordRow) -> None:
        """Stand as the record says."""
        self.status = row.state
        self.recorded = True
