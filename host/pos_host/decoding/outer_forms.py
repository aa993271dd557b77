"""The forms in which a frame may say where it ends, all tried on the bytes of an unknown sender."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from pos_specs.envelope import Framing
from pos_specs.errors import FramingError
from pos_specs.length_counters import LENGTH_COUNTERS

_Around = tuple[str, str, tuple[str, ...]]

_COMMON: tuple[_Around, ...] = (
    ("none", "none", ()),
    ("none", "none", ("itself",)),
    ("none", "etx", ("trailer",)),
    ("none", "etx", ()),
    ("stx", "etx-lrc", ()),
)
"""Start, trailer, and what the length counts besides the content, as in the field (hypercom.md 1.1 and 1.4)."""

_AROUND: tuple[_Around, ...] = tuple(
    dict.fromkeys(
        (
            *_COMMON,
            *product(("none", "stx"), ("none",), ((), ("itself",))),
            *product(("none", "stx"), ("etx", "etx-lrc"), ((), ("trailer",), ("itself",), ("itself", "trailer"))),
        )
    )
)
"""The common ones first, then whatever else a dialect file can say."""

COUNTED_MOST = 4
"""The most bytes that a length may count besides the content: itself, where it has two bytes, ETX and LRC; with a
longer one there is room to spare."""

_WITHOUT_LENGTH = (("stx", "etx-lrc"), ("stx", "etx"), ("none", "etx"))


MOST_KEEP_ALIVES = 8
"""So many may stand before a first frame; a line that is full of zeros is no line of keep-alives."""


class OuterFrame(NamedTuple):
    """The first frame of some bytes, read in one form: where its content begins and ends, and where it ends itself."""

    form: Framing
    start: int
    stop: int
    end: int


def outer_forms(most_bytes: int) -> tuple[Framing, ...]:
    """Every known form without TPDU and header, the commonest first, for frames of at most `most_bytes`."""
    forms = [
        Framing(length, "none", "none", min(most_bytes, counter.most - COUNTED_MOST), counts, start, trailer)  # type: ignore[arg-type]
        for start, trailer, counts in _AROUND
        for length, counter in LENGTH_COUNTERS.items()
    ]
    unsaid = [Framing("none", "none", "none", most_bytes, (), start, trailer) for start, trailer in _WITHOUT_LENGTH]  # type: ignore[arg-type]
    return (*forms, *unsaid)


def first_frames(data: bytes, forms: tuple[Framing, ...]) -> Iterator[OuterFrame]:
    """The first frame of `data` in each form in which it is complete; some keep-alives before it are passed over."""
    for form in forms:
        try:
            frame = first_frame(data, form)
        except FramingError:
            continue
        if frame is not None:
            yield frame


def ends_with_a_frame(data: bytes, frame: OuterFrame) -> bool:
    """True when what stands behind `frame` is nothing, or further whole frames of its form."""
    position = frame.end
    try:
        while position < len(data):
            extent = frame.form.envelope.extent(data, position)
            if extent is None or extent[2] > len(data):
                return False
            frame.form.envelope.content(data, extent)
            position = extent[2]
    except FramingError:
        return False
    return True


def first_frame(data: bytes, form: Framing) -> OuterFrame | None:
    """The first frame in one form, None where it is not complete; raises FramingError where there will be none."""
    envelope, position = form.envelope, 0
    for _ in range(MOST_KEEP_ALIVES + 1):
        extent = envelope.extent(data, position)
        if extent is None or extent[2] > len(data):
            return None
        if envelope.content(data, extent):
            return OuterFrame(form, *extent)
        position = extent[2]
    return None


def same_form(framing: Framing, form: Framing) -> bool:
    """True when both say in the same way where a frame ends."""
    return _form_of(framing) == _form_of(form)


def _form_of(framing: Framing) -> tuple[object, ...]:
    return framing.length, frozenset(framing.counts), framing.start, framing.trailer
