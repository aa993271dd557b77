"""What was agreed with the merchants: which settlement policy and which fee schedule hold for whom, and when."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pos_host.clock import iso_utc
from pos_host.ledger.book import Book
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.merchants.agreements import Agreements
from pos_host.merchants.desk import Desk
from pos_host.merchants.versions import Scope, Versions
from pos_host.settlement.business_day import business_date, business_day
from pos_host.settlement.policy import Policy, PolicyError, policy_over, policy_values

if TYPE_CHECKING:
    from pos_host.money.business_calendar import BusinessCalendar
    from pos_host.money.fee_schedule import FeeSchedule

POLICY = "policy"
FEE_SCHEDULE = "fee_schedule"
CALENDAR = "calendar"
"""Kinds of records."""

LAST_YEAR = 9_000
"""The last year in which something can begin: the cut-offs around a later day might lie beyond what a date holds."""

SCHEDULES_REMEMBERED = 1024
"""Parsed versions of fee schedules, and what they make on a day: those of a fleet's merchants."""


class PolicyKind:
    """Settlement policies; a version begins at an instant. What nobody says is as in `default`."""

    name = POLICY
    action = "policy"

    def __init__(self, default: Policy) -> None:
        self._default = default

    def policy(self, versions: Versions, scope: Scope, moment: str) -> Policy:
        """What holds for `scope` at `moment`, key by key; raises PolicyError."""
        policy = self._default
        for version in versions.chain_at(scope, moment):
            policy = policy_over(policy, version.values, f"policy of {version.scope}")
        return policy

    def moment(self, scope: Scope, at_ms: int) -> str:
        return iso_utc(at_ms)

    def read_moment(self, scope: Scope, text: str) -> str:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is not an ISO 8601 time") from None
        if instant.tzinfo is None:
            raise ValueError(f"{text!r} needs an offset, such as 2026-03-02T20:00:00+08:00")
        _check_year(instant)
        return iso_utc(_ms(instant))

    def begins_at_ms(self, scope: Scope, moment: str) -> int:
        return _ms(datetime.fromisoformat(moment))

    def check(self, versions: Versions, scope: Scope, moment: str) -> None:
        try:
            self.policy(versions, scope, moment)
        except PolicyError as error:
            raise ValueError(str(error)) from None

    def effective(self, versions: Versions, scope: Scope, moment: str) -> dict[str, Any]:
        return dict(policy_values(self.policy(versions, scope, moment)))


class FromBusinessDay:
    """Versions that begin with a business day, which the policy of their scope has begin at its cut-off."""

    def __init__(self, policies: Agreements, default: Policy) -> None:
        self._policies = policies
        self._kind = PolicyKind(default)

    def moment(self, scope: Scope, at_ms: int) -> str:
        return business_date(self._policy(scope, at_ms), at_ms).isoformat()

    def read_moment(self, scope: Scope, text: str) -> str:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a day such as 2026-03-02") from None
        _check_year(day)
        return day.isoformat()

    def begins_at_ms(self, scope: Scope, moment: str) -> int:
        """The cut-off before the middle of the day, by the policy that holds then."""
        day = date.fromisoformat(moment)
        middle_ms = _ms(datetime.combine(day, time(12), tzinfo=UTC))
        policy = self._policy(scope, middle_ms)
        found = business_day(policy, _ms(datetime.combine(day, time(12), tzinfo=policy.time_zone)))
        while found.date > day:
            found = business_day(policy, found.begins_at_ms - 1)
        return found.begins_at_ms

    def _policy(self, scope: Scope, at_ms: int) -> Policy:
        return self._kind.policy(self._policies.versions, scope, iso_utc(at_ms))


class FeeKind(FromBusinessDay):
    """Fee schedules; a version begins with a business day. The shipped schedule lies below the acquirer's."""

    name = FEE_SCHEDULE
    action = "fee_schedule"

    def schedule(self, versions: Versions, scope: Scope, day: str) -> FeeSchedule:
        """What holds for `scope` on a day (ISO); raises DialectError."""
        from pos_host.money.fee_schedule import effective_schedule, shipped_schedule

        chain = versions.chain_at(scope, day)
        own = [_schedule_of(f"fee schedule of {version.scope}", json.dumps(version.values)) for version in chain]
        return effective_schedule(shipped_schedule(), *own)

    def check(self, versions: Versions, scope: Scope, moment: str) -> None:
        from pos_specs.errors import DialectError

        if scope.terminal_id and any(
            v.values.get("charge") for v in versions.chain_at(scope, moment) if v.scope == scope
        ):
            raise ValueError("charge: is a merchant's, not a terminal's; agree it for the merchant")
        try:
            self.schedule(versions, scope, moment)
        except DialectError as error:
            raise ValueError(str(error)) from None

    def effective(self, versions: Versions, scope: Scope, moment: str) -> dict[str, Any]:
        from pos_host.money.schedule_table import table_of_schedule

        return table_of_schedule(self.schedule(versions, scope, moment))


class CalendarKind(FromBusinessDay):
    """Calendars of payouts; a version begins with a business day. The shipped calendar lies below the acquirer's."""

    name = CALENDAR
    action = "calendar"

    def calendar(self, versions: Versions, scope: Scope, day: str) -> BusinessCalendar:
        """What holds for `scope` on a day (ISO); raises DialectError."""
        chain = versions.chain_at(scope, day)
        return _calendar_of(tuple((f"calendar of {one.scope}", json.dumps(one.values)) for one in chain))

    def check(self, versions: Versions, scope: Scope, moment: str) -> None:
        from pos_specs.errors import DialectError

        if scope.terminal_id:
            raise ValueError("a calendar is a merchant's, not a terminal's; agree it for the merchant")
        try:
            self.calendar(versions, scope, moment)
        except DialectError as error:
            raise ValueError(str(error)) from None

    def effective(self, versions: Versions, scope: Scope, moment: str) -> dict[str, Any]:
        from pos_host.money.business_calendar import table_of_calendar

        return table_of_calendar(self.calendar(versions, scope, moment))


class Terms:
    """Policies, fee schedules and calendars. Each book has the policy that holds for it (`book.policy`), exchanged when
    a change takes effect. `policies`, `fee_schedules` and `calendars` are sources of the agenda."""

    def __init__(self, desk: Desk, default: Policy) -> None:
        self._desk = desk
        self._registry = desk.registry
        self._kind = PolicyKind(default)
        self._held: dict[Scope, Policy] = {Scope(): default}
        self.policies = Agreements(self._kind, desk)
        self._fees = FeeKind(self.policies, default)
        self.fee_schedules = Agreements(self._fees, desk)
        self._calendar_kind = CalendarKind(self.policies, default)
        self.calendars = Agreements(self._calendar_kind, desk)
        self._calendars: dict[tuple[str, date], BusinessCalendar] = {}
        desk.records.listen(CALENDAR, lambda row: self._calendars.clear())
        self._schedules: dict[tuple[str, str, date], FeeSchedule] = {}
        desk.records.listen(POLICY, self._policy_changed)
        desk.records.listen(FEE_SCHEDULE, lambda row: self._schedules.clear())
        self._registry.policy_of = self.policy_of
        self._work_out()

    def policy_of(self, book: Book) -> Policy:
        """The settlement policy that holds for a terminal now."""
        held = self._held
        return held.get(Scope(book.merchant_id, book.terminal_id)) or held.get(Scope(book.merchant_id)) or held[Scope()]

    def policy_of_merchant(self, merchant_id: str) -> Policy:
        """The settlement policy that holds for a merchant now, whatever its terminals have of their own."""
        return self._held.get(Scope(merchant_id)) or self._held[Scope()]

    def schedule_of(self, merchant_id: str, day: date, terminal_id: str = "") -> FeeSchedule:
        """The fee schedule of a merchant, or of one of its terminals, on a business day."""
        key = (merchant_id, terminal_id, day)
        found = self._schedules.get(key)
        if found is None:
            if len(self._schedules) >= SCHEDULES_REMEMBERED:
                self._schedules.clear()
            scope = Scope(merchant_id, terminal_id)
            found = self._schedules[key] = self._fees.schedule(self.fee_schedules.versions, scope, day.isoformat())
        return found

    def calendar_of(self, merchant_id: str, day: date) -> BusinessCalendar:
        """On which days a merchant is paid, as agreed for a business day; "" is the acquirer itself."""
        key = (merchant_id, day)
        found = self._calendars.get(key)
        if found is None:
            if len(self._calendars) >= SCHEDULES_REMEMBERED:
                self._calendars.clear()
            versions = self.calendars.versions
            found = self._calendars[key] = self._calendar_kind.calendar(versions, Scope(merchant_id), day.isoformat())
        return found

    def calendar_at(self, merchant_id: str, at_ms: int) -> BusinessCalendar:
        """The same for the business day that an instant (UTC milliseconds) belongs to."""
        return self.calendar_of(merchant_id, business_date(self.policy_of_merchant(merchant_id), at_ms))

    def _policy_changed(self, row: RecordRow) -> None:
        self._work_out()

    def _work_out(self) -> None:
        """The policies that hold now, one object a scope; a book whose policy is another one is looked at again."""
        moment = iso_utc(self._desk.clock.now_ms())
        versions = self.policies.versions
        made = {scope: self._kind.policy(versions, scope, moment) for scope in (Scope(), *versions.scopes())}
        self._held = {scope: self._held[scope] if self._held.get(scope) == new else new for scope, new in made.items()}
        for book in self._registry:
            policy = self.policy_of(book)
            if book.policy is not policy:
                book.policy = policy
                self._registry.touched(book)


@lru_cache(maxsize=SCHEDULES_REMEMBERED)
def _schedule_of(name: str, values: str) -> FeeSchedule:
    """A version's own schedule; `values` as JSON."""
    from pos_host.money.fee_schedule import schedule_of_table

    return schedule_of_table(name, json.loads(values))


@lru_cache(maxsize=SCHEDULES_REMEMBERED)
def _calendar_of(layers: tuple[tuple[str, str], ...]) -> BusinessCalendar:
    """What these layers make of the shipped calendar; each a name, and its table as JSON."""
    from pos_host.money.business_calendar import calendar_of_tables

    return calendar_of_tables([(name, json.loads(values)) for name, values in layers])


def _check_year(day: date) -> None:
    if day.year > LAST_YEAR:
        raise ValueError(f"{day.isoformat()} lies after the year {LAST_YEAR}")


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
