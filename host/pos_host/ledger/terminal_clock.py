"""Whether a terminal's clock is right, told by the local time in its sign-in where its dialect sends one."""

from __future__ import annotations

from collections.abc import Mapping

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import record

TERMINAL_CLOCK = "terminal_clock"
"""Kind of the record of a terminal's clock at its last sign-in; its id is the terminal's number."""

WRONG_FROM_S = 300
"""A clock that is off by less prints a time on its slips that nobody disputes."""

DAY_S = 86_400


def clock_row(
    terminal_no: int, merchant_id: str, fields: Mapping[int, str], local_time: str, now_ms: int
) -> list[RecordRow]:
    """What to commit of a terminal's local time (DE12, hhmmss) beside the host's `local_time`; nothing without one.

    Only the time of day is compared, the short way round midnight: the date is not in every dialect.
    """
    told_s, here_s = _seconds(fields.get(12, "")), _seconds(local_time)
    if told_s is None or here_s is None:
        return []
    off_s = (told_s - here_s + DAY_S // 2) % DAY_S - DAY_S // 2
    state = "wrong" if abs(off_s) >= WRONG_FROM_S else "right"
    return [record(TERMINAL_CLOCK, str(terminal_no), merchant_id, state, now_ms, {"off_s": off_s})]


def _seconds(text: str) -> int | None:
    """Seconds since midnight of the last six digits (DE12 of 1993 has the date before them)."""
    digits = text[-6:]
    if len(digits) != 6 or not digits.isascii() or not digits.isdecimal():
        return None
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 60 else None
