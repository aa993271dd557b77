"""A card number put anywhere into a message comes out of no view, no error and no repr."""

import json
import traceback

import pytest
from ahocorasick_rs import AhoCorasick
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.messages import DIALECTS, EXAMPLES, messages

from pos_specs.card_number import luhn_digit
from pos_specs.dialect import DataElement
from pos_specs.errors import MessageError
from pos_specs.language import Language, open_language
from pos_specs.masking import SHORT_BYTES, mask_fields, mask_parts
from pos_specs.message import Message
from pos_specs.tlv import build_tlv

pytestmark = pytest.mark.slow

every_dialect = pytest.mark.parametrize("name", DIALECTS)

HIDDEN_TAGS = ["57", "5A", "9F1F", "9F20", "9F6B", "9F7C", "DF7F", "C1"]
"""Tags that carry card data, and two that nobody knows."""


@st.composite
def cards(draw: st.DrawFn) -> str:
    digits = draw(st.text("123456789", min_size=6, max_size=6)) + draw(st.text("0123456789", min_size=6, max_size=12))
    return digits + luhn_digit(digits)


def needles(card: str) -> AhoCorasick:
    """The number, and most of it, as digits and as the hex of its characters."""
    pieces = [card, card[3:], card[:-3]]
    return AhoCorasick([form for piece in pieces for form in (piece, piece.encode().hex())])


def found(card: str, *views: object) -> list[tuple[int, int, int]]:
    text = "\n".join(json.dumps(view, ensure_ascii=False, default=repr) for view in views)
    return [match for match in needles(card).find_matches_as_indexes(text) if match]


def may_hold(element: DataElement, card: str) -> bool:
    characters = element.max_length * 2 if element.content == "b" else element.max_length
    return characters >= len(card) + 8 and element.content not in ("xn", "h")


def guards_itself(element: DataElement, language: Language) -> bool:
    """True where a number is hidden though nothing else in the message says that it is a card's."""
    shown_on_purpose = any(layout.sensitive == "none" for layout in language.dialect.layouts.get(element.number, ()))
    short = element.length_digits == 0 and element.max_length <= SHORT_BYTES
    return not shown_on_purpose and (
        element.sensitive != "" or (element.content in ("a", "an", "ans", "b") and not short)
    )


@st.composite
def carrying(draw: st.DrawFn, element: DataElement, card: str) -> str:
    """A value of the element with the card in it."""
    if element.sensitive == "icc" and element.content == "b":
        data = draw(st.sampled_from([_bcd(f"{card}D3012201"), _bcd(card), card.encode().hex()]))
        return build_tlv([("9F02", "000000000100"), (draw(st.sampled_from(HIDDEN_TAGS)), data)]).hex().upper()
    if element.sensitive == "records":
        return f"0100000001{card:0>20}000000000100"
    if element.content == "b":
        return _filled_bytes(
            element, draw(st.sampled_from([f"{card}F"[: len(card) // 2 * 2 + 0], card.encode().hex()]))
        )
    if element.content == "n":
        return card.ljust(element.max_length, "0") if element.length_digits == 0 else card
    separator = "D" if element.packed else "="
    track = element.content == "z"
    text = card + draw(st.sampled_from(["", f"{separator}30122010000"]))
    if not track:
        text = draw(st.sampled_from(["", "A", "No. ", "B"])) + text + draw(st.sampled_from(["", " end", "^NAME^30"]))
    text = text[: element.max_length]
    return text.ljust(element.max_length) if element.length_digits == 0 else text


def _bcd(card: str) -> str:
    return card if len(card) % 2 == 0 else card + "F"


def _filled_bytes(element: DataElement, data: str) -> str:
    size = 2 * element.max_length
    return data[:size].ljust(size, "0").upper() if element.length_digits == 0 else data[:size].upper()


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_card_number_shows_in_no_view_of_a_message(name: str, data: st.DataObject) -> None:
    language, card = open_language(name), data.draw(cards())
    elements = language.dialect.elements
    message = data.draw(messages(name))
    hosts = [e for e in elements.values() if may_hold(e, card)]
    host = data.draw(st.sampled_from(hosts))
    if not guards_itself(host, language):
        message.fields[2] = card
    message.fields[host.number] = data.draw(carrying(host, card))

    assert [] == found(card, mask_fields(language, message), mask_parts(language, message), repr(message))


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_card_number_in_an_uploaded_record_shows_in_no_view(name: str, data: st.DataObject) -> None:
    language, card = open_language(name), data.draw(cards())
    records = "".join(f"00{stan:06d}{card:0>20}{100:012d}" for stan in range(data.draw(st.integers(1, 3))))
    tail = data.draw(st.sampled_from(["", card]))
    message = Message("0320", {48: f"{len(records) // 40:02d}{records}{tail}", 60: "00000001201"})

    assert [] == found(card, mask_fields(language, message), mask_parts(language, message))


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_card_number_shows_in_no_error_of_a_damaged_message(name: str, data: st.DataObject) -> None:
    language, card = open_language(name), data.draw(cards())
    host = data.draw(st.sampled_from([e for e in language.dialect.elements.values() if may_hold(e, card)]))
    message = Message("0200", {2: card, 35: f"{card}{'D' if name != 'iso87-ascii' else '='}3012"})
    message.fields[host.number] = data.draw(carrying(host, card))
    written = language.encode(message)
    cut = written[: data.draw(st.integers(0, len(written) - 1))] + data.draw(st.binary(max_size=2))

    try:
        language.decode(cut)
    except MessageError as error:
        told = (str(error), repr(error), error.reason, traceback.format_exception(error))
        partial = repr(error.partial)
        views: list[object] = []
        if error.partial is not None:
            views = [mask_fields(language, error.partial), mask_parts(language, error.partial)]
        assert [] == found(card, told, partial, *views)


@every_dialect
@EXAMPLES
@given(data=st.data())
def test_a_card_number_shows_in_no_error_of_a_value_that_does_not_fit(name: str, data: st.DataObject) -> None:
    language, card = open_language(name), data.draw(cards())
    number = data.draw(st.sampled_from(sorted(language.dialect.elements)))
    wrong = data.draw(st.sampled_from([f"{card}X", f"x{card}\n", f"hex:{card}z", card * 60, f"中{card}é\ud800"]))

    fields = {number: wrong} if number == 2 else {2: card, number: wrong}
    try:
        language.encode(Message("0200", fields))
    except MessageError as error:
        assert [] == found(card, str(error), repr(error), traceback.format_exception(error))  # noqa: PT017
