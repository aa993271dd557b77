"""A rule's document as it may leave the process: what may be card data in its patterns, values and title is masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pos_specs.emv_tags import is_hidden
from pos_specs.masking import luhn_valid, mask_pan
from pos_specs.text_codecs import EBCDIC

SECRET_ELEMENTS = frozenset({"34", "35", "36", "45", "52"})
"""Tracks and PIN block, in every edition of ISO 8583."""

SHOWN_DIGITS = 8
"""Digits of a secret element or tag that are shown: those of a long BIN, by which a rule may ask for a card."""

LOOKED_THROUGH_DIGITS = 99
"""Of the longest run that is looked through: no element but totals and records has more, and each place is tried."""

_LONG_DIGITS = re.compile(r"[0-9](?:[ .-]?[0-9]){11,}")
"""Twelve digits and more, also in groups."""

_CHARACTERS = re.compile(r"(?:3[0-9]){12,19}|(?:[Ff][0-9]){12,19}")
"""Digits as the hex of their characters, in ASCII and in EBCDIC."""

_CARD_DIGITS = range(12, 20)


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, masked. Ids of terminals and merchants stay, and tags that hold no card data: the binary digits of
    an issuer's script would pass for a card number sooner or later."""
    return {key: _masked(value) if key in ("when", "reply", "title") else value for key, value in document.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _value(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    text = _text_of(value)
    return value if text is None or _text(text) == text else _text(text)


def _value(key: str, value: Any) -> Any:
    if key.endswith("_id"):
        return value
    if key in ("field", "set") and isinstance(value, dict):
        return {number: _hidden(item) if number in SECRET_ELEMENTS else _masked(item) for number, item in value.items()}
    if key in ("tag", "tags") and isinstance(value, dict):
        return {tag: _hidden(item) if is_hidden(tag.upper()) else item for tag, item in value.items()}
    return _masked(value)


def _hidden(value: Any) -> Any:
    """The value of a secret element or tag: as much of it as a BIN has, nothing of a longer one."""
    text = _text_of(value)
    return value if text is None or sum(map(str.isalnum, text)) <= SHOWN_DIGITS else "…"


def _text_of(value: Any) -> str | None:
    """What rules take as text; None for what they do not."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _text(text: str) -> str:
    hidden = _CHARACTERS.sub(lambda found: _characters(found[0]), text)
    return _LONG_DIGITS.sub(lambda found: _run(found[0]), hidden)


def _characters(run: str) -> str:
    digits = bytes.fromhex(run).decode("ascii" if run[0] == "3" else EBCDIC)
    return "*" * len(run) if luhn_valid(digits) else run


def _run(run: str) -> str:
    """A run of digits: one that may be a card number masked, one that may have a card number in it starred."""
    digits = re.sub("[^0-9]", "", run)
    if len(digits) in _CARD_DIGITS:
        return run if not luhn_valid(digits) else mask_pan(digits) if digits == run else "*" * len(run)
    return "*" * len(run) if _has_card(digits) else run


def _has_card(digits: str) -> bool:
    """Whether a card number may stand in a run that is longer; of one that is much longer it is not asked."""
    return len(digits) > LOOKED_THROUGH_DIGITS or any(
        luhn_valid(digits[start : start + length])
        for start in range(len(digits) - _CARD_DIGITS[1] + 1)
        if digits[start] != "0"
        for length in _CARD_DIGITS[1:]
        if start + length <= len(digits)
    )
