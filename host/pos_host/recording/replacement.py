"""What stands in a recording for a card number: another one that looks the same and is nobody's."""

from __future__ import annotations

import hmac
from hashlib import sha256

from pos_specs.card_number import luhn_digit, luhn_valid
from pos_specs.dialect import DataElement
from pos_specs.text_codecs import RAW

BIN_DIGITS = 6
"""Digits that are kept: the issuer, by which hosts tell organisations apart. ISO/IEC 7812-1 has eight since 2017, but
with six kept of a short number enough others remain to be replaced."""

REMEMBERED = 65_536
"""Replacements kept at hand, then all are forgotten; they are worked out again as they were."""

SECRET_BYTES = 32
"""Of the key that a recording is made under: nobody can try all of them."""


class Replacements:
    """The replacements of one recording: the same number has the same one, under a `secret` that is not kept.

    With the secret gone nobody can tell which number it was; without it the few free digits of a card number could be
    tried one after the other.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[str, str] = {}

    def number(self, number: str) -> str:
        """Another number of the same length and first six digits, whose check digit is right where this one's is."""
        found = self._known.get(number)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[number] = self._made(number)
        return found

    def _made(self, number: str) -> str:
        kept = number[:BIN_DIGITS]
        free = len(number) - len(kept) - 1
        right = luhn_valid(number)
        attempt = 0
        while True:
            body = kept + self._digits(f"{attempt}:{number}", free)
            check = luhn_digit(body)
            made = body + (check if right else str((int(check) + 1) % 10))
            if made != number:
                return made
            attempt += 1

    def _digits(self, text: str, count: int) -> str:
        drawn = int.from_bytes(hmac.digest(self._secret, text.encode(), sha256), "big")
        return f"{drawn % 10**count:0{count}d}" if count else ""


def hidden(element: DataElement, value: str) -> str:
    """As much of nothing as `value` has, of the same class, so that the element still decodes: zeros, and X."""
    if not element.is_text:
        return "".join("0" if sign.isalnum() else sign for sign in value)
    if value.startswith(RAW):
        return RAW + "0" * (len(value) - len(RAW))
    wide = "XX" if element.text == "gbk" else "X"
    return "".join(_nothing(sign, wide) for sign in value)


def _nothing(sign: str, wide: str) -> str:
    if not sign.isascii():
        return wide
    if sign == " ":
        return sign
    return "0" if sign.isdigit() else "X"
