"""What stands inside a frame whose end is known: TPDU, header, and a message of which dialect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from pos_host.decoding.outer_forms import COUNTED_MOST, same_form
from pos_host.decoding.plausibility import names_function, plausibility
from pos_specs.bitmap import bitmap_reader, elements_of
from pos_specs.dialect import Framing, Wire
from pos_specs.errors import FramingError, MessageError
from pos_specs.frame import TPDU_BYTES, TPDU_ID, Frame
from pos_specs.language import Language
from pos_specs.length_counters import LENGTH_COUNTERS
from pos_specs.message import Message
from pos_specs.text_codecs import EBCDIC

LONGEST_HEADER_BYTES = 26
"""Visa's reject header, the longest that is known (hypercom.md 1.4)."""

ERROR_TPDU_ID = 0x68
"""An error packet: what follows it is nobody's message (hypercom.md 1.2)."""

_OWN_PIECE = 200
"""Points for each of TPDU, header and end that is as the dialect has it; more than any message gains by itself,
but for its function: see plausibility."""

_MTI = re.compile(r"[012][1-9][0-9][0-5]")
"""Edition, class, function, origin: what the standard gives out, and UnionPay's class 9 (unionpay.md 3)."""


class Content(NamedTuple):
    """One way to read a frame: the dialect, the frame cut, its message, and the framing that it has all in all."""

    language: Language
    framing: Framing
    frame: Frame
    message: Message
    points: int


def read_content(content: bytes, forms: list[Framing], languages: Iterable[Language]) -> list[Content]:
    """Every dialect that can read all of `content`, each in its best way, best first.

    `forms` are those in which the frame ends where it ends: the dialect's own is taken, else the first.
    """
    if content[:1] == bytes([ERROR_TPDU_ID]):
        return []
    best: dict[str, Content] = {}
    for language in languages:
        for found in _readings(content, forms, language):
            if language.name not in best or found.points > best[language.name].points:
                best[language.name] = found
    return sorted(best.values(), key=lambda found: (found.points, -len(found.language.dialect.bases)), reverse=True)


def _readings(content: bytes, forms: list[Framing], language: Language) -> Iterator[Content]:
    own = language.dialect.framing
    tpdu_bytes = TPDU_BYTES if content[0] == TPDU_ID else 0
    for header_bytes in range(LONGEST_HEADER_BYTES + 1):
        begin = tpdu_bytes + header_bytes
        body = content[begin:]
        if mti_at(body, language.dialect.wire.mti) is None or not _may_be(language, body):
            continue
        frame = Frame(content[:tpdu_bytes], content[tpdu_bytes:begin], body)
        form = next((form for form in forms if same_form(form, own)), forms[0])
        framing = _framing(own, form, frame)
        try:
            message = language.decode(body)
        except MessageError:
            continue
        if message.fields and _is_convincing(language, message, frame, framing):
            pieces = (framing.tpdu == own.tpdu) + (framing.header == own.header) + same_form(form, own)
            yield Content(language, framing, frame, message, plausibility(language, message) + _OWN_PIECE * pieces)


def mti_at(data: bytes, encoding: str) -> str | None:
    """The MTI at the beginning of `data` in `bcd`, `ascii` or `ebcdic`; None where there stands none."""
    if encoding == "bcd":
        digits = data[:2].hex()
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
    elements = bitmap_at(body, language.dialect.wire)
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
