"""What may be shown of a message. In doubt nothing is: a value this module cannot read is masked whole.

Three rules, each enough to hide a value: the sensitivity of its element or layout; a long run of digits
in free text; and a card number that the same message carries elsewhere. Digits whose places all have a
meaning (class `n`, layouts marked `sensitive = "none"`) are not searched for card numbers on suspicion:
one batch or merchant number in ten would pass for one.
"""

from __future__ import annotations

import re
from typing import Any

from pos_specs.card_number import luhn_digit, luhn_valid, mask_pan
from pos_specs.card_search import cards_in, hide_cards, mentions
from pos_specs.cutting import RECORDS, REST, PartValues, cut, well_formed
from pos_specs.dialect import DataElement, Layout
from pos_specs.emv_tags import is_hidden
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.tlv import TlvError, build_tlv, parse_tlv

__all__ = ["luhn_digit", "luhn_valid", "mask_fields", "mask_pan", "mask_parts", "sensitivity_of"]

SHORT_BYTES = 15
"""Elements of fixed length up to this have a form of their own (DE42 is 15 digits) and are no free text."""

_PAN_PARTS = {"pan"}
_LONG_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){12,}(?:[=D^][^?]*)?")
"""Thirteen digits and more, also in groups, and what follows a card number on a track."""
_EBCDIC_DIGITS = re.compile(r"(?:[Ff][0-9]){13,}")
"""As many written as the hex of their EBCDIC characters; those of ASCII are digits themselves."""


def mask_fields(language: Language, message: Message) -> dict[str, str]:
    """The elements of `message` as text by number, safe to log, store and show."""
    cards = cards_in(language, message)
    shown = {}
    for number, value in message.fields.items():
        element = language.dialect.elements.get(number)
        if element is None:
            shown[str(number)] = _stars(value)
        else:
            masked = _mask_element(language, message, element, value)
            shown[str(number)] = hide_cards(cards, masked, binary=element.content == "b")
    return shown


def mask_parts(language: Language, message: Message) -> dict[str, Any]:
    """The parts of the elements that may be shown, card numbers masked, hidden elements left out."""
    cards = cards_in(language, message)
    shown: dict[str, Any] = {}
    for number, value in message.fields.items():
        element = language.dialect.elements.get(number)
        layout = language.parts.layout_of(message, number)
        if element is None or layout is None:
            continue
        parts = cut(layout, element, value)
        kind = sensitivity_of(element, layout, parts)
        if kind == "icc":
            shown[str(number)] = _hide(cards, _mask_tags(parts))
        elif kind == "records":
            if layout.repeat or well_formed(layout, parts):
                shown[str(number)] = _hide(cards, _mask_records_parts(parts))
        elif _mask_element(language, message, element, value) == value and not mentions(cards, value):
            shown[str(number)] = _hide(cards, parts)
    return shown


def _mask_element(language: Language, message: Message, element: DataElement, value: str) -> str:
    layout = language.parts.layout_of(message, element.number)
    parts = None if layout is None else cut(layout, element, value)
    kind = sensitivity_of(element, layout, parts)
    if kind == "none":
        return value
    if kind == "":
        return _mask_free_text(element, value)
    if kind == "pan":
        return mask_pan(value)
    if kind == "icc":
        return _mask_icc(value)
    if kind == "records" and layout is not None and parts is not None:
        return _mask_records(layout, value) if layout.repeat or well_formed(layout, parts) else _stars(value)
    return _stars(value)


def sensitivity_of(element: DataElement, layout: Layout | None, parts: PartValues | None) -> str:
    """The layout's, or else the element's; "none" only for a value that is exactly what the layout says."""
    if layout is None or layout.sensitive == "":
        return element.sensitive
    if layout.sensitive != "none":
        return layout.sensitive
    if parts is not None and well_formed(layout, parts) and not _has_long_digits(layout, parts):
        return "none"
    return element.sensitive or "secret"


def _has_long_digits(layout: Layout, parts: PartValues) -> bool:
    free = {part.name for part in (*layout.parts, *layout.tags.values()) if part.content == "ans"}
    return any(_LONG_DIGITS.search(parts[name]) is not None for name in free & parts.keys())


def _mask_free_text(element: DataElement, value: str) -> str:
    """Elements of a known digit layout pass; free text could hold a card number and is searched for one."""
    fixed = element.length_digits == 0
    if element.content in ("n", "xn", "h") or (fixed and element.max_length <= SHORT_BYTES):
        return value
    if element.content == "b" or value.startswith("hex:"):
        return _stars(value)
    masked = _LONG_DIGITS.sub(lambda found: _mask_run(found[0]), value)
    return _EBCDIC_DIGITS.sub(lambda found: _stars(found[0]), masked)


def _mask_run(digits: str) -> str:
    return mask_pan(digits) if len(digits) <= 19 and luhn_valid(digits) else _stars(digits)


def _mask_icc(value: str) -> str:
    try:
        pairs = parse_tlv(bytes.fromhex(value))
    except (TlvError, ValueError):
        return _stars(value)
    hidden = [(tag, "00" * (len(data) // 2) if is_hidden(tag) else data) for tag, data in pairs]
    return build_tlv(hidden).hex().upper()


def _mask_tags(parts: PartValues) -> PartValues:
    return {tag: _stars(value) if tag == REST or is_hidden(tag) else value for tag, value in parts.items()}


def _mask_records(layout: Layout, value: str) -> str:
    """Uploaded records keep their shape; each PAN part is masked in place, an unread rest is masked whole."""
    if layout.kind != "fixed" or layout.as_text:
        return _stars(value)
    size = sum(part.length for part in layout.repeat)
    position = sum(part.length for part in layout.parts)
    shown = value[:position]
    while size and len(value) - position >= size:
        for part in layout.repeat:
            piece = value[position : position + part.length]
            shown += _mask_padded_pan(piece) if part.name in _PAN_PARTS else piece
            position += part.length
    return shown + _stars(value[position:])


def _mask_records_parts(parts: PartValues) -> PartValues:
    shown: PartValues = {}
    for name, value in parts.items():
        if name == RECORDS:
            shown[name] = [_mask_records_parts(record) for record in value]
        elif name in _PAN_PARTS:
            shown[name] = _mask_padded_pan(value)
        else:
            shown[name] = _stars(value) if name == REST else value
    return shown


def _mask_padded_pan(piece: str) -> str:
    pan = piece.lstrip("0")
    return "0" * (len(piece) - len(pan)) + mask_pan(pan)


def _hide(cards: frozenset[str], parts: PartValues) -> PartValues:
    """The parts without card numbers that the message carries elsewhere."""
    return {
        name: [_hide(cards, record) for record in value]
        if isinstance(value, list)
        else hide_cards(cards, value, binary=False)
        for name, value in parts.items()
    }


def _stars(value: str) -> str:
    return "*" * len(value)
