"""Reversals of what is in a closed batch: the money stays settled, and somebody has to look at it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.ledger.entry import Entry

REVERSAL_OF_CLOSED = "reversal_of_closed"
"""Kind of their entries."""


class LateReversal(NamedTuple):
    """A transaction of a closed batch that its terminal took back; `moved_minor` is what the host has of it (minor
    units, below zero for what went to the cardholder)."""

    batch_id: int
    stan: str
    moved_minor: int
    at_ms: int

    def line(self) -> dict[str, Any]:
        """Its own part of a line of the report: to the terminal it is worth nothing any more."""
        amounts = {"terminal_minor": 0, "host_minor": self.moved_minor, "difference_minor": -self.moved_minor}
        return {"kind": "reversed_late", "stan": self.stan, **amounts}


def late_reversal(entry: Entry) -> LateReversal:
    """What an entry of such a reversal tells. Entries of before the detail named the original stand under their own
    batch, STAN and amount."""
    told = json.loads(entry.detail)
    batch_id, stan = told.get("settled_batch_id", entry.batch_id), told.get("original_stan", entry.stan)
    return LateReversal(batch_id, stan, told.get("moved_minor", entry.amount_minor), entry.at_ms)
