"""A fee schedule as its file would say it."""

from __future__ import annotations

from typing import Any

from pos_host.money.fee_schedule import FeeRule, FeeSchedule, FixedCharge
from pos_host.money.validity import Validity
from pos_specs.currencies import MOST_AMOUNT_MINOR


def table_of_schedule(schedule: FeeSchedule) -> dict[str, Any]:
    """The table that `schedule_of_table` reads as this schedule; conditions that let everything pass are left out."""
    table: dict[str, Any] = {"rule": [_rule(rule) for rule in schedule.rules]}
    if schedule.charges:
        table["charge"] = [_charge(charge) for charge in schedule.charges]
    if schedule.remove:
        table["remove"] = list(schedule.remove)
    return table


def _rule(rule: FeeRule) -> dict[str, Any]:
    row: dict[str, Any] = {"name": rule.name, "products": sorted(rule.products)}
    if rule.entries:
        row["entries"] = sorted(rule.entries)
    if rule.currency is not None:
        row["currency"] = rule.currency
    if rule.amount_from_minor:
        row["amount_from_minor"] = rule.amount_from_minor
    if rule.amount_to_minor != MOST_AMOUNT_MINOR:
        row["amount_to_minor"] = rule.amount_to_minor
    row["rate_percent"] = str(rule.rate_percent)
    if rule.minimum_minor:
        row["minimum_minor"] = rule.minimum_minor
    if rule.cap_minor is not None:
        row["cap_minor"] = rule.cap_minor
    return row | _days(rule.valid)


def _charge(charge: FixedCharge) -> dict[str, Any]:
    return {
        "name": charge.name,
        "amount_minor": charge.amount_minor,
        "currency": charge.currency,
        "day_of_month": charge.day_of_month,
    } | _days(charge.valid)


def _days(valid: Validity) -> dict[str, str]:
    named = {"valid_from": valid.first, "valid_until": valid.last}
    return {key: day.isoformat() for key, day in named.items() if day is not None}
