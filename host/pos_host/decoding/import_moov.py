"""Reads a message specification of moov-io/iso8583, as its `specs.Builder` exports it to JSON.

Source of the names: that project's specs/builder.go (types, encodings, prefixes, padding, tags, bitmaps).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pos_host.decoding.imported_dialect import (
    USUAL_TEXT,
    ImportedDialect,
    ImportedElement,
    ImportedLayout,
    ImportFailed,
    printable,
    snake_case,
)
from pos_specs.element_reader import LONGEST, LONGEST_BINARY

MOST_BYTES = 1_000_000
"""A specification with every element described at length has some 50 kB."""

MTI, BITMAP, THIRD_BITMAP, LAST = "0", "1", 65, 128
TRACKS = (35, 36)
"""Track data are strings; their separator tells them from numbers."""

_DIGITS = {"ASCII": "ascii", "BCD": "bcd", "LBCD": "bcd", "EBCDIC": "ebcdic"}
_TEXTS = {"ASCII": USUAL_TEXT, "EBCDIC": "cp500"}
_BITMAPS = {"Binary": "binary", "HexToASCII": "hex"}
_PADS = {"BCD": "left", "LBCD": "right"}
"""Where the spare nibble of an odd number of digits stands."""

_COUNTERS = {"ASCII": "ascii", "BCD": "bcd", "EBCDIC": "ebcdic"}
_PREFIX_DIGITS = {"Fixed": 0, "L": 1, "LL": 2, "LLL": 3, "LLLL": 4, "LLLLL": 5, "LLLLLL": 6}
_BYTES_OF_BITMAP = 8


class Field(NamedTuple):
    """A field of the specification and its name in the file, `fields.48` or `fields.48.2`."""

    where: str
    key: str
    table: dict[str, Any]

    def text(self, key: str) -> str:
        """A text, "" when missing; raises ImportFailed when it is something else."""
        value = self.table.get(key, "")
        if not isinstance(value, str):
            raise ImportFailed(f"{self.where}.{key}: must be a text")
        return value

    @property
    def length(self) -> int:
        """The greatest length; raises ImportFailed when it is no number."""
        value = self.table.get("length", 0)
        if type(value) is not int or not 0 <= value <= LONGEST[6]:
            raise ImportFailed(f"{self.where}.length: must be a whole number up to {LONGEST[6]}")
        return value

    @property
    def title(self) -> str:
        """What the file calls it."""
        return printable(self.text("description"))

    def inner(self, key: str) -> dict[str, Field]:
        """The fields in a table of this one."""
        table = self.table.get(key, {})
        if not isinstance(table, dict):
            raise ImportFailed(f"{self.where or 'the file'}: {key} must be an object")
        within = self.where or key
        return {name: _field(f"{within}.{name}", name, value) for name, value in table.items()}


class Prefix(NamedTuple):
    """How a length stands before the data; `digits` 0 where it is fixed."""

    counter: str
    digits: int


def read_moov(data: bytes) -> ImportedDialect:
    """The dialect of a specification's JSON; raises ImportFailed naming the key."""
    if len(data) > MOST_BYTES:
        raise ImportFailed(f"has more than {MOST_BYTES} bytes: not a specification")
    try:
        table = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"not JSON: {error}") from None
    fields = _field("", "", table).inner("fields")
    notes: list[str] = []
    elements = {}
    for key, field in fields.items():
        if not (key.isascii() and key.isdigit()) or len(key) > 3:
            raise ImportFailed(f"{field.where}: is not a field number")
        if key not in (MTI, BITMAP):
            element = _element(field, int(key), notes)
            if element is not None:
                elements[element.number] = element
    return ImportedDialect(
        title=printable(str(table.get("name", ""))),
        mti=_mti(fields),
        bitmap=_bitmap(fields),
        second_bitmap=_second_bitmap(fields),
        elements=tuple(elements[number] for number in sorted(elements)),
        notes=tuple(notes),
    )


def _field(where: str, key: str, table: object) -> Field:
    if not isinstance(table, dict):
        raise ImportFailed(f"{where or 'the file'}: must be an object")
    return Field(where, key, table)


def _mti(fields: dict[str, Field]) -> str:
    form = _DIGITS.get(fields[MTI].text("enc"), "") if MTI in fields else ""
    if not form:
        raise ImportFailed("fields.0: the message type is missing, or in no encoding known here")
    return form


def _bitmap(fields: dict[str, Field]) -> str:
    form = _BITMAPS.get(fields[BITMAP].text("enc"), "") if BITMAP in fields else ""
    if not form:
        raise ImportFailed("fields.1: the bitmap is missing, or in no encoding known here")
    return form


def _second_bitmap(fields: dict[str, Field]) -> str:
    """A bitmap of 16 bytes that does not grow has 128 bits always, and bit 1 is 0."""
    bitmap = fields[BITMAP]
    fixed = bitmap.table.get("disableautoexpand") is True and bitmap.length > _BYTES_OF_BITMAP
    return "always" if fixed else "announced"


def _element(field: Field, number: int, notes: list[str]) -> ImportedElement | None:
    """The element of a field, None where it cannot be carried over and a note says why."""
    where = field.where
    if not 2 <= number <= LAST or number == THIRD_BITMAP:
        notes.append(f"{where}: an element of this number is not supported")
        return None
    prefix = _prefix(field.text("prefix"))
    made = None if prefix is None else _made(field, number, prefix)
    if prefix is None or made is None:
        what = " ".join(field.text(key) or "nothing" for key in ("type", "enc", "prefix"))
        notes.append(f"{where}: {what} is not carried over")
        return None
    longest = (LONGEST_BINARY if made.counter == "binary" else LONGEST)[made.length_digits]
    if made.length == 0 or (made.length > longest and not made.length_digits):
        notes.append(f"{where}: a fixed length of {made.length} is not carried over")
        return None
    if made.length > longest:
        notes.append(f"{where}: length {made.length} is more than its prefix can say; {longest} is taken")
        made = made._replace(length=longest)
    if field.table.get("subfields"):
        return made._replace(layout=_layout(field, made, notes))
    return made


def _prefix(text: str) -> Prefix | None:
    """`ASCII.LL`, `Binary.L`, `Hex.Fixed`; None for one that no dialect file can say."""
    kind, _, size = text.partition(".")
    if size == "Fixed":
        return Prefix("", 0)
    digits = _PREFIX_DIGITS.get(size)
    if digits is None:
        return None
    if kind == "Binary":  # here a letter is a byte: one byte is LL, two are LLL
        return Prefix("binary", digits + 1) if digits <= 2 else None
    return Prefix(_COUNTERS[kind], digits) if kind in _COUNTERS else None


def _made(field: Field, number: int, prefix: Prefix) -> ImportedElement | None:
    form = _form(field, number, prefix)
    if form is None:
        return None
    content, digits, text = form
    pad = _PADS[field.text("enc")] if digits == "bcd" and (prefix.digits or field.length % 2) else ""
    return ImportedElement(
        number=number,
        title=field.title,
        content=content,
        length=2 * field.length if content == "h" else field.length,
        length_digits=prefix.digits,
        counter=prefix.counter,
        digits=digits,
        text=text,
        pad=pad,
    )


def _form(field: Field, number: int, prefix: Prefix) -> tuple[str, str, str] | None:
    """Content class, the form of its digits and its text encoding."""
    kind, encoding = field.text("type"), field.text("enc")
    if field.table.get("subfields"):
        return _composite_form(field)
    if encoding == "Binary" or encoding == "ASCIIToHex":
        return "b", "", USUAL_TEXT
    if encoding == "HexToASCII":
        return ("h", "ascii", USUAL_TEXT) if not prefix.digits else None
    if encoding in _PADS or (kind == "Numeric" and encoding in _DIGITS):
        return "z" if number in TRACKS else "n", _DIGITS[encoding], USUAL_TEXT
    if encoding in _TEXTS:
        track = number in TRACKS
        return "z" if track else "ans", _DIGITS[encoding] if track else "", _TEXTS[encoding]
    return None


def _composite_form(field: Field) -> tuple[str, str, str]:
    """Text where all its fields are text of one encoding, else bytes."""
    encodings = {inner.text("enc") for inner in field.inner("subfields").values()}
    tagged = _tag(field).text("enc") if field.table.get("tag") else ""
    encodings |= {tagged} - {""}
    if field.table.get("bitmap") or len(encodings) != 1 or not encodings <= _TEXTS.keys():
        return "b", "", USUAL_TEXT
    return "ans", "", _TEXTS[encodings.pop()]


def _tag(field: Field) -> Field:
    return _field(f"{field.where}.tag", "tag", field.table.get("tag", {}))


def _layout(field: Field, element: ImportedElement, notes: list[str]) -> ImportedLayout | None:
    """The fields of a composite as parts: by tag, by bitmap, or one after another."""
    where = field.where
    subfields = list(field.inner("subfields").values())
    tag = _tag(field)
    if tag.text("enc") == "BerTLVTag":
        return ImportedLayout("tlv") if element.content == "b" else None
    if field.table.get("bitmap"):
        bitmap = _field(f"{field.where}.bitmap", "bitmap", field.table["bitmap"])
        if bitmap.text("enc") == "Binary" and bitmap.length in (0, _BYTES_OF_BITMAP):
            return _by_bitmap(where, subfields, notes)
        notes.append(f"{where}.bitmap: only a binary bitmap of {_BYTES_OF_BITMAP} bytes is carried over")
        return None
    if tag.length:
        return _by_tag(where, tag, subfields, notes)
    return _in_order(where, subfields, notes)


def _in_order(where: str, subfields: list[Field], notes: list[str]) -> ImportedLayout | None:
    parts: list[str] = []
    for inner in sorted(subfields, key=lambda inner: (len(inner.key), inner.key)):
        part = _part(inner, parts)
        if part is None or "." in part:
            notes.append(f"{inner.where}: is not carried over, nor is what follows it in {where}")
            break
        parts.append(part)
    return ImportedLayout("fixed", tuple(parts)) if parts else None


def _by_tag(where: str, tag: Field, subfields: list[Field], notes: list[str]) -> ImportedLayout | None:
    """Two-digit tags with values of fixed length; a dialect file has no tags with lengths but BER-TLV."""
    parts: list[tuple[str, str]] = []
    for inner in subfields:
        part = _part(inner, [text for _, text in parts])
        if part is None or "." in part or tag.length != 2 or not inner.key.isdigit() or len(inner.key) > 2:
            notes.append(f"{inner.where}: under its tag is not carried over")
            continue
        parts.append((inner.key.zfill(2), part))
    return ImportedLayout("tags", tags=tuple(parts)) if parts else None


def _by_bitmap(where: str, subfields: list[Field], notes: list[str]) -> ImportedLayout | None:
    parts: list[tuple[str, str]] = []
    for inner in subfields:
        part = _part(inner, [text for _, text in parts])
        number = int(inner.key) if inner.key.isdigit() and len(inner.key) <= 3 else 0
        if part is None or not 2 <= number <= LAST:
            notes.append(f"{inner.where}: in the bitmap of {where} is not carried over")
            continue
        parts.append((inner.key, part))
    return ImportedLayout("bitmap", tags=tuple(parts)) if parts else None


def _part(inner: Field, parts: list[str]) -> str | None:
    """`name n6` or `name ans..32`; None for what a part cannot be."""
    prefix = _prefix(inner.text("prefix"))
    content = {"ASCII": "n" if inner.text("type") == "Numeric" else "ans", "EBCDIC": "ans", "Binary": "b"}.get(
        inner.text("enc")
    )
    if prefix is None or content is None or inner.length == 0 or prefix.counter not in ("", "ascii"):
        return None
    name = snake_case(inner.title) or f"part_{inner.key}"
    if name in {part.partition(" ")[0] for part in parts}:
        name = f"{name}_{snake_case('x' + inner.key)}"
    return f"{name} {content}{'.' * prefix.digits}{min(inner.length, LONGEST[prefix.digits])}"
