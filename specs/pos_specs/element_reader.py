"""Reads the elements of a dialect file and the layouts that cut them into parts."""

from __future__ import annotations

import re

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect import Condition, DataElement, Layout, Part, Wire
from pos_specs.text_codecs import EBCDIC, is_ebcdic, is_wire_encoding

Elements = dict[int, DataElement]
Layouts = dict[int, tuple[Layout, ...]]

LONGEST = {0: 999, 1: 9, 2: 99, 3: 999, 4: 9_999, 5: 99_999, 6: 999_999}
"""The most a counter of so many digits can say; a longer element of fixed length would be a mistake."""

LONGEST_BINARY = {1: 255, 2: 255, 3: 65_535, 4: 65_535, 5: 999_999, 6: 999_999}
"""The same of binary counters, two digits' room being a byte. No frame is longer than the last."""

_FORMAT = re.compile(r"(ans|an|a|n|z|b|xn|h)(\.{1,6})?([1-9][0-9]*)")
_PART = re.compile(r"([a-z][a-z0-9_]*) (ans|an|a|n|z|b|x)(\*|[1-9][0-9]*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
DIGIT_CLASSES = ("n", "z", "xn", "h")
COUNTERS = ("bcd", "ascii", "ebcdic", "binary")
_SENSITIVITIES = ("", "pan", "track", "pin", "icc", "secret", "records")
_COUNTED_PART = re.compile(r"([a-z][a-z0-9_]*) (ans|an|a|n|z|b|x)(\.{1,6})?([1-9][0-9]*)")
_TAG_CHARACTERS = {
    "tags": re.compile(r"[0-9]{2}"),
    "tables": re.compile(r"[0-9A-Za-z]{2}"),
    "bitmap": re.compile(r"[2-9]|[1-9][0-9]|1[01][0-9]|12[0-8]"),
}


def read_elements(table: CheckedTable, wire: Wire) -> Elements:
    """Every element of `[elements]`, in order."""
    elements: Elements = {}
    names: set[str] = set()
    for key in table.table:
        if not key.isdecimal() or not key.isascii() or not 2 <= int(key) <= 128:
            raise table.fail(key, "must be an element number from 2 to 128")
        if int(key) == 65:
            raise table.fail(key, "stands for a third bitmap, which is not supported")
        line = table.sub(key)
        element = elements[int(key)] = _element(int(key), line, wire)
        if element.name in names:
            raise line.fail("name", f"{element.name!r} is the name of another element too")
        names.add(element.name)
    return dict(sorted(elements.items()))


def read_text_encoding(table: CheckedTable, key: str, default: str | None = None) -> str:
    """The name of a text encoding in which one can count bytes."""
    name = table.text(key, default)
    if not is_wire_encoding(name):
        raise table.fail(key, f"{name!r} is neither gbk nor an encoding of one byte per character")
    return name


def _element(number: int, table: CheckedTable, wire: Wire) -> DataElement:
    counter = table.choice("counter", COUNTERS, wire.length)
    content, length, length_digits = _format(table, counter)
    text, packed = _characters(table, wire, content)
    if content == "xn" and packed and length % 2 == 0:
        raise table.fail("format", "packed digits after a sign must be an even number")
    element = DataElement(
        number=number,
        name=_name(table),
        content=content,  # type: ignore[arg-type]
        max_length=length,
        length_digits=length_digits,
        pad_side=table.choice("pad", ("left", "right"), wire.variable_pad if length_digits else wire.fixed_pad),
        pad=table.choice("pad_nibble", ("0", "F"), wire.pad),
        text=text,
        packed=packed,
        counter=counter,
        sensitive=table.choice("sensitive", _SENSITIVITIES, ""),
        title_zh=table.text("zh", ""),
    )
    table.done()
    return element


def _characters(table: CheckedTable, wire: Wire, content: str) -> tuple[str, bool]:
    """The encoding of an element's characters, and whether its digits are packed instead.

    Digits say for themselves how they are written; `xn` and `h` are text where the digits are packed, unless
    the element says otherwise: most BCD dialects send them so.
    """
    text = read_text_encoding(table, "text", wire.text)
    if content not in DIGIT_CLASSES:
        return text, False
    own = table.choice("digits", ("bcd", "ascii", "ebcdic"), "") if "digits" in table.table else ""
    if own == "bcd" and content == "h":
        raise table.fail("digits", "hex digits that are packed are bytes: write b")
    digits = own or wire.digits
    if digits == "bcd":
        return text, bool(own) or content in ("n", "z")
    if (digits == "ebcdic") == is_ebcdic(text):
        return text, False
    return EBCDIC if digits == "ebcdic" else "ascii", False


def _format(table: CheckedTable, counter: str) -> tuple[str, int, int]:
    """Content class, length and digits of the counter of a notation like `an..25`."""
    notation = table.text("format")
    match = _FORMAT.fullmatch(notation)
    if match is None:
        raise table.fail("format", f"{notation!r} is not a format like n6, an..25, b...255 or xn16")
    content, length_digits, length = match[1], len(match[2] or ""), int(match[3])
    longest = LONGEST_BINARY if counter == "binary" and length_digits else LONGEST
    if length > longest[length_digits]:
        raise table.fail("format", f"{notation!r} is longer than {longest[length_digits]}")
    if content == "xn" and length_digits:
        raise table.fail("format", f"{notation!r}: xn has a fixed length")
    return content, length + 1 if content == "xn" else length, length_digits


def _name(table: CheckedTable) -> str:
    name = table.text("name")
    if _NAME.fullmatch(name) is None:
        raise table.fail("name", f"{name!r} is not a name like local_date")
    return name


def read_layouts(tables: list[CheckedTable], elements: Elements) -> Layouts:
    """The layouts of `[[layouts]]` by element, in order of the file."""
    read = [(table, _layout(table, elements)) for table in tables]
    layouts: Layouts = {}
    for _, layout in read:
        layouts[layout.element] = (*layouts.get(layout.element, ()), layout)
    for table, layout in read:
        check_parts_exist(table.sub("when"), layout.condition, layouts)
    return layouts


def _layout(table: CheckedTable, elements: Elements) -> Layout:
    element = table.number("element", 2, 128)
    if element not in elements:
        raise table.fail("element", f"{element} is not defined under elements")
    form = table.choice("as", ("text", ""), "")
    if form == "text" and elements[element].content != "b":
        raise table.fail("as", "only binary elements can be read as text")
    kind = table.choice("kind", ("fixed", "tlv", "tags", "tables", "bitmap"), "fixed")
    layout = Layout(
        element=element,
        name=_name(table),
        kind=kind,
        condition=read_condition(table, elements, element),
        parts=_parts(table, "parts"),
        repeat=_parts(table, "repeat"),
        tags=_tags(table.sub("tags"), kind),
        as_text=form == "text",
        sensitive=table.choice("sensitive", (*_SENSITIVITIES, "none"), ""),
    )
    _check_layout(table, layout, elements[element])
    table.done()
    return layout


def _check_layout(table: CheckedTable, layout: Layout, element: DataElement) -> None:
    if layout.kind == "fixed" and not layout.parts and not layout.repeat:
        raise table.fail("parts", "is missing")
    if layout.kind in _TAG_CHARACTERS and not layout.tags:
        raise table.fail("tags", "is missing")
    if layout.kind == "tlv" and (element.content != "b" or layout.as_text):
        raise table.fail("kind", "tlv needs a binary element")
    if layout.kind == "tlv" and layout.parts and (layout.sensitive or element.sensitive) == "icc":
        raise table.fail("parts", "none may stand before the tags where card data are hidden by their tags")
    if layout.kind == "bitmap" and element.content == "b" and not layout.as_text:
        raise table.fail("as", "must be text where a message stands in a binary element")
    if layout.kind == "tags" and any(part.length == 0 for part in layout.tags.values()):
        raise table.fail("tags", "each tag needs a length, as in 'retries n1'")
    if any(part.length == 0 for part in layout.repeat):
        raise table.fail("repeat", "no part of a record may take the rest (*)")
    if layout.repeat and layout.parts and layout.parts[-1].length == 0:
        raise table.fail("parts", "no part may take the rest (*) before records")


def _parts(table: CheckedTable, key: str) -> tuple[Part, ...]:
    parts = tuple(_part(table, key, text) for text in table.texts(key))
    if any(part.length == 0 for part in parts[:-1]):
        raise table.fail(key, "only the last part may take the rest (*)")
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        raise table.fail(key, "names a part twice")
    return parts


def _part(table: CheckedTable, key: str, text: str) -> Part:
    match = _PART.fullmatch(text)
    if match is None:
        raise table.fail(key, f"{text!r} is not a part like 'batch_number n6'")
    return Part(match[1], match[2], 0 if match[3] == "*" else int(match[3]))


def _tags(table: CheckedTable, kind: str) -> dict[str, Part]:
    """Tag → part; in `tables` a name alone is text."""
    tags = {}
    for tag in table.table:
        text = table.text(tag)
        if kind not in _TAG_CHARACTERS or _TAG_CHARACTERS[kind].fullmatch(tag) is None:
            raise table.fail(tag, f"is not a tag of a layout of kind {kind}")
        if kind == "bitmap":
            tags[tag] = _counted_part(table, tag, text)
        else:
            tags[tag] = _part(table, tag, f"{text} ans*" if kind == "tables" and " " not in text else text)
    return tags


def _counted_part(table: CheckedTable, key: str, text: str) -> Part:
    match = _COUNTED_PART.fullmatch(text)
    if match is None:
        raise table.fail(key, f"{text!r} is not a part like 'routing an48' or 'switch_key an..32'")
    length_digits, length = len(match[3] or ""), int(match[4])
    if length > LONGEST[length_digits]:
        raise table.fail(key, f"{text!r} is longer than {LONGEST[length_digits]}")
    return Part(match[1], match[2], length, length_digits)


def read_condition(table: CheckedTable, elements: Elements, own: int | None = None) -> Condition:
    """The `when` of a function or, with its element as `own`, of a layout."""
    when = table.sub("when")
    tests = []
    for key in when.table:
        if key == "length" and own is not None:
            tests.append((f"{own}.length", _lengths(when)))
            continue
        number = key.partition(".")[0]
        if key != "mti" and (not number.isdecimal() or int(number) not in elements):
            raise when.fail(key, "is neither mti nor a defined element")
        tests.append((key, when.texts(key, required=True)))
    return Condition(tuple(tests))


def _lengths(when: CheckedTable) -> tuple[str, ...]:
    lengths = when.raw("length")
    lengths = lengths if isinstance(lengths, list) else [lengths]
    if not lengths or not all(isinstance(length, int) and not isinstance(length, bool) for length in lengths):
        raise when.fail("length", "must be a list of numbers")
    return tuple(str(length) for length in lengths)


def check_parts_exist(when: CheckedTable, condition: Condition, layouts: Layouts) -> None:
    """Refuses a condition on a part that no layout has: it would never hold, and nobody would notice."""
    for key, _ in condition.tests:
        if key in when.table and not path_exists(key, layouts):
            raise when.fail(key, f"{key!r} names no part of a layout")


_TAG = re.compile(r"(?:[0-9A-F]{2}){1,3}")
"""A BER-TLV tag as it stands in a path."""


def path_exists(path: str, layouts: Layouts) -> bool:
    """True when `path` is an element alone, or a part that one of its layouts has; every tag may be in a tlv one."""
    number, _, part = path.partition(".")
    if not part:
        return True
    found = layouts.get(int(number), ())
    return any(
        part in _part_names(layout) or (layout.kind == "tlv" and _TAG.fullmatch(part) is not None) for layout in found
    )


def _part_names(layout: Layout) -> set[str]:
    return {part.name for part in (*layout.parts, *layout.tags.values())}
