"""What somebody at the till would write down: batches and what was sold in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from tests.unit.host.pipeline.terminals import Exchange

PLACES = st.integers(0, 999)
"""Chooses one of what is there, counted from the latest."""


@dataclass
class Sold:
    """One approved transaction: `kind` sale, void or refund; `told` afterwards, and then never reversed.

    `amount_minor` is what it counts with, by the last `adjust`; `authorisation` the one that it completed.
    """

    kind: str
    exchange: Exchange
    amount_minor: int
    domestic: bool
    original: Sold | None = None
    told: bool = False
    completion: bool = False
    authorisation: Any = None
    adjust: Exchange | None = None
    voided: bool = False
    reversed: bool = False
    refunded_minor: int = 0

    @property
    def stan(self) -> str:
        return self.exchange.stan


@dataclass
class PaperBatch:
    """What was sold in a batch, what was uploaded of it, and what its end must be."""

    number: str
    sold: list[Sold] = field(default_factory=list)
    uploads: dict[str, int] = field(default_factory=dict)
    disputed: tuple[str, ...] = ()
    state: str = "open"
    result: str = ""
