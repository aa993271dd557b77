"""Cuts the value of one element into the parts of one layout.

Lengths of parts count bytes on the wire, as terminals write them: in GBK a character may be two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pos_specs.dialect import DataElement, Layout, Part
from pos_specs.text_codecs import is_plain, to_bytes, to_text
from pos_specs.tlv import TlvError, parse_tlv

PartValues = dict[str, Any]
"""Part name → text, or `records` → list of such dictionaries, or TLV tag → upper-case hex."""

REST = "unparsed"
"""The part that holds what a layout did not cover, so that nothing is hidden."""

NESTED_BITMAP_BYTES = 8
"""Half of the bitmap of a message within an element; binary, in every such element known."""

RECORDS = "records"
"""The part that lists the repeated records of a layout."""

_CONTENT = {
    "n": re.compile(r"[0-9]*"),
    "a": re.compile(r"[A-Za-z ]*"),
    "an": re.compile(r"[0-9A-Za-z ]*"),
    "b": re.compile(r"(?:[0-9A-F]{2})*"),
    "z": re.compile(r"[0-9A-F=]*"),
}
"""What a part of a class may hold; any character where the class is not listed."""


class _Value(NamedTuple):
    """A value to cut: its length, and a function that gives the piece from one byte to another in a class."""

    size: int
    piece: Callable[[int, int, str], str]


def cut(layout: Layout, element: DataElement, value: str) -> PartValues:
    """The parts of `value`; what the layout does not cover is in the part `unparsed`."""
    if layout.kind == "tlv":
        return _cut_tlv(layout, value)
    source = _source(element, value, as_text=layout.as_text)
    if layout.kind == "tags":
        return _cut_tags(layout, source)
    if layout.kind == "tables":
        return _cut_tables(layout, source)
    if layout.kind == "bitmap":
        return _cut_bitmap(layout, source)
    return _cut_fixed(layout, source)


def wire_length(element: DataElement, value: str) -> int:
    """What the element's counter says of `value`: digits, characters of `xn` and `h`, bytes otherwise."""
    return _source(element, value, as_text=False).size


def well_formed(layout: Layout, parts: PartValues) -> bool:
    """True when `parts` are all that was there, each complete and of its class."""
    if layout.kind == "tlv":
        return REST not in parts
    named = {part.name: part for part in (*layout.parts, *layout.tags.values())}
    records = parts.get(RECORDS, [])
    in_record = {part.name: part for part in layout.repeat}
    plain = {name: value for name, value in parts.items() if name != RECORDS}
    return _all_fit(plain, named) and all(_all_fit(record, in_record) for record in records)


def _all_fit(values: PartValues, parts: dict[str, Part]) -> bool:
    return all(name in parts and _fits(parts[name], value) for name, value in values.items())


def _fits(part: Part, value: str) -> bool:
    pattern = _CONTENT.get(part.content)
    size = len(value) // 2 if part.content == "b" else len(value)
    if part.length_digits:
        return size <= part.length and (pattern is None or pattern.fullmatch(value) is not None)
    if part.content != "ans" and part.length and size != part.length:
        return False
    return pattern is None or pattern.fullmatch(value) is not None


def _source(element: DataElement, value: str, *, as_text: bool) -> _Value:
    if element.content == "b" and not as_text:
        return _Value(len(value) // 2, lambda start, end, content: value[2 * start : 2 * end])
    if element.content == "b":
        return _encoded(bytes.fromhex(value), element.text)
    if not element.is_text or is_plain(value):
        return _Value(len(value), lambda start, end, content: _plain(value[start:end], content, element.text))
    return _encoded(to_bytes(value, element.text), element.text)


def _plain(piece: str, content: str, text: str) -> str:
    return to_bytes(piece, text).hex().upper() if content == "b" else piece


def _encoded(raw: bytes, text: str) -> _Value:
    def piece(start: int, end: int, content: str) -> str:
        return raw[start:end].hex().upper() if content == "b" else to_text(raw[start:end], text)

    return _Value(len(raw), piece)


def _cut_fixed(layout: Layout, source: _Value) -> PartValues:
    parts, position = _take(layout.parts, source, 0)
    if layout.repeat:
        records = []
        size = sum(part.length for part in layout.repeat)
        while source.size - position >= size:
            record, position = _take(layout.repeat, source, position)
            records.append(record)
        parts[RECORDS] = records
    if position < source.size:
        parts[REST] = source.piece(position, source.size, "ans")
    return parts


def _take(wanted: tuple[Part, ...], source: _Value, position: int) -> tuple[PartValues, int]:
    """Named pieces from `position` on; parts that begin past the end are left out."""
    parts: PartValues = {}
    for part in wanted:
        if position >= source.size:
            break
        end = min(position + part.length, source.size) if part.length else source.size
        parts[part.name] = source.piece(position, end, part.content)
        position = end
    return parts, position


def _cut_tlv(layout: Layout, value: str) -> PartValues:
    """A part per tag. Behind leading parts it may be a list: the tag it begins with begins each record."""
    source = _Value(len(value) // 2, lambda start, end, content: value[2 * start : 2 * end])
    parts, start = _take(layout.parts, source, 0)
    try:
        pairs, rest = parse_tlv(bytes.fromhex(value[2 * start :])), ""
    except TlvError as error:
        pairs, rest = error.read, value[2 * (start + error.offset) :]
    if layout.parts and len(dict(pairs)) < len(pairs):
        parts[RECORDS] = _records_of(pairs)
    else:
        parts |= dict(pairs)
    return {**parts, REST: rest} if rest else parts


def _records_of(pairs: list[tuple[str, str]]) -> list[PartValues]:
    records: list[PartValues] = []
    for tag, value in pairs:
        if tag == pairs[0][0]:
            records.append({})
        records[-1][tag] = value
    return records


def _cut_tags(layout: Layout, source: _Value) -> PartValues:
    """UnionPay DE62 parameters: two-digit tag, then a value whose length the tag fixes (unionpay.md 2.3)."""
    parts: PartValues = {}
    position = 0
    while position < source.size:
        part = layout.tags.get(source.piece(position, position + 2, "an"))
        if part is None:
            parts[REST] = source.piece(position, source.size, "ans")
            break
        end = position + 2 + part.length
        parts[part.name] = source.piece(position + 2, end, part.content)
        position = end
    return parts


def _cut_bitmap(layout: Layout, source: _Value) -> PartValues:
    """A message within an element, as Postilion's DE127: a bitmap of 8 bytes, or 16 with bit 1, and what it names.

    Counters are characters; source: hypercom.md 3.4 [jPOS post.bin].
    """
    parts: PartValues = {}
    first = source.piece(0, NESTED_BITMAP_BYTES, "b")
    position = NESTED_BITMAP_BYTES * (2 if first[:1] in tuple("89ABCDEF") else 1)
    if source.size < position:
        return {REST: source.piece(0, source.size, "b")}
    for number in _bits(source.piece(0, position, "b")):
        part = layout.tags.get(str(number))
        end = None if part is None else _end_of(part, source, position)
        if part is None or end is None:
            parts[REST] = source.piece(position, source.size, "b")
            return parts
        parts[part.name] = source.piece(position + part.length_digits, end, part.content)
        position = end
    if position < source.size:
        parts[REST] = source.piece(position, source.size, "b")
    return parts


def _bits(bitmap: str) -> list[int]:
    """The numbers a bitmap in hex names, 1 excluded."""
    total = 4 * len(bitmap)
    bits = int(bitmap or "0", 16)
    return [number for number in range(2, total + 1) if bits >> (total - number) & 1]


def _end_of(part: Part, source: _Value, position: int) -> int | None:
    """Where a part ends that begins with its counter, if it has one; None when it runs past the element."""
    size = part.length
    if part.length_digits:
        counter = source.piece(position, position + part.length_digits, "n")
        if not (counter.isascii() and counter.isdigit()) or int(counter) > part.length:
            return None
        size = part.length_digits + int(counter)
    return position + size if position + size <= source.size else None


def _cut_tables(layout: Layout, source: _Value) -> PartValues:
    """Hypercom DE63 tables: 2-byte BCD length of id and data, 2-character id, data (hypercom.md 2.4)."""
    parts: PartValues = {}
    position = 0
    while position + 4 <= source.size:
        length = source.piece(position, position + 2, "b")
        end = position + 2 + int(length) if length.isdecimal() else source.size + 1
        table = source.piece(position + 2, position + 4, "an")
        if int(length, 16) < 2 or end > source.size or not table.isalnum():
            break
        part = layout.tags.get(table, Part(f"table_{table}", "ans", 0))
        parts[part.name] = source.piece(position + 4, end, part.content)
        position = end
    if position < source.size:
        parts[REST] = source.piece(position, source.size, "ans")
    return parts
