"""A terminal's clock follows the host's: by how much the machine's is behind what an answer says."""

from __future__ import annotations

from datetime import datetime

MOST_DIFFERENCE_S = 60
"""By how much the clocks may differ: a slow answer is no reason to set the clock, a wrong time zone is."""

HALF_A_YEAR_S = 184 * 86_400
"""Nothing is further from the nearest year's date, but a 29 February where none is near: no host means that."""


def seconds_ahead(date: str, time: str, own: datetime) -> int | None:
    """How many seconds the host's MMDD and hhmmss are ahead of `own` by its hands, whatever its zone, in the year that
    is nearest; None where they are no date and time."""
    if not (len(date) == 4 and len(time) == 6 and f"{date}{time}".isdecimal()):
        return None
    own = own.replace(tzinfo=None)
    moments = [moment for years in (-1, 0, 1) if (moment := _moment(own.year + years, date, time)) is not None]
    ahead_s = min((round((moment - own).total_seconds()) for moment in moments), key=abs, default=None)
    return None if ahead_s is None or abs(ahead_s) > HALF_A_YEAR_S else ahead_s


def _moment(year: int, date: str, time: str) -> datetime | None:
    try:
        return datetime(year, int(date[:2]), int(date[2:]), int(time[:2]), int(time[2:4]), int(time[4:]))
    except ValueError:  # 29 February in another year, or no date at all
        return None
