"""Which card numbers a message carries, and finding them again where they do not belong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pos_specs.card_number import mask_pan
from pos_specs.cutting import RECORDS
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC
from pos_specs.tlv import TlvError, parse_tlv

SHORTEST = 12
"""Digits of the shortest card number; a shorter run of digits is found everywhere by chance."""

BEGINNING = 10
"""Digits of a card number by which it is recognised: also one that is cut short is not to be shown."""

_AT_START = re.compile(r"[^0-9]{0,2}([0-9]{12,})")
"""Track 1 begins with a format letter, track 2 with the number."""

_ICC_CARDS = {"57", "5A"}
"""Track 2 equivalent data and PAN (EMV Book 3 annex A)."""


def cards_in(language: Language, message: Message) -> frozenset[str]:
    """The numbers in the elements meant for them: PAN, tracks, uploaded records, chip data."""
    return frozenset(number for number in _found(language, message) if len(number) >= SHORTEST)


def mentions(cards: frozenset[str], value: str) -> bool:
    """True when one of `cards`, or its beginning, stands in `value`, as digits or as the hex of their characters, in
    ASCII or EBCDIC."""
    for card in cards:
        digits = card[:BEGINNING]
        if digits in value or digits.encode().hex() in value or digits.encode(EBCDIC).hex() in value.lower():
            return True
    return False


def hide_cards(cards: frozenset[str], value: str, *, binary: bool) -> str:
    """`value` with `cards` masked in it; a binary value, or one with a number in hex, is masked whole."""
    if not mentions(cards, value):
        return value
    if binary:
        return "*" * len(value)
    for card in sorted(cards, key=len, reverse=True):
        value = value.replace(card, mask_pan(card))
    return "*" * len(value) if mentions(cards, value) else value


def _found(language: Language, message: Message) -> Iterator[str]:
    for number, value in message.fields.items():
        element = language.dialect.elements.get(number)
        sensitive = "" if element is None else element.sensitive
        if sensitive == "pan":
            yield value
        elif sensitive == "track":
            yield from _of_track(value)
        elif sensitive == "icc":
            yield from _of_icc(value)
        elif sensitive == "records":
            parts = language.parts.of(message, number) or {}
            yield from (record["pan"].lstrip("0") for record in parts.get(RECORDS, []) if "pan" in record)


def _of_track(value: str) -> Iterator[str]:
    """The first long run of digits; on track 3 two digits of format code stand before the number."""
    found = _AT_START.match(value)
    if found is not None:
        digits = found[1]
        yield digits
        if digits.startswith(("01", "02", "59", "99")):
            yield digits[2:]


def _of_icc(value: str) -> Iterator[str]:
    try:
        pairs = parse_tlv(bytes.fromhex(value))
    except (TlvError, ValueError):
        return
    for tag, data in pairs:
        if tag in _ICC_CARDS:
            yield data.rstrip("F").partition("D")[0]
