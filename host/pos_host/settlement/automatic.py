"""When the host ends a forgotten batch itself, and what it makes of one: settled, carried over or held. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from pos_host.settlement.business_day import business_day
from pos_host.settlement.policy import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_NOON = time(12)

MOMENTS_REMEMBERED = 1024
"""Every terminal of a fleet asks for those of the few days around today."""


class ForgottenBatch(NamedTuple):
    """What the books know of the oldest batch with money that a terminal has not closed; instants are UTC
    milliseconds. `upload_since_ms` is its last upload activity while it is being uploaded, else None;
    `not_before_ms` and `judged_day` what was stored when the terminal was judged last, 0 and None if it never was."""

    first_money_at_ms: int
    debit_amount_minor: int
    upload_since_ms: int | None
    not_before_ms: int
    judged_day: date | None = None


class Judged(NamedTuple):
    """What becomes of a batch: `result` settled, dry_run, carried_over or held; `business_day` the one that ended
    last, and `not_before_ms` the earliest moment at which its terminal may be judged again, UTC milliseconds."""

    result: str
    business_day: date
    not_before_ms: int


def due_ms(batch: ForgottenBatch, policy: Policy) -> int | None:
    """When the host looks at the batch, UTC milliseconds; None where the policy leaves settling to the terminals.

    That is the settling time after the cut-off that ended the business day of its first money. An upload that is
    under way is left alone until it has been idle for the policy's grace.
    """
    if policy.auto_settle is None:
        return None
    moment_ms = max(moment_after_ms(policy, batch.first_money_at_ms), batch.not_before_ms)
    while batch.judged_day is not None and _day_ended_before(policy, moment_ms) <= batch.judged_day:
        moment_ms = moment_after_ms(policy, moment_ms)  # the cut-off or the zone was changed since
    if batch.upload_since_ms is None:
        return moment_ms
    return max(moment_ms, batch.upload_since_ms + policy.grace_ms)


def judged(batch: ForgottenBatch, policy: Policy, now_ms: int) -> Judged | None:
    """What becomes of the batch at `now_ms` (UTC milliseconds); None before it is due.

    A terminal is not judged again before the next business day has ended, so each has one settlement at most,
    whatever the clock did meanwhile.
    """
    at_ms = due_ms(batch, policy)
    if at_ms is None or now_ms < at_ms:
        return None
    return Judged(_result(batch, policy), _day_ended_before(policy, now_ms), moment_after_ms(policy, now_ms))


def moment_after_ms(policy: Policy, at_ms: int) -> int:
    """When the host settles what was sold at `at_ms`: at the settling time that follows the end of that business
    day, never before that end. Both UTC milliseconds; raises ValueError where the policy has no settling time."""
    if policy.auto_settle is None:
        raise ValueError("the policy has no settling time")
    day = business_day(policy, at_ms)
    cutoff_on = day.date if policy.cutoff >= _NOON else day.date + _DAY
    settles_on = cutoff_on if policy.auto_settle >= policy.cutoff else cutoff_on + _DAY
    return max(_instant_ms(policy, settles_on), day.ends_at_ms)


def _day_ended_before(policy: Policy, at_ms: int) -> date:
    """The business day that ended last."""
    return business_day(policy, business_day(policy, at_ms).begins_at_ms - 1).date


def _result(batch: ForgottenBatch, policy: Policy) -> str:
    low, high = policy.min_amount_minor, policy.max_amount_minor
    if low is not None and batch.debit_amount_minor < low:
        return "carried_over"
    if high is not None and batch.debit_amount_minor > high:
        return "held"
    return "dry_run" if policy.auto_settle_mode == "dry_run" else "settled"


@lru_cache(maxsize=MOMENTS_REMEMBERED)
def _instant_ms(policy: Policy, day: date) -> int:
    """The settling time of a local date. Where clocks are put forward over it, it falls as long after the gap began
    as it would have without it; where they are put back, on the first of the two (PEP 495, fold 0)."""
    local = datetime.combine(day, policy.auto_settle or policy.cutoff, tzinfo=policy.time_zone)
    return (local.astimezone(UTC) - _EPOCH) // _MILLISECOND
