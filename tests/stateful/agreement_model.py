"""Policies, fee schedules and calendars as they were agreed, beside a folder of dated sheets of paper."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.stateful.office_machine import PEOPLE, OfficeMachine
from tests.unit.host.merchants.settlement_people import pass_time
from tests.unit.host.pipeline.proofs import verify
from tests.unit.host.pipeline.terminals import MERCHANT, OTHER_MERCHANT, UnionPayTerminal

from pos_host.clock import iso_utc
from pos_host.event_log import event_of
from pos_host.journal import RowType
from pos_host.merchants.actors import Actor
from pos_host.merchants.agreements import Agreements
from pos_host.merchants.versions import Scope

HOUR_MS = 3_600_000
TERMINALS = {"T0000001": MERCHANT, "T0000002": MERCHANT, "T0000003": OTHER_MERCHANT}
SCOPES = [
    Scope(),
    *(Scope(merchant_id) for merchant_id in (MERCHANT, OTHER_MERCHANT)),
    *(Scope(merchant_id, terminal_id) for terminal_id, merchant_id in TERMINALS.items()),
]
NOBODY = Scope("898310000000999")

SHIPPED: dict[str, dict[str, Any]] = {
    "policy": {"min_amount_minor": "off", "max_amount_minor": "off", "max_transactions": "off"},
    "fee_schedule": {"credit": "0.60", "qr": "0.38"},
    "calendar": {"days_after": 1, "payout_time": "09:00"},
}
"""What holds where nobody has said anything, of what is changed here; a cut-off is never."""

SAID = {
    "policy": {"min_amount_minor": [100, 900], "max_amount_minor": [500, 1000, "off"], "max_transactions": [5, 6]},
    "fee_schedule": {"credit": ["0.50", "0.55"], "qr": ["0.10", "0.20"]},
    "calendar": {"days_after": [2, 3], "payout_time": ["10:00", "11:00"]},
}

CHINA = timezone(timedelta(hours=8))
CUTOFF_BEFORE_MIDNIGHT = timedelta(hours=1)

BOSS = next(actor for actor in PEOPLE if actor.role == "admin")
someone = st.sampled_from((*PEOPLE, *[actor for actor in PEOPLE if actor.role == "admin"] * 4))
kinds = st.sampled_from(sorted(SHIPPED))
scopes = st.sampled_from((*SCOPES, *SCOPES[:2], NOBODY))


@dataclass
class Sheet:
    """What was agreed once: it holds from `begins_ms` on; `noticed` when the host has seen to that, `gone` when it was
    taken back before."""

    number: int
    scope: Scope
    begins_ms: int
    values: dict[str, Any]
    restores: int = 0
    noticed: bool = False
    gone: bool = False


def day_of(at_ms: int) -> date:
    """The business day that an instant belongs to."""
    return (datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHINA) + CUTOFF_BEFORE_MIDNIGHT).date()


def day_begins_ms(day: date) -> int:
    begins = datetime(day.year, day.month, day.day, tzinfo=CHINA) - CUTOFF_BEFORE_MIDNIGHT
    return int(begins.timestamp()) * 1000


class AgreementMachine(OfficeMachine):
    """Three kinds of terms are agreed at every level, for now and for later, taken back and restored; the host is down
    at times while something falls due."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, list[Sheet]] = {kind: [] for kind in SHIPPED}
        self.told: Counter[tuple[str, int]] = Counter()
        for terminal_id, merchant_id in TERMINALS.items():
            self.run(UnionPayTerminal(self.host, terminal_id, merchant_id).sign_in())

    @property
    def now_ms(self) -> int:
        return self.host.clock.now_ms()

    def agreements(self, kind: str) -> Agreements:
        terms = self.host.parts.terms
        return {"policy": terms.policies, "fee_schedule": terms.fee_schedules, "calendar": terms.calendars}[kind]

    # -- the folder

    def of(self, kind: str, scope: Scope) -> list[Sheet]:
        return [sheet for sheet in self.sheets[kind] if sheet.scope == scope]

    def top_sheet(self, kind: str, scope: Scope, at_ms: int) -> Sheet | None:
        """The scope's own that holds: the one that began last, of two at once the one agreed later."""
        begun = [one for one in self.of(kind, scope) if not one.gone and one.begins_ms <= at_ms]
        return max(begun, key=lambda one: (one.begins_ms, one.number), default=None)

    def holds(self, kind: str, scope: Scope, at_ms: int) -> dict[str, Any]:
        """Key by key what the nearest says, then the next above it."""
        values = dict(SHIPPED[kind])
        for above in dict.fromkeys((Scope(), Scope(scope.merchant_id), scope)):
            sheet = self.top_sheet(kind, above, at_ms)
            values |= {} if sheet is None else sheet.values
        return values

    def state(self, kind: str, sheet: Sheet) -> str:
        if sheet.gone:
            return "withdrawn"
        if not sheet.noticed:
            return "planned"
        seen = [one for one in self.of(kind, sheet.scope) if one.noticed]
        latest = max(seen, key=lambda one: (one.begins_ms, one.number))
        return "in_force" if latest is sheet else "replaced"

    def notice(self, kind: str, scope: Scope) -> None:
        """See to what has begun at a scope."""
        for sheet in self.of(kind, scope):
            if not (sheet.noticed or sheet.gone) and sheet.begins_ms <= self.now_ms:
                sheet.noticed = True
                self.told[f"{kind}.changed", sheet.number] += 1

    def contradicts(self, kind: str) -> bool:
        """Whether at any time to come somebody's least amount is above the most."""
        turns = [self.now_ms, *(one.begins_ms for one in self.sheets[kind] if one.begins_ms > self.now_ms)]
        for at_ms in turns if kind == "policy" else ():
            for scope in SCOPES:
                held = self.holds(kind, scope, at_ms)
                low, high = held["min_amount_minor"], held["max_amount_minor"]
                if "off" not in (low, high) and low > high:
                    return True
        return False

    def when(self, kind: str, later: int | None) -> tuple[str | None, int]:
        """As it is written for the host, and the instant; `later` in steps of seven hours, or in days."""
        if kind == "policy":
            at_ms = self.now_ms + (later or 0) * 7 * HOUR_MS
            return None if later is None else iso_utc(at_ms), at_ms
        day = day_of(self.now_ms) + timedelta(days=later or 0)
        return None if later is None else day.isoformat(), day_begins_ms(day)

    # -- people

    @rule(actor=someone, kind=kinds, scope=scopes, later=st.sampled_from([None, None, -1, 0, 1, 1, 2]), data=st.data())
    def agree(self, actor: Actor, kind: str, scope: Scope, later: int | None, data: st.DataObject) -> None:
        self.propose(actor, kind, scope, later, data)

    def propose(self, actor: Actor, kind: str, scope: Scope, later: int | None, data: st.DataObject) -> None:
        said = SAID[kind]
        names = data.draw(st.lists(st.sampled_from(sorted(said)), min_size=1, unique=True))
        values = {name: data.draw(st.sampled_from(said[name])) for name in names}
        valid_from, begins_ms = self.when(kind, later)
        sheet = Sheet(len(self.sheets[kind]) + 1, scope, begins_ms, values)
        work = self.agreements(kind).put(actor, scope, written(kind, values), valid_from, "as agreed")
        self.put_down(actor, kind, sheet, later, work)

    @precondition(lambda self: any(self.sheets.values()))
    @rule(actor=someone, later=st.sampled_from([None, -1, 1]), elsewhere=st.booleans(), data=st.data())
    def restore(self, actor: Actor, later: int | None, elsewhere: bool, data: st.DataObject) -> None:
        kind, earlier = self.drawn(data)
        scope = NOBODY if elsewhere else earlier.scope
        valid_from, begins_ms = self.when(kind, later)
        sheet = Sheet(len(self.sheets[kind]) + 1, scope, begins_ms, earlier.values, earlier.number)
        work = self.agreements(kind).restore(actor, scope, earlier.number, valid_from, "it was better")
        self.put_down(actor, kind, sheet, later, work)

    def put_down(self, actor: Actor, kind: str, sheet: Sheet, later: int | None, work: Any) -> None:
        self.sheets[kind].append(sheet)
        wrong = sheet.scope == NOBODY or (later or 0) < 0 or (kind == "calendar" and sheet.scope.terminal_id)
        expected = "forbidden" if actor.role != "admin" else "refused" if wrong or self.contradicts(kind) else "done"
        outcome, made = self.tried(work)
        assert expected == outcome.kind, outcome.text
        if expected != "done":
            self.sheets[kind].pop()
            return
        assert (sheet.number, sheet.restores) == (made["version"], made["restores"] or 0)
        if sheet.begins_ms > self.now_ms:
            self.told[f"{kind}.planned", sheet.number] += 1
        else:
            self.notice(kind, sheet.scope)

    @precondition(lambda self: any(self.sheets.values()))
    @rule(actor=someone, elsewhere=st.booleans(), planned=st.booleans(), data=st.data())
    def withdraw(self, actor: Actor, elsewhere: bool, planned: bool, data: st.DataObject) -> None:
        kind, sheet = self.drawn(data, planned=planned)
        self.withdraw_sheet(actor, kind, sheet, NOBODY if elsewhere and not planned else sheet.scope)

    def withdraw_sheet(self, actor: Actor, kind: str, sheet: Sheet, scope: Scope) -> None:
        state = self.state(kind, sheet)
        if actor.role != "admin":
            expected = "forbidden"
        elif scope != sheet.scope:
            expected = "refused"
        elif state != "planned":
            expected = "not_now"
        else:
            sheet.gone = True
            expected = "refused" if self.contradicts(kind) else "done"
            sheet.gone = expected == "done"
        outcome, _ = self.tried(self.agreements(kind).withdraw(actor, scope, sheet.number, "not after all"))
        assert expected == outcome.kind, outcome.text
        self.told[f"{kind}.withdrawn", sheet.number] += expected == "done"

    @rule(kind=kinds, scope=scopes, data=st.data())
    def plan_and_think_better_of_it(self, kind: str, scope: Scope, data: st.DataObject) -> None:
        """So that plans are withdrawn often enough."""
        before = len(self.sheets[kind])
        self.propose(BOSS, kind, scope, 1, data)
        for sheet in self.sheets[kind][before:]:
            self.withdraw_sheet(BOSS, kind, sheet, sheet.scope)

    def drawn(self, data: st.DataObject, *, planned: bool = False) -> tuple[str, Sheet]:
        """A sheet of the folder, a planned one where one is wanted and there is one."""
        every = [(kind, sheet) for kind, sheets in self.sheets.items() for sheet in sheets]
        waiting = [(kind, sheet) for kind, sheet in every if self.state(kind, sheet) == "planned"]
        return data.draw(st.sampled_from(waiting if planned and waiting else every))

    # -- time

    @rule(hours=st.sampled_from([1, 7, 24]))
    def time_passes(self, hours: int) -> None:
        self.run(pass_time(self.host, hours * HOUR_MS))
        self.notice_all()

    @rule(hours=st.sampled_from([7, 24]))
    def the_host_is_down(self, hours: int) -> None:
        """What begins meanwhile holds from its start on; it is seen to when the host looks, or agrees on the next."""
        self.host.clock.move_to(self.now_ms + hours * HOUR_MS)
        self.restart()

    @rule(kind=kinds, scope=scopes, data=st.data())
    def agree_on_something_while_another_is_overdue(self, kind: str, scope: Scope, data: st.DataObject) -> None:
        """So that it happens often enough."""
        self.propose(BOSS, kind, scope, 1, data)
        self.the_host_is_down(24)
        self.propose(BOSS, kind, scope, None, data)

    @rule()
    def the_host_looks(self) -> None:
        self.run(self.host.watch.settle())
        self.notice_all()

    def notice_all(self) -> None:
        for kind in SHIPPED:
            for scope in SCOPES:
                self.notice(kind, scope)

    # -- as on paper

    @invariant()
    def every_version_is_a_sheet_of_the_folder(self) -> None:
        for kind in SHIPPED:
            for scope in SCOPES:
                sheets = self.of(kind, scope)
                told = [(one["version"], one["state"], one["values"]) for one in self.agreements(kind).history(scope)]
                mine = [(one.number, self.state(kind, one), written(kind, one.values)) for one in reversed(sheets)]
                assert mine == told
                view = self.agreements(kind).view(scope, self.now_ms)
                top = self.top_sheet(kind, scope, self.now_ms)
                assert (None if top is None else top.number) == view["version"]
                planned = [one.number for one in sheets if self.state(kind, one) == "planned"]
                assert planned == [one["version"] for one in view["planned"]]
                assert self.holds(kind, scope, self.now_ms) == read(kind, view["effective"])

    @invariant()
    def money_and_messages_follow_what_holds(self) -> None:
        terms = self.host.parts.terms
        for terminal_id, merchant_id in TERMINALS.items():
            scope = Scope(merchant_id, terminal_id)
            policy = self.host.book(terminal_id).policy
            held = {name: "off" if getattr(policy, name) is None else getattr(policy, name) for name in SAID["policy"]}
            assert self.holds("policy", scope, self.now_ms) == held
            for day in self.days_ahead():
                at_ms = day_begins_ms(day)
                rules = terms.schedule_of(merchant_id, day, terminal_id).rules
                rates = {one.name: f"{one.rate_percent:.2f}" for one in rules}
                wanted = self.holds("fee_schedule", scope, at_ms)
                assert wanted == {name: rates[name] for name in wanted}
                calendar = terms.calendar_of(merchant_id, day)
                paid = {"days_after": calendar.days_after, "payout_time": f"{calendar.payout_time:%H:%M}"}
                assert self.holds("calendar", Scope(merchant_id), at_ms) == paid

    def days_ahead(self) -> Iterator[date]:
        return (day_of(self.now_ms) + timedelta(days=ahead) for ahead in range(3))

    def rows_of(self, table: type[RowType]) -> list[RowType]:
        """Every row of a table that the store holds."""
        return self.host.memory.all_rows(table)

    def teardown(self) -> None:
        try:
            entries: Any = self.run(self.host.journal.entries_after(0, 1_000_000))
            report = verify(self.rows_of, entries)
            told: Counter[tuple[str, int]] = Counter()
            for stored in entries:
                event = event_of(stored, self.host.registry).type
                if event.partition(".")[0] in SHIPPED:
                    told[event, json.loads(stored.entry.detail)["version"]] += 1
            assert +self.told == told
            assert 0 == report["differences"], report["details"]
        finally:
            super().teardown()


def written(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values as somebody hands them in."""
    if kind != "fee_schedule":
        return values
    return {"rule": [{"name": name, "products": [name], "rate_percent": rate} for name, rate in sorted(values.items())]}


def read(kind: str, effective: dict[str, Any]) -> dict[str, Any]:
    """The same keys out of what is shown to hold."""
    if kind == "fee_schedule":
        rates = {one["name"]: f"{float(one['rate_percent']):.2f}" for one in effective["rule"]}
        return {name: rates[name] for name in SHIPPED[kind]}
    return {name: effective[name] for name in SHIPPED[kind]}
