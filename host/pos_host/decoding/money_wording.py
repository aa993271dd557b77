"""Amounts and currencies in words."""

from __future__ import annotations

from pos_specs.currencies import shipped_currencies


def amount_in_words(code: str, digits: str) -> str:
    """`156` and `000000001234` → `12.34 CNY`; minor units where the currency is not known."""
    currency = shipped_currencies().currencies.get(_number(code))
    if currency is None:
        return f"{int(digits)} minor units of {code}".removesuffix(" of ")
    whole, minor = divmod(int(digits), 10**currency.decimals)
    places = currency.decimals
    return f"{whole}.{minor:0{places}d} {currency.code}" if places else f"{whole} {currency.code}"


def currency_code(number: str) -> str:
    """`156` → `CNY`; empty where ISO 4217 has no such number."""
    return shipped_currencies().letters.get(_number(number), "")


def _number(text: str) -> str:
    """Three digits, of a number with more zeros before it or fewer."""
    return text.strip().lstrip("0").rjust(3, "0")
