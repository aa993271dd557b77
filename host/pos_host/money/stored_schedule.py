"""A fee schedule as the store keeps it: by its digest, once for all the batches that were charged by it."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pos_host.money.fee_schedule import FeeRule, FeeSchedule
from pos_host.money.validity import Validity

CHARGED_SCHEDULE = "charged_schedule"
"""Kind of the records that hold the rules by which batches were charged; the id is their digest."""

SCHEDULES_REMEMBERED = 256
"""Schedules whose digest is kept: those of a fleet's merchants that settle around the same time."""

DIGEST_DIGITS = 16
"""Hexadecimal digits of SHA-256 that name a schedule: 64 bits tell apart more schedules than anybody agrees on."""


class StoredSchedule(NamedTuple):
    """The rules as JSON, and the digest that names them."""

    digest: str
    body: dict[str, Any]


@lru_cache(maxsize=SCHEDULES_REMEMBERED)
def stored(schedule: FeeSchedule) -> StoredSchedule:
    """What the store keeps of a schedule: its rules; fixed charges are rows of their own."""
    body = {"rules": [_plain(rule) for rule in schedule.rules]}
    return StoredSchedule(digest_of(body), body)


def digest_of(body: dict[str, Any]) -> str:
    """The name of these rules."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def schedule_of(body: dict[str, Any]) -> FeeSchedule:
    """The schedule again; raises KeyError, TypeError or ValueError for what `stored` did not write."""
    return FeeSchedule("the store", tuple(_rule(row) for row in body["rules"]), ())


def _plain(rule: FeeRule) -> dict[str, Any]:
    first, last = rule.valid
    return {
        "name": rule.name,
        "products": sorted(rule.products),
        "entries": sorted(rule.entries),
        "currency": rule.currency,
        "amount_from_minor": rule.amount_from_minor,
        "amount_to_minor": rule.amount_to_minor,
        "rate_percent": str(rule.rate_percent),
        "minimum_minor": rule.minimum_minor,
        "cap_minor": rule.cap_minor,
        "valid_from": None if first is None else first.isoformat(),
        "valid_until": None if last is None else last.isoformat(),
    }


def _rule(row: dict[str, Any]) -> FeeRule:
    return FeeRule(
        name=row["name"],
        products=frozenset(row["products"]),
        entries=frozenset(row["entries"]),
        currency=row["currency"],
        amount_from_minor=row["amount_from_minor"],
        amount_to_minor=row["amount_to_minor"],
        rate_percent=Decimal(row["rate_percent"]),
        minimum_minor=row["minimum_minor"],
        cap_minor=row["cap_minor"],
        valid=Validity(_day(row["valid_from"]), _day(row["valid_until"])),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
