"""Reads a dialect file and checks all of it; an error names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pos_specs.checked_table import CheckedTable
from pos_specs.dialect import BatchRules, Dialect, FunctionRule, ResponseCode, Security, Wire
from pos_specs.dialect_file import SourcedTable, find_file, read_file, shipped_dialects
from pos_specs.element_reader import (
    COUNTERS,
    Elements,
    Layouts,
    check_parts_exist,
    path_exists,
    read_condition,
    read_elements,
    read_layouts,
    read_text_encoding,
)
from pos_specs.errors import DialectError
from pos_specs.extending import with_bases
from pos_specs.framing_reader import read_framing
from pos_specs.vocabulary import ANSWERS, FUNCTIONS, MAC_ALGORITHMS, MEANINGS, OUTCOMES, PIN_FORMATS

__all__ = ["load_dialect", "read_dialect", "shipped_dialects"]

Codes = Mapping[str, ResponseCode]

NEEDED_OUTCOMES = ("approved", "format_error", "unsupported_function", "internal_error")
"""What can become of any request in any dialect; the others may be impossible in one."""


def load_dialect(name: str) -> Dialect:
    """The dialect shipped under `name`, or read from a path that ends in `.toml`.

    Raises DialectError naming file, line and key.
    """
    try:
        path = find_file(name)
    except LookupError as error:
        raise DialectError(name, "", error.args[0]) from None
    return read_dialect(path)


def read_dialect(path: Path | Traversable) -> Dialect:
    """The dialect in the TOML file at `path`, with what it extends; raises DialectError naming file, line and key."""
    file = read_file(path)
    source, bases = with_bases(file)
    return _Reader(file.name, bases, source).dialect()


class _Reader:
    """Reads one dialect; sections in the order in which they refer to each other."""

    def __init__(self, file: str, bases: tuple[str, ...], source: SourcedTable) -> None:
        self.file = file
        self.bases = bases
        self.top = CheckedTable(source, (), source.table)

    def dialect(self) -> Dialect:
        """The whole dialect."""
        wire = self._wire()
        elements = read_elements(self.top.sub("elements"), wire)
        if not elements:
            raise self.top.fail("elements", "is missing")
        layouts = read_layouts(self.top.tables("layouts"), elements)
        answer = self._answer(elements)
        codes = self._codes()
        dialect = Dialect(
            **self._head(),
            **self._totals(),
            bases=self.bases,
            framing=read_framing(self.top.sub("framing")),
            wire=wire,
            elements=elements,
            layouts=layouts,
            functions=self._functions(elements, layouts, answer, codes),
            answer=answer,
            meaning=self._meaning(elements, layouts),
            acquirer_id=self._acquirer_id(),
            batch=self._batch(),
            identity=self._identity(elements),
            outcomes=self._outcomes(codes),
            codes=codes,
            values=self._values(elements, layouts),
            security=self._security(elements),
        )
        self._check_mac_functions(dialect)
        self.top.done()
        return dialect

    def _head(self) -> dict[str, Any]:
        table = self.top.sub("dialect")
        head = {
            "name": table.text("name"),
            "title": table.text("title"),
            "edition": table.choice("edition", ("1987", "1993", "2003")),
            "currency": table.text("currency"),
            "source": self.file,
        }
        if not re.fullmatch(r"[0-9]{3}", head["currency"]):
            raise table.fail("currency", "must be three digits (ISO 4217 numeric)")
        table.raw("extends")
        table.done()
        return head

    def _totals(self) -> dict[str, Any]:
        table = self.top.sub("totals")
        kind = table.choice("kind", ("unionpay48", "hypercom63", "iso87"))
        groups = table.texts("groups", required=kind == "hypercom63")
        table.done()
        return {"totals_kind": kind, "totals_groups": groups}

    def _acquirer_id(self) -> str:
        table = self.top.sub("host")
        acquirer_id = table.text("acquirer_id")
        table.done()
        return acquirer_id

    def _identity(self, elements: Elements) -> tuple[int, ...]:
        table = self.top.sub("identity")
        numbers = _numbers(table, "elements", elements)
        table.done()
        return numbers

    def _wire(self) -> Wire:
        table = self.top.sub("wire")
        wire = Wire(
            mti=table.choice("mti", ("bcd", "ascii", "ebcdic")),
            bitmap=table.choice("bitmap", ("binary", "hex", "hex-ebcdic")),
            length=table.choice("length", COUNTERS),
            digits=table.choice("digits", ("bcd", "ascii", "ebcdic")),
            text=read_text_encoding(table, "text"),
            fixed_pad=table.choice("fixed_pad", ("left", "right"), "left"),
            variable_pad=table.choice("variable_pad", ("left", "right"), "right"),
            pad=table.choice("pad", ("0", "F"), "0"),
            second_bitmap=table.choice("second_bitmap", ("announced", "always"), "announced"),
        )
        table.done()
        return wire

    def _functions(
        self, elements: Elements, layouts: Layouts, answer: Mapping[int, str], codes: Codes
    ) -> tuple[FunctionRule, ...]:
        rules = []
        for table in self.top.tables("functions"):
            rule = _function(table, elements, codes)
            check_parts_exist(table.sub("when"), rule.condition, layouts)
            for number in rule.add:
                if number not in answer and number not in rule.answer:
                    raise table.fail("add", f"{number} is not in [answer]: nobody knows what to put there")
            rules.append(rule)
        if not rules:
            raise self.top.fail("functions", "is missing")
        return tuple(rules)

    def _answer(self, elements: Elements) -> dict[int, str]:
        return _answers(self.top.sub("answer"), elements)

    def _meaning(self, elements: Elements, layouts: Layouts) -> dict[str, str]:
        table = self.top.sub("meaning")
        meaning = {}
        for key in table.table:
            if key not in MEANINGS:
                raise table.fail(key, f"must be one of {', '.join(sorted(MEANINGS))}")
            meaning[key] = table.text(key)
            _check_path(table, key, meaning[key], elements, layouts)
        return meaning

    def _values(self, elements: Elements, layouts: Layouts) -> dict[str, dict[str, str]]:
        table = self.top.sub("values")
        values = {}
        for path in table.table:
            _check_path(table, path, path, elements, layouts)
            texts = table.sub(path)
            values[path] = {pattern: texts.text(pattern) for pattern in texts.table}
        return values

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

    def _security(self, elements: Elements) -> Security:
        table = self.top.sub("security")
        mac = table.choice("mac", ("", *MAC_ALGORITHMS), "")
        security = Security(
            mac=mac,
            mac_element=table.number("mac_element", 1, 128) if "mac_element" in table.table else 64,
            mac_mtis=table.texts("mac_mtis", required=bool(mac)),
            mac_functions=table.texts("mac_functions"),
            keys=table.choice("keys", ("none", "unionpay", "hypercom"), "none"),
            pin_format=table.choice("pin_format", ("unionpay", *PIN_FORMATS), "iso-0"),
        )
        if mac and security.mac_element not in elements:
            raise table.fail("mac_element", f"{security.mac_element} is not defined under elements")
        table.done()
        return security

    def _check_mac_functions(self, dialect: Dialect) -> None:
        known = {rule.name for rule in dialect.functions}
        for function in dialect.security.mac_functions:
            if function not in known:
                raise self.top.sub("security").fail("mac_functions", f"{function!r} is none of the dialect's functions")

    def _outcomes(self, codes: Codes) -> dict[str, str]:
        table = self.top.sub("outcomes")
        outcomes = _codes_of_outcomes(table, codes)
        for name in NEEDED_OUTCOMES:
            if name not in outcomes:
                raise table.fail(name, "is missing")
        return outcomes


def _answers(table: CheckedTable, elements: Elements) -> dict[int, str]:
    answers = {}
    for key in table.table:
        if not key.isdecimal() or int(key) not in elements:
            raise table.fail(key, "is not a defined element")
        answers[int(key)] = table.choice(key, ANSWERS)
    return answers


def _codes_of_outcomes(table: CheckedTable, codes: Codes) -> dict[str, str]:
    outcomes = {}
    for name in table.table:
        if name not in OUTCOMES:
            raise table.fail(name, f"must be one of {', '.join(sorted(OUTCOMES))}")
        outcomes[name] = table.text(name)
        if outcomes[name] not in codes:
            raise table.fail(name, f"{outcomes[name]!r} is not in [codes]")
    return outcomes


def _function(table: CheckedTable, elements: Elements, codes: Codes) -> FunctionRule:
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
        condition=read_condition(table, elements),
        required=_numbers(table, "required", elements),
        one_of=tuple(_check_numbers(table, "one_of", group, elements) for group in groups),
        echo=_numbers(table, "echo", elements),
        add=_numbers(table, "add", elements),
        anonymous=table.flag("anonymous"),
        advice=table.flag("advice"),
        code_only_on_error=table.flag("code_only_on_error"),
        outcomes=_codes_of_outcomes(table.sub("outcomes"), codes),
        answer=_answers(table.sub("answer"), elements),
    )
    for number in rule.answer:
        if number not in rule.add:
            raise table.sub("answer").fail(str(number), "is not in add: the answer would not carry it")
    table.done()
    return rule


def _numbers(table: CheckedTable, key: str, elements: Elements) -> tuple[int, ...]:
    return _check_numbers(table, key, table.raw(key, []), elements)


def _check_numbers(table: CheckedTable, key: str, value: object, elements: Elements) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(number) is int for number in value):
        raise table.fail(key, "must be a list of element numbers")
    for number in value:
        if number not in elements:
            raise table.fail(key, f"{number} is not defined under elements")
    return tuple(value)


def _check_path(table: CheckedTable, key: str, path: str, elements: Elements, layouts: Layouts) -> None:
    """Refuses a path like `"60.batch_number"` that leads nowhere."""
    number = path.partition(".")[0]
    if not number.isdecimal() or int(number) not in elements:
        raise table.fail(key, f"{path!r} names no defined element")
    if not path_exists(path, layouts):
        raise table.fail(key, f"{path!r} names no part of a layout of element {number}")
