"""What of a batch moves money: its sales and refunds that stand, live and when the store is verified alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from pos_host.ledger.book import Batch, LateTransaction, Transaction
from pos_host.ledger.entry import SALES, Entry
from pos_host.ledger.late_notices import adjusted_by
from pos_host.money.fee_schedule import FeeSchedule
from pos_host.money.payout import CapturedRefund, CapturedSale, ChargedDay

Schedules = Callable[[str], FeeSchedule | None]
"""Finds a schedule by the digest under which the store keeps it."""


def none_known(digest: str) -> FeeSchedule | None:
    """For those who ask what moved and not what it cost."""
    return None


class Captured(NamedTuple):
    """The sales and refunds of a batch, in the order they were posted."""

    sales: list[CapturedSale]
    refunds: list[CapturedRefund]

    def __bool__(self) -> bool:
        return bool(self.sales or self.refunds)

    def instants_ms(self) -> set[int]:
        """When the sales were made that anything is charged or given back for, UTC milliseconds; without those that
        were charged before."""
        refunded = [refund.sale for refund in self.refunds if refund.sale is not None]
        return {sale.at_ms for sale in (*self.sales, *refunded) if sale.charged is None}


def captured_in(batch: Batch, schedules: Schedules = none_known) -> Captured:
    """What stands in `batch`: neither declined, reversed nor voided, each with its last amount.

    `schedules` knows by which a refunded sale of an earlier batch was charged.
    """
    sales: list[CapturedSale] = []
    refunds: list[CapturedRefund] = []
    given_back = _GivenBack(batch, schedules)
    for transaction in batch.answers.values():
        if transaction.function == "refund" and transaction.approved:
            refund = given_back.take(transaction)
            if refund is not None:
                refunds.append(refund)
        elif _is_sale(transaction) and _stands(transaction):
            sales.append(_sale(transaction))
    return Captured(sales, refunds)


def captured_late(batch: Batch, told: Entry, schedules: Schedules = none_known) -> Captured:
    """What a late notice (as_told) moves beside its batch, before it is applied; `schedules` knows by which that batch,
    and what came late of it before, was charged.

    An adjust moves what is new in it: the sale's new amount, less the one before, each with its fee.
    """
    if told.kind == "refund":
        detail = json.loads(told.detail)
        before_minor = int(detail.get("original_refunded_minor", 0))
        sale = _noted_sale(batch, told.original, detail, schedules) if "original_rrn" in detail else None
        return Captured([], [CapturedRefund(told.product, told.amount_minor, sale, before_minor)])
    original = adjusted_by(batch, told)
    if original is None:
        return Captured([CapturedSale(told.at_ms, told.product, told.amount_minor)], [])
    days = original.charged if isinstance(original, LateTransaction) else batch.charged
    begun = [day for day in days if day[1] <= original.entry.at_ms] or days[:1]
    charged = _charged(begun[-1], schedules) if begun else None
    before_minor = int(json.loads(told.detail)["amount_before_minor"])
    before = _sale(original)._replace(amount_minor=before_minor, charged=charged)
    product = before.charged_as
    taken_back = CapturedRefund(product, before.amount_minor, before)
    return Captured([before._replace(amount_minor=told.amount_minor)], [taken_back])


def _stands(transaction: Transaction) -> bool:
    return transaction.captured and not transaction.voided


def _is_sale(transaction: Transaction) -> bool:
    """An adjust whose original the host does not have stands for that sale."""
    return transaction.function in SALES or (transaction.function == "adjust" and not transaction.original)


def _sale(transaction: Transaction) -> CapturedSale:
    return CapturedSale(transaction.entry.at_ms, transaction.entry.product, transaction.amount_minor)


class _GivenBack:
    """Refunds in their order, and how much of each sale those before had given back.

    The first refund of a sale in a batch was posted when nothing of this batch had been given back of it yet, so what
    it noted then is what batches closed before gave back. From there on only refunds that still stand count.
    """

    def __init__(self, batch: Batch, schedules: Schedules) -> None:
        self._batch = batch
        self._schedules = schedules
        self._refunded_minor: dict[str, int] = {}

    def take(self, refund: Transaction) -> CapturedRefund | None:
        """The refund as it stands, None if it does not."""
        entry = refund.entry
        told = json.loads(entry.detail) if entry.detail else {}
        rrn = told.get("original_rrn")
        if rrn is not None:
            self._refunded_minor.setdefault(rrn, int(told.get("original_refunded_minor", 0)))
        if not _stands(refund):
            return None
        if rrn is None:
            return CapturedRefund(entry.product, refund.amount_minor)
        before_minor = self._refunded_minor[rrn]
        self._refunded_minor[rrn] += refund.amount_minor
        sale = _noted_sale(self._batch, entry.original, told, self._schedules)
        return CapturedRefund(entry.product, refund.amount_minor, sale, before_minor)


def _noted_sale(batch: Batch, key: str, told: dict[str, Any], schedules: Schedules) -> CapturedSale | None:
    """A refunded sale as it stands where it is in the same batch; else as the refund noted it, since a closed batch
    never changes. None for one that was reversed or voided after all, and for one noted before fees were."""
    original = batch.answers.get(key)
    noted = told.get("original_charged")
    charged = None if noted is None else _charged(noted, schedules)
    if original is not None and original.rrn == told["original_rrn"]:
        return _sale(original)._replace(charged=charged) if _stands(original) else None
    if "original_amount_minor" not in told:
        return None
    at_ms, amount_minor = int(told["original_at_ms"]), int(told["original_amount_minor"])
    return CapturedSale(at_ms, str(told["original_product"]), amount_minor, charged)


def _charged(noted: list[Any], schedules: Schedules) -> ChargedDay | None:
    """How a sale was charged when its batch was settled; None where the schedule is not there, and then it is priced as
    if it was settled now."""
    day, begins_at_ms, digest = noted
    schedule = schedules(digest)
    return None if schedule is None else ChargedDay(date.fromisoformat(day), int(begins_at_ms), schedule)
