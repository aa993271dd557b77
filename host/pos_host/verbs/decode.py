"""`pos-host decode` and `pos-host encode`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, NoReturn

import typer

from pos_host.decoding.describe import describe
from pos_host.decoding.documents import (
    DocumentError,
    document_bytes,
    error_document,
    message_document,
)
from pos_host.decoding.explain import explain, start_in_words
from pos_host.decoding.recognise import STARTS, Reading, fitting, read_as, read_on
from pos_host.decoding.table import headline, message_table, show
from pos_specs.errors import FramingError, MessageError, SpecsError
from pos_specs.language import Language, open_language, shipped_languages
from pos_specs.message import Message

BAD_INPUT = 2
"""Exit code for bad usage and for input that could not be read."""

SHORTEST_HEX = 20
"""Hex digits of the shortest message (MTI and bitmap in BCD). Arguments below it are pieces of one message."""

_SEPARATORS = re.compile(r"[\s:]+")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class _Input:
    """Numbered lines, of standard input where none are given; says on standard error which ones were bad."""

    def __init__(self, verb: str, given: list[str] | None) -> None:
        self._verb = verb
        self._lines: Iterable[str] = given or sys.stdin
        self._several = not given or len(given) > 1
        self._number = 0
        self.bad = False

    def __iter__(self) -> Iterator[str]:
        try:
            for line in self._lines:
                self._number += 1
                if line.strip():
                    yield line.strip()
        except UnicodeDecodeError:
            self._number += 1
            self.complain("not text")

    def complain(self, reason: str) -> None:
        """One line on standard error, naming the line of input where there are several."""
        self.bad = True
        place = f"line {self._number}: " if self._several else ""
        typer.echo(f"pos-host {self._verb}: {place}{reason}", err=True)


def decode_command(
    hexes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HEX]...", help="Messages in hex; without one, a message per line is read."),
    ] = None,
    dialect: Annotated[str | None, typer.Option(help="A dialect's name or file; found out when not given.")] = None,
    starts_at: Annotated[
        str | None, typer.Option(help="What the hex begins with: length, tpdu, header or mti.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Mask card data, as logs do.")] = False,
) -> None:
    """Show messages given in hex, every element and part by its name."""
    if starts_at is not None and starts_at not in STARTS:
        _refuse("decode", f"--starts-at must be one of {', '.join(STARTS)}")
    languages = _languages("decode", dialect)
    source = _Input("decode", _messages(hexes) if hexes else None)
    shower = _Shower(source, languages, as_json=as_json, mask=mask)
    for line in source:
        _decode_line(shower, line, languages, starts_at)
    if source.bad:
        raise typer.Exit(BAD_INPUT)


def encode_command(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JSON]...", help="What decode --json printed; without one, from the input."),
    ] = None,
    dialect: Annotated[
        str | None, typer.Option(help="A dialect's name or file, instead of the one in the document.")
    ] = None,
) -> None:
    """Write messages in hex, from what decode --json printed: one document per line."""
    source = _Input("encode", documents)
    for line in source:
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            source.complain(f"not JSON: {error}")
            continue
        try:
            typer.echo(document_bytes(document, dialect).hex().upper())
        except (DocumentError, SpecsError) as error:
            source.complain(str(error))
    if source.bad:
        raise typer.Exit(BAD_INPUT)


def _messages(hexes: list[str]) -> list[str]:
    """One message per argument, or pieces of a single one."""
    digits = [_SEPARATORS.sub("", text) for text in hexes]
    return ["".join(digits)] if any(len(text) < SHORTEST_HEX for text in digits) else digits


def _languages(verb: str, dialect: str | None) -> list[Language]:
    if dialect is None:
        return shipped_languages()
    try:
        return [open_language(dialect)]
    except SpecsError as error:
        _refuse(verb, str(error))


class _Shower:
    """Shows what the verb found, each message as the options say."""

    def __init__(self, source: _Input, languages: list[Language], *, as_json: bool, mask: bool) -> None:
        self._source = source
        self._languages = languages
        self._as_json = as_json
        self._mask = mask

    def unreadable(self, reason: str) -> None:
        """What could not even be tried."""
        self._source.complain(reason)
        if self._as_json:
            _print_json({"error": {"message": reason, "field": None, "offset": None}, "fields": {}})

    def failed(self, reading: Reading, error: MessageError | FramingError, data: bytes) -> None:
        """What was read before the error; the error and what is seen in the bytes as one line of complaint."""
        why = explain(data, self._languages, mask=self._mask)
        if not why.is_message and len(self._languages) > 1:
            self._source.complain(f"nothing fits; seen: {why.in_one_line()}")
            if self._as_json:
                error_ = {"message": "nothing fits", "field": None, "offset": None}
                _print_json({"error": error_, "explanation": why.document(), "fields": {}})
            return
        self._source.complain(f"{_told(reading, error)}; seen: {why.in_one_line(_place(reading, error))}")
        if self._as_json:
            _print_json(error_document(reading, error, mask=self._mask) | {"explanation": why.document()})
        elif reading.message is not None:
            self._table(reading, reading.message, [])

    def message(self, reading: Reading, message: Message, others: list[str]) -> None:
        """A message that could be read; `others` are the dialects that fit besides."""
        if not self._as_json:
            self._table(reading, message, others)
            return
        document = message_document(reading, message, mask=self._mask)
        if others:
            document["fits"] = [reading.language.name, *others]
        _print_json(document)

    def _table(self, reading: Reading, message: Message, others: list[str]) -> None:
        rows = describe(reading.language, message, reading.frame.body, mask=self._mask)
        show(headline(reading, others), message_table(rows, reading.body_offset), "")


def _decode_line(shower: _Shower, line: str, languages: list[Language], starts_at: str | None) -> None:
    """Shows each message of the line; behind a length there may be several."""
    digits = _SEPARATORS.sub("", line)
    if _HEX.fullmatch(digits) is None:
        shower.unreadable("not hex digits, two for each byte")
        return
    data = bytes.fromhex(digits)
    found = read_as(data, languages, starts_at, own_framing_only=len(languages) == 1)
    if not found:
        shower.unreadable(f"no {starts_at} in this dialect")
    while found:
        best = found[0]
        others = [name for name in fitting(found) if name != best.language.name] if len(languages) > 1 else []
        if best.error is not None:
            shower.failed(best, best.error, data)
            return
        if best.message is not None:
            shower.message(best, best.message, others)
        data, languages = best.rest, [best.language]
        found = read_on(best)


def _told(reading: Reading, error: MessageError | FramingError) -> str:
    """The error with its place counted from the start of the input."""
    how = f"read as {reading.language.name} {start_in_words(reading.starts_at)}"
    place = _place(reading, error)
    return f"{place}: {error.reason} ({how})" if place else f"{error.reason} ({how})"


def _place(reading: Reading, error: MessageError | FramingError) -> str:
    """`element 62 at byte 77`; empty for an error in the framing."""
    if isinstance(error, FramingError):
        return ""
    return error.place if error.offset is None else f"{error.place} at byte {reading.body_offset + error.offset}"


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))


def _refuse(verb: str, reason: str) -> NoReturn:
    typer.echo(f"pos-host {verb}: {reason}", err=True)
    raise typer.Exit(BAD_INPUT)
