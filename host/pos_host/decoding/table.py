"""Messages as tables on a terminal, as plain columns elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pos_host.decoding.describe import Row
from pos_host.decoding.explain import framing_in_words, start_in_words
from pos_host.decoding.recognise import Reading

PLAIN_WIDTH = 160
"""Columns where the output is no terminal: wide enough that most values stay in one line."""


RAW_WIDTH = 32
"""Columns for the bytes as they came: sixteen of them in a line, as in any dump."""


def show(*lines: str | Table) -> None:
    """Prints to standard output: coloured on a terminal, elsewhere plain and without blanks at line ends."""
    if sys.stdout.isatty():
        _print(Console(highlight=False), lines)
        return
    plain = Console(width=PLAIN_WIDTH, highlight=False, color_system=None, force_terminal=False)
    with plain.capture() as captured:
        _print(plain, lines)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _print(console: Console, lines: Iterable[str | Table]) -> None:
    for line in lines:
        if isinstance(line, str):
            console.print(line, style="bold", markup=False, soft_wrap=True)
        else:
            console.print(line)


def headline(reading: Reading, others: Iterable[str]) -> str:
    """How the bytes were read: dialect, where they begin, and which other dialects fit."""
    frame = reading.frame
    pieces = [f"{reading.language.name}, {start_in_words(reading.starts_at)}"]
    if reading.length is not None:
        pieces.append(f"length {reading.length}")
    if frame.tpdu:
        pieces.append(f"TPDU {frame.tpdu.hex().upper()}")
    if frame.header:
        pieces.append(f"header {frame.header.hex().upper()}")
    if reading.is_framed_otherwise:
        own, seen = reading.language.dialect.framing, reading.framed_as
        pieces.append(f"framed as {framing_in_words(seen)}; {reading.language.name} has {framing_in_words(own)}")
    rest = list(others)
    if rest:
        pieces.append(f"also fits {', '.join(rest)}")
    return "; ".join(pieces)


def message_table(rows: Iterable[Row], body_offset: int) -> Table:
    """The rows; bytes are counted from the start of the input, both ends included."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bytes", justify="right", style="dim", no_wrap=True)
    table.add_column("raw", overflow="fold", max_width=RAW_WIDTH, style="cyan")
    table.add_column("no", justify="right", no_wrap=True)
    table.add_column("element", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("meaning", overflow="fold", style="green")
    for row in rows:
        table.add_row(
            Text(_span(row, body_offset)),
            Text(_raw(row)),
            Text(row.number),
            Text(row.name),
            Text(printable(row.value)),
            Text(row.meaning),
        )
        for part in row.parts:
            table.add_row("", "", "", Text(f"  {part.name}"), Text(printable(part.value)), Text(part.meaning))
    return table


def printable(value: str) -> str:
    """The value with characters that a terminal would act on written as escapes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in value)


def _raw(row: Row) -> str:
    """The bytes of an element as hex, its counter apart."""
    return " ".join(filter(None, (row.counter.hex().upper(), row.raw.hex().upper())))


def _span(row: Row, body_offset: int) -> str:
    if row.start is None or row.end is None:
        return ""
    first, last = body_offset + row.start, body_offset + row.end - 1
    return str(first) if last <= first else f"{first}-{last}"
