"""Parts of elements: DE60 is a batch number and more, DE48 holds totals or uploaded records.

A layout says how an element is cut; which layout applies may depend on the message. `Parts` compiles
the layouts of a dialect into plain functions once.
"""

from __future__ import annotations

from collections.abc import Callable

from pos_specs.cutting import REST, PartValues, cut, wire_length
from pos_specs.dialect import Condition, DataElement, Dialect, Getter, Layout, matches
from pos_specs.message import Message
from pos_specs.text_codecs import is_plain

__all__ = ["REST", "PartValues", "Parts"]


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
        return cut(layout, self._dialect.elements[element], message.fields[element])

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
            return _length_getter(self._dialect.elements[number])
        search = self._search_getter(number, part)
        place = self._place(number, part)
        if place is None:
            return search
        return _slice_getter(number, *place, search if self._dialect.elements[number].is_text else None)

    def slice_of(self, path: str) -> tuple[int, int] | None:
        """Begin and end of a part that is always the same slice of its element, if it is one."""
        number_text, _, part = path.partition(".")
        number = int(number_text)
        if not part or self._dialect.elements[number].is_text:
            return None
        return self._place(number, part)

    def _place(self, number: int, part: str) -> tuple[int, int] | None:
        element = self._dialect.elements[number]
        places = {_place(layout, element, part) for layout in self._dialect.layouts.get(number, ())}
        place = places.pop() if len(places) == 1 else None
        return None if place is None or self._is_conditional(number) else place

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


def _length_getter(element: DataElement) -> Getter:
    def get(message: Message) -> str | None:
        value = message.fields.get(element.number)
        return None if value is None else str(wire_length(element, value))

    return get


def _place(layout: Layout, element: DataElement, name: str) -> tuple[int, int] | None:
    """Where a part that is a slice of its element's value begins and ends, if this layout has it as one."""
    if layout.kind != "fixed" or layout.as_text:
        return None
    characters = 2 if element.content == "b" else 1
    start = 0
    for part in layout.parts:
        end = start + part.length * characters
        if part.name == name:
            return (start, end) if part.length and (part.content != "b" or characters == 2) else None
        start = end
    return None


def _slice_getter(number: int, start: int, end: int, otherwise: Getter | None) -> Getter:
    """Slices; `otherwise` reads values whose characters are not one byte each."""

    def get(message: Message) -> str | None:
        value = message.fields.get(number)
        if value is None or len(value) < end:
            return None
        if otherwise is not None and not is_plain(value):
            return otherwise(message)
        return value[start:end]

    return get
