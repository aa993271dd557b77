"""What a settled batch pays: gross, fees and net, in minor units of its one currency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pos_host.money.fees import DueCharge


class PaidSale(NamedTuple):
    """A captured sale and its fee. A voided or reversed one is none: it is not captured and has no fee."""

    amount_minor: int
    fee_minor: int


class PaidRefund(NamedTuple):
    """A refund and what it gives back of its sale's fee (`fees.fee_given_back_minor`)."""

    amount_minor: int
    fee_given_back_minor: int


class PayoutAmounts(NamedTuple):
    """`gross_minor` is captured − refunded, `net_minor` gross − fees − charges.

    Fees are those of the sales less what the refunds give back. Gross, fees and net are below zero where refunds
    outweigh the sales; what becomes of a net below zero is for the books to decide.
    """

    captured_minor: int
    refunded_minor: int
    gross_minor: int
    fees_minor: int
    charges_minor: int
    net_minor: int


class MixedCurrencies(Exception):
    """A charge in another currency than the batch's: nothing here exchanges money."""


def payout_amounts(
    currency: str, sales: Iterable[PaidSale], refunds: Iterable[PaidRefund], charges: Iterable[DueCharge] = ()
) -> PayoutAmounts:
    """What a batch in `currency` (ISO 4217 letters) pays; raises MixedCurrencies naming the charge."""
    captured_minor = refunded_minor = fees_minor = charges_minor = 0
    for sale in sales:
        captured_minor += sale.amount_minor
        fees_minor += sale.fee_minor
    for refund in refunds:
        refunded_minor += refund.amount_minor
        fees_minor -= refund.fee_given_back_minor
    for charge in charges:
        if charge.currency != currency:
            raise MixedCurrencies(f"charge {charge.name} of {charge.day} is in {charge.currency}, not in {currency}")
        charges_minor += charge.amount_minor
    gross_minor = captured_minor - refunded_minor
    net_minor = gross_minor - fees_minor - charges_minor
    return PayoutAmounts(captured_minor, refunded_minor, gross_minor, fees_minor, charges_minor, net_minor)
