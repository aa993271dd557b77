"""What can go wrong between bytes and meaning, and whose fault it is.

    SpecsError
    ├── DialectError      a dialect file is wrong: its author's fault; names file, line and key
    ├── FramingError      the peer's bytes cannot be cut into frames: the connection cannot go on
    └── MessageError      one message cannot be read or written: answer `format_error` where possible

No error text of this module ever contains the content of an element, only its number, length and place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pos_specs.message import Message


class SpecsError(Exception):
    """Root of every error of the wire language."""


class DialectError(SpecsError):
    """A dialect file is wrong; `file`, `line` (from 1, None when unknown) and `key` say where."""

    def __init__(self, file: str, key: str, reason: str, line: int | None = None) -> None:
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key}: {reason}" if key else f"{place}: {reason}")
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words that follow its name."""
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"cannot be read: {error.strerror or type(error).__name__}"


class FramingError(SpecsError):
    """The stream cannot be cut into frames; `offset` counts bytes from the start of the bad frame."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class MessageError(SpecsError):
    """A message cannot be read or written.

    `field` is the element as text ("4", "p" for the bitmap, "t" for the MTI), `place` the same in words,
    `offset` the byte from the MTI on where what cannot be read stands, the element's counter or its data
    (None when writing), `partial` what was read besides it.
    """

    def __init__(self, reason: str, field: str, offset: int | None = None, partial: Message | None = None) -> None:
        place = _PLACES.get(field, f"element {field}")
        where = f" at byte {offset}" if offset is not None else ""
        super().__init__(f"{place}{where}: {reason}")
        self.place = place
        self.reason = reason
        self.field = field
        self.offset = offset
        self.partial = partial


_PLACES = {"t": "message type", "p": "bitmap", "1": "secondary bitmap"}
