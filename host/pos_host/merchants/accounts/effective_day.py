"""The day on which a change takes effect at a merchant, in the merchant's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from pos_host.merchants.accounts.given_account import is_date
from pos_host.merchants.desk import Refused
from pos_host.settlement.business_day import local_datetime
from pos_host.settlement.policy import Policy

AHEAD_MOST_DAYS = 366
"""How far ahead a change may be dated: further is a typing error."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def check_effective(policy: Policy, effective_on: str, now_ms: int) -> None:
    """Raise Refused (422) for what is no day (ISO), a day that is over, or one that is too far ahead."""
    today = local_datetime(policy, now_ms).date()
    last = today + timedelta(days=AHEAD_MOST_DAYS)
    if not is_date(effective_on) or not today <= date.fromisoformat(effective_on) <= last:
        raise Refused("invalid_application", f"effective_on: must be a day from {today} to {last}", status=422)


def day_begins_ms(policy: Policy, day: date) -> int:
    """The instant at which `day` begins at a merchant of this policy, in UTC milliseconds."""
    local = datetime.combine(day, time(), tzinfo=policy.time_zone)
    return (local.astimezone(UTC) - _EPOCH) // _MILLISECOND


def first_midnight_ms(policy: Policy, from_ms: int) -> int:
    """The first beginning of a day that is not before `from_ms`."""
    day = local_datetime(policy, from_ms).date()
    return next(ms for shift in range(3) if (ms := day_begins_ms(policy, day + timedelta(days=shift))) >= from_ms)
