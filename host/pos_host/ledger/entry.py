"""What the journal holds: entries, which are never changed, and rows, which say how things stand now."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One fact in the journal. Its place there (`sequence`) is given by the commit and orders all events.

    `kind` is a function (`purchase`, `reversal` …) or something the host did (`batch_opened`, `unsettled` …).
    `batch_id` 0 and `terminal_no` 0 mean none. `amount_minor` in minor units of `currency` (ISO 4217 numeric).
    `card` is masked, `card_print` a keyed hash, `key` the identity within batch and message class.
    `original` is the identity key of the transaction a void, reversal or refund speaks of.
    `detail` is JSON of what only this kind has.
    """

    kind: str
    terminal_no: int
    batch_id: int
    at_ms: int
    outcome: str = "approved"
    mti: str = ""
    stan: str = ""
    key: str = ""
    amount_minor: int = 0
    currency: str = ""
    card: str = ""
    card_print: str = ""
    organisation: str = ""
    account: str = ""
    rrn: str = ""
    approval_code: str = ""
    invoice: str = ""
    original: str = ""
    detail: str = ""


class TerminalRow(NamedTuple):
    """A terminal. `number_known`: 1 once the host gave it a batch number or believed the one it named."""

    terminal_no: int
    merchant_id: str
    terminal_id: str
    dialect: str
    status: str
    enrolled_at_ms: int
    number_known: int


class BatchRow(NamedTuple):
    """A batch as of its last turn (opened, upload begun, closed).

    `host_totals`, `terminal_totals`, `discrepancies` and `settlement` are JSON ("" while there is none);
    `after_sequence` is a place in the journal before the batch's first entry, `rrn_base` the terminal's
    count of RRNs when it was opened.
    """

    batch_id: int
    terminal_no: int
    number: str
    state: str
    result: str
    dialect: str
    currency: str
    opened_at_ms: int
    closed_at_ms: int
    after_sequence: int
    rrn_base: int
    host_totals: str
    terminal_totals: str
    discrepancies: str
    settlement: str


class FlagRow(NamedTuple):
    """The unsettled flag of a terminal; severity "" when it is not flagged."""

    terminal_no: int
    severity: str
    since_ms: int
    due_at_ms: int
    reasons: str
    clears: str


Row = TerminalRow | BatchRow | FlagRow

FINANCIAL = frozenset({"purchase", "purchase_void", "refund"})
"""Entries that can move money; the only ones a batch counts."""
