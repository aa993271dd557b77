"""What a terminal has to take over from the host on its own wire: at its next sign-in, or when it loads parameters."""

from __future__ import annotations

from typing import Any

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_specs.dialect import Dialect

TERMINAL_SYNC = "terminal_sync"
"""Kind of the record of what a terminal was to take over last; its id is the terminal's number."""

TAKEN_WITH = ("sign_in", "parameters")
"""Functions in whose answer a terminal takes over what was changed for it."""


def can_take_over(dialect: Dialect) -> bool:
    """Whether a terminal of the dialect has a message of its own in which it takes something over.

    BASE24 terminals have none: there the line signs in, and names no terminal.
    """
    return any(rule.name in TAKEN_WITH and not rule.anonymous for rule in dialect.functions)


def owed(terminal_no: int, merchant_id: str, now_ms: int, what: dict[str, Any]) -> RecordRow:
    """The row of something that the terminal has to take over; it takes the place of what it had to before."""
    return record(TERMINAL_SYNC, str(terminal_no), merchant_id, "waiting", now_ms, what)


def taken_over(row: RecordRow | None, now_ms: int) -> list[RecordRow]:
    """What to commit with the answer in which a terminal takes over what it is owed; nothing for None."""
    if row is None:
        return []
    return [record(TERMINAL_SYNC, row.record_id, row.merchant_id, "taken", now_ms, body_of(row))]
