"""What the value of an element or part says in words, where the dialect or the standard knows."""

from __future__ import annotations

import re

from pos_host.decoding.money_wording import amount_in_words, currency_code
from pos_specs.card_number import luhn_valid
from pos_specs.cards import organisation
from pos_specs.language import Language
from pos_specs.message import Message, is_request

CURRENCY = 49
"""The element that names the currency of the amounts, in every edition of the standard."""

_AMOUNT = re.compile(r"(?:.*_)?amount")
_DATES = {"local_date", "settlement_date", "original_date", "conversion_date", "capture_date"}
_TIMES = {"local_time"}


def value_in_words(language: Language, message: Message, number: int, value: str, part: str = "") -> str:
    """The meaning of element `number`, or of its part `part`; empty where nothing is known."""
    dialect = language.dialect
    name = part or dialect.elements[number].name
    path = f"{number}.{part}" if part else str(number)
    if not part and number == dialect.element_for("response_code") and not is_request(message.mti):
        return response_text(language, value)
    text = dialect.value_text(path, value)
    if text is not None:
        return text
    return _by_name(language, message, name, value)


def response_text(language: Language, code: str) -> str:
    """The texts of a response code, English first."""
    known = language.dialect.codes.get(code)
    if known is None:
        return "code unknown to this dialect"
    return " ".join(filter(None, (known.en, known.zh)))


def _by_name(language: Language, message: Message, name: str, value: str) -> str:
    if _AMOUNT.fullmatch(name) and value.isdecimal():
        return amount_in_words(message.fields.get(CURRENCY, language.dialect.currency), value)
    if name == "currency":
        return currency_code(value)
    if name == "pan" and value.isdecimal():
        return _card(value.lstrip("0"))
    if name in _DATES and len(value) == 4:
        return f"{value[:2]}-{value[2:]}"
    if name == "expiry" and len(value) == 4:
        return f"20{value[:2]}-{value[2:]}"
    if name in _TIMES and len(value) == 6:
        return f"{value[:2]}:{value[2:4]}:{value[4:]}"
    return ""


def _card(pan: str) -> str:
    scheme = organisation(pan)
    known = "" if scheme == "000" else scheme
    return ", ".join(filter(None, (known, "" if luhn_valid(pan) else "check digit wrong")))
