"""Regular expressions of rules: compiled, and refused where one repeats a repetition.

Python tries such a one in every way in which it can be cut up, which for a long element takes longer than anybody
lives, and nothing stops it. The other ways to be slow (alternatives that begin alike, many repetitions in a row) are
the author's own; docs/rules.md warns of them.
"""

from __future__ import annotations

import re

LARGE = 10
"""Repetitions from which on one within another counts: ten times ten are tried in no time."""

_COUNT = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?>)?|\)|.", re.DOTALL)
"""A sign with its backslash, a class, the beginning (that of an atomic group whole) or end of a group, or any sign."""


class PatternError(ValueError):
    """What is wrong with a regular expression, in words that follow a key's name; the expression is not repeated."""


def compiled(text: str) -> re.Pattern[str]:
    """The regular expression; raises PatternError."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise PatternError(f"is no regular expression: {error.msg}") from None
    except OverflowError:
        raise PatternError("is no regular expression: it repeats more often than can be counted") from None
    except RecursionError:
        raise PatternError("is no regular expression: its groups are nested too deep") from None
    if _repeats_a_repetition(text):
        raise PatternError("repeats a repetition, as (A+)+ does, which may take for ever: write (A++)+ or (?>A+)+")
    return pattern


def _repeats_a_repetition(text: str) -> bool:
    """Whether in an expression that is one a group is repeated in which something is repeated that may end sooner."""
    groups: list[tuple[bool, bool]] = []  # of the groups around: whether atomic, whether they hold a repetition
    atomic = holds = False
    place = 0
    while (piece := _PIECE.match(text, place)) is not None:
        place = piece.end()
        if piece[0].startswith("("):
            groups.append((atomic, holds))
            atomic, holds = piece[0] == "(?>", False
            continue
        most, varies, place = _quantifier(text, place)
        inner = False
        if piece[0] == ")" and groups:
            inner = holds and not atomic
            atomic, holds = groups.pop()
        if inner and most >= LARGE:
            return True
        holds = holds or inner or (varies and most >= LARGE)
    return False


def _quantifier(text: str, place: int) -> tuple[float, bool, int]:
    """How often what ends at `place` is repeated at most, whether it may be less often without having failed, and
    where the quantifier ends."""
    most, varies = 1.0, False
    sign = text[place : place + 1]
    count = _COUNT.match(text, place)
    if sign and sign in "*+":
        most, varies, place = float("inf"), True, place + 1
    elif sign == "?":
        place += 1
    elif count is not None and (count[1] or count[3]):
        most = float(count[3] or "inf") if count[2] else float(count[1])
        varies, place = bool(count[2]) and count[1] != count[3], count.end()
    else:
        return most, varies, place
    if text[place : place + 1] == "+":  # possessive: it gives nothing back
        return most, False, place + 1
    return most, varies, place + (text[place : place + 1] == "?")
