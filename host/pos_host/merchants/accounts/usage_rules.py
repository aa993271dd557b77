"""Which of a merchant's accounts gets what: by product, amount and weekday, from a day on, with the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.accounts.given_account import is_date
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.free_text import plain_text

USAGE_RULES = "usage_rules"
"""Kind of the record of one version of a merchant's rules; a version never changes, a later one takes its place."""

RULES_MOST = 50
"""Rules of one merchant: more than weekdays times products need."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

MAY_BE_NAMED = ("active", "standby", "frozen", "frozen_standby")


class UsageRule(NamedTuple):
    """Pays to `account_id` what fits all that is given: "" is any product or weekday, 0 no limit of the amount.

    Amounts in minor units of the payout's currency, both limits included.
    """

    account_id: str
    product: str = ""
    weekday: str = ""
    min_minor: int = 0
    max_minor: int = 0


class UsageRules:
    """The rules of all merchants. `judged` is told of a merchant whose payouts may go elsewhere now."""

    def __init__(self, desk: Desk, judged: Callable[[str], Awaitable[None]]) -> None:
        self._desk = desk
        self._judged = judged

    async def set(
        self, actor: Actor, merchant_id: str, valid_from: str, rules: list[UsageRule], why: str = ""
    ) -> dict[str, Any]:
        """Have new rules hold from a day on, in place of all before; none at all pays everything to the account in
        place. Raises Refused (422) for a rule that names no account of the merchant, or nonsense."""

        def decide(now_ms: int) -> Written:
            _check(self._desk.records, merchant_id, valid_from, rules)
            return self._version(merchant_id, valid_from, [rule._asdict() for rule in rules], now_ms, actor)

        return await self._act(actor, "usage_rules.set", merchant_id, decide, why)

    async def restore(
        self, actor: Actor, merchant_id: str, version: str, valid_from: str, why: str = ""
    ) -> dict[str, Any]:
        """Have an earlier version hold again from a day on, as a new version; raises Refused (404) without one."""

        def decide(now_ms: int) -> Written:
            old = self._desk.records.find(USAGE_RULES, version)
            if old is None or old.merchant_id != merchant_id:
                text = f"merchant {merchant_id} has no usage rules {version}"
                raise Refused("no_such_version", text, status=404)
            rules = body_of(old)["rules"]
            _check(self._desk.records, merchant_id, valid_from, [UsageRule(**rule) for rule in rules])
            return self._version(merchant_id, valid_from, rules, now_ms, actor, restored=version)

        return await self._act(actor, "usage_rules.restore", merchant_id, decide, why)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Every version, the oldest first; the one that holds on a day is the last whose `valid_from` has come."""
        return [rules_view(row) for row in self._desk.records.of_kind(USAGE_RULES, merchant_id)]

    async def _act(
        self, actor: Actor, action: str, merchant_id: str, decide: Callable[[int], Written], why: str
    ) -> dict[str, Any]:
        subject, reason = Subject("usage rules", merchant_id), plain_text("why", why, needed=False)
        judged = partial(self._judged, merchant_id)
        view: dict[str, Any] = await self._desk.act(actor, action, subject, decide, reason, judged)
        return view

    def _version(
        self,
        merchant_id: str,
        valid_from: str,
        rules: list[dict[str, Any]],
        now_ms: int,
        actor: Actor,
        *,
        restored: str = "",
    ) -> Written:
        records = self._desk.records
        earlier = records.of_kind(USAGE_RULES, merchant_id)
        body = {"valid_from": valid_from, "rules": rules, "set_by": actor.name, "restored": restored}
        row = record(USAGE_RULES, records.next_id(USAGE_RULES), merchant_id, "set", now_ms, body)
        view = rules_view(row)
        before = rules_view(earlier[-1]) if earlier else None
        told = (Told("settlement_account.usage_rules_set", 0, view),)
        return Written((row,), told, before=before, after=view, answer=view)


def account_by_rule(records: Records, merchant_id: str, product: str, day: date, amount_minor: int) -> str:
    """The account of the first rule that fits; "" where none does."""
    holds = [row for row in records.of_kind(USAGE_RULES, merchant_id) if body_of(row)["valid_from"] <= day.isoformat()]
    if not holds:
        return ""
    rules = (UsageRule(**rule) for rule in body_of(holds[-1])["rules"])
    return next((rule.account_id for rule in rules if _fits(rule, product, day, amount_minor)), "")


def rules_view(row: RecordRow) -> dict[str, Any]:
    body = body_of(row)
    return {
        "version": row.record_id,
        "merchant_id": row.merchant_id,
        "valid_from": body["valid_from"],
        "rules": body["rules"],
        "set_by": body["set_by"],
        "set_at": iso_utc(row.changed_at_ms),
        "restored_from": body["restored"] or None,
    }


def _fits(rule: UsageRule, product: str, day: date, amount_minor: int) -> bool:
    if rule.product and rule.product != product.partition("/")[0]:
        return False
    if rule.weekday and WEEKDAYS[day.weekday()] != rule.weekday:
        return False
    return rule.min_minor <= amount_minor and (not rule.max_minor or amount_minor <= rule.max_minor)


def _check(records: Records, merchant_id: str, valid_from: str, rules: list[UsageRule]) -> None:
    if not is_date(valid_from):
        raise Refused("invalid_rules", "valid_from: must be a day such as 2026-10-01", status=422)
    if len(rules) > RULES_MOST:
        raise Refused("invalid_rules", f"rules: {RULES_MOST} are the most", status=422)
    for place, rule in enumerate(rules):
        if wrong := _wrong(records, merchant_id, rule):
            raise Refused("invalid_rules", f"rules.{place}.{wrong}", status=422)


def _wrong(records: Records, merchant_id: str, rule: UsageRule) -> str:
    """The key of a rule that is wrong and what it must be; "" for a good one."""
    account = records.find("account", rule.account_id)
    if account is None or account.merchant_id != merchant_id or account.state not in MAY_BE_NAMED:
        return "account_id: must be an account that the merchant has"
    if rule.weekday and rule.weekday not in WEEKDAYS:
        return f"weekday: must be one of {', '.join(WEEKDAYS)}"
    if rule.min_minor < 0 or rule.max_minor < 0:
        return "min_minor: limits are not below zero"
    if rule.max_minor and rule.max_minor < rule.min_minor:
        return "max_minor: lies below min_minor"
    return ""
