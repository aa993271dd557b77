"""Why bytes cannot be read: what is seen in them, where the likeliest dialect fails, and what to try."""

from __future__ import annotations

import re
from typing import NamedTuple

from pos_host.decoding.first_look import BITMAPS, MTI_ENCODINGS, FirstLook, look_at
from pos_host.decoding.plausibility import plausibility
from pos_host.decoding.recognise import Reading, read_as, read_framed_otherwise
from pos_host.decoding.remedies import remedies
from pos_specs.dialect import DataElement, Wire
from pos_specs.envelope import Framing
from pos_specs.errors import FramingError, MessageError
from pos_specs.language import Language

_TOO_SHORT = re.compile(r"Field data is (\d+) (bytes|nibbles), expecting (\d+)")
_TOO_LONG = re.compile(r"Field data is (\d+) (bytes|nibbles), larger than maximum (\d+)")
_IN_WORDS = (
    ("Failed to decode field length", "its length is no number"),
    ("Field length is", "the message ends before its length"),
)
"""What pyiso8583 says, in our words."""

MOST_DOCTORED = 3
"""Dialects that are changed by way of trial, those that came furthest: each costs some ten milliseconds."""

_COUNTERS = {"bcd": "BCD", "binary": "binary", "ascii": "ASCII", "ebcdic": "EBCDIC"}
_UNITS = {"bytes": "bytes", "nibbles": "digits"}


class Explanation(NamedTuple):
    """Sentences without full stops: what is `seen`, where reading `failed` (empty where nothing was read), what to
    try. None of them holds the content of an element. `is_message` where an MTI with a bitmap was seen."""

    seen: tuple[str, ...]
    failed: str
    tries: tuple[str, ...]
    is_message: bool = True

    def in_one_line(self, place: str = "") -> str:
        """All of it, as a log has it; `place` is not told again where a line names it already."""
        failed = self.failed.removeprefix(place).lstrip(": ") if place else self.failed
        tries = f"try {' or '.join(self.tries)}" if self.tries else ""
        return "; ".join(filter(None, (*self.seen, failed, tries)))

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {"seen": list(self.seen), "failed": self.failed or None, "try": list(self.tries)}


def explain(data: bytes, languages: list[Language], *, mask: bool) -> Explanation:
    """The explanation of bytes that no dialect of `languages` can read.

    With `mask` no byte is shown that may belong to a card number.
    """
    look = look_at(data, mask=mask)
    if look.wire is None:
        return Explanation(look.facts, "", (), is_message=False)
    spoken = [language for language in languages if _written_alike(language.dialect.wire, look.wire)]
    if not spoken:
        return Explanation(look.facts, _written_otherwise(languages), ())
    attempts = [_attempt(language, look) for language in spoken]
    attempts.sort(key=lambda attempt: (attempt.points, -len(attempt.language.dialect.bases)), reverse=True)
    best = attempts[0]
    if best.error is None:
        return Explanation(look.facts, *_framing_fault(data, look, best.language))
    tries = next(filter(None, (_tries(attempt, look.body) for attempt in attempts[:MOST_DOCTORED])), ())
    return Explanation(look.facts, _failure(best, best.error, look.body_at), tries)


def _tries(attempt: _Attempt, body: bytes) -> tuple[str, ...]:
    if attempt.error is None:
        return ()
    dialect = attempt.language.dialect
    changes = remedies(dialect, body, attempt.error)
    return tuple(f"a dialect that extends {dialect.name} with [{change.table}] {change.line}" for change in changes)


class _Attempt(NamedTuple):
    """How far a dialect came with a message."""

    language: Language
    error: MessageError | None
    points: int


def _attempt(language: Language, look: FirstLook) -> _Attempt:
    try:
        return _Attempt(language, None, plausibility(language, language.decode(look.body)) + len(look.body) * 4)
    except MessageError as error:
        points = 0 if error.partial is None else plausibility(language, error.partial)
        return _Attempt(language, error, points + 2 * (error.offset or 0))


def _written_alike(wire: Wire, seen: Wire) -> bool:
    return (wire.mti, wire.bitmap) == (seen.mti, seen.bitmap)


def _written_otherwise(languages: list[Language]) -> str:
    if len(languages) > 1:
        return "no dialect at hand is written so"
    wire = languages[0].dialect.wire
    return f"{languages[0].name} has its MTI in {MTI_ENCODINGS[wire.mti]} and a bitmap that is {BITMAPS[wire.bitmap]}"


def _framing_fault(data: bytes, look: FirstLook, language: Language) -> tuple[str, tuple[str, ...]]:
    """The message alone can be read, so that what is wrong is around it."""
    otherwise = read_framed_otherwise(data, [language])
    tries = (f"a dialect that extends {language.name} with {framing_change(otherwise[0])}",) if otherwise else ()
    readings = read_as(data, [language], "length") if look.is_framed else []
    error = readings[0].error if readings else None
    if isinstance(error, FramingError):
        return f"{language.name}: {error.reason}", tries
    return f"{language.name} can read what stands from byte {look.body_at} on, but not what stands before it", tries


def _failure(attempt: _Attempt, error: MessageError, body_at: int) -> str:
    """Where and why a dialect failed, and what it expected there."""
    dialect = attempt.language.dialect
    where = error.place if error.offset is None else f"{error.place} at byte {body_at + error.offset}"
    element = dialect.elements.get(int(error.field)) if error.field.isdigit() else None
    if element is None:
        return f"{where}: {error.reason}" + ("" if dialect.name in error.reason else f" ({dialect.name})")
    gives = f"{dialect.name} gives it {_given(element)}"
    short, long = _TOO_SHORT.match(error.reason), _TOO_LONG.match(error.reason)
    if error.reason.startswith("Extra data"):
        return f"{where}: bytes are left over behind it, of which the bitmap does not speak ({dialect.name})"
    if long is not None:
        return f"{where} is too long: {gives}, which says {long[1]}, and {long[3]} are the most"
    if short is None:
        told = next((words for reason, words in _IN_WORDS if error.reason.startswith(reason)), error.reason)
        return f"{where}: {told} ({gives})"
    there, unit, wanted = int(short[1]), _UNITS[short[2]], int(short[3])
    if there > wanted:
        return f"{where}: {gives}, padded with {element.pad} on the {element.pad_side}, and the pad is another digit"
    says = f", which says {wanted}" if element.length_digits else ""
    return f"{where} runs past the end: {gives}{says}, and {there} {unit} follow"


def _given(element: DataElement) -> str:
    """`a 2-byte BCD length`, or the format of an element without one."""
    if not element.length_digits:
        return f"the format {element.format}"
    return f"a {element.counter_bytes}-byte {_COUNTERS[element.counter]} length"


def start_in_words(starts_at: str) -> str:
    """`mti` → `from the MTI on`."""
    return f"from the {_STARTS[starts_at]} on"


def framing_in_words(framing: Framing) -> str:
    """`2-byte length, TPDU, 6-byte header`, for a log line and a headline."""
    length = _LENGTHS.get(framing.length, framing.length)
    pieces = [
        "STX" if framing.start == "stx" else "",
        f"{length} that counts itself" if "itself" in framing.counts else length,
        "TPDU" if framing.tpdu != "none" else "no TPDU",
        f"{framing.envelope.header.size}-byte header" if framing.envelope.header.size else "no header",
        {"none": "", "etx": "ETX", "etx-lrc": "ETX and LRC"}[framing.trailer],
    ]
    return ", ".join(filter(None, pieces))


_STARTS = {"length": "length", "tpdu": "TPDU", "header": "header", "mti": "MTI"}

_LENGTHS = {
    "binary2": "2-byte length",
    "binary2-le": "2-byte length with the low byte first",
    "binary3": "3-byte length",
    "binary4": "4-byte length",
    "binary2-zeros": "2-byte length and two zero bytes",
    "zeros-binary2": "two zero bytes and a 2-byte length",
    "bcd2": "length of 2 bytes in BCD",
    "ascii4": "length of 4 ASCII digits",
    "hex4": "length of 4 hex digits in ASCII",
    "none": "no length",
}


def framing_change(reading: Reading) -> str:
    """The lines of `[framing]` by which a reading's framing differs from its dialect's own."""
    own, seen = reading.language.dialect.framing, reading.framed_as
    lines = []
    for key in ("length", "start", "trailer", "tpdu", "header"):
        if getattr(own, key) != getattr(seen, key):
            lines.append(f'{key} = "{getattr(seen, key)}"')
    if own.counts != seen.counts:
        lines.append(f"counts = [{', '.join(chr(34) + counted + chr(34) for counted in seen.counts)}]")
    return f"[framing] {', '.join(lines)}"
