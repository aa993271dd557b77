"""What a settled batch pays: captured, refunded, fees and net, whole and by product, in minor units of one currency."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from pos_host.money.fee_schedule import FeeSchedule, Sale
from pos_host.money.fees import NoFeeRule, fee_given_back_minor, quote

UNKNOWN_PRODUCT = "credit"
"""What a transaction is charged as whose entry says nothing: it was posted before entries did."""


class CapturedSale(NamedTuple):
    """A sale that stands: neither voided nor reversed. `charged_as` is its entry's product, `charged` how its own batch
    was charged for it, where that was settled before."""

    at_ms: int
    charged_as: str
    amount_minor: int
    charged: ChargedDay | None = None


class CapturedRefund(NamedTuple):
    """A refund that stands. `sale` is what it gives back of, None where that is not known or was not charged;
    `refunded_minor` what had been given back of that sale before."""

    charged_as: str
    amount_minor: int
    sale: CapturedSale | None = None
    refunded_minor: int = 0


class ChargedDay(NamedTuple):
    """A business day of the merchant, when it began (UTC milliseconds), and the schedule of its sales."""

    day: date
    begins_at_ms: int
    schedule: FeeSchedule


class PayoutLine(NamedTuple):
    """One product's share of a payout; `fees_minor` less what refunds gave back."""

    product: str
    sales: int
    captured_minor: int
    refunds: int
    refunded_minor: int
    fees_minor: int


class PayoutAmounts(NamedTuple):
    """The payout's sums; `net_minor` = captured − refunded − fees, below zero where refunds outweigh the sales.

    `unpriced` counts the transactions that no rule of their schedule is for: they cost nothing, and somebody has to
    look at it.
    """

    captured_minor: int
    refunded_minor: int
    fees_minor: int
    net_minor: int
    lines: tuple[PayoutLine, ...]
    unpriced: int


def payout_amounts(
    currency: str, sales: Iterable[CapturedSale], refunds: Iterable[CapturedRefund], days: Sequence[ChargedDay]
) -> PayoutAmounts:
    """What a batch in `currency` (ISO 4217 letters) pays; `days` in order, the first not after the first sale that was
    not charged before."""
    lines = _Lines()
    unpriced = 0
    for sale in sales:
        fee_minor = fee_minor_of(sale, currency, days)
        unpriced += fee_minor is None
        lines.add(sale.charged_as, sales=1, captured_minor=sale.amount_minor, fees_minor=fee_minor or 0)
    for refund in refunds:
        back_minor = given_back_minor(refund, currency, days)
        unpriced += back_minor is None
        lines.add(refund.charged_as, refunds=1, refunded_minor=refund.amount_minor, fees_minor=-(back_minor or 0))
    made = lines.made()
    captured_minor = sum(line.captured_minor for line in made)
    refunded_minor = sum(line.refunded_minor for line in made)
    fees_minor = sum(line.fees_minor for line in made)
    net_minor = captured_minor - refunded_minor - fees_minor
    return PayoutAmounts(captured_minor, refunded_minor, fees_minor, net_minor, made, unpriced)


def fee_minor_of(sale: CapturedSale, currency: str, days: Sequence[ChargedDay]) -> int | None:
    """The fee of a sale by the schedule of its day; None where no rule is for it."""
    day = sale.charged or charged_day(days, sale.at_ms)
    product, _, entry = (sale.charged_as or UNKNOWN_PRODUCT).partition("/")
    try:
        return quote(day.schedule, Sale(product, entry, sale.amount_minor, currency, day.day)).fee_minor
    except NoFeeRule:
        return None


def given_back_minor(refund: CapturedRefund, currency: str, days: Sequence[ChargedDay]) -> int | None:
    """What a refund gives back of its sale's fee; None where no rule is for the sale.

    A refund of an unknown sale gives back nothing. One that an upload told of may go beyond what is left of its sale;
    the fee is given back once all the same.
    """
    sale = refund.sale
    if sale is None:
        return 0
    fee_minor = fee_minor_of(sale, currency, days)
    if fee_minor is None:
        return None
    before_minor = min(refund.refunded_minor, sale.amount_minor)
    part_minor = min(refund.amount_minor, sale.amount_minor - before_minor)
    return fee_given_back_minor(sale.amount_minor, fee_minor, before_minor, part_minor)


def charged_day(days: Sequence[ChargedDay], at_ms: int) -> ChargedDay:
    """The one of `days` that the instant belongs to: the last that had begun."""
    return days[max(bisect_right(days, at_ms, key=lambda day: day.begins_at_ms) - 1, 0)]


class _Lines:
    """Sums by product, in the order the products came."""

    def __init__(self) -> None:
        self._by_product: dict[str, list[int]] = {}

    def add(
        self,
        charged_as: str,
        *,
        sales: int = 0,
        captured_minor: int = 0,
        refunds: int = 0,
        refunded_minor: int = 0,
        fees_minor: int = 0,
    ) -> None:
        product = (charged_as or UNKNOWN_PRODUCT).partition("/")[0]
        sums = self._by_product.setdefault(product, [0] * 5)
        for place, more in enumerate((sales, captured_minor, refunds, refunded_minor, fees_minor)):
            sums[place] += more

    def made(self) -> tuple[PayoutLine, ...]:
        return tuple(PayoutLine(product, *sums) for product, sums in self._by_product.items())
