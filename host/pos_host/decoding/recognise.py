"""Finds out how bytes can be read: in which dialect, and where in its framing they begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pos_host.decoding.plausibility import names_function, plausibility
from pos_specs.dialect import Framing
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import TPDU_BYTES, TPDU_ID, Frame, frame_length
from pos_specs.language import Language
from pos_specs.message import Message

STARTS = ("length", "tpdu", "header", "mti")
"""What the bytes can begin with, outermost first."""

LONGEST_HEADER_BYTES = 12
"""Acquirers put version numbers and headers of their own before the MTI; BASE24's has twelve bytes."""

_EXACT_FRAMING = 200
"""Points for each piece of framing that is as the dialect's listener expects it; see plausibility."""

_NOTHING = -200
"""Points of a message without elements: zeros decode to that wherever one begins."""


class Reading(NamedTuple):
    """One way to read some bytes.

    `length` is the length field's number (None where the bytes begin behind it), `body_offset` counts
    bytes from the start, `rest` are the bytes of following frames. With an `error`, `message` is what
    could be read in spite of it, or None.
    """

    language: Language
    starts_at: str
    length: int | None
    frame: Frame
    body_offset: int
    rest: bytes
    message: Message | None
    error: MessageError | FramingError | None
    points: int


def read_as(data: bytes, languages: list[Language], starts_at: str | None = None) -> list[Reading]:
    """Every way to read `data`, best first; behind them those with an error, the one that came furthest first."""
    starts = list(STARTS) if starts_at is None else [starts_at]
    found = _sorted(_all(data, languages, starts, _header_sizes))
    if found and found[0].error is None:
        return found
    starts = [start for start in starts if start == "length"] if _framed(data, languages) else starts
    own_kind = [language for language in languages if not language.dialect.bases] or languages
    strange = _sorted(_all(data, own_kind, starts, _unknown_header_sizes))
    if strange and strange[0].error is None and _means_something(strange[0]):
        return [strange[0], *found]
    return found


def fitting(readings: Iterable[Reading]) -> list[str]:
    """The names of the dialects that can read the bytes, best first."""
    names = [reading.language.name for reading in readings if reading.error is None]
    return list(dict.fromkeys(names))


def _sorted(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=_rank, reverse=True)


def _rank(reading: Reading) -> tuple[bool, int, int]:
    """What can be read without an error first, then by points; a dialect comes before those that extend it."""
    return reading.error is None, reading.points, -len(reading.language.dialect.bases)


def _means_something(reading: Reading) -> bool:
    """True where so much fits that bytes skipped before the MTI can be forgiven."""
    return reading.message is not None and names_function(reading.language, reading.message)


def _framed(data: bytes, languages: Iterable[Language]) -> bool:
    """True when the bytes begin with a length in some dialect, so that a strange header can only come later."""
    return any(_looks_framed(language.dialect.framing, data) for language in languages)


def _all(
    data: bytes,
    languages: Iterable[Language],
    starts: Iterable[str],
    header_sizes: Callable[[Framing, str], Iterable[int]],
) -> Iterator[Reading]:
    for language in languages:
        framing = language.dialect.framing
        for start in starts:
            if start != "tpdu" or framing.tpdu != "none":
                for size in header_sizes(framing, start):
                    yield _reading(data, language, start, size)


def _header_sizes(framing: Framing, start: str) -> list[int]:
    """Bytes between TPDU and MTI: the dialect's header, or none; some hosts leave it out (unionpay.md 9)."""
    size = framing.envelope.header.size
    if size == 0 or start == "mti":
        return [] if start == "header" else [0]
    return [size] if start == "header" else [size, 0]


def _unknown_header_sizes(framing: Framing, start: str) -> Iterable[int]:
    return () if start == "mti" else range(1, LONGEST_HEADER_BYTES + 1)


def _reading(data: bytes, language: Language, start: str, header_bytes: int) -> Reading:
    framing = language.dialect.framing
    envelope = framing.envelope
    exact = header_bytes == (0 if start == "mti" else envelope.header.size)
    length, position, end, trail_bytes = None, 0, len(data), 0
    frame = Frame(b"", b"", data)
    message: Message | None = None
    error: MessageError | FramingError | None = None
    try:
        if start == "length":
            length, position = frame_length(framing, data), envelope.lead_bytes
            end, trail_bytes = min(position + (length or 0), len(data)), envelope.trail_bytes
        has_tpdu = framing.tpdu != "none" and start in ("length", "tpdu")
        frame = _split(data[position:end], has_tpdu, header_bytes)
        if exact and header_bytes:
            envelope.header.check(frame.header)
        position = end - len(frame.body)
        message = language.decode(frame.body)
        _check_length(start, length, len(data) - envelope.lead_bytes - trail_bytes)
    except (MessageError, FramingError) as problem:
        error = problem
        message = problem.partial if isinstance(problem, MessageError) else message
    points = _points(language, message, error, position)
    if error is None and exact:
        points += _EXACT_FRAMING * (STARTS.index("mti") - STARTS.index(start))
    elif isinstance(error, FramingError):
        points = 2 * len(data) if exact and start == "length" and _looks_framed(framing, data) else 0
    return Reading(language, start, length, frame, position, data[end + trail_bytes :], message, error, points)


def _points(
    language: Language,
    message: Message | None,
    error: MessageError | FramingError | None,
    position: int,
) -> int:
    """How likely a message is; of messages with an error, how far one came as well."""
    points = 0 if message is None else plausibility(language, message)
    if isinstance(error, MessageError):
        return points + 2 * (position + (error.offset or 0))
    return points if message is not None and message.fields else _NOTHING


def _check_length(start: str, length: int | None, there: int) -> None:
    """Raises FramingError unless as many bytes follow as the length says."""
    if start != "length":
        return
    if length is None:
        raise FramingError("too short for a length")
    if length == 0:
        raise FramingError("length 0: a keep-alive, no message")
    if length > there:
        raise FramingError(f"length {length}, but only {there} bytes follow")


def _split(data: bytes, has_tpdu: bool, header_bytes: int) -> Frame:
    header_at = TPDU_BYTES if has_tpdu else 0
    body_at = header_at + header_bytes
    if len(data) < body_at:
        raise FramingError(f"{len(data)} bytes are shorter than their {body_at} bytes of headers")
    if has_tpdu and data[0] != TPDU_ID:
        raise FramingError(f"TPDU id {data[0]:02X} instead of 60")
    return Frame(data[:header_at], data[header_at:body_at], data[body_at:])


def _looks_framed(framing: Framing, data: bytes) -> bool:
    """True when a TPDU stands behind the length, also behind one in ASCII digits, or the length is right."""
    size = framing.envelope.lead_bytes + framing.envelope.trail_bytes
    if framing.tpdu != "none" and TPDU_ID in (*data[2:3], *(data[4:5] if data[:4].isdigit() else b"")):
        return True
    try:
        return frame_length(framing, data) == len(data) - size
    except FramingError:
        return False
