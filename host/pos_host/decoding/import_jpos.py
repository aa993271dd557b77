"""Reads a field file of jPOS's GenericPackager: an XML list of field numbers, lengths and class names.

Nothing is fetched: the DOCTYPE line that jPOS's files have is passed over, and a file with declarations of
its own, through which XML reaches other files or grows without end, is refused.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, NamedTuple
from xml.parsers import expat

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
"""jPOS's largest packager file has 60 kB; what is much larger is no packager."""

MTI, BITMAP, THIRD_BITMAP, LAST = 0, 1, 65, 128
_NUMBER = re.compile(r"[0-9]{1,6}")
TRACKS = (35, 36)
"""Packagers call track data numeric; it has a separator."""


class Field(NamedTuple):
    """A field of the file: its attributes, its line, and the fields in it."""

    attributes: dict[str, str]
    line: int
    fields: list[Field]

    @property
    def number(self) -> int:
        """The field's number; raises ImportFailed when it has none."""
        return self._whole_number("id")

    @property
    def length(self) -> int:
        """The greatest length; raises ImportFailed when it has none."""
        return self._whole_number("length")

    @property
    def class_name(self) -> str:
        """The class without its package."""
        return self.attributes.get("class", "").rpartition(".")[2]

    @property
    def title(self) -> str:
        """What the file calls it."""
        return printable(self.attributes.get("name", ""))

    def _whole_number(self, key: str) -> int:
        text = self.attributes.get(key, "")
        if _NUMBER.fullmatch(text) is None:
            raise ImportFailed(f"line {self.line}: {key} is {printable(text[:20])!r}, must be a whole number")
        return int(text)


def read_jpos(data: bytes) -> ImportedDialect:
    """The dialect of a packager's XML; raises ImportFailed naming the line."""
    if len(data) > MOST_BYTES:
        raise ImportFailed(f"has more than {MOST_BYTES} bytes: not a packager")
    root = _Reader().read(data)
    notes = [
        f"line {root.line}: {key}={root.attributes[key]!r} is not carried over"
        for key in ("emitBitmap", "bitmapField", "headerLength", "maxValidField")
        if key in root.attributes and root.attributes[key] not in ("true", "1", "0", "128", "64")
    ]
    head: dict[int, dict[str, Any]] = {}
    elements: dict[int, ImportedElement] = {}
    for field in root.fields:
        if field.number in (MTI, BITMAP):
            head[field.number] = _classes().get(field.class_name, {})
        elif field.number in elements:
            raise ImportFailed(f"line {field.line}: field {field.number} is here twice")
        else:
            element = _element(field, notes)
            if element is not None:
                elements[field.number] = element
    return ImportedDialect(
        title=root.attributes.get("name", ""),
        mti=_mti(head, root),
        bitmap=_bitmap(head, root),
        second_bitmap="announced",
        elements=tuple(elements[number] for number in sorted(elements)),
        notes=tuple(notes),
    )


class _Reader:
    """Builds the tree of fields; only the elements that jPOS knows are looked at."""

    NAMES = ("isopackager", "isofield", "isofieldpackager")

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._declaration
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.open: list[Field] = []
        self.root: Field | None = None

    def read(self, data: bytes) -> Field:
        """The packager; raises ImportFailed naming the line."""
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ImportFailed(f"line {error.lineno}: not XML: {expat.errors.messages[error.code]}") from None
        if self.root is None:
            raise ImportFailed("line 1: not a packager: its outermost element is not isopackager")
        return self.root

    def _doctype(self, name: str, system_id: str | None, public_id: str | None, has_declarations: int) -> None:
        if has_declarations:
            self._declaration()

    def _declaration(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise ImportFailed(f"line {line}: declares entities or elements of its own, which a packager does not need")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if name not in self.NAMES or (name == "isopackager") == bool(self.open):
            raise ImportFailed(f"line {line}: <{printable(name)}> is not known here")
        field = Field(attributes, line, [])
        if self.open:
            self.open[-1].fields.append(field)
        else:
            self.root = field
        self.open.append(field)

    def _end(self, name: str) -> None:
        self.open.pop()


@cache
def _classes() -> dict[str, dict[str, Any]]:
    """What each class writes; see jpos_fields.toml."""
    return tomllib.loads((resources.files("pos_host.decoding") / "jpos_fields.toml").read_text("utf-8"))


def _mti(head: dict[int, dict[str, Any]], root: Field) -> str:
    form: str = head.get(MTI, {}).get("digits", "")
    if not form:
        raise ImportFailed(f"line {root.line}: field 0, the message type, is missing or not numeric")
    return form


def _bitmap(head: dict[int, dict[str, Any]], root: Field) -> str:
    form: str = head.get(BITMAP, {}).get("bitmap", "")
    if not form:
        raise ImportFailed(f"line {root.line}: field 1, the bitmap, is missing or no bitmap")
    return form


def _element(field: Field, notes: list[str]) -> ImportedElement | None:
    """The element of a field, None where it cannot be carried over and a note says why."""
    facts = _classes().get(field.class_name)
    where = f"line {field.line}: field {field.number}"
    if field.number == THIRD_BITMAP:
        notes.append(f"{where}: a third bitmap is not supported")
        return None
    if facts is None or facts["class"] == "bitmap" or field.number > LAST or field.length == 0:
        notes.append(f"{where}: {field.class_name or 'no class'} of length {field.length} is not carried over")
        return None
    if facts["class"] == "nothing":
        return None
    element = _made(field, facts)
    longest = (LONGEST_BINARY if element.counter == "binary" else LONGEST)[element.length_digits]
    if element.length > longest and not element.length_digits:
        notes.append(f"{where}: a fixed length of {element.length} is not carried over: {longest} is the most")
        return None
    if element.length > longest:
        notes.append(f"{where}: length {element.length} is more than its counter can say; {longest} is taken")
        element = element._replace(length=longest)
    if element.content == "xn" and element.digits == "bcd" and element.length % 2:
        notes.append(f"{where}: an odd number of packed digits after a sign is not carried over")
        return None
    return element._replace(layout=_layout(field, element, notes)) if field.fields else element


def _made(field: Field, facts: dict[str, Any]) -> ImportedElement:
    content, length = facts["class"], field.length
    if content == "n" and field.number in TRACKS:
        content = "z"
    length = {"xn": length - 1, "h": 2 * length}.get(content, length)
    digits = facts.get("digits", "")
    packed_odd = digits == "bcd" and content in ("n", "z") and (length % 2 == 1 or "counter" in facts)
    return ImportedElement(
        number=field.number,
        title=field.title,
        content=content,
        length=length,
        length_digits=facts.get("digits_of_length", 0),
        counter=facts.get("counter", ""),
        digits=digits,
        text=facts.get("text", USUAL_TEXT),
        pad=("left" if field.attributes.get("pad") == "true" else "right") if packed_odd else "",
    )


def _layout(field: Field, element: ImportedElement, notes: list[str]) -> ImportedLayout | None:
    """The fields of a field packager as parts."""
    facts = [(inner, _classes().get(inner.class_name, {})) for inner in field.fields]
    if any(inner.fields for inner in field.fields):
        notes.append(f"line {field.line}: field {field.number}: fields within its fields are not carried over")
    if element.content not in ("ans", "b"):
        notes.append(f"line {field.line}: field {field.number}: the parts of {element.content} are not carried over")
        return None
    facts = [(inner, known) for inner, known in facts if known.get("class") != "nothing"]
    bitmaps = [known for _, known in facts if known.get("class") == "bitmap"]
    if not bitmaps:
        return _in_order(field, element, facts, notes)
    if bitmaps[0]["bitmap"] != "binary":
        notes.append(f"line {field.line}: field {field.number}: a bitmap in hex digits within it is not carried over")
        return None
    return _by_bitmap(field, facts, notes)


def _in_order(
    field: Field, element: ImportedElement, facts: list[tuple[Field, dict[str, Any]]], notes: list[str]
) -> ImportedLayout | None:
    """Parts of fixed length one after another; from the first of variable length on nobody knows where they end."""
    parts: list[str] = []
    for inner, known in sorted(facts, key=lambda pair: pair[0].number):
        part = _fixed_part(inner, known, element)
        if part is None:
            notes.append(
                f"line {inner.line}: field {field.number}.{inner.number}: {inner.class_name} is not carried over, "
                "nor is what follows it in this field"
            )
            break
        parts.append(f"{_part_name(inner, parts)} {part}")
    return ImportedLayout("fixed", tuple(parts)) if parts else None


def _fixed_part(inner: Field, known: dict[str, Any], element: ImportedElement) -> str | None:
    """`n6`, `ans10` or `b8`; packed digits are shown as the hex they are."""
    content = known.get("class")
    if content not in ("n", "ans", "b") or "counter" in known or inner.length == 0:
        return None
    if content == "b":
        return f"b{inner.length}"
    if content == "n" and known["digits"] == "bcd":
        return f"b{(inner.length + 1) // 2}"
    encoding = (
        {"ascii": USUAL_TEXT, "ebcdic": "cp500"}[known["digits"]] if content == "n" else known.get("text", USUAL_TEXT)
    )
    return f"{content}{inner.length}" if encoding == element.text else None


def _by_bitmap(field: Field, facts: list[tuple[Field, dict[str, Any]]], notes: list[str]) -> ImportedLayout | None:
    tags: list[tuple[str, str]] = []
    for inner, known in facts:
        content = known.get("class")
        if content == "bitmap":
            continue
        plain = known.get("digits", "ascii") == "ascii" and known.get("text", USUAL_TEXT) == USUAL_TEXT
        counted = known.get("counter", "ascii") == "ascii"
        if content not in ("n", "ans", "b") or not plain or not counted or not 2 <= inner.number <= LAST:
            notes.append(
                f"line {inner.line}: field {field.number}.{inner.number}: {inner.class_name} is not carried over"
            )
            continue
        dots = known.get("digits_of_length", 0)
        length = min(inner.length, 10**dots - 1) if dots else inner.length
        name = _part_name(inner, [part for _, part in tags])
        tags.append((str(inner.number), f"{name} {content}{'.' * dots}{length}"))
    return ImportedLayout("bitmap", tags=tuple(tags)) if tags else None


def _part_name(inner: Field, parts: list[str]) -> str:
    name = snake_case(inner.title) or f"part_{inner.number}"
    taken = {part.partition(" ")[0] for part in parts}
    return f"{name}_{inner.number}" if name in taken else name
