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

    def take(self, row: PayoutRow) -> None:
        """Keep a row that was committed, or let go of one that has ended."""
        before = self.pop(row.payout_id, None)
        if before is not None and before.state != HELD:
            self._due[before.due_at_ms] -= 1
            if not self._due[before.due_at_ms]:
                del self._due[before.due_at_ms]
        if row.state not in PAYOUTS_OPEN:
            return
        self[row.payout_id] = row
        if row.state != HELD:
            self._due[row.due_at_ms] += 1

    def next_due_ms(self) -> int | None:
        """When the first of them that is not held is due, UTC milliseconds."""
        return min(self._due, default=None)
