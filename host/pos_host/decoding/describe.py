"""A message as rows for people: where each element stands, what it is called, what it says."""

from __future__ import annotations

from typing import Any, NamedTuple

from pos_host.decoding.chip_wording import chip_value_in_words
from pos_host.decoding.wording import value_in_words
from pos_specs.cutting import RECORDS, PartValues
from pos_specs.emv_tags import tag_name
from pos_specs.language import Language
from pos_specs.masking import mask_fields, mask_parts
from pos_specs.message import Message, is_request, request_mti
from pos_specs.reference import Place

UNSUPPORTED = "unsupported"

_CLASSES = {
    "1": "authorisation",
    "2": "financial",
    "3": "file action",
    "4": "reversal",
    "5": "reconciliation",
    "6": "administrative",
    "8": "network management",
}
_FUNCTIONS = {"0": "request", "1": "answer", "2": "advice", "3": "answer to an advice"}


class PartRow(NamedTuple):
    """A part of an element; `name` as in the dialect, or tag and name of a TLV object."""

    name: str
    value: str
    meaning: str


class Row(NamedTuple):
    """An element, or MTI and bitmaps. `start` and `end` count bytes from the MTI, None where unknown.

    `counter` and `raw` are its bytes as they came, without those of a value that is masked.
    """

    number: str
    name: str
    start: int | None
    end: int | None
    raw: bytes
    value: str
    meaning: str
    parts: tuple[PartRow, ...] = ()
    counter: bytes = b""


def function_name(language: Language, message: Message) -> str | None:
    """The function of a request, or of the request an answer belongs to; None where an answer does not tell."""
    if is_request(message.mti):
        rule = language.function_of(message)
        return UNSUPPORTED if rule is None else rule.name
    as_request = Message(request_mti(message.mti), message.fields)
    rule = language.function_of(as_request)
    return rule.name if rule is not None and language.fits(rule, as_request) else None


def describe(language: Language, message: Message, body: bytes, *, mask: bool = False) -> list[Row]:
    """The rows of a message that was read from `body`, or of what could be read of it.

    With `mask` values are masked as in a log, and the bytes of what is masked are left out.
    """
    places = _places(language, body)
    shown = mask_fields(language, message) if mask else _clear(message)
    parts = mask_parts(language, message) if mask else all_parts(language, message)
    rows = [_mti_row(language, message, places, body), *_bitmap_rows(places, body)]
    for number, value in message.fields.items():
        element = language.dialect.elements[number]
        hidden = shown[str(number)] != value
        start, end, raw = _bytes_at(places, str(number), body)
        counter = body[start : places[str(number)].data_start] if start is not None else b""
        rows.append(
            Row(
                number=str(number),
                name=element.title,
                start=start,
                end=end,
                raw=b"" if hidden else raw,
                value=shown[str(number)],
                meaning=value_in_words(language, message, number, value),
                parts=_part_rows(language, message, number, parts.get(str(number), {})),
                counter=counter,
            )
        )
    return rows


def all_parts(language: Language, message: Message) -> dict[str, PartValues]:
    """The parts of every element that has some, in clear."""
    found = {str(number): language.parts.of(message, number) for number in message.fields}
    return {number: parts for number, parts in found.items() if parts is not None}


def _clear(message: Message) -> dict[str, str]:
    return {str(number): value for number, value in message.fields.items()}


def _places(language: Language, body: bytes) -> dict[str, Place]:
    """Where the elements stand; nothing for a message that was read in part only."""
    return language.codec.reference.places(body)


def _bytes_at(places: dict[str, Place], key: str, body: bytes) -> tuple[int | None, int | None, bytes]:
    place = places.get(key)
    if place is None:
        return None, None, b""
    return place.start, place.end, body[place.data_start : place.end]


def _mti_row(language: Language, message: Message, places: dict[str, Place], body: bytes) -> Row:
    name = function_name(language, message)
    words = [
        _CLASSES.get(message.mti[1], "class unknown"),
        _FUNCTIONS.get(message.mti[2], "function unknown"),
        *(["repeat"] if message.mti[3] in "13579" else []),
        *([] if name is None else [name]),
    ]
    return Row("", "message type", *_bytes_at(places, "t", body), message.mti, ", ".join(words))


def _bitmap_rows(places: dict[str, Place], body: bytes) -> list[Row]:
    rows = []
    for key, name in (("p", "bitmap"), ("1", "second bitmap")):
        start, end, raw = _bytes_at(places, key, body)
        if start is not None:
            value = raw.hex().upper() if len(raw) == 8 else raw.decode("ascii")
            rows.append(Row("" if key == "p" else key, name, start, end, raw, value, ""))
    return rows


def _part_rows(language: Language, message: Message, number: int, parts: dict[str, Any]) -> tuple[PartRow, ...]:
    layout = language.parts.layout_of(message, number)
    is_tlv = layout is not None and layout.kind == "tlv"
    rows: list[PartRow] = []
    for name, value in parts.items():
        if name == RECORDS:
            for place, record in enumerate(value, 1):
                rows += [
                    PartRow(f"{place}. {key} {tag_name(key)}", item, "")
                    if is_tlv and tag_name(key) is not None
                    else _part_row(language, message, number, f"{place}. {key}", key, item)
                    for key, item in record.items()
                ]
        elif is_tlv and tag_name(name) is not None:
            rows.append(PartRow(f"{name} {tag_name(name)}", value, chip_value_in_words(name, value, parts)))
        else:
            rows.append(_part_row(language, message, number, name, name, value))
    return tuple(rows)


def _part_row(language: Language, message: Message, number: int, title: str, name: str, value: str) -> PartRow:
    return PartRow(title.replace("_", " "), value, value_in_words(language, message, number, value, name))
