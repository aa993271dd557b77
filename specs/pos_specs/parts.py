"""Parts of elements: DE60 is a batch number and more, DE48 holds totals or uploaded records.

A layout says how an element is cut; which layout applies may depend on the message. `Parts` compiles
the layouts of a dialect into plain functions once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pos_specs.dialect import Condition, Dialect, Getter, Layout, Part, matches
from pos_specs.message import Message
from pos_specs.tlv import TlvError, parse_tlv

PartValues = dict[str, Any]
"""Part name → text, or `records` → list of such dictionaries, or TLV tag → upper-case hex."""

REST = "unparsed"
"""The part that holds what a layout did not cover, so that nothing is hidden."""


class Parts:
    """The compiled layouts of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._getters: dict[str, Getter] = {}
        self._layouts = {
            number: [(self.predicate(layout.condition), layout) for layout in layouts]
            for number, layouts in dialect.layouts.items()
        }

    def of(self, message: Message, element: int) -> PartValues | None:
        """The parts of `element` in `message`; None when it is absent or no layout fits."""
        layout = self.layout_of(message, element)
        if layout is None:
            return None
        return _cut(layout, message.fields[element], self._dialect)

    def layout_of(self, message: Message, element: int) -> Layout | None:
        """The first layout of `element` whose condition holds for `message`."""
        if element not in message.fields:
            return None
        for holds, layout in self._layouts.get(element, ()):
            if holds(message):
                return layout
        return None

    def getter(self, path: str) -> Getter:
        """A function that reads `"37"` or `"60.batch_number"` from a message, or gives None."""
        found = self._getters.get(path)
        if found is None:
            found = self._getters[path] = self._make_getter(path)
        return found

    def predicate(self, condition: Condition) -> Callable[[Message], bool]:
        """A function that tells whether `condition` holds for a message."""
        tests = [self._test(key, patterns) for key, patterns in condition.tests]
        if not tests:
            return lambda message: True
        return lambda message: all(test(message) for test in tests)

    def _test(self, key: str, patterns: tuple[str, ...]) -> Callable[[Message], bool]:
        fits = _pattern_set(patterns)
        if key == "mti":
            return lambda message: fits(message.mti)
        get = self.getter(key)

        def test(message: Message) -> bool:
            value = get(message)
            return value is not None and fits(value)

        return test

    def _make_getter(self, path: str) -> Getter:
        number_text, _, part = path.partition(".")
        number = int(number_text)
        if part == "":
            return lambda message: message.fields.get(number)
        if part == "length":
            binary = self._dialect.elements[number].content == "b"
            return lambda message: _length_of(message.fields.get(number), binary)
        places = {_place(layout, part) for layout in self._dialect.layouts.get(number, ())}
        place = places.pop() if len(places) == 1 else None
        if place is not None and not self._is_conditional(number):
            return _slice_getter(number, *place)
        return self._search_getter(number, part)

    def _is_conditional(self, number: int) -> bool:
        """False when some layout always applies: lengths only choose which trailing parts there are."""
        return all(
            any(key != f"{number}.length" for key, _ in layout.condition.tests)
            for layout in self._dialect.layouts[number]
        )

    def _search_getter(self, number: int, part: str) -> Getter:
        def get(message: Message) -> str | None:
            values = self.of(message, number)
            value = None if values is None else values.get(part)
            return value if isinstance(value, str) else None

        return get


def _pattern_set(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    exact = frozenset(p for p in patterns if "x" not in p)
    wild = tuple(p for p in patterns if "x" in p)
    if not wild:
        return exact.__contains__
    return lambda value: value in exact or any(matches(p, value) for p in wild)


def _length_of(value: str | None, binary: bool) -> str | None:
    if value is None:
        return None
    return str(len(value) // 2 if binary else len(value))


def _place(layout: Layout, name: str) -> tuple[int, int] | None:
    """Where a part of plain characters begins and ends in its element's value, if this layout has it."""
    if layout.kind != "fixed" or layout.as_text:
        return None
    start = 0
    for part in layout.parts:
        end = start + part.length
        if part.name == name:
            return (start, end) if part.length else None
        start = end
    return None


def _slice_getter(number: int, start: int, end: int) -> Getter:
    def get(message: Message) -> str | None:
        value = message.fields.get(number)
        if value is None or len(value) < end:
            return None
        return value[start:end]

    return get


def _cut(layout: Layout, value: str, dialect: Dialect) -> PartValues:
    if layout.as_text:
        value = bytes.fromhex(value).decode("gbk", "replace")
    if layout.kind == "tlv":
        return _cut_tlv(value)
    if layout.kind == "tags":
        return _cut_tags(layout, value)
    if layout.kind == "tables":
        return _cut_tables(layout, value)
    binary = dialect.elements[layout.element].content == "b" and not layout.as_text
    return _cut_fixed(layout, value, 2 if binary else 1)


def _cut_fixed(layout: Layout, value: str, unit: int) -> PartValues:
    parts, position = _take(layout.parts, value, 0, unit)
    if layout.repeat:
        records = []
        size = sum(part.length for part in layout.repeat) * unit
        while len(value) - position >= size > 0:
            record, position = _take(layout.repeat, value, position, unit)
            records.append(record)
        parts["records"] = records
    if position < len(value):
        parts[REST] = value[position:]
    return parts


def _take(wanted: tuple[Part, ...], value: str, position: int, unit: int) -> tuple[PartValues, int]:
    """Named slices of `value` from `position`; parts that begin past the end are left out."""
    parts: PartValues = {}
    for part in wanted:
        if position >= len(value):
            break
        end = position + part.length * unit if part.length else len(value)
        parts[part.name] = value[position:end]
        position = min(end, len(value))
    return parts, position


def _cut_tlv(value: str) -> PartValues:
    try:
        return dict(parse_tlv(bytes.fromhex(value)))
    except TlvError as error:
        return {**dict(error.read), REST: value[error.offset * 2 :]}


def _cut_tags(layout: Layout, value: str) -> PartValues:
    """UnionPay DE62 parameters: two-digit tag, then a value whose length the tag fixes (unionpay.md 2.3)."""
    parts: PartValues = {}
    position = 0
    while position < len(value):
        entry = layout.tags.get(value[position : position + 2])
        match = re.fullmatch(r"(\S+) [a-z]+(\d+)", entry or "")
        if match is None:
            parts[REST] = value[position:]
            break
        end = position + 2 + int(match[2])
        parts[match[1]] = value[position + 2 : end]
        position = end
    return parts


def _cut_tables(layout: Layout, value: str) -> PartValues:
    """Hypercom DE63 tables: 2-byte BCD length of id and data, 2-character id, data (hypercom.md 2.4)."""
    raw = value.encode("latin-1", "replace")
    parts: PartValues = {}
    position = 0
    while position + 4 <= len(raw):
        length_text = raw[position : position + 2].hex()
        if not length_text.isdigit() or int(length_text) < 2 or position + 2 + int(length_text) > len(raw):
            break
        end = position + 2 + int(length_text)
        table = raw[position + 2 : position + 4].decode("latin-1")
        parts[layout.tags.get(table, f"table_{table}")] = raw[position + 4 : end].decode("latin-1")
        position = end
    if position < len(raw):
        parts[REST] = raw[position:].decode("latin-1")
    return parts
