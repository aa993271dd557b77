"""How much a decoded message looks like one that somebody meant to send.

BCD leaves little redundancy: bytes of one dialect often decode in another too. Points decide then.
"""

from __future__ import annotations

from pos_specs.card_number import luhn_valid
from pos_specs.dialect import DataElement
from pos_specs.language import Language
from pos_specs.message import Message, is_request, request_mti

_KNOWN_FUNCTION = 100
_KNOWN_CLASS = 40
_GOOD_TEXT, _STRANGE_TEXT, _BAD_TEXT = 5, -5, -40
"""ASCII, or Chinese where it is spoken; accented letters, which EBCDIC looks like; what nobody can read."""

_LUHN = 20

_EDITIONS = {"1987": "0", "1993": "1", "2003": "2"}
"""First digit of the MTI by the edition of ISO 8583."""

_CLASSES = "1234568"
"""Second digit of the MTI: authorisation, financial, file, reversal, reconciliation, administrative, network."""


def plausibility(language: Language, message: Message) -> int:
    """Points of a message; more is likelier, in comparison with other readings of the same bytes."""
    edition = _EDITIONS[language.dialect.edition]
    points = _KNOWN_CLASS if message.mti[0] == edition and message.mti[1] in _CLASSES else 0
    if names_function(language, message):
        points += _KNOWN_FUNCTION
    if luhn_valid(message.fields.get(2, "")):
        points += _LUHN
    for number, value in message.fields.items():
        points += _text_points(language.dialect.elements[number], value)
    return points


def names_function(language: Language, message: Message) -> bool:
    """True when a function of the dialect means exactly this request, or the request of this answer."""
    as_request = message if is_request(message.mti) else Message(request_mti(message.mti), message.fields)
    rule = language.function_of(as_request)
    return rule is not None and language.fits(rule, as_request)


def _text_points(element: DataElement, value: str) -> int:
    if not element.is_text:
        return 0
    if not value.isprintable() or value.startswith("hex:"):
        return _BAD_TEXT
    if value.isdigit():
        return 0
    return _GOOD_TEXT if value.isascii() or element.text == "gbk" else _STRANGE_TEXT
