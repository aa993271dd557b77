"""Currencies, and amounts as people write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency as IsoCurrency

from pos_specs.currencies import (
    MINOR_DIGITS,
    MOST_AMOUNT_MINOR,
    Currency,
    MoneyError,
    find_currency,
    parse_amount,
    read_currencies,
    shipped_currencies,
    show_amount,
)
from pos_specs.errors import DialectError

CNY, JPY, KWD = find_currency("CNY"), find_currency("JPY"), find_currency("KWD")


def test_the_table_is_that_of_iso_4217() -> None:
    standard = {
        currency.code: Currency(currency.code, f"{currency.number:03d}", currency.exponent)
        for currency in IsoCurrency
        if currency.number is not None and currency.exponent is not None
    }

    assert standard == {currency.code: currency for currency in shipped_currencies().currencies.values()}
    assert set(MINOR_DIGITS) == {currency.decimals for currency in standard.values()}


def test_every_number_of_iso_4217_has_its_letters() -> None:
    numbers = {f"{currency.number:03d}": currency.code for currency in IsoCurrency}

    assert numbers == shipped_currencies().letters
    with pytest.raises(MoneyError, match="'XAU' is no currency"):
        find_currency("XAU")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[decimals.2]\nCNY = 156\n", r"decimals\.2\.CNY: must be a text"),
        ('[decimals.2]\nCNY = "15"\n', r"decimals\.2\.CNY: must be three digits"),
        ('[decimals.2]\ncny = "156"\n', r"decimals\.2\.cny: must be three capital letters"),
        ('[decimals.1]\nCNY = "156"\n', r"decimals\.1: is not a key of"),
        ('[decimals.2]\nCNY = "156"\n[decimals.3]\nCNY = "157"\n', r"decimals\.3\.CNY: must be .* once in the table"),
        ('[decimals.2]\nCNY = "156"\nEUR = "156"\n', r"decimals\.2\.EUR: 156 is also the number of CNY"),
        ('[gold]\nXAU = "959"\n', r"gold: is not a key of a table of currencies"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "currencies.toml"
    path.write_text(text)

    with pytest.raises(DialectError, match=says):
        read_currencies(path)


def test_letters_and_number_name_the_same_currency() -> None:
    assert find_currency("156") == find_currency("cny") == CNY


def test_an_unknown_currency_is_named() -> None:
    with pytest.raises(MoneyError, match="'XYZ' is no currency of the table"):
        find_currency("XYZ")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10000.00", CNY, 1_000_000),
        ("10000", CNY, 1_000_000),
        ("0.1", CNY, 10),
        ("007.5", CNY, 750),
        ("1234", JPY, 1_234),
        ("1.5", KWD, 1_500),
        ("9999999999.99", CNY, MOST_AMOUNT_MINOR),
    ],
)
def test_an_amount_is_read_in_its_currencys_minor_unit(text: str, currency: Currency, minor: int) -> None:
    assert minor == parse_amount(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        ("1.234", CNY, "looks like 12.00"),
        ("1.0", JPY, "looks like 12$"),
        ("1.2345", KWD, "looks like 12.000"),
        *[(text, CNY, "is no amount in CNY") for text in ("", "-1", "1,000.00", "1.", ".5", "1e3", "١", " 1", "1\n")],
        ("0.00", CNY, "above zero"),
        ("10000000000.00", CNY, "at most twelve digits"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_is_wrong(text: str, currency: Currency, says: str) -> None:
    with pytest.raises(MoneyError, match=says):
        parse_amount(text, currency)


def test_amounts_are_shown_with_as_many_decimals_as_the_currency_has() -> None:
    assert "1,234.56" == show_amount(123_456, CNY)
    assert "-0.05" == show_amount(-5, CNY)
    assert "123,456" == show_amount(123_456, JPY)
    assert "123.456" == show_amount(123_456, KWD)


@given(st.integers(1, MOST_AMOUNT_MINOR), st.sampled_from([CNY, JPY, KWD]))
def test_an_amount_that_is_shown_is_read_as_the_same(amount_minor: int, currency: Currency) -> None:
    assert amount_minor == parse_amount(show_amount(amount_minor, currency).replace(",", ""), currency)
