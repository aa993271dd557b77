"""The payouts of which something is still to be done, by number, and when the first of them is due."""

from __future__ import annotations

from collections import Counter

from pos_host.ledger.merchant_rows import PAYOUTS_OPEN, PayoutRow

HELD = "held"
"""A payout in this state waits for somebody, not for a time."""


class OpenPayouts(dict[int, PayoutRow]):
    """They change only after a commit, through `take`.

    A fleet has as many as terminals that settled, and most are due at the same moment: those moments are counted, so
    that whoever asks for the next one ten times a second is answered from a handful.
    """

    def __init__(self) -> None:
        super().__init__()
        self._due: Counter[int] = Counter()
        self._of_merchant: dict[str, dict[int, PayoutRow]] = {}

    def take(self, row: PayoutRow) -> None:
        """Keep a row that was committed, or let go of one that has ended."""
        before = self.pop(row.payout_id, None)
        if before is not None and before.state != HELD:
            self._due[before.due_at_ms] -= 1
            if not self._due[before.due_at_ms]:
                del self._due[before.due_at_ms]
        if row.state not in PAYOUTS_OPEN:
            self._let_go(row)
            return
        self[row.payout_id] = row
        self._of_merchant.setdefault(row.merchant_id, {})[row.payout_id] = row
        if row.state != HELD:
            self._due[row.due_at_ms] += 1

    def of_merchant(self, merchant_id: str) -> list[PayoutRow]:
        """A merchant's open payouts by number: without a look at those of all others."""
        mine = self._of_merchant.get(merchant_id, {})
        return [mine[number] for number in sorted(mine)]

    def _let_go(self, row: PayoutRow) -> None:
        mine = self._of_merchant.get(row.merchant_id, {})
        mine.pop(row.payout_id, None)
        if not mine:
            self._of_merchant.pop(row.merchant_id, None)

    def next_due_ms(self) -> int | None:
        """When the first of them that is not held is due, UTC milliseconds."""
        return min(self._due, default=None)
