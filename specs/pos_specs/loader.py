"""Reads a dialect file and checks all of it; an error names file and key."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pos_specs.dialect import (
    BatchRules,
    Condition,
    DataElement,
    Dialect,
    Framing,
    FunctionRule,
    Layout,
    Part,
    ResponseCode,
    Wire,
)
from pos_specs.errors import DialectError
from pos_specs.vocabulary import ANSWERS, FUNCTIONS, MEANINGS, OUTCOMES

_FORMAT = re.compile(r"(ans|an|a|n|z|b|xn|h)(\.{2,3})?([1-9][0-9]*)")
_PART = re.compile(r"([a-z][a-z0-9_]*) (ans|an|a|n|z|b|x)(\*|[1-9][0-9]*)")


def shipped_dialects() -> list[str]:
    """The names of the dialects that come with the package."""
    folder = resources.files("pos_specs") / "dialects"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_dialect(name: str) -> Dialect:
    """The dialect shipped under `name`, or read from a path that ends in `.toml`.

    Raises DialectError naming file and key.
    """
    if name.endswith(".toml"):
        return read_dialect(Path(name))
    if name not in shipped_dialects():
        known = ", ".join(shipped_dialects())
        raise DialectError(name, "", f"no such dialect; shipped are {known}; a file's name ends in .toml")
    return read_dialect(resources.files("pos_specs") / "dialects" / f"{name}.toml")


def read_dialect(path: Path | Traversable) -> Dialect:
    """The dialect in the TOML file at `path`; raises DialectError naming file and key."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialectError(str(path), "", f"cannot be read: {error}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DialectError(str(path), "", f"not TOML: {error}") from None
    return _Reader(path.name, table).dialect()


class _Table:
    """One table of the file: gives checked values and complains of keys nobody asked for."""

    def __init__(self, file: str, path: str, table: object) -> None:
        if not isinstance(table, dict):
            raise DialectError(file, path, "must be a table")
        self.file, self.path, self.table = file, path, table
        self.asked: set[str] = set()

    def fail(self, key: str, reason: str) -> DialectError:
        return DialectError(self.file, f"{self.path}.{key}" if self.path else key, reason)

    def raw(self, key: str, default: object = None) -> Any:
        self.asked.add(key)
        return self.table.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw(key, default)
        if not isinstance(value, str) or (value == "" and default is None):
            raise self.fail(key, "must be a text" if key in self.table else "is missing")
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> Any:
        value = self.text(key, default)
        if value not in allowed:
            raise self.fail(key, f"is {value!r}, must be one of {', '.join(allowed)}")
        return value

    def number(self, key: str, low: int, high: int) -> int:
        value = self.raw(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(key, f"must be a whole number from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        value = self.raw(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        value = self.raw(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "must be a list of texts")
        if required and not value:
            raise self.fail(key, "is missing")
        return tuple(value)

    def tables(self, key: str) -> list[_Table]:
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise self.fail(key, "must be a list of tables")
        prefix = f"{self.path}.{key}" if self.path else key
        return [_Table(self.file, f"{prefix}[{place}]", item) for place, item in enumerate(value, 1)]

    def sub(self, key: str) -> _Table:
        return _Table(self.file, f"{self.path}.{key}" if self.path else key, self.raw(key, {}))

    def done(self) -> None:
        for key in self.table:
            if key not in self.asked:
                raise self.fail(key, "is not a key of a dialect file")


class _Reader:
    def __init__(self, file: str, table: dict[str, Any]) -> None:
        self.file = file
        self.top = _Table(file, "", table)

    def dialect(self) -> Dialect:
        head = self.top.sub("dialect")
        wire = self._wire()
        elements = self._elements(wire)
        codes = self._codes()
        totals = self.top.sub("totals")
        host = self.top.sub("host")
        dialect = Dialect(
            name=head.text("name"),
            title=head.text("title"),
            edition=head.choice("edition", ("1987", "1993", "2003")),
            currency=head.text("currency"),
            source=self.file,
            framing=self._framing(),
            wire=wire,
            elements=elements,
            layouts=self._layouts(elements),
            functions=self._functions(elements),
            answer=self._answer(elements),
            meaning=self._meaning(elements),
            acquirer_id=host.text("acquirer_id"),
            totals_kind=totals.choice("kind", ("unionpay48", "hypercom63", "iso87")),
            totals_groups=totals.texts("groups"),
            batch=self._batch(),
            identity=self._numbers(self.top.sub("identity"), "elements", elements),
            outcomes=self._outcomes(codes),
            codes=codes,
        )
        if not re.fullmatch(r"[0-9]{3}", dialect.currency):
            raise head.fail("currency", "must be three digits (ISO 4217 numeric)")
        for table in (head, totals, host, self.top):
            table.done()
        return dialect

    def _framing(self) -> Framing:
        table = self.top.sub("framing")
        framing = Framing(
            length=table.choice("length", ("binary2", "ascii4")),
            tpdu=table.choice("tpdu", ("swap", "none")),
            header=table.choice("header", ("unionpay", "none")),
            max_frame_bytes=table.number("max_frame_bytes", 32, 65535),
        )
        if framing.length == "ascii4" and framing.max_frame_bytes > 9999:
            raise table.fail("max_frame_bytes", "must be at most 9999 with a length of four ASCII digits")
        table.done()
        return framing

    def _wire(self) -> Wire:
        table = self.top.sub("wire")
        wire = Wire(
            mti=table.choice("mti", ("bcd", "ascii")),
            bitmap=table.choice("bitmap", ("binary", "hex")),
            length=table.choice("length", ("bcd", "ascii")),
            digits=table.choice("digits", ("bcd", "ascii")),
            text=_codec(table, "text"),
            fixed_pad=table.choice("fixed_pad", ("left", "right"), "left"),
            variable_pad=table.choice("variable_pad", ("left", "right"), "right"),
            pad=table.choice("pad", ("0", "F"), "0"),
        )
        table.done()
        return wire

    def _elements(self, wire: Wire) -> dict[int, DataElement]:
        table = self.top.sub("elements")
        elements: dict[int, DataElement] = {}
        for key in table.table:
            if not key.isdigit() or not 2 <= int(key) <= 128:
                raise table.fail(key, "must be an element number from 2 to 128")
            elements[int(key)] = _element(int(key), table.sub(key), wire)
        if not elements:
            raise self.top.fail("elements", "is missing")
        return dict(sorted(elements.items()))

    def _layouts(self, elements: dict[int, DataElement]) -> dict[int, tuple[Layout, ...]]:
        layouts: dict[int, tuple[Layout, ...]] = {}
        for table in self.top.tables("layouts"):
            layout = self._layout(table, elements)
            layouts[layout.element] = (*layouts.get(layout.element, ()), layout)
        self._part_names = {
            number: {part.name for layout in found for part in layout.parts} for number, found in layouts.items()
        }
        return layouts

    def _layout(self, table: _Table, elements: dict[int, DataElement]) -> Layout:
        element = table.number("element", 2, 128)
        if element not in elements:
            raise table.fail("element", f"{element} is not defined under elements")
        tags = table.sub("tags").table
        if not all(isinstance(value, str) for value in tags.values()):
            raise table.fail("tags", "must map tags to names")
        form = table.choice("as", ("text", ""), "")
        if form == "text" and elements[element].content != "b":
            raise table.fail("as", "only binary elements can be read as text")
        layout = Layout(
            element=element,
            name=table.text("name"),
            kind=table.choice("kind", ("fixed", "tlv", "tags", "tables"), "fixed"),
            condition=self._condition(table, elements, element),
            parts=_parts(table, "parts"),
            repeat=_parts(table, "repeat"),
            tags=tags,
            as_text=form == "text",
        )
        if layout.kind == "fixed" and not layout.parts and not layout.repeat:
            raise table.fail("parts", "is missing")
        table.done()
        return layout

    def _condition(
        self, table: _Table, elements: dict[int, DataElement], own: int | None = None
    ) -> Condition:
        when = table.sub("when")
        tests = []
        for key in when.table:
            if key == "length" and own is not None:
                lengths = when.raw(key)
                lengths = lengths if isinstance(lengths, list) else [lengths]
                tests.append((f"{own}.length", tuple(str(length) for length in lengths)))
                continue
            number = key.partition(".")[0]
            if key != "mti" and (not number.isdigit() or int(number) not in elements):
                raise when.fail(key, "is neither mti nor a defined element")
            tests.append((key, when.texts(key, required=True)))
        return Condition(tuple(tests))

    def _functions(self, elements: dict[int, DataElement]) -> tuple[FunctionRule, ...]:
        rules = [self._function(table, elements) for table in self.top.tables("functions")]
        if not rules:
            raise self.top.fail("functions", "is missing")
        return tuple(rules)

    def _function(self, table: _Table, elements: dict[int, DataElement]) -> FunctionRule:
        mtis = table.texts("mti", required=True)
        for mti in mtis:
            if not re.fullmatch(r"[0-9]{2}[02468][0-9]", mti):
                raise table.fail("mti", f"{mti!r} is not a request's message type")
        groups = table.raw("one_of", [])
        if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
            raise table.fail("one_of", "must be a list of lists of element numbers")
        rule = FunctionRule(
            name=table.choice("name", FUNCTIONS),
            mtis=mtis,
            condition=self._condition(table, elements),
            required=self._numbers(table, "required", elements),
            one_of=tuple(self._check_numbers(table, "one_of", group, elements) for group in groups),
            echo=self._numbers(table, "echo", elements),
            add=self._numbers(table, "add", elements),
            anonymous=table.flag("anonymous"),
            advice=table.flag("advice"),
            code_only_on_error=table.flag("code_only_on_error"),
        )
        table.done()
        return rule

    def _numbers(self, table: _Table, key: str, elements: dict[int, DataElement]) -> tuple[int, ...]:
        return self._check_numbers(table, key, table.raw(key, []), elements)

    def _check_numbers(
        self, table: _Table, key: str, value: object, elements: dict[int, DataElement]
    ) -> tuple[int, ...]:
        if not isinstance(value, list):
            raise table.fail(key, "must be a list of element numbers")
        for number in value:
            if number not in elements:
                raise table.fail(key, f"{number} is not defined under elements")
        return tuple(value)

    def _answer(self, elements: dict[int, DataElement]) -> dict[int, str]:
        table = self.top.sub("answer")
        answer = {}
        for key in table.table:
            if not key.isdigit() or int(key) not in elements:
                raise table.fail(key, "is not a defined element")
            answer[int(key)] = table.choice(key, ANSWERS)
        return answer

    def _meaning(self, elements: dict[int, DataElement]) -> dict[str, str]:
        table = self.top.sub("meaning")
        meaning = {}
        for key in table.table:
            if key not in MEANINGS:
                raise table.fail(key, f"must be one of {', '.join(sorted(MEANINGS))}")
            path = table.text(key)
            number, _, part = path.partition(".")
            if not number.isdigit() or int(number) not in elements:
                raise table.fail(key, f"{path!r} names no defined element")
            if part and part not in self._part_names.get(int(number), set()):
                raise table.fail(key, f"{path!r} names no part of a layout of element {number}")
            meaning[key] = path
        return meaning

    def _batch(self) -> BatchRules:
        table = self.top.sub("batch")
        rules = BatchRules(
            number=table.choice("number", ("sign_in", "settlement", "none")),
            first=table.number("first", 0, 999999),
            last=table.number("last", 1, 999999),
            during_upload=table.choice("during_upload", ("refuse", "next_batch"), "refuse"),
        )
        if rules.last <= rules.first:
            raise table.fail("last", "must be greater than first")
        table.done()
        return rules

    def _codes(self) -> dict[str, ResponseCode]:
        table = self.top.sub("codes")
        codes = {}
        for code in table.table:
            row = table.sub(code)
            codes[code] = ResponseCode(code, row.text("en"), row.text("zh", ""))
            row.done()
        return codes

    def _outcomes(self, codes: dict[str, ResponseCode]) -> dict[str, str]:
        table = self.top.sub("outcomes")
        outcomes = {}
        for name in table.table:
            if name not in OUTCOMES:
                raise table.fail(name, f"must be one of {', '.join(sorted(OUTCOMES))}")
            outcomes[name] = table.choice(name, codes)
        for name in ("approved", "format_error", "unsupported_function", "internal_error"):
            if name not in outcomes:
                raise table.fail(name, "is missing")
        return outcomes


def _codec(table: _Table, key: str, default: str | None = None) -> str:
    name = table.text(key, default)
    try:
        codecs.lookup(name)
    except LookupError:
        raise table.fail(key, f"{name!r} is not a text encoding") from None
    return name


def _element(number: int, table: _Table, wire: Wire) -> DataElement:
    notation = table.text("format")
    match = _FORMAT.fullmatch(notation)
    if match is None:
        raise table.fail("format", f"{notation!r} is not a format like n6, an..25, b...255 or xn16")
    content, dots, length_text = match[1], match[2] or "", int(match[3])
    length = length_text + 1 if content == "xn" else length_text
    side = wire.variable_pad if dots else wire.fixed_pad
    element = DataElement(
        number=number,
        name=table.text("name"),
        content=content,  # type: ignore[arg-type]
        max_length=length,
        length_digits=len(dots),
        pad_side=table.choice("pad", ("left", "right"), side),
        pad=table.choice("pad_nibble", ("0", "F"), wire.pad),
        text=_codec(table, "text", wire.text),
        sensitive=table.choice(
            "sensitive", ("", "pan", "track", "pin", "icc", "secret", "records"), ""
        ),
        title_zh=table.text("zh", ""),
    )
    table.done()
    return element


def _parts(table: _Table, key: str) -> tuple[Part, ...]:
    parts = []
    for text in table.texts(key):
        match = _PART.fullmatch(text)
        if match is None:
            raise table.fail(key, f"{text!r} is not a part like 'batch_number n6'")
        parts.append(Part(match[1], match[2], 0 if match[3] == "*" else int(match[3])))
    if any(part.length == 0 for part in parts[:-1]):
        raise table.fail(key, "only the last part may take the rest (*)")
    return tuple(parts)
