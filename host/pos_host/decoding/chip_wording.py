"""What the value of a chip data object says in words (EMV 4.3 Book 3, annexes A and C; Book 4, annex A)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pos_host.decoding.money_wording import amount_in_words, currency_code

CURRENCY_TAG = "5F2A"

_HEX = re.compile(r"(?:[0-9A-F]{2})+")

_CRYPTOGRAMS = {0x00: "AAC: declined", 0x40: "TC: approved offline", 0x80: "ARQC: the issuer is asked"}

_CARDHOLDER_METHODS = {
    0x00: "failed",
    0x01: "PIN checked by the card, in clear",
    0x02: "PIN checked online, enciphered",
    0x03: "PIN checked by the card in clear, and signature",
    0x04: "PIN checked by the card, enciphered",
    0x05: "PIN checked by the card enciphered, and signature",
    0x1E: "signature",
    0x1F: "none needed",
    0x3F: "none done",
}

_VERIFICATION_RESULTS = (
    (
        "offline data authentication not performed",
        "SDA failed",
        "ICC data missing",
        "card on the exception file",
        "DDA failed",
        "CDA failed",
        "SDA selected",
    ),
    (
        "card and terminal have different versions",
        "expired application",
        "application not yet effective",
        "service not allowed for this card",
        "new card",
    ),
    (
        "cardholder verification not successful",
        "unrecognised verification method",
        "PIN tries exceeded",
        "PIN asked, no PIN pad or not working",
        "PIN asked, PIN not entered",
        "online PIN entered",
    ),
    (
        "amount over the floor limit",
        "lower limit of consecutive offline transactions exceeded",
        "upper limit of consecutive offline transactions exceeded",
        "selected at random for online",
        "merchant forced online",
    ),
    (
        "default TDOL used",
        "issuer authentication failed",
        "script failed before the final GENERATE AC",
        "script failed after the final GENERATE AC",
    ),
)
"""Bits of the five bytes, the highest first (Book 3, annex C5)."""


def chip_value_in_words(tag: str, value: str, tags: Mapping[str, object]) -> str:
    """The meaning of a data object's value in hex; `tags` are the objects beside it, for the currency of an amount.

    Empty where nothing is known, and where the value is masked.
    """
    read = _READERS.get(tag)
    if _HEX.fullmatch(value) is None:
        return ""
    if tag in _AMOUNTS:
        return amount_in_words(str(tags.get(CURRENCY_TAG, "")), value) if value.isdecimal() else ""
    return "" if read is None else read(bytes.fromhex(value))


def _cryptogram(data: bytes) -> str:
    return _CRYPTOGRAMS.get(data[0] & 0xC0, "")


def _cardholder_method(data: bytes) -> str:
    return _CARDHOLDER_METHODS.get(data[0] & 0x3F, "")


def _verification_results(data: bytes) -> str:
    told = [
        name
        for byte, names in zip(data, _VERIFICATION_RESULTS, strict=False)
        for place, name in enumerate(names)
        if byte & 0x80 >> place
    ]
    return ", ".join(told) if told else "nothing to report"


def _date(data: bytes) -> str:
    digits = data.hex()
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}" if len(data) == 3 and digits.isdecimal() else ""


def _currency(data: bytes) -> str:
    return currency_code(data.hex()[-3:])


def _text(data: bytes) -> str:
    text = data.decode("ascii", "replace")
    return text if text.isprintable() and text.isascii() else ""


_AMOUNTS = {"9F02", "9F03"}
_READERS: dict[str, Callable[[bytes], str]] = {
    "50": _text,
    "8A": _text,
    "95": _verification_results,
    "9A": _date,
    "5F24": _date,
    "5F25": _date,
    CURRENCY_TAG: _currency,
    "9F12": _text,
    "9F1E": _text,
    "9F27": _cryptogram,
    "9F34": _cardholder_method,
}
