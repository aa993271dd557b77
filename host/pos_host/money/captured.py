"""What of a batch moves money: its sales and refunds that stand, live and when the store is verified alike."""

from __future__ import annotations

import json
from typing import NamedTuple

from pos_host.ledger.book import Batch, Transaction
from pos_host.ledger.entry import SALES
from pos_host.money.payout import CapturedRefund, CapturedSale


class Captured(NamedTuple):
    """The sales and refunds of a batch, in the order they were posted."""

    sales: list[CapturedSale]
    refunds: list[CapturedRefund]

    def __bool__(self) -> bool:
        return bool(self.sales or self.refunds)

    def instants_ms(self) -> set[int]:
        """When the sales were made that anything is charged or given back for, UTC milliseconds."""
        refunded = {refund.sale.at_ms for refund in self.refunds if refund.sale is not None}
        return refunded | {sale.at_ms for sale in self.sales}


def captured_in(batch: Batch) -> Captured:
    """What stands in `batch`: neither declined, reversed nor voided, each with its last amount."""
    sales: list[CapturedSale] = []
    refunds: list[CapturedRefund] = []
    given_back = _GivenBack(batch)
    for transaction in batch.answers.values():
        if transaction.function == "refund" and transaction.approved:
            refund = given_back.take(transaction)
            if refund is not None:
                refunds.append(refund)
        elif _is_sale(transaction) and _stands(transaction):
            sales.append(_sale(transaction))
    return Captured(sales, refunds)


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

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
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
        return CapturedRefund(entry.product, refund.amount_minor, self._sale_of(entry.original, told), before_minor)

    def _sale_of(self, key: str, told: dict[str, int | str]) -> CapturedSale | None:
        """As it stands where it is in the same batch; else as the refund noted it, since a closed batch never
        changes. None for one that was reversed or voided after all, and for one noted before fees were."""
        original = self._batch.answers.get(key)
        if original is not None and original.rrn == told["original_rrn"]:
            return _sale(original) if _stands(original) else None
        if "original_amount_minor" not in told:
            return None
        at_ms, amount_minor = int(told["original_at_ms"]), int(told["original_amount_minor"])
        return CapturedSale(at_ms, str(told["original_product"]), amount_minor)
