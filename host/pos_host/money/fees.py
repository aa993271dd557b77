"""The fee of a transaction, what a refund gives back of it, and which fixed charges fall due."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import NamedTuple

from pos_host.money.fee_schedule import FeeRule, FeeSchedule, Sale

_HALF = Fraction(1, 2)
_WHOLE = 100 * 1_000_000
"""The whole amount, in millionths of a percent."""

RATES_REMEMBERED = 256
"""Rates in use at a time: a few for each schedule."""


class NoFeeRule(Exception):
    """No rule of the schedule applies: nothing says what the transaction costs."""


class MoneyOutOfRange(Exception):
    """An amount that no books can hold: below zero, or more refunded than was sold."""


class FeeQuote(NamedTuple):
    """What a sale costs its merchant by `rule`; `net_minor` is what is left, in minor units of the sale's currency."""

    fee_minor: int
    net_minor: int
    rule: FeeRule
    minimum_applied: bool
    cap_applied: bool


class DueCharge(NamedTuple):
    """A fixed charge on one of its days."""

    name: str
    day: date
    amount_minor: int
    currency: str


def quote(schedule: FeeSchedule, sale: Sale) -> FeeQuote:
    """The fee of `sale`; raises NoFeeRule, and MoneyOutOfRange for an amount below zero.

    The rate's part is rounded half up to the minor unit, then raised to the minimum or lowered to the cap; a fee
    is never more than the amount itself.
    """
    if sale.amount_minor < 0:
        raise MoneyOutOfRange(f"a sale of {sale.amount_minor} is below zero")
    rule = schedule.rule_for(sale)
    if rule is None:
        entry = f" by {sale.entry}" if sale.entry else ""
        raise NoFeeRule(f"no rule is for {sale.product}{entry}, {sale.amount_minor} {sale.currency}, on {sale.day}")
    by_rate = _by_rate_minor(sale.amount_minor, rule.rate_percent)
    raised = max(by_rate, rule.minimum_minor)
    cap_minor = sale.amount_minor if rule.cap_minor is None else min(rule.cap_minor, sale.amount_minor)
    fee_minor = min(raised, cap_minor)
    return FeeQuote(
        fee_minor=fee_minor,
        net_minor=sale.amount_minor - fee_minor,
        rule=rule,
        minimum_applied=raised > by_rate,
        cap_applied=rule.cap_minor is not None and raised > rule.cap_minor,
    )


def _by_rate_minor(amount_minor: int, rate_percent: Decimal) -> int:
    """The rate's part of an amount, half up; in whole numbers, since a batch has thousands of fees."""
    return (2 * amount_minor * _millionths(rate_percent) + _WHOLE) // (2 * _WHOLE)


@lru_cache(maxsize=RATES_REMEMBERED)
def _millionths(rate_percent: Decimal) -> int:
    """A rate has six decimals at most, so this is exact."""
    return int(rate_percent.scaleb(6))


def round_half_up(exact: Fraction) -> int:
    """The nearest whole number; of two equally near the greater."""
    return floor(exact + _HALF)


def fee_given_back_minor(amount_minor: int, fee_minor: int, refunded_before_minor: int, refund_minor: int) -> int:
    """What a refund gives back of the fee of the sale it refunds, in minor units.

    After each refund the sum given back is the fee's part that belongs to the sum refunded, rounded half up; this
    refund gives what is new in it. So parts never give back more than the fee, and the last one what is left of it,
    however the sale was cut up. Raises MoneyOutOfRange where more is refunded than was sold.
    """
    refunded_minor = refunded_before_minor + refund_minor
    if min(fee_minor, refunded_before_minor, refund_minor) < 0 or refunded_minor > amount_minor:
        raise MoneyOutOfRange(
            f"a refund of {refund_minor} after {refunded_before_minor} is not part of a sale of {amount_minor}"
        )
    return _part(fee_minor, refunded_minor, amount_minor) - _part(fee_minor, refunded_before_minor, amount_minor)


def _part(fee_minor: int, refunded_minor: int, amount_minor: int) -> int:
    """The fee's part that belongs to `refunded_minor` of the amount; a sale of nothing has none."""
    return round_half_up(Fraction(fee_minor * refunded_minor, amount_minor)) if amount_minor else 0


def charges_due(schedule: FeeSchedule, after: date, until: date) -> list[DueCharge]:
    """The fixed charges of the days after `after` up to and including `until`, by day and then in file order.

    Asked for one period after the other, each charge falls due once.
    """
    days = [after + timedelta(count) for count in range(1, (until - after).days + 1)]
    return [
        DueCharge(charge.name, day, charge.amount_minor, charge.currency)
        for day in days
        for charge in schedule.charges
        if day.day == charge.day_of_month and charge.valid.holds_on(day)
    ]
