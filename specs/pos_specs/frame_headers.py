"""Headers between TPDU and message: which are expected, and how each is answered.

A header is given by name (`none`, `unionpay`, `base24`) or by its pattern: `hex:0100`, `text:ISO8583-1993#########`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pos_specs.errors import FramingError

MOST_HEADER_BYTES = 64
"""The longest header known is Visa's reject header with 26 bytes (hypercom.md 1.4)."""

SHOWN_BYTES = 8
"""Of a header that does not fit so many bytes are told. Where there is no header at all, MTI and bitmap take ten
bytes and more, so that no card number comes into view."""

_NAMED = {
    "none": ("", ""),
    "unionpay": ("hex:xxxxxxxxxxxx", "hex:xxxxx0xxxxxx"),
    "base24": ("text:ISO#######xx", "text:xxxxxxx000x5"),
}
"""Pattern and answer.

unionpay: repeated with the processing requirement 0; hex letters occur in it (unionpay.md 1).
base24: product, release, status, originator, responder. A host that answers keeps the originator and is itself the
responder, 5, as where KABA's echo with …10 is answered with …15; status 000 is no error (hypercom.md 1.3, 3.3).
"""

_SENT = {"unionpay": bytes.fromhex("603100311000"), "base24": b"ISO026000010"}
"""What a terminal begins its messages with. unionpay: magnetic-stripe financial application, version 31, normal
state (unionpay.md 1). base24: POS, release 60, no error, from the side of the devices (hypercom.md 1.3)."""


_REQUIREMENT_BYTE = {"unionpay": 2}
"""Whose second digit is the processing requirement: what the host wants of the terminal (unionpay.md 1)."""

SIGN_IN_AGAIN = 3
"""The processing requirement by which a host asks for a new sign-in (unionpay.md 1)."""


class ByteRule(NamedTuple):
    """One byte of a pattern: two hex digits as `shown`, `x` for any and `3#` for an ASCII digit."""

    shown: str

    @property
    def fixed_bits(self) -> int:
        """The bits that the pattern says."""
        return sum(0xF << shift for digit, shift in zip(self.shown, (4, 0), strict=True) if digit not in "x#")

    @property
    def bits(self) -> int:
        """What they are, the others being 0."""
        return int(re.sub("[x#]", "0", self.shown), 16)

    def fits(self, byte: int) -> bool:
        """True when `byte` is what the pattern says."""
        return byte & self.fixed_bits == self.bits and (self.shown[1] != "#" or byte & 0xF <= 9)


class FrameHeader:
    """The header of one framing: its `size` in bytes, what is `expected` (the pattern in hex, `x` for any digit and
    `3#` for an ASCII digit), what fits and is answered, and what a terminal has `sent`.

    `answer` is a pattern whose open places are the request's; empty, the header is answered as it came.
    Raises ValueError where either is no pattern, in words that follow the key's name.
    """

    def __init__(self, header: str, answer: str = "") -> None:
        pattern, usual_answer = _NAMED.get(header, (header, ""))
        self._patterns = _read_patterns(pattern) if pattern else [()]
        self.size = len(self._patterns[0])
        answer = answer or usual_answer
        answers = _read_patterns(answer) if answer else [_repeated(self.size)]
        if len(answers) > 1 or "#" in answer or len(answers[0]) != self.size:
            raise ValueError(f"is {answer!r}, must be one pattern of {self.size} bytes, without #")
        self._answer = [(~rule.fixed_bits & 0xFF, rule.bits) for rule in answers[0]]
        self.sent = _SENT.get(header) or bytes(rule.bits if rule.fixed_bits else 0x30 for rule in self._patterns[0])
        self.expected = " or ".join("".join(rule.shown for rule in pattern) for pattern in self._patterns)
        self._requirement_byte = _REQUIREMENT_BYTE.get(header)
        answered = [_answered(pattern, answers[0]) for pattern in self._patterns]
        self._patterns += [pattern for pattern in answered if pattern not in self._patterns]

    def check(self, header: bytes) -> None:
        """Raises FramingError saying what was seen and expected where `header` fits no pattern."""
        misfits = [_first_misfit(pattern, header) for pattern in self._patterns]
        if None not in misfits:
            seen = header[:SHOWN_BYTES].hex().upper() + ("…" if self.size > SHOWN_BYTES else "")
            place = max(misfit for misfit in misfits if misfit is not None)
            raise FramingError(f"header {seen} instead of {self.expected}: byte {place + 1} does not fit")

    def answer(self, header: bytes) -> bytes:
        """The header that answers `header`."""
        return bytes(byte & kept | put for byte, (kept, put) in zip(header, self._answer, strict=True))

    def requiring(self, header: bytes, requirement: int) -> bytes:
        """`header` with a processing requirement (0 to 15) in it; as it is where such headers have none."""
        place = self._requirement_byte
        if place is None:
            return header
        return header[:place] + bytes((header[place] & 0xF0 | requirement,)) + header[place + 1 :]

    def requirement_of(self, header: bytes) -> int:
        """The processing requirement in an answer's header; 0 where such headers have none."""
        place = self._requirement_byte
        return 0 if place is None or len(header) <= place else header[place] & 0xF


_Pattern = tuple[ByteRule, ...]


def _first_misfit(pattern: _Pattern, header: bytes) -> int | None:
    return next((place for place, rule in enumerate(pattern) if not rule.fits(header[place])), None)


def _answered(pattern: _Pattern, answer: _Pattern) -> _Pattern:
    """What the answers to a pattern look like: a terminal must be able to read them."""
    both = zip(pattern, answer, strict=True)
    return tuple(
        ByteRule("".join(ours if put == "x" else put for ours, put in zip(rule.shown, reply.shown, strict=True)))
        for rule, reply in both
    )


def _repeated(size: int) -> _Pattern:
    return (ByteRule("xx"),) * size


def _read_patterns(text: str) -> list[_Pattern]:
    """`hex:01xx|0200` or `text:A|B` as patterns of one length."""
    notation, colon, rest = text.partition(":")
    if notation not in _READERS or not colon:
        raise ValueError(f"is {text!r}, must be {', '.join(_NAMED)}, hex:… or text:…")
    patterns = [_READERS[notation](alternative) for alternative in rest.split("|")]
    sizes = {len(pattern) for pattern in patterns}
    if len(sizes) > 1 or not 0 < max(sizes) <= MOST_HEADER_BYTES:
        raise ValueError(f"is {text!r}, must be patterns of one length, from 1 to {MOST_HEADER_BYTES} bytes")
    return patterns


def _read_hex(text: str) -> _Pattern:
    if re.fullmatch(r"(?:[0-9A-Fa-fx]{2})*", text) is None:
        raise ValueError(f"{text!r} is not pairs of hex digits, with x for any digit")
    digits = re.sub("[a-f]", lambda digit: digit[0].upper(), text)
    return tuple(ByteRule(digits[place : place + 2]) for place in range(0, len(digits), 2))


def _read_text(text: str) -> _Pattern:
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{text!r} is not printable ASCII; write it as hex:…")
    open_places = {"x": "xx", "#": "3#"}
    return tuple(ByteRule(open_places.get(character, f"{ord(character):02X}")) for character in text)


_READERS = {"hex": _read_hex, "text": _read_text}
