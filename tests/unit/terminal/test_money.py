"""Amounts and currencies."""

import pytest

from pos_terminal.money import MoneyError, find_currency, parse_amount, show_amount

CNY = find_currency("CNY")


@pytest.mark.parametrize(("text", "amount_minor"), [("12.34", 1234), ("12", 1200), ("12.3", 1230), ("0.01", 1)])
def test_amounts_are_read_as_people_write_them(text: str, amount_minor: int) -> None:
    assert amount_minor == parse_amount(text, CNY)


@pytest.mark.parametrize("text", ["", "x", "1.234", "-1", "1,00", "0", "0.00", "1e3", "٣", "10000000000.00", "."])
def test_what_is_no_positive_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_amount(text, CNY)


def test_a_currency_without_minor_unit_takes_none() -> None:
    yen = find_currency("392")

    assert ("JPY", 12) == (yen.code, parse_amount("12", yen))
    with pytest.raises(MoneyError, match=r"looks like 12$"):
        parse_amount("12.00", yen)


@pytest.mark.parametrize(
    ("amount_minor", "text"), [(0, "0.00"), (5, "0.05"), (123456789, "1,234,567.89"), (-50, "-0.50")]
)
def test_amounts_are_shown_as_people_write_them(amount_minor: int, text: str) -> None:
    assert text == show_amount(amount_minor, CNY)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(MoneyError, match="'ZZZ'"):
        find_currency("ZZZ")
