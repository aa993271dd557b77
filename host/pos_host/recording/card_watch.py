"""The last look at a message before it is kept: none of the card numbers that were met may stand in it anywhere.

Looked at are whole elements, but for totals, where each part is looked at by itself: with the zeros of an amount
between two counts, parts side by side look like the card number of a test card sooner or later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pos_specs.cutting import cut, well_formed
from pos_specs.dialect import DataElement, Layout
from pos_specs.language import Language
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC, to_bytes

MOST_NUMBERS = 100_000
"""Numbers remembered, the oldest forgotten first: more cards than a test bench has in a day, in some megabytes."""

_DIGITS = re.compile("[0-9]{12,}")
_HEX_DIGITS = re.compile("[0-9A-Fa-f]{24,}")
"""Twelve digits written as the hex of their characters."""


class CardWatch:
    """The card numbers of a recording's originals, kept in memory for as long as it is made."""

    def __init__(self) -> None:
        self._numbers: dict[str, None] = {}
        self._lengths: set[int] = set()

    def note(self, numbers: Iterable[str]) -> None:
        """Have these numbers looked for from now on."""
        for number in numbers:
            if number not in self._numbers:
                self._lengths.add(len(number))
                self._numbers[number] = None
                if len(self._numbers) > MOST_NUMBERS:
                    del self._numbers[next(iter(self._numbers))]

    def met_in(self, language: Language, message: Message) -> bool:
        """True when one of the numbers stands in an element: in ASCII, EBCDIC or BCD, shifted by a nibble, or as the
        hex of its characters."""
        return any(
            self._met(run)
            for number, value in message.fields.items()
            for view in _views_of(language, message, language.dialect.elements[number], value)
            for run in _DIGITS.findall(view)
        )

    def _met(self, run: str) -> bool:
        numbers = self._numbers
        return any(
            run[start : start + length] in numbers for length in self._lengths for start in range(len(run) - length + 1)
        )


def _views_of(language: Language, message: Message, element: DataElement, value: str) -> Iterator[str]:
    """An element, or the parts of totals, as texts in which digits can be found."""
    layout = language.parts.layout_of(message, element.number)
    parts = None if layout is None else cut(layout, element, value)
    if layout is not None and parts is not None and _are_totals(layout) and well_formed(layout, parts):
        yield from parts.values()
        return
    yield value
    yield from _inner(value)
    if element.is_text:
        data = to_bytes(value, element.text)
        yield from (data.hex(), data.decode("latin-1"), data.decode(EBCDIC))


def _are_totals(layout: Layout) -> bool:
    """True for a layout of nothing but digits with counts and amounts."""
    names = [part.name for part in layout.parts]
    digits = all(part.content == "n" for part in layout.parts) and not layout.repeat
    return digits and all(any(name.endswith(end) for name in names) for end in ("_count", "_amount"))


def _inner(text: str) -> Iterator[str]:
    """What long runs of hex digits in a text say as characters, read from the first digit and from the second."""
    for run in _HEX_DIGITS.findall(text):
        for shift in (0, 1):
            data = bytes.fromhex(run[shift : shift + (len(run) - shift) // 2 * 2])
            yield data.decode("latin-1")
            yield data.decode(EBCDIC)
