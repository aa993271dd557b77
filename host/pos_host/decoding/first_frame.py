"""The first frame of an unknown peer: collects its bytes until framing and dialect are known, or cannot be."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.decoding.explain import explain, framing_in_words
from pos_host.decoding.first_look import MTI_ENCODINGS
from pos_host.decoding.frame_content import Content, rank
from pos_host.decoding.outer_forms import OuterFrame, first_frame, outer_forms
from pos_host.decoding.recognise import contents, reframed
from pos_specs.errors import FramingError
from pos_specs.language import Language

MOST_BYTES = 4096
"""Of a frame, without what stands around it: the most that a shipped dialect allows."""

KEPT_BYTES = MOST_BYTES + 8
"""Bytes that are kept of a peer nobody knows yet: such a frame, with STX, four bytes of length, ETX and LRC."""

KEEP_ALIVES = (b"\0\0", b"\0\0\0", b"\0\0\0\0")
"""A length of zero that comes by itself. The first half of a longer length looks like the shortest of them, but only
a peer that sends its bytes singly would divide it there."""

_FORMS = outer_forms(MOST_BYTES)


class Recognised(NamedTuple):
    """What a peer speaks: the dialect with the framing seen, in words `framing` and `why`, and who else `fits`."""

    language: Language
    framing: str
    why: str
    fits: tuple[str, ...]


class FirstFrame:
    """Bytes of one peer. `is_full` when no more are taken."""

    __slots__ = ("_languages", "_untried", "received")

    def __init__(self, languages: list[Language]) -> None:
        self._languages = languages
        self._untried = _FORMS
        self.received = b""

    @property
    def is_full(self) -> bool:
        return len(self.received) > KEPT_BYTES

    def receive_data(self, data: bytes) -> Recognised | None:
        """What the peer speaks, once the first frame is there and some dialect can read it.

        Each form of frame is tried once, when its frame is complete, so that bytes coming singly cost little.
        """
        self.received += data
        if self.received in KEEP_ALIVES:
            self.received = b""
            return None
        frames, waiting = [], []
        for form in self._untried:
            try:
                frame = first_frame(self.received, form)
            except FramingError:
                continue
            if frame is None:
                waiting.append(form)
            else:
                frames.append(frame)
        self._untried = tuple(waiting)
        found = self._read(frames, in_own_framing=True) or self._read(frames, in_own_framing=False)
        return _recognised(found) if found else None

    def _read(self, frames: list[OuterFrame], *, in_own_framing: bool) -> list[Content]:
        ends = contents(self.received, frames, self._languages, in_own_framing=in_own_framing)
        return [content for _, found in ends for content in found]

    def explain(self) -> str:
        """What is seen in the bytes that nobody can read, without a byte that may belong to a card number."""
        return explain(self.received[:KEPT_BYTES], self._languages, mask=True).in_one_line()


def _recognised(found: list[Content]) -> Recognised:
    best, *others = sorted(found, key=rank, reverse=True)
    message = best.message
    rule = best.language.function_of(message)
    written = MTI_ENCODINGS[best.language.dialect.wire.mti]
    why = f"MTI {message.mti} in {written}, {len(message.fields)} elements to the frame's end"
    meant = "" if rule is None else f", which is {rule.name}"
    as_its_own = best.framing == best.language.dialect.framing
    likely = [other for other in others if not as_its_own or other.framing == other.language.dialect.framing]
    fits = dict.fromkeys(other.language.name for other in likely if other.language is not best.language)
    return Recognised(reframed(best.language, best.framing), framing_in_words(best.framing), why + meant, tuple(fits))
