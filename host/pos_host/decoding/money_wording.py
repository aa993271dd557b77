"""Amounts and currencies in words."""

from __future__ import annotations

from iso4217 import Currency

_CURRENCIES = {f"{currency.number:03d}": currency for currency in Currency if currency.number is not None}


def amount_in_words(code: str, digits: str) -> str:
    """`156` and `000000001234` → `12.34 CNY`; minor units where the currency is not known."""
    currency = _currency(code)
    if currency is None or currency.exponent is None:
        return f"{int(digits)} minor units of {code}".removesuffix(" of ")
    places = currency.exponent
    whole, minor = divmod(int(digits), 10**places)
    return f"{whole}.{minor:0{places}d} {currency.code}" if places else f"{whole} {currency.code}"


def currency_code(number: str) -> str:
    """`156` → `CNY`; empty where ISO 4217 has no such number."""
    currency = _currency(number)
    return "" if currency is None else str(currency.code)


def _currency(number: str) -> Currency | None:
    return _CURRENCIES.get(number.strip().lstrip("0").rjust(3, "0"))
