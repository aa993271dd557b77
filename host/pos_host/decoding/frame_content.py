"""What stands inside a frame whose end is known: TPDU, header, and a message of which dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pos_host.decoding.outer_forms import COUNTED_MOST, same_form
from pos_host.decoding.plausibility import names_function, plausibility
from pos_specs.bitmap import bitmap_reader, elements_of
from pos_specs.dialect import Wire
from pos_specs.envelope import Framing
from pos_specs.errors import FramingError, MessageError
from pos_specs.frame import TPDU_BYTES, TPDU_ID, Frame
from pos_specs.language import Language
from pos_specs.length_counters import LENGTH_COUNTERS
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC

LONGEST_HEADER_BYTES = 26
"""Visa's reject header, the longest that is known (hypercom.md 1.4)."""

LONGEST_START_BYTES = 4 + 32
"""MTI and bitmaps of the widest dialect, in characters."""

_ENCODINGS = ("bcd", "ascii", "ebcdic")

ERROR_TPDU_ID = 0x68
"""An error packet: what follows it is nobody's message (hypercom.md 1.2)."""

_OWN_PIECE = 200
"""Points for each of TPDU, header and end that is as the dialect has it; more than any message gains by itself,
but for its function: see plausibility."""

_DIGITS = tuple(bytes([digit]) for digit in b"0123456789")

_MTI = re.compile(r"[012][1-9][0-9][0-5]")
"""Edition, class, function, origin: what the standard gives out, and UnionPay's class 9 (unionpay.md 3)."""


class Content(NamedTuple):
    """One way to read a frame: the dialect, the frame cut, its message, and the framing that it has all in all."""

    language: Language
    framing: Framing
    frame: Frame
    message: Message
    points: int


def read_content(
    content: bytes, forms: list[Framing], languages: list[Language], *, in_own_framing: bool
) -> list[Content]:
    """Every dialect that can read all of `content`, each in its best way, best first.

    `forms` are those in which the frame ends where it ends. Dialects in their own framing are found with a hundredth
    of the work that it takes to look for others.
    """
    if content[:1] == bytes([ERROR_TPDU_ID]):
        return []
    look = _in_own_framing if in_own_framing else _in_any_framing
    best: dict[str, Content] = {}
    for reading in look(content, forms, languages):
        if reading.language.name not in best or reading.points > best[reading.language.name].points:
            best[reading.language.name] = reading
    return sorted(best.values(), key=rank, reverse=True)


def rank(content: Content) -> tuple[int, int]:
    """More is likelier; a dialect comes before those that extend it."""
    return content.points, -len(content.language.dialect.bases)


def _in_own_framing(content: bytes, forms: list[Framing], languages: list[Language]) -> Iterator[Content]:
    for language in languages:
        own = language.dialect.framing
        form = next((form for form in forms if same_form(form, own)), None)
        has_tpdu = content[0] == TPDU_ID
        if form is None or has_tpdu != (own.tpdu != "none"):
            continue
        begin = own.envelope.head_bytes
        if _has_own_header(own, content[own.envelope.tpdu_bytes : begin]):
            yield from _reading(content, begin, form, language)


def _in_any_framing(content: bytes, forms: list[Framing], languages: list[Language]) -> Iterator[Content]:
    tpdu_bytes = TPDU_BYTES if content[0] == TPDU_ID else 0
    for begin in range(tpdu_bytes, tpdu_bytes + LONGEST_HEADER_BYTES + 1):
        head = content[begin : begin + LONGEST_START_BYTES]
        written = {encoding for encoding in _ENCODINGS if mti_at(head, encoding) is not None}
        for language in languages if written else ():
            if language.dialect.wire.mti in written:
                own = language.dialect.framing
                form = next((form for form in forms if same_form(form, own)), forms[0])
                yield from _reading(content, begin, form, language)


def _reading(content: bytes, begin: int, form: Framing, language: Language) -> Iterator[Content]:
    """The one way to read what begins there as a message of the dialect, if there is one."""
    own, body = language.dialect.framing, content[begin:]
    if mti_at(body, language.dialect.wire.mti) is None or not _may_be(language, body):
        return
    try:
        message = language.decode(body)
    except MessageError:
        return
    tpdu_bytes = TPDU_BYTES if content[0] == TPDU_ID else 0
    frame = Frame(content[:tpdu_bytes], content[tpdu_bytes:begin], body)
    framing = _framing(own, form, frame)
    if message.fields and _is_convincing(language, message, frame, framing):
        pieces = (framing.tpdu == own.tpdu) + (framing.header == own.header) + same_form(form, own)
        yield Content(language, framing, frame, message, plausibility(language, message) + _OWN_PIECE * pieces)


def mti_at(data: bytes, encoding: str) -> str | None:
    """The MTI at the beginning of `data` in `bcd`, `ascii` or `ebcdic`; None where there stands none."""
    if encoding == "bcd":
        digits = data[:2].hex()
    elif (data[:1] in _DIGITS) != (encoding == "ascii"):
        return None
    else:
        digits = data[:4].decode("ascii" if encoding == "ascii" else EBCDIC, "replace")
    return digits if _MTI.fullmatch(digits) else None


def bitmap_at(data: bytes, wire: Wire) -> tuple[int, ...] | None:
    """The elements that the bitmap behind the MTI names; None where there is none."""
    try:
        return elements_of(wire, bitmap_reader(wire)(data))
    except MessageError:
        return None


def _may_be(language: Language, body: bytes) -> bool:
    """False for most bytes that happen to look like an MTI, found out without reading a message."""
    elements = bitmap_at(body[:LONGEST_START_BYTES], language.dialect.wire)
    return bool(elements) and language.dialect.elements.keys() >= set(elements or ())


def _is_convincing(language: Language, message: Message, frame: Frame, framing: Framing) -> bool:
    """Bytes skipped before the MTI are only forgiven where the message then means something."""
    strange = bool(frame.header) and framing.header != language.dialect.framing.header
    return not strange or names_function(language, message)


def _framing(own: Framing, form: Framing, frame: Frame) -> Framing:
    """The dialect's framing with what the frame shows to be otherwise."""
    counter = LENGTH_COUNTERS.get(form.length)
    framing = replace(
        own,
        length=form.length,
        counts=form.counts,
        start=form.start,
        trailer=form.trailer,
        tpdu="none" if not frame.tpdu else own.tpdu if own.tpdu != "none" else "swap",
        max_frame_bytes=own.max_frame_bytes
        if counter is None
        else min(own.max_frame_bytes, counter.most - COUNTED_MOST),
    )
    if _has_own_header(own, frame.header):
        return framing
    return replace(framing, header=f"hex:{'xx' * len(frame.header)}" if frame.header else "none", header_answer="")


def _has_own_header(own: Framing, header: bytes) -> bool:
    if len(header) != own.envelope.header.size:
        return False
    try:
        own.envelope.header.check(header)
    except FramingError:
        return False
    return True
