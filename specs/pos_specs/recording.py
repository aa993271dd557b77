"""Recordings of what went over the wire: JSON lines that hosts and proxies write and terminals send again.

The first line says that it is a recording, each further one is a frame. docs/recording.md tells what the fields mean.
A recording holds no real card number: that is its writers' duty, not this module's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pos_specs.errors import SpecsError, why_unreadable

VERSION = 1
"""Of the format; a file of another version is refused instead of being misread."""

LONGEST_LINE = 1 << 20
"""Characters of a line: the longest frame that any dialect may allow, in hex, is far below."""

LONGEST_MS = (2**32 - 1) * 1000
"""Milliseconds of a recording: what a capture, which counts seconds in 32 bits, can be made of."""

MOST_CONNECTIONS = 10_000_000
"""Connections of a recording: fewer than a capture has private addresses for (10.0.0.0/8)."""

MOST_LOST_BYTES = 2**32
"""Bytes that one line may say were not kept: as far apart as TCP's sequence numbers can be."""

Direction = Literal["to_host", "to_terminal"]
DIRECTIONS: tuple[Direction, ...] = ("to_host", "to_terminal")


class RecordingError(SpecsError):
    """A file is no recording; the text begins with its name and line."""


class RecordedFrame(NamedTuple):
    """One frame. `at_ms` counts from the beginning of the recording, `connection` from 1.

    `frame` is everything on the wire, length and trailer included, rewritten; b"" where `unreadable` says why it was
    not kept, and then `size` is how many bytes it had. `changed` names the elements that were rewritten ("2"), and
    `function` is "" where the dialect knows none.
    """

    at_ms: int
    connection: int
    direction: Direction
    dialect: str
    framing: str
    frame: bytes
    size: int
    mti: str = ""
    function: str = ""
    changed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unreadable: str = ""


def heading(made_by: str, began: str) -> str:
    """The first line of a recording that `made_by` began at the ISO time `began`."""
    return json.dumps({"recording": VERSION, "made_by": made_by, "began": began})


def line_of(frame: RecordedFrame) -> str:
    """The line that stands for a frame."""
    document: dict[str, Any] = {
        "at_ms": frame.at_ms,
        "connection": frame.connection,
        "direction": frame.direction,
        "dialect": frame.dialect,
        "framing": frame.framing,
    }
    if frame.unreadable:
        document |= {"unreadable": frame.unreadable, "bytes": frame.size}
    else:
        document |= {"mti": frame.mti, "function": frame.function}
        document |= {"changed": list(frame.changed), "hidden": list(frame.hidden), "frame": frame.frame.hex().upper()}
    return json.dumps(document)


def read_recording(path: Path) -> list[RecordedFrame]:
    """The frames of a recording, in its order; raises RecordingError with file and line."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return list(_frames(str(path), _bounded(str(path), lines)))
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: {why_unreadable(error)}") from None


def _bounded(name: str, lines: Any) -> Iterator[str]:
    """The lines, the file never read further than the longest one may be."""
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise RecordingError(f"{name}:{number}: more than {LONGEST_LINE} characters")
        yield line


def _frames(name: str, lines: Iterable[str]) -> Iterator[RecordedFrame]:
    begun = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise RecordingError(f"{name}:{number}: is no JSON object")
        if not begun:
            _check_heading(name, number, document)
            begun = True
            continue
        yield _frame(f"{name}:{number}", document)
    if not begun:
        raise RecordingError(f"{name}:1: is empty, and no recording")


def _check_heading(name: str, number: int, document: dict[str, Any]) -> None:
    version = document.get("recording")
    if version is None:
        raise RecordingError(f"{name}:{number}: recording: is missing, so that this is no recording")
    if version != VERSION:
        raise RecordingError(f"{name}:{number}: recording: version {version!r} is not {VERSION}")


def _frame(place: str, document: dict[str, Any]) -> RecordedFrame:
    direction = document.get("direction")
    if direction not in DIRECTIONS:
        raise RecordingError(f"{place}: direction: must be one of {', '.join(DIRECTIONS)}")
    unreadable = _text(place, document, "unreadable")
    content = b"" if unreadable else _content(place, document)
    return RecordedFrame(
        _count(place, document, "at_ms", least=0, most=LONGEST_MS),
        _count(place, document, "connection", least=1, most=MOST_CONNECTIONS),
        direction,
        _text(place, document, "dialect", needed=True),
        _text(place, document, "framing"),
        content,
        _count(place, document, "bytes", least=0, most=MOST_LOST_BYTES) if unreadable else len(content),
        _text(place, document, "mti"),
        _text(place, document, "function"),
        _names(place, document, "changed"),
        _names(place, document, "hidden"),
        unreadable,
    )


def _content(place: str, document: dict[str, Any]) -> bytes:
    text = _text(place, document, "frame", needed=True)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise RecordingError(f"{place}: frame: must be hex digits, two to a byte") from None


def _names(place: str, document: dict[str, Any], key: str) -> tuple[str, ...]:
    names = document.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RecordingError(f"{place}: {key}: must be a list of texts")
    return tuple(names)


def _text(place: str, document: dict[str, Any], key: str, *, needed: bool = False) -> str:
    value = document.get(key, "")
    if not isinstance(value, str) or (needed and not value):
        raise RecordingError(f"{place}: {key}: must be a text{' and is missing' if key not in document else ''}")
    return value


def _count(place: str, document: dict[str, Any], key: str, *, least: int, most: int) -> int:
    value = document.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RecordingError(f"{place}: {key}: must be a whole number from {least} to {most}")
    return value
