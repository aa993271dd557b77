"""What would have to be different in a dialect for a message to be read: each proposal was tried on the message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pos_specs.dialect import DataElement, Dialect
from pos_specs.errors import MessageError
from pos_specs.reference import ReferenceCodec

LOOKED_BACK = 3
"""An element that is read wrongly is often noticed only at one of the next: so many before it are doubted too."""

MOST_REMEDIES = 2
"""More proposals would only be guesses at one another."""


class Remedy(NamedTuple):
    """A line of a dialect file and its table; with it the message is read to its end."""

    table: str
    line: str


def remedies(dialect: Dialect, body: bytes, error: MessageError) -> list[Remedy]:
    """Single changes of the dialect with which `body` can be read, the likeliest first."""
    found: list[Remedy] = []
    settled: set[str] = set()
    for changed, remedy in _changes(dialect, _doubted(dialect, body, error)):
        what = remedy.line.partition(" = ")[0]
        if what in settled or not _reads(changed, body):
            continue
        settled.add(what)
        found.append(remedy)
        if len(found) == MOST_REMEDIES:
            break
    return found


def _reads(dialect: Dialect, body: bytes) -> bool:
    try:
        ReferenceCodec(dialect).decode(body)
    except MessageError:
        return False
    return True


def _doubted(dialect: Dialect, body: bytes, error: MessageError) -> list[DataElement]:
    """The element of the error and those before it, the nearest first."""
    places = ReferenceCodec(dialect).places(body)
    read = sorted((int(key) for key in places if key.isdigit() and int(key) in dialect.elements), reverse=True)
    own = int(error.field) if error.field.isdigit() else 0
    numbers = [own, *[number for number in read if number < own or own == 0][:LOOKED_BACK]]
    return [dialect.elements[number] for number in numbers if number in dialect.elements]


def _changes(dialect: Dialect, doubted: list[DataElement]) -> Iterator[tuple[Dialect, Remedy]]:
    for element in doubted:
        for changed, line in _element_changes(dialect, element):
            elements = {**dialect.elements, element.number: changed}
            yield replace(dialect, elements=elements), Remedy("elements", f"{element.number} = {{ {line} }}")
    wire = dialect.wire
    if wire.second_bitmap == "announced":
        always = replace(wire, second_bitmap="always")
        yield replace(dialect, wire=always), Remedy("wire", 'second_bitmap = "always"')
    for counter in ("bcd", "binary", "ascii"):
        if counter != wire.length:
            elements = {n: replace(e, counter=counter) if e.length_digits else e for n, e in dialect.elements.items()}
            yield replace(dialect, elements=elements), Remedy("wire", f'length = "{counter}"')


def _element_changes(dialect: Dialect, element: DataElement) -> Iterator[tuple[DataElement, str]]:
    if element.packed:
        for side in ("left", "right"):
            for nibble in ("0", "F"):
                if (side, nibble) != (element.pad_side, element.pad):
                    yield replace(element, pad_side=side, pad=nibble), _padding(element, side, nibble)
    if element.length_digits:
        for counter in ("bcd", "binary", "ascii"):
            if counter != element.counter:
                yield replace(element, counter=counter), f'counter = "{counter}"'
    if element.content in ("n", "z"):
        yield _with_digits(dialect, element)
    yield from _other_formats(element)


def _padding(element: DataElement, side: str, nibble: str) -> str:
    pieces = [f'pad = "{side}"'] if side != element.pad_side else []
    return ", ".join(pieces + ([f'pad_nibble = "{nibble}"'] if nibble != element.pad else []))


def _with_digits(dialect: Dialect, element: DataElement) -> tuple[DataElement, str]:
    if element.packed:
        return replace(element, packed=False, text="ascii"), 'digits = "ascii"'
    return replace(element, packed=True), 'digits = "bcd"'


def _other_formats(element: DataElement) -> Iterator[tuple[DataElement, str]]:
    """Another number of L, four digits where three stand in two bytes, bytes instead of what they say in text."""
    others: list[DataElement] = []
    if element.length_digits in (2, 3):
        digits = 5 - element.length_digits
        others.append(replace(element, length_digits=digits, max_length=min(element.max_length, 10**digits - 1)))
        if element.content != "b":
            others.append(replace(element, content="b", packed=False, max_length=10**element.length_digits - 1))
    elif element.content == "n":
        others.append(replace(element, max_length=element.max_length + 1))
        others.append(replace(element, max_length=element.max_length - 1))
    if element.length_digits == 0 and element.content in ("n", "h") and element.max_length == 16:
        others.append(replace(element, content="b", packed=False, max_length=8))
    if element.content == "b" and element.length_digits == 0:
        others.append(replace(element, content="h", text="ascii", max_length=2 * element.max_length))
    for other in others:
        if other.max_length > 0:
            yield other, f'format = "{other.format}"'
