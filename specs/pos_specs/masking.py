"""What may be shown of a message. In doubt nothing is: a value this module cannot read is masked whole."""

from __future__ import annotations

import re
from typing import Any

from pos_specs.dialect import DataElement
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.tlv import TlvError, build_tlv, parse_tlv

HIDDEN_TAGS = frozenset({"57", "5A", "5F20", "5F24", "9F20", "9F1F", "56", "9F6B", "99"})
"""EMV tags that carry PAN, track, cardholder name or PIN data (EMV Book 3 annex A)."""

_PAN_IN_PARTS = {"pan"}
_LONG_DIGITS = re.compile(r"[0-9]{12,}")


def mask_pan(pan: str) -> str:
    """First six and last four digits; everything when there are fewer than 13 digits or other characters.

    PCI DSS 3.4.1 allows at most this much.
    """
    if not pan.isdigit() or not pan.isascii() or len(pan) < 13:
        return "*" * len(pan)
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}"


def mask_fields(language: Language, message: Message) -> dict[str, str]:
    """The elements of `message` as text by number, safe to log, store and show."""
    elements = language.dialect.elements
    return {
        str(number): _mask_element(language, message, elements.get(number), value)
        for number, value in message.fields.items()
    }


def mask_parts(language: Language, message: Message) -> dict[str, Any]:
    """The parts of the elements that may be shown; those of sensitive ones with PANs masked, secrets left out."""
    shown: dict[str, Any] = {}
    for number in message.fields:
        sensitive = language.dialect.elements[number].sensitive
        if sensitive in ("secret", "track", "pin", "pan"):
            continue
        parts = language.parts.of(message, number)
        if parts is not None:
            shown[str(number)] = _mask_values(parts)
    return shown


def _mask_element(language: Language, message: Message, element: DataElement | None, value: str) -> str:
    if element is None:
        return "*" * len(value)
    if element.sensitive == "":
        return _mask_free_text(element, value)
    if element.sensitive == "pan":
        return mask_pan(value)
    if element.sensitive == "icc":
        return _mask_icc(value)
    if element.sensitive == "records":
        return _mask_records(language, message, element, value)
    return "*" * len(value)


def _mask_free_text(element: DataElement, value: str) -> str:
    """Elements of a known digit layout pass; free text could hold a card number and is searched for one."""
    if element.content in ("n", "xn", "h") or element.length_digits == 0:
        return value
    if element.content == "b":
        return "*" * len(value)
    return _LONG_DIGITS.sub(lambda found: _mask_if_card(found[0]), value)


def _mask_if_card(digits: str) -> str:
    return mask_pan(digits) if 13 <= len(digits) <= 19 and luhn_valid(digits) else digits


def _mask_icc(value: str) -> str:
    try:
        pairs = parse_tlv(bytes.fromhex(value))
    except (TlvError, ValueError):
        return "*" * len(value)
    hidden = [(tag, "00" * (len(data) // 2) if tag in HIDDEN_TAGS else data) for tag, data in pairs]
    return build_tlv(hidden).hex().upper()


def _mask_records(language: Language, message: Message, element: DataElement, value: str) -> str:
    """Uploaded records keep their shape; each PAN part is masked in place, an unread rest is masked whole."""
    layout = language.parts.layout_of(message, element.number)
    if layout is None or layout.kind != "fixed" or layout.as_text:
        return "*" * len(value)
    if not layout.repeat:
        return value
    shown = value[: sum(part.length for part in layout.parts)]
    position = len(shown)
    size = sum(part.length for part in layout.repeat)
    while len(value) - position >= size:
        for part in layout.repeat:
            piece = value[position : position + part.length]
            shown += _mask_padded_pan(piece) if part.name in _PAN_IN_PARTS else piece
            position += part.length
    return shown + "*" * (len(value) - position)


def _mask_padded_pan(piece: str) -> str:
    pan = piece.lstrip("0")
    return "0" * (len(piece) - len(pan)) + mask_pan(pan)


def _mask_values(parts: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in parts.items():
        if isinstance(value, list):
            shown[name] = [_mask_values(record) for record in value]
        elif name in _PAN_IN_PARTS:
            shown[name] = _mask_padded_pan(value)
        elif name in HIDDEN_TAGS or name == "unparsed":
            shown[name] = "*" * len(value)
        else:
            shown[name] = value
    return shown


def luhn_valid(pan: str) -> bool:
    """True when the last digit is the ISO/IEC 7812-1 annex B check digit of the others."""
    if not pan.isdigit() or not pan.isascii():
        return False
    total = 0
    for place, digit in enumerate(reversed(pan)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def luhn_digit(without_check: str) -> str:
    """The check digit that makes `without_check` + digit pass `luhn_valid`."""
    return next(digit for digit in "0123456789" if luhn_valid(without_check + digit))


