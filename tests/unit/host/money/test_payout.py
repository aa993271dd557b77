"""What a settled batch pays; merchant days worked out a second time in another way."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from pos_host.ledger.book import Book
from pos_host.ledger.dialect_names import dialect_named
from pos_host.ledger.entry import Entry
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.ledger.posting import apply_entry, apply_row
from pos_host.ledger.records import Records
from pos_host.ledger.rows import batch_row, opened_batch
from pos_host.money.business_calendar import BusinessCalendar, shipped_calendar
from pos_host.money.fee_schedule import FeeSchedule, effective_schedule, read_schedule, shipped_schedule
from pos_host.money.payout import (
    CapturedRefund,
    CapturedSale,
    ChargedDay,
    PayoutAmounts,
    PayoutLine,
    given_back_minor,
    payout_amounts,
)
from pos_host.money.payout_at_close import PayoutsAtClose
from pos_host.settlement.policy import Policy, load_policy

DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)
CUTOFF_MS = 1_772_463_600_000
"""2026-03-02T23:00 in Shanghai, where the shipped policy's business day turns."""

MINUTE_MS = 60_000
DAYS = [ChargedDay(DAY, 0, shipped_schedule())]
POLICY = load_policy(None)

MERCHANT_DAYS, PARTS = 100_000, 10
"""Merchant days in all, lived in parts, so that a failure names a smaller one."""

NUMBERS = {"CNY": "156", "JPY": "392", "KWD": "414"}
"""Currencies of two, no and three decimals."""

OWN = """
[[rule]]
name = "qr-yen"                 # dearer, with a minimum and a cap
products = ["qr"]
currency = "JPY"
rate_percent = "1.234567"
minimum_minor = 7
cap_minor = 900

[[rule]]
name = "credit-promotion"       # ends with the first of the two days
products = ["credit"]
currency = "KWD"
amount_from_minor = 10_000
rate_percent = "0.25"
valid_until = 2026-03-02
"""


def test_a_batch_pays_what_was_captured_less_refunds_and_fees() -> None:
    sales = [CapturedSale(1, "debit", 1_000_000), CapturedSale(1, "debit/chip", 400_000)]
    refunds = [CapturedRefund("debit", 200_000, sales[1], 0)]

    amounts = payout_amounts("CNY", sales, refunds, DAYS)

    line = PayoutLine("debit", 2, 1_400_000, 1, 200_000, 3_500)
    assert PayoutAmounts(1_400_000, 200_000, 3_500, 1_196_500, (line,), 0) == amounts


def test_a_batch_of_refunds_alone_owes_its_acquirer() -> None:
    refund = CapturedRefund("credit", 10_000, CapturedSale(1, "credit", 10_000), 0)

    assert -9_940 == payout_amounts("CNY", [], [refund], DAYS).net_minor


def test_a_refund_of_an_unknown_sale_gives_no_fee_back() -> None:
    assert 0 == given_back_minor(CapturedRefund("credit", 10_000), "CNY", DAYS)


def test_refunds_beyond_their_sale_give_its_fee_back_once() -> None:
    sale = CapturedSale(1, "credit", 10_000)
    parts = [CapturedRefund("credit", 8_000, sale, before) for before in (0, 8_000, 16_000)]

    assert [48, 12, 0] == [given_back_minor(part, "CNY", DAYS) for part in parts]


def test_a_transaction_that_no_rule_is_for_costs_nothing_and_is_counted() -> None:
    nothing = FeeSchedule("nothing agreed", (), ())
    amounts = payout_amounts("CNY", [CapturedSale(1, "credit", 10_000)], [], [ChargedDay(DAY, 0, nothing)])

    assert (0, 10_000, 1) == (amounts.fees_minor, amounts.net_minor, amounts.unpriced)


def test_an_entry_from_before_there_were_products_is_charged_as_credit() -> None:
    assert ("credit", 60) == payout_amounts("CNY", [CapturedSale(1, "", 10_000)], [], DAYS).lines[0][::5]


# -- recomputed independently


class AgreedTerms:
    """The shipped policy, and one schedule for every day."""

    def __init__(self, schedule: FeeSchedule) -> None:
        self.schedule = schedule

    def policy_of(self, book: Book) -> Policy:
        return POLICY

    def schedule_of(self, merchant_id: str, day: date, terminal_id: str = "") -> FeeSchedule:
        return self.schedule

    def calendar_of(self, merchant_id: str, day: date) -> BusinessCalendar:
        return shipped_calendar()


@dataclass
class PaperSale:
    """A sale as a shopkeeper writes it down: what became of it, and what was given back of it, one after the other."""

    product: str
    entry: str
    amount: Decimal
    day: date
    stands: bool = True
    given_back_before: Decimal = Decimal(0)
    given_back: list[Decimal] = field(default_factory=list)
    in_batch: bool = True


def fee_on_paper(sale: PaperSale, currency: str) -> Decimal:
    """The shipped schedule and OWN, written down again as plain decisions in decimal arithmetic."""
    lowest, highest = Decimal(0), sale.amount
    if sale.product == "credit":
        promoted = currency == "KWD" and sale.amount >= 10_000 and sale.day == DAY
        rate = "0.0025" if promoted else "0.006"
    elif sale.product == "debit":
        rate = "0.005"
        if currency == "CNY":
            highest = min(highest, Decimal(2_500))
    elif sale.product == "qr" and currency == "JPY":
        rate, lowest, highest = "0.01234567", min(highest, Decimal(7)), min(highest, Decimal(900))
    elif sale.product == "qr":
        rate = "0.0038"
    else:
        small = sale.entry == "contactless" and currency == "CNY" and sale.amount <= 100_000
        rate = "0.0038" if small else "0.006"
    fee = (sale.amount * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP)
    return max(lowest, min(highest, fee))


def part_on_paper(fee: Decimal, refunded: Decimal, amount: Decimal) -> Decimal:
    """Half up, without a division that could be inexact."""
    return ((2 * fee * refunded + amount) // (2 * amount)).to_integral_value(ROUND_FLOOR)


def paid_on_paper(sales: list[PaperSale], currency: str) -> tuple[int, int, int]:
    """Captured, refunded and fees of a day."""
    captured = refunded = fees = Decimal(0)
    for sale in sales:
        back = sum(sale.given_back, Decimal(0))
        refunded += back
        if not sale.stands:
            continue
        fee = fee_on_paper(sale, currency)
        if sale.in_batch:
            captured += sale.amount
            fees += fee
        before = sale.given_back_before
        fees -= part_on_paper(fee, before + back, sale.amount) - part_on_paper(fee, before, sale.amount)
    return int(captured), int(refunded), int(fees)


class MerchantDay:
    """One terminal's batch, posted entry by entry as the host does, and the same on paper."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.currency = chance.choice(list(NUMBERS))
        self.book = Book(1, "M", "T", dialect_named("hypercom"))
        apply_row(self.book, opened_batch(self.book, "000001", 1)[0])
        self.sequence = 0
        self.sales: list[PaperSale] = []

    def post(self, kind: str, amount_minor: int, at_ms: int, **columns: str) -> Entry:
        self.sequence += 1
        stan = f"{self.sequence:06d}"
        entry = Entry(kind, 1, 100_001, at_ms, stan=stan, key=f"2{stan}", amount_minor=amount_minor)
        entry = entry._replace(currency=NUMBERS[self.currency], rrn=f"000001{stan}", **columns)
        apply_entry(self.book, entry, self.sequence)
        return entry

    def live(self) -> None:
        for _ in range(self.chance.randint(0, 6)):
            self._sell()

    def _sell(self) -> None:
        chance = self.chance
        product = chance.choice(["credit", "debit", "qr", "cloud_quickpass"])
        entry = {"qr": "qr", "cloud_quickpass": chance.choice(["contactless", "qr"])}.get(product, "")
        amount = chance.choice([chance.randint(1, 2_000), chance.randint(1, 2_000_000), 250 * chance.randint(1, 800)])
        late = chance.random() < 0.3
        at_ms = CUTOFF_MS + MINUTE_MS if late else CUTOFF_MS - MINUTE_MS
        sale = PaperSale(product, entry, Decimal(amount), NEXT_DAY if late else DAY)
        self.sales.append(sale)
        charged_as = f"{product}/{entry}" if entry else product
        if chance.random() < 0.15:
            self._give_back(sale, None, charged_as, at_ms)
            return
        posted = self.post("purchase", amount, at_ms, product=charged_as)
        fate = chance.random()
        if fate < 0.1:
            self.post("purchase_void", amount, at_ms, original=posted.key)
            sale.stands = False
        elif fate < 0.2:
            self.post("reversal", amount, at_ms, original=posted.key)
            sale.stands = False
        elif fate < 0.3:
            tipped = amount + chance.randint(0, amount)
            self.post("adjust", tipped, at_ms, original=posted.key)
            sale.amount = Decimal(tipped)
        if sale.stands and chance.random() < 0.4:
            self._give_back(sale, posted, charged_as, at_ms)

    def _give_back(self, sale: PaperSale, posted: Entry | None, charged_as: str, at_ms: int) -> None:
        """A few parts of a sale of this batch, or (`posted` None) of one that was settled earlier."""
        amount = int(sale.amount)
        before = 0
        if posted is None:
            sale.in_batch = False
            before = self.chance.randint(0, amount)
            sale.given_back_before = Decimal(before)
        rrn = f"9{len(self.sales):011d}" if posted is None else posted.rrn
        told = {"original_rrn": rrn, "original_at_ms": at_ms, "original_product": charged_as}
        for _ in range(self.chance.randint(1, 3)):
            part = self.chance.randint(0, amount - before)
            detail = json.dumps({**told, "original_amount_minor": amount, "original_refunded_minor": before})
            key = "2older" if posted is None else posted.key
            refund = self.post("refund", part, at_ms, original=key, detail=detail, product=charged_as)
            if self.chance.random() < 0.2:
                self.post("refund_void", part, at_ms, original=refund.key)
            else:
                sale.given_back.append(Decimal(part))
                before += part


def payouts_of(day: MerchantDay, closing: PayoutsAtClose) -> list[PayoutRow]:
    batch = day.book.batches[0]
    closed = batch_row(day.book, batch, state="settled", result="balanced", closed_at_ms=CUTOFF_MS + 2 * MINUTE_MS)
    _, rows = closing.added(day.book, (), (closed,))
    return [row for row in rows if isinstance(row, PayoutRow)]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_random_merchant_days_pay_what_a_second_computation_says(tmp_path: Path, part: int) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, "utf-8")
    schedule = effective_schedule(shipped_schedule(), read_schedule(own))
    closing = PayoutsAtClose(AgreedTerms(schedule), Records())

    for seed in range(part, MERCHANT_DAYS, PARTS):
        day = MerchantDay(random.Random(seed))
        day.live()
        captured, refunded, fees = paid_on_paper(day.sales, day.currency)
        made = payouts_of(day, closing)
        paid = [(row.captured_minor, row.refunded_minor, row.fees_minor, row.net_minor) for row in made]
        anything = any((sale.in_batch and sale.stands) or sale.given_back for sale in day.sales)
        expected = [(captured, refunded, fees, captured - refunded - fees)] if anything else []
        assert expected == paid, f"merchant day {seed}"
