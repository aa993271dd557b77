"""The fee of a transaction, what refunds give back, charges that fall due."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_host.money.fee_schedule import FeeRule, FeeSchedule, FixedCharge, Sale, shipped_schedule
from pos_host.money.fees import (
    DueCharge,
    FeeQuote,
    MoneyOutOfRange,
    NoFeeRule,
    charges_due,
    fee_given_back_minor,
    quote,
    round_half_up,
)
from pos_host.money.validity import Validity
from pos_specs.currencies import MOST_AMOUNT_MINOR

ANY_DAY = Validity(None, None)
DAY = date(2026, 3, 2)


def fee_of(product: str, amount_minor: int, entry: str = "", currency: str = "CNY") -> int:
    return quote(shipped_schedule(), Sale(product, entry, amount_minor, currency, DAY)).fee_minor


@pytest.mark.parametrize(
    ("product", "entry", "amount_minor", "fee_minor"),
    [
        ("credit", "", 1_000_000, 6_000),
        ("debit", "", 1_000_000, 2_500),
        ("debit", "", 400_000, 2_000),
        ("qr", "qr", 1_000_000, 3_800),
        ("cloud_quickpass", "contactless", 100_000, 380),
        ("cloud_quickpass", "contactless", 100_001, 600),
        ("cloud_quickpass", "qr", 100_000, 600),
    ],
)
def test_the_shipped_schedule_takes_what_the_specification_says(
    product: str, entry: str, amount_minor: int, fee_minor: int
) -> None:
    assert fee_minor == fee_of(product, amount_minor, entry)


@pytest.mark.parametrize(("amount_minor", "fee_minor"), [(83, 0), (84, 1), (249, 1), (250, 2), (251, 2), (417, 3)])
def test_half_a_minor_unit_is_rounded_up(amount_minor: int, fee_minor: int) -> None:
    """0.60 % of 2.50 is 1.5 minor units: two."""
    assert fee_minor == fee_of("credit", amount_minor)


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_the_cap_in_yuan_is_not_taken_in_another_currency(currency: str) -> None:
    assert 5_000 == fee_of("debit", 1_000_000, currency=currency)


def test_a_quote_names_its_rule_and_what_is_left() -> None:
    quoted = quote(shipped_schedule(), Sale("debit", "", 1_000_000, "CNY", DAY))

    assert ("debit", 997_500, True, False) == (
        quoted.rule.name,
        quoted.net_minor,
        quoted.cap_applied,
        quoted.minimum_applied,
    )


def test_a_fee_that_is_exactly_the_cap_was_not_lowered() -> None:
    assert not quote(shipped_schedule(), Sale("debit", "", 500_000, "CNY", DAY)).cap_applied


def a_rule(rate_percent: str, minimum_minor: int = 0, cap_minor: int | None = None) -> FeeRule:
    credit = frozenset({"credit"})
    rate = Decimal(rate_percent)
    return FeeRule("own", credit, frozenset(), "CNY", 0, MOST_AMOUNT_MINOR, rate, minimum_minor, cap_minor, ANY_DAY)


def quoted_by(rule: FeeRule, amount_minor: int) -> FeeQuote:
    return quote(FeeSchedule("own.toml", (rule,), ()), Sale("credit", "", amount_minor, "CNY", DAY))


def test_a_small_fee_is_raised_to_the_minimum() -> None:
    quoted = quoted_by(a_rule("0.60", minimum_minor=100), 1_000)

    assert (100, 900, True) == (quoted.fee_minor, quoted.net_minor, quoted.minimum_applied)


def test_a_fee_is_never_more_than_the_amount() -> None:
    assert 40 == quoted_by(a_rule("0.60", minimum_minor=100), 40).fee_minor


def test_without_a_rule_there_is_no_fee_but_an_error_that_says_for_what() -> None:
    with pytest.raises(NoFeeRule, match="no rule is for qr by qr, 100 CNY, on 2026-03-02"):
        quote(FeeSchedule("own.toml", (a_rule("1"),), ()), Sale("qr", "qr", 100, "CNY", DAY))


def test_a_sale_below_zero_has_no_fee() -> None:
    with pytest.raises(MoneyOutOfRange, match="below zero"):
        fee_of("credit", -1)


amounts = st.integers(0, MOST_AMOUNT_MINOR) | st.integers(0, 2_000)
rates = st.decimals("0", "100", places=6) | st.decimals("0", "2", places=2)
bounds = st.tuples(st.integers(0, 500), st.none() | st.integers(0, 5_000)).filter(
    lambda pair: pair[1] is None or pair[1] >= pair[0]
)
rules = st.builds(lambda rate, pair: a_rule(str(rate), *pair), rates, bounds)


@given(rules, amounts, amounts)
def test_within_a_rule_a_larger_sale_never_costs_less(rule: FeeRule, one: int, other: int) -> None:
    smaller, larger = sorted((one, other))

    assert quoted_by(rule, smaller).fee_minor <= quoted_by(rule, larger).fee_minor


@given(rules, amounts)
def test_a_fee_lies_between_nothing_and_the_amount_and_within_its_bounds(rule: FeeRule, amount_minor: int) -> None:
    quoted = quoted_by(rule, amount_minor)

    assert 0 <= quoted.fee_minor <= amount_minor == quoted.fee_minor + quoted.net_minor
    assert quoted.fee_minor >= min(rule.minimum_minor, amount_minor)
    assert rule.cap_minor is None or quoted.fee_minor <= rule.cap_minor


@given(st.fractions(min_value=0, max_denominator=2_000_000))
def test_rounding_moves_by_half_a_unit_at_most_and_halves_go_up(exact: Fraction) -> None:
    assert -Fraction(1, 2) < round_half_up(exact) - exact <= Fraction(1, 2)


# -- refunds


def test_a_whole_refund_gives_the_whole_fee_back() -> None:
    assert 2_500 == fee_given_back_minor(1_000_000, 2_500, 0, 1_000_000)


def test_a_part_gives_its_part_of_a_capped_fee_back() -> None:
    assert 625 == fee_given_back_minor(1_000_000, 2_500, 0, 250_000)


def test_many_small_refunds_give_back_no_more_than_the_fee() -> None:
    """A fee of 1 on a sale of 3: each third alone would be rounded down, or the halves of another both up."""
    assert [0, 1, 0] == [fee_given_back_minor(3, 1, before, 1) for before in range(3)]
    assert [1, 0] == [fee_given_back_minor(2, 1, before, 1) for before in range(2)]


@pytest.mark.parametrize(
    ("before_minor", "refund_minor"),
    [(0, 101), (60, 41), (-1, 5), (0, -1)],
)
def test_more_than_was_sold_is_not_refunded(before_minor: int, refund_minor: int) -> None:
    with pytest.raises(MoneyOutOfRange, match="is not part of a sale of 100"):
        fee_given_back_minor(100, 1, before_minor, refund_minor)


@given(rules, amounts, st.lists(st.integers(0, 10**6), max_size=12))
def test_partial_refunds_give_back_their_part_to_the_minor_unit_and_all_of_them_the_fee(
    rule: FeeRule, amount_minor: int, weights: list[int]
) -> None:
    fee_minor = quoted_by(rule, amount_minor).fee_minor
    cuts = sorted({0, amount_minor, *(weight * amount_minor // 10**6 for weight in weights)})
    given_back = 0
    for before, after in pairwise(cuts):
        part = fee_given_back_minor(amount_minor, fee_minor, before, after - before)
        given_back += part
        assert part >= 0
        assert abs(given_back - Fraction(fee_minor * after, amount_minor)) <= Fraction(1, 2)

    assert fee_minor == given_back


# -- fixed charges

RENT = FixedCharge("rent", 5_000, "CNY", 15, Validity(date(2026, 2, 1), date(2026, 4, 15)))


def test_a_rent_is_due_once_a_month_while_it_holds() -> None:
    schedule = FeeSchedule("own.toml", (), (RENT,))

    due = charges_due(schedule, date(2025, 12, 31), date(2026, 12, 31))

    assert [DueCharge("rent", date(2026, month, 15), 5_000, "CNY") for month in (2, 3, 4)] == due


@given(st.lists(st.integers(0, 45), min_size=1, max_size=12))
def test_charges_asked_for_period_by_period_fall_due_once_each(lengths: list[int]) -> None:
    schedule = FeeSchedule("own.toml", (), (RENT,))
    start = after = date(2026, 1, 20)
    due = []
    for length in lengths:
        until = after + timedelta(length)
        due += charges_due(schedule, after, until)
        after = until

    assert charges_due(schedule, start, after) == due
