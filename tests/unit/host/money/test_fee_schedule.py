"""Fee schedules as files: what is read, what is refused, what is inherited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pos_host.money.fee_schedule import (
    FEE_PRODUCTS,
    FeeRule,
    FeeSchedule,
    Sale,
    effective_schedule,
    read_schedule,
    shipped_schedule,
)
from pos_specs.errors import DialectError

RULE = """
[[rule]]
name = "promotion"
products = ["debit", "credit"]
entries = "chip"
currency = "156"
amount_from_minor = 100
amount_to_minor = 50_000
rate_percent = "0.1"
minimum_minor = 1
cap_minor = 20
valid_from = 2026-10-01
valid_until = "2026-10-07"
"""

RENT = """
[[charge]]
name = "rent"
amount_minor = 5_000
currency = "CNY"
day_of_month = 1
"""

NATIONAL_DAY = date(2026, 10, 1)


def read(tmp_path: Path, text: str, name: str = "fees.toml") -> FeeSchedule:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return read_schedule(path)


def a_rule(tmp_path: Path) -> FeeRule:
    (rule,) = read(tmp_path, RULE).rules
    return rule


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(DialectError) as raised:
        read(tmp_path, text)
    return str(raised.value)


def test_the_shipped_schedule_has_a_rule_for_every_product_in_any_currency() -> None:
    found = {
        (product, currency): shipped_schedule().rule_for(Sale(product, "", 1, currency, NATIONAL_DAY))
        for product in FEE_PRODUCTS
        for currency in ("CNY", "JPY", "KWD")
    }

    assert [] == [case for case, rule in found.items() if rule is None]


def test_a_rule_is_read_with_its_rate_exact(tmp_path: Path) -> None:
    rule = a_rule(tmp_path)

    assert Decimal("0.1") == rule.rate_percent
    assert ({"debit", "credit"}, {"chip"}, "CNY") == (rule.products, rule.entries, rule.currency)
    assert (100, 50_000, 1, 20) == (rule.amount_from_minor, rule.amount_to_minor, rule.minimum_minor, rule.cap_minor)
    assert (date(2026, 10, 1), date(2026, 10, 7)) == (rule.valid.first, rule.valid.last)


@pytest.mark.parametrize(
    ("changed", "applies"),
    [
        ({}, True),
        ({"product": "credit"}, True),
        ({"product": "qr"}, False),
        ({"entry": ""}, False),
        ({"entry": "contactless"}, False),
        ({"currency": "USD"}, False),
        ({"amount_minor": 99}, False),
        ({"amount_minor": 100}, True),
        ({"amount_minor": 50_000}, True),
        ({"amount_minor": 50_001}, False),
        ({"day": date(2026, 9, 30)}, False),
        ({"day": date(2026, 10, 7)}, True),
        ({"day": date(2026, 10, 8)}, False),
    ],
)
def test_a_rule_applies_where_every_condition_holds(changed: dict[str, object], applies: bool, tmp_path: Path) -> None:
    sale = Sale("debit", "chip", 1_000, "CNY", NATIONAL_DAY)._replace(**changed)  # type: ignore[arg-type]

    assert applies is a_rule(tmp_path).applies_to(sale)


def test_a_charge_is_read(tmp_path: Path) -> None:
    (charge,) = read(tmp_path, RENT).charges

    assert ("rent", 5_000, "CNY", 1) == (charge.name, charge.amount_minor, charge.currency, charge.day_of_month)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "promotion"', "", "fees.toml:2: rule[1].name: is missing"),
        ('name = "promotion"', 'name = "Big Sale"', "fees.toml:3: rule[1].name: must be words"),
        ('["debit", "credit"]', "[]", "fees.toml:4: rule[1].products: is missing"),
        ('["debit", "credit"]', '["gold"]', "fees.toml:4: rule[1].products: has 'gold', known are credit, debit"),
        ('"chip"', '"telepathy"', "fees.toml:5: rule[1].entries: has 'telepathy'"),
        ('"156"', '"XYZ"', "fees.toml:6: rule[1].currency: 'XYZ' is no currency"),
        ('currency = "156"', "", "rule[1].amount_from_minor: needs a currency"),
        ("= 100\n", "= -1\n", "fees.toml:7: rule[1].amount_from_minor: must be a whole number"),
        ("= 100\n", "= 1.5\n", "rule[1].amount_from_minor: must be a whole number"),
        ("50_000", "99", "fees.toml:8: rule[1].amount_to_minor: must not be below amount_from_minor"),
        ('"0.1"', "0.1", "fees.toml:9: rule[1].rate_percent: must be a text of 0 to 100"),
        ('"0.1"', '"100.000001"', "rule[1].rate_percent: must be a text of 0 to 100"),
        ('"0.1"', '"0.1%"', "rule[1].rate_percent: must be a text of 0 to 100"),
        ('"0.1"', '"-0.1"', "rule[1].rate_percent: must be a text of 0 to 100"),
        ('"0.1"', '"0.1234567"', "rule[1].rate_percent: must be a text of 0 to 100"),
        ('rate_percent = "0.1"', "", "rule[1].rate_percent: is missing"),
        ("cap_minor = 20", "cap_minor = 0", "fees.toml:11: rule[1].cap_minor: must not be below minimum_minor"),
        ("2026-10-01", '"soon"', "fees.toml:12: rule[1].valid_from: must be a day such as 2026-10-01"),
        ("2026-10-01", "2026-10-01T00:00:00", "rule[1].valid_from: must be a day"),
        ("2026-10-07", "2026-09-30", "fees.toml:13: rule[1].valid_until: lies before valid_from"),
        ("minimum_minor", "minimum", "rule[1].minimum: is not a key of a fee rule"),
        ("[[rule]]", "[[rules]]", "rules: is not a key of a fee schedule"),
        ("[[rule]]", "[rule]", "rule: must be a list of tables"),
        ("[[rule]]", "[[rule]", "fees.toml: not TOML"),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_file_line_and_key(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in RULE
    assert says in refusal(tmp_path, RULE.replace(old, new)).replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("5_000", "0", "fees.toml:4: charge[1].amount_minor: must be a whole number"),
        ('currency = "CNY"', "", "charge[1].currency: is missing"),
        ("day_of_month = 1", "day_of_month = 31", "charge[1].day_of_month: must be a whole number from 1 to 28"),
        ("day_of_month", "day", "charge[1].day_of_month: must be a whole number"),
        ('"rent"', '"rent"\nevery = "week"', "charge[1].every: is not a key of a fixed charge"),
    ],
)
def test_a_mistake_in_a_charge_is_named_with_file_and_key(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in RENT
    assert says in refusal(tmp_path, RENT.replace(old, new))


def test_a_name_is_used_once(tmp_path: Path) -> None:
    assert "charge[1].name: 'promotion' is used twice" in refusal(tmp_path, RULE + RENT.replace("rent", "promotion"))


def test_a_rule_behind_a_wider_one_is_refused_since_it_would_never_be_asked(tmp_path: Path) -> None:
    wide = '[[rule]]\nname = "all-debit"\nproducts = ["debit", "credit"]\nrate_percent = "1"\n'

    assert "rule[2].name: promotion is never asked: all-debit before it applies" in refusal(tmp_path, wide + RULE)
    assert ["promotion", "all-debit"] == [rule.name for rule in read(tmp_path, RULE + wide).rules]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DialectError, match=r"none\.toml: no such file$"):
        read_schedule(tmp_path / "none.toml")


# -- inheritance


def test_without_own_rules_everything_is_inherited() -> None:
    assert shipped_schedule().rules == effective_schedule(shipped_schedule()).rules


def test_a_rule_of_a_known_name_takes_its_place(tmp_path: Path) -> None:
    cheaper = read(
        tmp_path, '[[rule]]\nname = "cloud-quickpass"\nproducts = "cloud_quickpass"\nrate_percent = "0.50"\n'
    )
    names = [rule.name for rule in shipped_schedule().rules]

    effective = effective_schedule(shipped_schedule(), cheaper)

    assert names == [rule.name for rule in effective.rules]
    assert Decimal("0.50") == effective.rules[-1].rate_percent
    small = Sale("cloud_quickpass", "contactless", 100_000, "CNY", NATIONAL_DAY)
    assert shipped_schedule().rule_for(small) == effective.rule_for(small)


def test_a_new_rule_is_asked_before_all_inherited_ones(tmp_path: Path) -> None:
    effective = effective_schedule(shipped_schedule(), read(tmp_path, RULE))

    assert ["promotion", *(rule.name for rule in shipped_schedule().rules)] == [rule.name for rule in effective.rules]


def test_a_terminals_schedule_wins_over_its_merchants(tmp_path: Path) -> None:
    merchant = read(tmp_path, RULE, "merchant.toml")
    terminal = read(tmp_path, RULE.replace('"0.1"', '"0.2"'), "terminal.toml")

    effective = effective_schedule(shipped_schedule(), merchant, terminal)

    assert [replace(merchant.rules[0], rate_percent=Decimal("0.2"))] == [
        rule for rule in effective.rules if rule.name == "promotion"
    ]


def test_what_is_inherited_can_be_taken_away(tmp_path: Path) -> None:
    merchant = read(tmp_path, RULE + RENT, "merchant.toml")
    terminal = read(tmp_path, 'remove = ["promotion", "rent"]\n', "terminal.toml")

    effective = effective_schedule(shipped_schedule(), merchant, terminal)

    assert shipped_schedule().rules == effective.rules
    assert () == effective.charges


def test_a_charge_of_a_known_name_takes_its_place(tmp_path: Path) -> None:
    dearer = read(tmp_path, RENT.replace("5_000", "6_000"), "dearer.toml")

    assert dearer.charges == effective_schedule(read(tmp_path, RENT), dearer).charges


def test_taking_away_what_is_not_there_is_refused_with_the_file_that_does(tmp_path: Path) -> None:
    own = read(tmp_path, 'remove = ["credit", "rent"]\n', "merchant.toml")

    with pytest.raises(DialectError, match=r"merchant\.toml: remove\[2\]: no schedule above has .* 'rent'"):
        effective_schedule(shipped_schedule(), own)
