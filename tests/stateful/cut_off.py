"""The shipped policy's evening, reckoned by hand: cut-off at 23:00 in Shanghai, reminded half an hour before it,
overdue an hour after it, forgotten a day after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
HOUR_MS = 3_600_000
SEVERITIES = ("due", "overdue", "forgotten")


def cut_off_after(at_ms: int) -> int:
    """The first cut-off after an instant; both UTC milliseconds."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SHANGHAI)
    cut_off = datetime.combine(local.date(), time(23), SHANGHAI)
    return int((cut_off + timedelta(days=cut_off <= local)).timestamp() * 1000)


def date_of(cut_off_ms: int) -> date:
    """The date of a cut-off in Shanghai."""
    return datetime.fromtimestamp(cut_off_ms / 1000, UTC).astimezone(SHANGHAI).date()


def severity_changes(since_ms: int) -> dict[int, str]:
    """When the flag of a batch with money since then changes, and to what; by its age, two days, it gets no worse."""
    cut_off_ms = cut_off_after(since_ms)
    return {
        max(since_ms, cut_off_ms - HOUR_MS // 2): "due",
        cut_off_ms + HOUR_MS: "overdue",
        cut_off_ms + 24 * HOUR_MS: "forgotten",
        since_ms + 48 * HOUR_MS: "forgotten",
    }


def severity_at(since_ms: int, at_ms: int) -> str:
    """How bad it is at an instant; "" while nothing is flagged."""
    reached = [severity for change_ms, severity in severity_changes(since_ms).items() if change_ms <= at_ms]
    return max(reached, key=SEVERITIES.index, default="")
