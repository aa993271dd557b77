"""What a handler decides: data only. The pipeline makes it durable, then applies it, then answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pos_host.ledger.entry import Entry, Row

NO_VALUES: Mapping[str, str] = {}


class Decision(NamedTuple):
    """An outcome, what the answer carries, and what must be posted before the answer may leave.

    `at_ms` is the moment the answer tells as its time; `values` are further answer meanings (`totals`,
    `settlement_code` …); `reason` is for people and never holds card data; empty `entries` and `rows` post
    nothing (a repeat, an echo).
    """

    outcome: str
    at_ms: int
    rrn: str = ""
    approval_code: str = ""
    values: Mapping[str, str] = NO_VALUES
    entries: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = ()
    reason: str = ""
