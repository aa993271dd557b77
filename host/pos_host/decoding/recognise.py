"""Finds out how bytes can be read: in which dialect, and where in its framing they begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from pos_host.decoding.frame_content import Content, read_content
from pos_host.decoding.outer_forms import OuterFrame, ends_with_a_frame, first_frames, outer_forms
from pos_host.decoding.plausibility import names_function, plausibility
from pos_specs.envelope import ETX, Framing
from pos_specs.errors import FramingError, MessageError
from pos_specs.framing import TPDU_BYTES, TPDU_ID, Frame
from pos_specs.language import Language
from pos_specs.message import Message

STARTS = ("length", "tpdu", "header", "mti")
"""What the bytes can begin with, outermost first."""

LONGEST_HEADER_BYTES = 12
"""Acquirers put version numbers and headers of their own before the MTI; BASE24's has twelve bytes."""

LONGEST_FRAME_BYTES = 65535
"""What most lengths can say, and more than any message has."""

FRAMED_OTHERWISE = outer_forms(LONGEST_FRAME_BYTES)
"""The forms in which hex that is given to a command may be framed."""

REFRAMED_KEPT = 64
"""Dialects with a framing other than their own, kept ready: a fleet has one or two such, and a hostile peer could
make up thousands."""

_EXACT_FRAMING = 200
"""Points for each piece of framing that is as the dialect's listener expects it; see plausibility."""

_NOTHING = -200
"""Points of a message without elements: zeros decode to that wherever one begins."""

_TEXT_AS_BITMAP = -300
"""Points for a binary bitmap that is all hex digits in ASCII: it is a bitmap in hex, read as none."""


_HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class Reading(NamedTuple):
    """One way to read some bytes.

    `length` is the length field's number (None where there is none), `body_offset` counts bytes from the start,
    `rest` are the bytes of following frames. With an `error`, `message` is what could be read in spite of it, or
    None. `framed_as` is the dialect's own framing, or the one that the bytes show where it is another.
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
    framed_as: Framing
    lead: bytes = b""
    trail: bytes = b""

    @property
    def is_framed_otherwise(self) -> bool:
        """True where the bytes stand in another framing than the dialect's."""
        return self.framed_as != self.language.dialect.framing


def read_as(
    data: bytes, languages: list[Language], starts_at: str | None = None, *, own_framing_only: bool = True
) -> list[Reading]:
    """Every way to read `data`, best first; behind them those with an error, the one that came furthest first.

    Where no dialect fits in its own framing, other framings are tried as well unless `own_framing_only`.
    """
    starts = list(STARTS) if starts_at is None else [starts_at]
    found = _sorted(_all(data, languages, starts, _header_sizes))
    fits = bool(found) and found[0].error is None
    if fits and (not _lacks_header(found[0]) or _means_something(found[0])):
        return found
    if not own_framing_only and "length" in starts:
        otherwise = read_framed_otherwise(data, languages)
        if otherwise:
            return [*otherwise, *found]
    if fits:
        return found
    starts = [start for start in starts if start == "length"] if _framed(data, languages) else starts
    own_kind = [language for language in languages if not language.dialect.bases] or languages
    strange = _sorted(_all(data, own_kind, starts, _unknown_header_sizes))
    if strange and strange[0].error is None and _means_something(strange[0]):
        return [strange[0], *found]
    return found


def read_framed_otherwise(data: bytes, languages: list[Language]) -> list[Reading]:
    """The dialects that fit where `data` are whole frames of any known form, best first."""
    whole = [frame for frame in first_frames(data, FRAMED_OTHERWISE) if ends_with_a_frame(data, frame)]
    return _sorted(
        _framed_reading(data, frame, content)
        for frame, found in contents(data, whole, languages, in_own_framing=False)
        for content in found
    )


def read_on(reading: Reading) -> list[Reading]:
    """The next frame behind a reading, in the same dialect and framing; empty at the end."""
    if not reading.rest:
        return []
    further = read_as(reading.rest, [reframed(reading.language, reading.framed_as)], "length")
    return [found._replace(language=reading.language) for found in further]


def contents(
    data: bytes, frames: Iterable[OuterFrame], languages: list[Language], *, in_own_framing: bool
) -> Iterator[tuple[OuterFrame, list[Content]]]:
    """What the first frame of `data` may hold, for each of its possible ends: see `read_content`.

    Zeros before a length are rather the beginning of a longer length than a keep-alive.
    """
    by_end: dict[tuple[int, int], list[OuterFrame]] = {}
    for frame in frames:
        by_end.setdefault((frame.start, frame.stop), []).append(frame)
    for (start, stop), alike in by_end.items():
        direct = [frame for frame in alike if frame.start == frame.form.envelope.lead_bytes] or alike
        forms = [frame.form for frame in direct]
        yield direct[0], read_content(data[start:stop], forms, languages, in_own_framing=in_own_framing)


def fitting(readings: Iterable[Reading]) -> list[str]:
    """The names of the dialects that can read the bytes, best first."""
    names = [reading.language.name for reading in readings if reading.error is None]
    return list(dict.fromkeys(names))


@lru_cache(maxsize=REFRAMED_KEPT)
def reframed(language: Language, framing: Framing) -> Language:
    """The dialect behind another framing."""
    return language if framing == language.dialect.framing else Language(replace(language.dialect, framing=framing))


def _sorted(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=_rank, reverse=True)


def _rank(reading: Reading) -> tuple[bool, int, int]:
    """What can be read without an error first, then by points; a dialect comes before those that extend it."""
    return reading.error is None, reading.points, -len(reading.language.dialect.bases)


def _lacks_header(reading: Reading) -> bool:
    """True where a frame has not the header that its dialect wants."""
    return reading.starts_at == "length" and not reading.frame.header and reading.framed_as.envelope.header.size > 0


def _means_something(reading: Reading) -> bool:
    """True where so much fits that bytes skipped before the MTI, or a header left out, can be forgiven."""
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


class _Cut(NamedTuple):
    """Where the content of the first frame begins and ends, where that frame ends, and what its length says."""

    start: int
    stop: int
    end: int
    length: int | None


def _reading(data: bytes, language: Language, start: str, header_bytes: int) -> Reading:
    """As a frame from its length on; behind the length, a last byte that may be a trailer is the message's own where
    the message cannot be read without it."""
    if start == "length":
        return _cut_reading(data, language, start, header_bytes, _cut_frame)
    reading = _cut_reading(data, language, start, header_bytes, _cut_trailer)
    if reading.error is None or not reading.trail:
        return reading
    whole = _cut_reading(data, language, start, header_bytes, _cut_nothing)
    return whole if whole.error is None else reading


_CutOf = Callable[[bytes, Framing], tuple[_Cut, FramingError | None]]


def _cut_reading(data: bytes, language: Language, start: str, header_bytes: int, cut_of: _CutOf) -> Reading:
    framing = language.dialect.framing
    exact = header_bytes == (0 if start == "mti" else framing.envelope.header.size)
    cut = _Cut(0, len(data), len(data), None)
    frame, position = Frame(b"", b"", data), 0
    message: Message | None = None
    error: MessageError | FramingError | None = None
    try:
        cut, fault = cut_of(data, framing)
        position = cut.start
        has_tpdu = framing.tpdu != "none" and start in ("length", "tpdu")
        frame = _split(data[cut.start : cut.stop], has_tpdu, header_bytes)
        if exact and header_bytes:
            framing.envelope.header.check(frame.header)
        position = cut.stop - len(frame.body)
        message = language.decode(frame.body)
        error = fault
    except (MessageError, FramingError) as caught:
        error = caught
        message = caught.partial if isinstance(caught, MessageError) else message
    points = _points(language, message, error, position)
    if language.dialect.wire.bitmap == "binary" and _HEX_DIGITS.issuperset(frame.body[4:12]):
        points += _TEXT_AS_BITMAP
    if error is None and exact:
        points += _EXACT_FRAMING * (STARTS.index("mti") - STARTS.index(start))
    elif isinstance(error, FramingError):
        points = 2 * len(data) if exact and start == "length" and _looks_framed(framing, data) else 0
    lead, trail = data[: cut.start], data[cut.stop : cut.end]
    return Reading(
        language, start, cut.length, frame, position, data[cut.end :], message, error, points, framing, lead, trail
    )


def _framed_reading(data: bytes, outer: OuterFrame, content: Content) -> Reading:
    body_offset = outer.stop - len(content.frame.body)
    envelope = content.framing.envelope
    length = None if content.framing.length == "none" else outer.stop - outer.start + envelope.counted_bytes
    return Reading(
        content.language,
        "length",
        length,
        content.frame,
        body_offset,
        data[outer.end :],
        content.message,
        None,
        content.points,
        content.framing,
        data[: outer.start],
        data[outer.stop : outer.end],
    )


def _cut_frame(data: bytes, framing: Framing) -> tuple[_Cut, FramingError | None]:
    """The first frame, and what is wrong with its end where its message may be looked at all the same."""
    envelope = framing.envelope
    extent = envelope.extent(data, 0)
    if extent is None:
        raise FramingError("too short for a length" if framing.length != "none" else "no ETX (03)")
    start, stop, end = extent
    if start == stop:
        raise FramingError("length 0: a keep-alive, no message")
    length = None if framing.length == "none" else stop - start + envelope.counted_bytes
    if end > len(data):
        counted = len(data) - start - (0 if envelope.counted_bytes else envelope.trail_bytes)
        fault = FramingError(f"length {length}, but only {max(counted, 0)} bytes follow")
        return _Cut(start, min(stop, _without_trailer(data, framing)), len(data), length), fault
    try:
        envelope.content(data, extent)
    except FramingError as error:
        return _Cut(start, stop, end, length), error
    return _Cut(start, stop, end, length), None


def _cut_trailer(data: bytes, framing: Framing) -> tuple[_Cut, FramingError | None]:
    """Bytes that begin behind the length may bring the trailer with them, or not."""
    return _Cut(0, _without_trailer(data, framing), len(data), None), None


def _cut_nothing(data: bytes, framing: Framing) -> tuple[_Cut, FramingError | None]:
    return _Cut(0, len(data), len(data), None), None


def _without_trailer(data: bytes, framing: Framing) -> int:
    """Where the content ends whose trailer may be there."""
    stop = len(data) - framing.envelope.trail_bytes
    return stop if data[stop : stop + 1] == ETX else len(data)


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
    if framing.tpdu != "none" and TPDU_ID in (*data[2:3], *(data[4:5] if data[:4].isdigit() else b"")):
        return True
    try:
        extent = framing.envelope.extent(data, 0)
    except FramingError:
        return False
    return extent is not None and extent[2] == len(data)
