"""ISO 8601 durations of fixed length, as policies write them: "PT30M", "P2D", "PT24H"."""

from __future__ import annotations

import re
from fractions import Fraction

LONGEST_DURATION_MS = 366 * 24 * 3_600_000
"""A year: no batch waits longer, so a longer duration is a typing error."""

_WEEKS = re.compile(r"P([0-9]+)W")
_PARTS = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]{1,3})?)S)?)?"
)
_MS_OF_PARTS = (24 * 3_600_000, 3_600_000, 60_000, 1_000)


class DurationError(ValueError):
    """A text that is no duration of fixed length; the error says what is expected."""


def duration_ms(text: str) -> int:
    """The milliseconds of an ISO 8601 duration; a day has 24 hours, a week 7 days.

    Years and months are refused, since their length depends on the calendar. Raises DurationError.
    """
    total_ms = _milliseconds(text)
    if total_ms is None:
        raise DurationError(f"{text!r} is not a duration such as PT30M, PT24H, P2D or P1DT12H")
    if total_ms > LONGEST_DURATION_MS:
        raise DurationError(f"{text!r} is longer than a year")
    return total_ms


def duration_text(total_ms: int) -> str:
    """The shortest ISO 8601 text of so many milliseconds: "P2D", "PT90S" is "PT1M30S"."""
    days, rest = divmod(total_ms, _MS_OF_PARTS[0])
    parts = []
    for unit, unit_ms in zip("HM", _MS_OF_PARTS[1:3], strict=True):
        number, rest = divmod(rest, unit_ms)
        parts += [f"{number}{unit}"] if number else []
    if rest:
        seconds, thousandths = divmod(rest, _MS_OF_PARTS[3])
        parts.append(f"{seconds}.{thousandths:03d}S" if thousandths else f"{seconds}S")
    whole_days = f"{days}D" if days else ""
    if parts:
        return f"P{whole_days}T{''.join(parts)}"
    return f"P{whole_days}" if days else "PT0S"


def _milliseconds(text: str) -> int | None:
    if weeks := _WEEKS.fullmatch(text):
        return int(weeks[1]) * 7 * _MS_OF_PARTS[0]
    if parts := _PARTS.fullmatch(text):
        return int(sum(Fraction(n or 0) * ms for n, ms in zip(parts.groups(), _MS_OF_PARTS, strict=True)))
    return None
