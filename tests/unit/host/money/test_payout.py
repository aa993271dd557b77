"""What a settled batch pays; merchant days worked out a second time in another way."""

from __future__ import annotations

import random
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from pos_host.money.fee_schedule import FeeSchedule, Sale, effective_schedule, read_schedule, shipped_schedule
from pos_host.money.fees import DueCharge, fee_given_back_minor, quote
from pos_host.money.payout import MixedCurrencies, PaidRefund, PaidSale, PayoutAmounts, payout_amounts

DAY = date(2026, 3, 2)
MERCHANT_DAYS = 10_000

OWN = """
[[rule]]
name = "qr-yen"                 # dearer, with a minimum and a cap
products = ["qr"]
currency = "JPY"
rate_percent = "1.234567"
minimum_minor = 7
cap_minor = 900

[[rule]]
name = "credit-promotion"
products = ["credit"]
currency = "KWD"
amount_from_minor = 10_000
rate_percent = "0.25"
valid_until = 2026-03-02
"""


def test_a_batch_pays_what_was_captured_less_refunds_fees_and_charges() -> None:
    amounts = payout_amounts(
        "CNY",
        [PaidSale(1_000_000, 2_500), PaidSale(400_000, 2_000)],
        [PaidRefund(200_000, 1_000)],
        [DueCharge("rent", DAY, 5_000, "CNY")],
    )

    assert PayoutAmounts(1_400_000, 200_000, 1_200_000, 3_500, 5_000, 1_191_500) == amounts


def test_a_batch_of_refunds_alone_owes_its_acquirer() -> None:
    assert PayoutAmounts(0, 100, -100, -1, 0, -99) == payout_amounts("CNY", [], [PaidRefund(100, 1)])


def test_a_charge_in_another_currency_is_refused_by_name() -> None:
    with pytest.raises(MixedCurrencies, match="charge rent of 2026-03-02 is in CNY, not in JPY"):
        payout_amounts("JPY", [], [], [DueCharge("rent", DAY, 5_000, "CNY")])


# -- recomputed independently


def fee_in_decimals(product: str, entry: str, amount_minor: int, currency: str) -> int:
    """The shipped schedule and OWN, written down again as plain decisions in decimal arithmetic."""
    lowest, highest = Decimal(0), Decimal(amount_minor)
    if product == "credit":
        rate = "0.0025" if currency == "KWD" and amount_minor >= 10_000 else "0.006"
    elif product == "debit":
        rate = "0.005"
        if currency == "CNY":
            highest = min(highest, Decimal(2_500))
    elif product == "qr" and currency == "JPY":
        rate, lowest, highest = "0.01234567", min(highest, Decimal(7)), min(highest, Decimal(900))
    elif product == "qr":
        rate = "0.0038"
    else:
        small = entry == "contactless" and currency == "CNY" and amount_minor <= 100_000
        rate = "0.0038" if small else "0.006"
    fee = (Decimal(amount_minor) * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP)
    return int(max(lowest, min(highest, fee)))


def part_in_decimals(fee_minor: int, refunded_minor: int, amount_minor: int) -> int:
    """Half up without a division that could be inexact."""
    return (2 * fee_minor * refunded_minor + amount_minor) // (2 * amount_minor)


def random_sale(chance: random.Random, currency: str) -> Sale:
    product = chance.choice(["credit", "debit", "qr", "cloud_quickpass"])
    entry = {"qr": "qr", "cloud_quickpass": chance.choice(["contactless", "qr"])}.get(product, "")
    amount_minor = chance.choice([chance.randint(1, 2_000), chance.randint(1, 2_000_000), 250 * chance.randint(1, 800)])
    return Sale(product, entry, amount_minor, currency, DAY)


def live_a_day(schedule: FeeSchedule, chance: random.Random) -> tuple[PayoutAmounts, PayoutAmounts]:
    """One merchant day: what the host works out, and what the decimals do."""
    currency = chance.choice(["CNY", "JPY", "KWD"])
    sales, refunds = [], []
    captured = refunded = fees = 0
    for _ in range(chance.randint(0, 6)):
        sale = random_sale(chance, currency)
        fee_minor = quote(schedule, sale).fee_minor
        sales.append(PaidSale(sale.amount_minor, fee_minor))
        captured += sale.amount_minor
        own_fee = fee_in_decimals(sale.product, sale.entry, sale.amount_minor, currency)
        before = 0
        for _ in range(chance.choice([0, 0, 0, 1, 3])):
            part = chance.randint(0, sale.amount_minor - before)
            refunds.append(PaidRefund(part, fee_given_back_minor(sale.amount_minor, fee_minor, before, part)))
            before += part
        refunded += before
        fees += own_fee - part_in_decimals(own_fee, before, sale.amount_minor)
    gross = captured - refunded
    again = PayoutAmounts(captured, refunded, gross, fees, 0, gross - fees)
    return payout_amounts(currency, sales, refunds), again


def test_random_merchant_days_pay_what_a_second_computation_says(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, "utf-8")
    schedule = effective_schedule(shipped_schedule(), read_schedule(own))

    for seed in range(MERCHANT_DAYS):
        worked_out, again = live_a_day(schedule, random.Random(seed))
        assert again == worked_out, f"merchant day {seed}"
