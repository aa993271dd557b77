"""A message without its secrets: card numbers replaced, PIN blocks, keys, MACs and private data made nothing.

What an element is follows from its dialect as it does for masking (pos_specs/masking.py), and as there what cannot be
read is hidden whole. A rewritten message has the same elements, and each the same length and class.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pos_host.recording.replacement import Replacements, hidden
from pos_specs.card_number import luhn_valid
from pos_specs.card_search import SHORTEST, cards_in
from pos_specs.cards import PAN_DIGITS
from pos_specs.cutting import PartValues, cut, well_formed
from pos_specs.dialect import DataElement, Layout
from pos_specs.emv_tags import is_hidden
from pos_specs.language import Language
from pos_specs.masking import SHORT_BYTES, sensitivity_of
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC, RAW
from pos_specs.tlv import TlvError, build_tlv, parse_tlv

_LONG_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){11,}(?:[=D^][^?]*)?")
"""Twelve digits and more, also in groups, and what follows a card number on a track."""

_EBCDIC_DIGITS = re.compile(r"(?:[Ff][0-9]){12,}")
"""As many as the hex of their EBCDIC characters; the hex of ASCII ones is a run of digits itself."""

_TRACK_2 = re.compile(r"([;]?)([0-9]{12,19})([=D])([0-9]{0,7})(.*)", re.DOTALL)
"""Number, separator, expiry and service code; what follows is the issuer's and the card's secret (ISO/IEC 7813)."""

_TRACK_1 = re.compile(r"(%?[A-Z]?)([0-9]{12,19})(\^)(.*)", re.DOTALL)

_TRACK_3 = re.compile(r"(01|02|59|99)([0-9]{12,19})([=D])(.*)", re.DOTALL)
"""Format code, number, and everything else (ISO/IEC 4909)."""

TRACK_3 = 36
"""The element in which two digits before the number may be a format code; on track 2 they are the number's own."""

_TRACK_2_TAGS = ("57", "9F6B")
_NUMBER_TAG = "5A"
_TAGS_KEPT = ("5F24", "5F30")
"""Hidden where messages are shown, and kept in recordings: expiry and service code, which the track keeps as well."""

_LONG_NUMBER = 13
"""Digits from which on a run in free text is hidden also where no check digit says card number: twelve have the RRN
and amounts."""


class Rewritten(NamedTuple):
    """A message as it may be kept; `cards` are the numbers of the original that were found in it, in clear."""

    message: Message
    changed: tuple[str, ...]
    hidden: tuple[str, ...]
    cards: frozenset[str]


class Rewriter:
    """Rewrites the messages of one recording."""

    def __init__(self, replacements: Replacements) -> None:
        self._replacements = replacements

    def rewrite(self, language: Language, message: Message) -> Rewritten:
        """The message without its secrets; the original is left as it is."""
        found = set(cards_in(language, message))
        fields: dict[int, str] = {}
        changed, blanked = [], []
        for number, value in message.fields.items():
            element = language.dialect.elements.get(number)
            if element is None:
                continue
            work = _Work(self._replacements, element, found)
            fields[number] = work.rewritten(language, message, value)
            if work.hid:
                blanked.append(str(number))
            elif fields[number] != value:
                changed.append(str(number))
        for number, value in fields.items():
            replaced = self._without(found, value)
            if replaced != value:
                fields[number] = replaced
                changed.append(str(number))
        rewritten = Message(message.mti, fields, message.pads, message.shape)
        return Rewritten(rewritten, tuple(dict.fromkeys(changed)), tuple(blanked), frozenset(found))

    def _without(self, cards: set[str], value: str) -> str:
        """The value with numbers replaced that the message carries elsewhere: as digits, or as hex of characters. An
        account number may have letters: that becomes zeros."""
        for card in sorted(cards, key=len, reverse=True):
            is_number = card.isascii() and card.isdigit()
            other = self._replacements.number(card) if is_number else _nothing_of(card)
            value = value.replace(card, other)
            for encoding in ("ascii", EBCDIC) if card.isascii() else ():
                code, instead = card.encode(encoding).hex(), other.encode(encoding).hex()
                value = value.replace(code, instead).replace(code.upper(), instead.upper())
        return value


class _Work:
    """The rewriting of one element. `hid` says that content was lost, `found` gets the card numbers met."""

    def __init__(self, replacements: Replacements, element: DataElement, found: set[str]) -> None:
        self._replacements = replacements
        self._element = element
        self._found = found
        self.hid = False

    def rewritten(self, language: Language, message: Message, value: str) -> str:
        element = self._element
        layout = language.parts.layout_of(message, element.number)
        parts = None if layout is None else cut(layout, element, value)
        kind = sensitivity_of(element, layout, parts)
        if element.number == language.dialect.security.mac_element or element.name == "mac" or kind == "pin":
            return self._hide(value)
        if kind == "none":
            return value
        if kind == "":
            return value if _has_a_place_for_all(layout, parts) else self._free_text(value)
        if kind == "pan":
            return self._number(value)
        if kind == "track":
            return self._track(value)
        if kind == "icc":
            return self._tags(value)
        if kind == "records" and layout is not None and parts is not None and layout.repeat:
            return self._records(layout, value) if well_formed(layout, parts) else self._hide(value)
        if layout is not None and layout.kind == "tlv" and not layout.parts:
            return self._tags(value)
        return self._hide(value)

    def _hide(self, value: str) -> str:
        self.hid = True
        return hidden(self._element, value)

    def _number(self, value: str) -> str:
        """A card number, or an account number, which is hidden where it is not all digits."""
        if value.isascii() and value.isdigit() and len(value) in PAN_DIGITS:
            return self._replace(value)
        return self._hide(value)

    def _replace(self, number: str) -> str:
        self._found.add(number)
        return self._replacements.number(number)

    def _free_text(self, value: str) -> str:
        element = self._element
        if element.content in ("n", "xn", "h") or (element.length_digits == 0 and element.max_length <= SHORT_BYTES):
            return value
        if value.startswith(RAW) or not value.isprintable():
            return self._hide(value)  # binary data in a text
        if element.content == "b":
            return value if element.length_digits == 0 else self._hide(value)
        if _EBCDIC_DIGITS.search(value):
            self.hid = True
            value = _EBCDIC_DIGITS.sub(lambda run: _zeros(run[0]), value)
        return _LONG_DIGITS.sub(lambda run: self._run(run[0]), value)

    def _run(self, run: str) -> str:
        """A long run of digits: a card number is replaced, what is no number of any known use is hidden."""
        head, mark, tail = _split_track(run)
        digits = re.sub("[ -]", "", head)
        if len(digits) in PAN_DIGITS and luhn_valid(digits) and digits[0] != "0":
            return _in_groups(head, self._replace(digits)) + mark + _zeros(tail)
        if len(digits) < _LONG_NUMBER and not mark:
            return run
        self.hid = True
        return _zeros(head) + mark + _zeros(tail)

    def _track(self, value: str) -> str:
        """Number replaced, expiry and service code kept on track 2, the rest zeros; enciphered ones are hidden."""
        for pattern in (_TRACK_1, _TRACK_3, _TRACK_2) if self._element.number == TRACK_3 else (_TRACK_1, _TRACK_2):
            found = pattern.fullmatch(value)
            if found is not None:
                before, number, *rest = found.groups()
                kept, gone = "".join(rest[:-1]), rest[-1]
                return before + self._replace(number) + kept + hidden(self._element, gone)
        return self._hide(value)

    def _tags(self, value: str) -> str:
        """Chip data: numbers and track replaced, other hidden tags zeros."""
        try:
            pairs = parse_tlv(bytes.fromhex(value))
        except (TlvError, ValueError):
            return self._hide(value)
        return build_tlv([(tag, self._tag(tag, data)) for tag, data in pairs]).hex().upper()

    def _tag(self, tag: str, data: str) -> str:
        if tag in _TRACK_2_TAGS:
            return self._track_2_of_chip(data)
        if tag == _NUMBER_TAG:
            digits = data.rstrip("F")
            return self._digits_or_zeros(digits) + "F" * (len(data) - len(digits))
        if tag in _TAGS_KEPT or not is_hidden(tag):
            return data
        text = bytes.fromhex(data)
        if text.isdigit() and len(text) >= SHORTEST:
            return self._replace(text.decode("ascii")).encode("ascii").hex().upper()
        self.hid = True
        return "0" * len(data)

    def _track_2_of_chip(self, data: str) -> str:
        digits = data.rstrip("F")
        found = _TRACK_2.fullmatch(digits)
        if found is None:
            self.hid = True
            return "0" * len(data)
        _, number, mark, kept, gone = found.groups()
        return self._replace(number) + mark + kept + "0" * len(gone) + "F" * (len(data) - len(digits))

    def _digits_or_zeros(self, digits: str) -> str:
        if digits.isdigit() and len(digits) in PAN_DIGITS:
            return self._replace(digits)
        self.hid = True
        return "0" * len(digits)

    def _records(self, layout: Layout, value: str) -> str:
        """Uploaded records: each number replaced in its place, its filling kept."""
        position = sum(part.length for part in layout.parts)
        rewritten = value[:position]
        while position < len(value):
            for part in layout.repeat:
                piece = value[position : position + part.length]
                rewritten += self._padded_number(piece) if part.name == "pan" else piece
                position += part.length
        return rewritten

    def _padded_number(self, piece: str) -> str:
        number = piece.lstrip("0")
        return "0" * (len(piece) - len(number)) + (self._digits_or_zeros(number) if number else "")


def _has_a_place_for_all(layout: Layout | None, parts: PartValues | None) -> bool:
    """True when a value is what its layout says and all of that are numbers with a meaning: an amount of twelve digits
    is no card number because one in ten has a right check digit. Where letters may stand, a card number may as well."""
    if layout is None or parts is None or layout.repeat or layout.tags or not well_formed(layout, parts):
        return False
    return all(part.content == "n" for part in layout.parts)


def _split_track(run: str) -> tuple[str, str, str]:
    found = re.search("[=D^]", run)
    return (run, "", "") if found is None else (run[: found.start()], found[0], run[found.end() :])


def _in_groups(grouped: str, number: str) -> str:
    """`number` with the separators of `grouped` between its digits."""
    digits = iter(number)
    return "".join(next(digits) if sign.isdigit() else sign for sign in grouped)


def _nothing_of(account: str) -> str:
    """An account number without its letters and digits, of whatever script."""
    return "".join("0" if sign.isalnum() else sign for sign in account)


def _zeros(text: str) -> str:
    return re.sub("[0-9A-Za-z]", "0", text)
