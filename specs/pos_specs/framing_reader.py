"""Reads the table `[framing]` of a dialect file."""

from __future__ import annotations

from pos_specs.checked_table import CheckedTable
from pos_specs.envelope import Framing
from pos_specs.frame_headers import FrameHeader
from pos_specs.length_counters import LENGTH_COUNTERS

COUNTED = ("itself", "trailer")


def read_framing(table: CheckedTable) -> Framing:
    """The framing of a dialect; raises DialectError naming file and key."""
    framing = Framing(
        length=table.choice("length", (*LENGTH_COUNTERS, "none")),
        counts=table.texts("counts"),
        start=table.choice("start", ("none", "stx"), "none"),
        trailer=table.choice("trailer", ("none", "etx", "etx-lrc"), "none"),
        tpdu=table.choice("tpdu", ("swap", "echo", "none")),
        header=_header(table, "header"),
        header_answer=_header(table, "header_answer"),
        max_frame_bytes=table.number("max_frame_bytes", 32, 65535),
    )
    if framing.length == "none":
        _check_without_length(table, framing)
    else:
        _check_length(table, framing)
    table.done()
    return framing


def _header(table: CheckedTable, key: str) -> str:
    """The text of a key that `FrameHeader` takes."""
    header, answer = table.text("header"), table.text("header_answer", "")
    try:
        FrameHeader(header, answer if key == "header_answer" else "")
    except ValueError as error:
        raise table.fail(key, str(error)) from None
    return header if key == "header" else answer


def _check_without_length(table: CheckedTable, framing: Framing) -> None:
    if framing.trailer == "none":
        raise table.fail("trailer", "must be etx or etx-lrc where length is none: nothing else ends a frame")
    if framing.counts:
        raise table.fail("counts", "says what a length counts, but length is none")


def _check_length(table: CheckedTable, framing: Framing) -> None:
    for counted in framing.counts:
        if counted not in COUNTED:
            raise table.fail("counts", f"has {counted!r}, must be of {', '.join(COUNTED)}")
    if "trailer" in framing.counts and framing.trailer == "none":
        raise table.fail("counts", "has 'trailer', but trailer is none")
    most = LENGTH_COUNTERS[framing.length].most - framing.envelope.counted_bytes
    if framing.max_frame_bytes > most:
        raise table.fail("max_frame_bytes", f"must be at most {most}, since length is {framing.length}")
