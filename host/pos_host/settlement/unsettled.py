"""Which batches nobody settles: how bad it is, since when, why, and what would clear it."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from pos_host.settlement.business_day import next_cutoff_ms
from pos_host.settlement.policy import Policy, PolicyError, read_toml

SEVERITIES = ("due", "overdue", "forgotten")
"""Rising."""

REASONS = (
    "past_cutoff",
    "too_old",
    "over_amount",
    "over_count",
    "out_of_balance",
    "upload_incomplete",
    "answer_undelivered",
    "silent",
)


class BatchFacts(NamedTuple):
    """What the books know of a terminal's batch; instants are UTC milliseconds.

    `state` is open, settling, uploading or settled. `undelivered_since_ms` is the oldest approval whose
    answer could not be delivered and that no reversal followed, `upload_since_ms` the last upload
    activity while uploading. `disputed`: the terminal's totals differed and the upload has not ended.
    """

    state: str
    has_money: bool
    first_money_at_ms: int | None
    opened_at_ms: int
    last_activity_at_ms: int
    last_seen_at_ms: int
    transactions: int
    debit_amount_minor: int
    undelivered_since_ms: int | None
    upload_since_ms: int | None
    disputed: bool


class Flag(NamedTuple):
    """What is told of an unsettled batch: `severity` due, overdue or forgotten; `since_ms` when the first
    of its `reasons` began; `due_at_ms` its cut-off; `clears` what would make the flag go away."""

    severity: str
    since_ms: int
    due_at_ms: int
    reasons: tuple[str, ...]
    clears: str


class Reason(NamedTuple):
    """One row of the reasons' table: where it begins, how far it climbs by itself, what clears it."""

    name: str
    first: str
    worst: str
    clears: str


class _Course(NamedTuple):
    """A reason that applies to a batch: from `begins_ms` on, with its later climbs (instant, severity)."""

    reason: Reason
    begins_ms: int
    climbs: tuple[tuple[int, str], ...]


def evaluate(facts: BatchFacts, policy: Policy, now_ms: int) -> Flag | None:
    """The batch's flag at `now_ms` (UTC milliseconds); None while there is nothing to flag."""
    if not _can_be_flagged(facts):
        return None
    cutoff_ms = _cutoff_ms(facts, policy)
    return _flag_at(now_ms, _courses(facts, policy, cutoff_ms), cutoff_ms)


def next_change_ms(facts: BatchFacts, policy: Policy, now_ms: int) -> int | None:
    """The first instant after `now_ms` at which `evaluate` gives something else if nothing happens.

    None if that never comes.
    """
    if not _can_be_flagged(facts):
        return None
    cutoff_ms = _cutoff_ms(facts, policy)
    courses = _courses(facts, policy, cutoff_ms)
    now = _flag_at(now_ms, courses, cutoff_ms)
    instants = {course.begins_ms for course in courses}
    instants.update(instant for course in courses for instant, _ in course.climbs)
    for instant in sorted(instants):
        if instant > now_ms and _flag_at(instant, courses, cutoff_ms) != now:
            return instant
    return None


def is_climb(before: Flag | None, after: Flag | None) -> bool:
    """True if the flag is new or worse than before: the moment to log, tell and remind."""
    if after is None:
        return False
    return before is None or SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity)


def blocking_severities(block_sales_when: str) -> tuple[str, ...]:
    """The severities at which a flagged terminal begins no new sale: that of the policy and those above it."""
    return () if block_sales_when == "never" else SEVERITIES[SEVERITIES.index(block_sales_when) :]


def continued(before: Flag | None, after: Flag | None) -> Flag | None:
    """`after` with the start of the unbroken flag it continues, so that a new sale does not move it."""
    if before is None or after is None or before.since_ms >= after.since_ms:
        return after
    return after._replace(since_ms=before.since_ms)


def _can_be_flagged(facts: BatchFacts) -> bool:
    return facts.has_money and facts.state != "settled"


def _first_money_ms(facts: BatchFacts) -> int:
    return facts.opened_at_ms if facts.first_money_at_ms is None else facts.first_money_at_ms


def _cutoff_ms(facts: BatchFacts, policy: Policy) -> int:
    return next_cutoff_ms(policy, _first_money_ms(facts))


def _flag_at(at_ms: int, courses: list[_Course], cutoff_ms: int) -> Flag | None:
    present = [course for course in courses if course.begins_ms <= at_ms]
    if not present:
        return None
    reached = [course.reason.first for course in present]
    reached += [severity for course in present for instant, severity in course.climbs if instant <= at_ms]
    return Flag(
        severity=max(reached, key=SEVERITIES.index),
        since_ms=min(course.begins_ms for course in present),
        due_at_ms=cutoff_ms,
        reasons=tuple(course.reason.name for course in present),
        clears="; ".join(dict.fromkeys(course.reason.clears for course in present)),
    )


def _courses(facts: BatchFacts, policy: Policy, cutoff_ms: int) -> list[_Course]:
    """Every reason that applies now or will if nothing happens, in the order of the table."""
    begins = _begins(facts, policy, cutoff_ms)
    courses = []
    for reason in unsettled_reasons():
        begins_ms = begins[reason.name]
        if begins_ms is not None:
            base_ms = cutoff_ms if reason.name == "past_cutoff" else begins_ms
            courses.append(_Course(reason, begins_ms, _climbs(reason, base_ms, policy)))
    return courses


def _begins(facts: BatchFacts, policy: Policy, cutoff_ms: int) -> dict[str, int | None]:
    """When each reason begins, UTC milliseconds; None for one that does not apply."""
    first_money_ms = _first_money_ms(facts)
    idle_from_ms = facts.last_activity_at_ms if facts.upload_since_ms is None else facts.upload_since_ms
    idle_too_long_ms = idle_from_ms + policy.grace_ms
    undelivered_ms = facts.undelivered_since_ms
    over_amount = policy.max_amount_minor is not None and facts.debit_amount_minor > policy.max_amount_minor
    over_count = policy.max_transactions is not None and facts.transactions > policy.max_transactions
    return {
        "past_cutoff": max(first_money_ms, cutoff_ms - policy.remind_before_ms),
        "too_old": None if policy.max_age_ms is None else first_money_ms + policy.max_age_ms,
        "over_amount": facts.last_activity_at_ms if over_amount else None,
        "over_count": facts.last_activity_at_ms if over_count else None,
        "out_of_balance": idle_too_long_ms if facts.disputed else None,
        "upload_incomplete": idle_too_long_ms if facts.state == "uploading" else None,
        "answer_undelivered": None if undelivered_ms is None else undelivered_ms + policy.grace_ms,
        "silent": None if policy.silent_after_ms is None else facts.last_seen_at_ms + policy.silent_after_ms,
    }


def _climbs(reason: Reason, base_ms: int, policy: Policy) -> tuple[tuple[int, str], ...]:
    instants = {"overdue": base_ms + policy.grace_ms, "forgotten": base_ms + policy.forgotten_after_ms}
    first, worst = SEVERITIES.index(reason.first), SEVERITIES.index(reason.worst)
    return tuple((instants[severity], severity) for severity in SEVERITIES[first + 1 : worst + 1])


@lru_cache(maxsize=1)
def unsettled_reasons() -> tuple[Reason, ...]:
    """The shipped table of reasons, checked; raises PolicyError naming file and key."""
    return read_reasons(resources.files("pos_host.settlement") / "unsettled_reasons.toml")


def read_reasons(path: Path | Traversable) -> tuple[Reason, ...]:
    """The table of reasons in the TOML file at `path`: each reason once, with severities that exist.

    Raises PolicyError naming file and key.
    """
    table = read_toml(path)
    for name in table:
        if name not in REASONS:
            raise PolicyError(path.name, name, f"is not a reason; reasons are {', '.join(REASONS)}")
    for name in REASONS:
        if name not in table:
            raise PolicyError(path.name, name, "is missing")
    return tuple(_reason(path.name, name, row) for name, row in table.items())


def _reason(file: str, name: str, row: object) -> Reason:
    if not isinstance(row, dict) or set(row) != {"first", "worst", "clears"}:
        raise PolicyError(file, name, "must have the keys first, worst and clears")
    for key in ("first", "worst"):
        if row[key] not in SEVERITIES:
            raise PolicyError(file, f"{name}.{key}", f"is {row[key]!r}, must be one of {', '.join(SEVERITIES)}")
    if SEVERITIES.index(row["first"]) > SEVERITIES.index(row["worst"]):
        raise PolicyError(file, f"{name}.worst", "must not be below first")
    if not isinstance(row["clears"], str) or not row["clears"]:
        raise PolicyError(file, f"{name}.clears", "must say what makes the reason go away")
    return Reason(name, row["first"], row["worst"], row["clears"])
