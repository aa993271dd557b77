"""The first frame of an unknown peer: collects its bytes until framing and dialect are known, or cannot be."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.decoding.explain import explain, framing_in_words
from pos_host.decoding.frame_content import Content
from pos_host.decoding.outer_forms import first_frames, outer_forms
from pos_host.decoding.recognise import contents, reframed
from pos_specs.language import Language

MOST_BYTES = 4096
"""Bytes that are kept of a peer nobody knows yet: the longest frame that a shipped dialect allows."""

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
        return len(self.received) > MOST_BYTES

    def receive_data(self, data: bytes) -> Recognised | None:
        """What the peer speaks, once the first frame is there and some dialect can read it.

        Each form of frame is tried once, when its frame is complete, so that bytes coming singly cost little.
        """
        self.received += data
        if self.received in KEEP_ALIVES:
            self.received = b""
            return None
        frames = list(first_frames(self.received, self._untried))
        complete = {id(frame.form) for frame in frames}
        self._untried = tuple(form for form in self._untried if id(form) not in complete)
        found = [content for _, read in contents(self.received, frames, self._languages) for content in read]
        return _recognised(found) if found else None

    def explain(self) -> str:
        """What is seen in the bytes that nobody can read, without a byte that may belong to a card number."""
        return explain(self.received, self._languages, mask=True).in_one_line()


def _recognised(found: list[Content]) -> Recognised:
    best, *others = sorted(
        found, key=lambda content: (content.points, -len(content.language.dialect.bases)), reverse=True
    )
    message = best.message
    rule = best.language.function_of(message)
    why = f"MTI {message.mti} in {best.language.dialect.wire.mti}, {len(message.fields)} elements to the frame's end"
    meant = "" if rule is None else f", which is {rule.name}"
    fits = dict.fromkeys(content.language.name for content in others)
    fits.pop(best.language.name, None)
    return Recognised(reframed(best.language, best.framing), framing_in_words(best.framing), why + meant, tuple(fits))
