"""Policies and fee schedules of merchants and terminals: inherited, dated, put back, and obeyed by everything."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import START_MS, HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal

from pos_host.clock import iso_utc
from pos_host.event_log import event_of
from pos_host.ledger.merchant_rows import AuditRow
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_host.merchants.terms import Terms
from pos_host.merchants.versions import Scope
from pos_host.money.fee_schedule import Sale
from pos_host.money.fees import quote

HOUR_MS = 3_600_000
CREDIT_055 = {"rule": [{"name": "credit", "products": ["credit"], "rate_percent": "0.55"}]}
CREDIT_050 = {"rule": [{"name": "credit", "products": ["credit"], "rate_percent": "0.50"}]}


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


@pytest.fixture
async def terminal(host: HostInProcess) -> UnionPayTerminal:
    made = UnionPayTerminal(host)
    await made.sign_in()
    return made


def terms_of(host: HostInProcess) -> Terms:
    return host.parts.terms


def merchant_of(terminal: UnionPayTerminal) -> Scope:
    return Scope(terminal.ids[42])


def itself(terminal: UnionPayTerminal) -> Scope:
    return Scope(terminal.ids[42], terminal.ids[41])


def in_hours(hours: float) -> str:
    return iso_utc(START_MS + round(hours * HOUR_MS))


def events(host: HostInProcess) -> list[str]:
    return [event_of(stored, host.registry).type for stored in host.memory.entries]


async def test_a_terminal_says_what_differs_from_its_merchant_and_that_from_the_acquirer(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    policies = terms_of(host).policies
    await policies.put(ADMIN, Scope(), {"cutoff": "22:00", "max_transactions": 500})
    await policies.put(ADMIN, merchant_of(terminal), {"cutoff": "21:00", "max_amount_minor": 900})
    await policies.put(ADMIN, itself(terminal), {"max_amount_minor": "off"})

    effective = policies.view(itself(terminal), START_MS)["effective"]
    assert ("21:00", 500, "off", "PT1H") == tuple(
        effective[key] for key in ("cutoff", "max_transactions", "max_amount_minor", "grace")
    )
    assert {"max_amount_minor": "off"} == policies.view(itself(terminal), START_MS)["values"]
    book = host.book(terminal.ids[41])
    assert (500, None) == (book.policy.max_transactions, book.policy.max_amount_minor)


async def test_local_time_and_business_date_are_those_of_the_terminals_own_zone(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    before = (await terminal.purchase(10_00)).answer.fields
    await terms_of(host).policies.put(ADMIN, itself(terminal), {"time_zone": "Europe/Berlin", "cutoff": "12:30"})
    after = (await terminal.purchase(11_00)).answer.fields

    assert ("200000", "0302") == (before[12], before[13])
    assert ("130000", "0302", "0303") == (after[12], after[13], after[15])


async def test_the_host_settles_each_terminal_by_its_own_policy(host: HostInProcess) -> None:
    early, late = HypercomTerminal(host, "H0000001"), HypercomTerminal(host, "H0000002")
    await early.purchase(10_00)
    await late.purchase(10_00)
    policies = terms_of(host).policies
    mid = early.ids[42]
    await policies.put(ADMIN, Scope(mid), {"auto_settle": "23:30"})
    await policies.put(ADMIN, Scope(mid, "H0000001"), {"cutoff": "21:00", "auto_settle": "21:15"})

    await host.office.advance_clock("PT1H20M")
    assert ["settled", "open"] == [host.book(tid).batches[0].state for tid in ("H0000001", "H0000002")]
    await host.office.advance_clock("PT2H20M")
    assert ["settled", "settled"] == [host.book(tid).batches[0].state for tid in ("H0000001", "H0000002")]
    assert [] == verified(host)["details"]


async def test_a_cutoff_moved_on_the_same_day_settles_no_business_day_twice(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host, "H0000001")
    await terminal.purchase(10_00)
    policies, scope = terms_of(host).policies, Scope(terminal.ids[42])
    await policies.put(ADMIN, scope, {"cutoff": "20:30", "auto_settle": "20:30"})
    await host.office.advance_clock("PT31M")
    assert ["settled"] == [batch.state for batch in host.book("H0000001").batches[:1]]

    await policies.put(ADMIN, scope, {"cutoff": "22:00", "auto_settle": "22:00"})
    await terminal.purchase(20_00)
    await host.office.advance_clock("PT2H")
    await host.office.advance_clock("P2D")

    days = judged_days(host)
    assert len(days) == len(set(days))
    assert [] == verified(host)["details"]


async def test_sales_are_blocked_by_the_terminals_own_policy(host: HostInProcess) -> None:
    blocked, free = UnionPayTerminal(host, "T0000001"), UnionPayTerminal(host, "T0000002")
    for terminal in (blocked, free):
        await terminal.sign_in()
        await terminal.purchase(10_00)
    await terms_of(host).policies.put(ADMIN, itself(blocked), {"block_sales_when": "overdue"})
    await host.office.advance_clock("PT5H")

    assert ("58", "00") == ((await blocked.purchase(1_00)).code, (await free.purchase(1_00)).code)


async def test_an_authorisation_expires_by_the_policy_that_held_when_it_was_made(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    long = await terminal.auth(10_00)
    await terms_of(host).policies.put(ADMIN, merchant_of(terminal), {"auth_expires": "P1D"})
    short = await terminal.auth(20_00)
    await host.office.advance_clock("P2D")

    rows = host.book(terminal.ids[41]).authorisations.values()
    lived = {row.rrn: row.expires_at_ms - row.authorised_at_ms for row in rows}
    assert (30 * 24 * HOUR_MS, 24 * HOUR_MS) == (lived[long.rrn], lived[short.rrn])


async def test_a_planned_change_takes_effect_at_its_time_and_is_told(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    policies = terms_of(host).policies
    await policies.put(ADMIN, merchant_of(terminal), {"max_transactions": 9}, in_hours(2), "as agreed")
    book = host.book(terminal.ids[41])
    assert ("planned", None) == (policies.history(merchant_of(terminal))[0]["state"], book.policy.max_transactions)

    await host.office.advance_clock("PT1H59M")
    assert None is book.policy.max_transactions
    await host.office.advance_clock("PT2M")

    assert ("in_force", 9) == (policies.history(merchant_of(terminal))[0]["state"], book.policy.max_transactions)
    assert ["policy.planned", "policy.changed"] == [told for told in events(host) if told.startswith("policy.")]
    told = host.memory.all_rows(AuditRow)[-1]
    assert ("host", "policy.take_effect", iso_utc(told.at_ms)) == (told.actor, told.action, in_hours(2))


async def test_a_change_that_fell_due_while_the_host_was_down_holds_after_its_start(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    await terms_of(host).policies.put(ADMIN, merchant_of(terminal), {"max_transactions": 9}, in_hours(2))
    host.clock.move_to(START_MS + 3 * HOUR_MS)

    again = host.twin()

    assert 9 == again.book(terminal.ids[41]).policy.max_transactions
    await again.office.advance_clock("PT1S")
    assert "in_force" == terms_of(again).policies.history(merchant_of(terminal))[0]["state"]


async def test_what_is_agreed_before_the_host_has_looked_is_not_replaced_by_what_fell_due_earlier(
    host: HostInProcess,
) -> None:
    await terms_of(host).policies.put(ADMIN, Scope(), {"max_transactions": 9}, in_hours(1))
    host.clock.move_to(START_MS + 2 * HOUR_MS)
    again = host.twin()
    policies = terms_of(again).policies
    await policies.put(ADMIN, Scope(), {"max_transactions": 5})
    await again.watch.settle()

    stand = [(version["version"], version["state"]) for version in policies.history(Scope())]
    assert [(2, "in_force"), (1, "replaced")] == stand
    changed = [event for event in events(again) if event.startswith("policy.")]
    assert ["policy.planned", "policy.changed", "policy.changed"] == changed


async def test_an_earlier_version_is_brought_back_as_a_new_one(host: HostInProcess, terminal: UnionPayTerminal) -> None:
    policies, scope = terms_of(host).policies, merchant_of(terminal)
    first = await policies.put(ADMIN, scope, {"max_transactions": 9})
    await policies.put(ADMIN, scope, {"max_transactions": 99})
    restored = await policies.restore(ADMIN, scope, first["version"], why="a mistake")

    assert (9, first["version"]) == (restored["values"]["max_transactions"], restored["restores"])
    assert 9 == host.book(terminal.ids[41]).policy.max_transactions
    states = [version["state"] for version in policies.history(scope)]
    assert ["in_force", "replaced", "replaced"] == states


async def test_a_planned_change_can_be_withdrawn_and_one_in_force_cannot(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    policies, scope = terms_of(host).policies, merchant_of(terminal)
    held = await policies.put(ADMIN, scope, {"max_transactions": 9})
    planned = await policies.put(ADMIN, scope, {"max_transactions": 99}, in_hours(1))
    await policies.withdraw(ADMIN, scope, planned["version"])
    await host.office.advance_clock("PT2H")

    assert 9 == host.book(terminal.ids[41]).policy.max_transactions
    with pytest.raises(NotNow, match="possible is replace"):
        await policies.withdraw(ADMIN, scope, held["version"])


async def test_what_is_withdrawn_in_the_moment_it_falls_due_does_not_take_effect(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    policies, scope = terms_of(host).policies, merchant_of(terminal)
    planned = await policies.put(ADMIN, scope, {"max_transactions": 99}, in_hours(1))
    due_ms = host.clock.now_ms() + 3_600_000
    await asyncio.gather(policies.withdraw(ADMIN, scope, planned["version"]), policies.act_on_due(due_ms))

    assert ["withdrawn"] == [version["state"] for version in policies.history(scope)]
    assert host.book(terminal.ids[41]).policy.max_transactions is None


async def test_a_terminal_has_no_rent_of_its_own(host: HostInProcess, terminal: UnionPayTerminal) -> None:
    rent = {"name": "rent", "amount_minor": 5_000, "currency": "CNY", "day_of_month": 10}
    of_terminal = merchant_of(terminal)._replace(terminal_id=terminal.ids[41])

    with pytest.raises(Refused, match="is a merchant's, not a terminal's"):
        await terms_of(host).fee_schedules.put(ADMIN, of_terminal, {"charge": [rent]})


@pytest.mark.parametrize(
    ("values", "valid_from", "text"),
    [
        ({"cutof": "23:00"}, None, "cutof: is not known here"),
        ({"cutoff": "25:00"}, None, "cutoff: .*must be a local time"),
        ({"forgotten_after": "PT1M"}, None, "must not be shorter than grace"),
        ({}, "2026-03-01T00:00:00Z", "is past"),
        ({}, "2026-03-03T00:00:00", "needs an offset"),
        ({}, "tomorrow", "is not an ISO 8601 time"),
        ({}, "9999-12-31T23:59:59Z", "after the year 9000"),
    ],
)
async def test_what_is_wrong_is_refused_and_changes_nothing(
    host: HostInProcess, terminal: UnionPayTerminal, values: dict[str, Any], valid_from: str | None, text: str
) -> None:
    policies = terms_of(host).policies

    with pytest.raises(Refused, match=text) as refused:
        await policies.put(ADMIN, merchant_of(terminal), values, valid_from)

    assert 422 == refused.value.status
    assert [] == policies.history(merchant_of(terminal))


async def test_a_change_above_that_contradicts_what_stands_below_is_refused_naming_it(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    policies = terms_of(host).policies
    await policies.put(ADMIN, itself(terminal), {"forgotten_after": "PT2H"}, in_hours(5))

    with pytest.raises(Refused, match=r"terminal T0000001 .*must not be shorter than grace"):
        await policies.put(ADMIN, merchant_of(terminal), {"grace": "PT3H"}, in_hours(1))


@pytest.mark.parametrize("scope", [Scope("104110070110999"), Scope("898310000000001", "T0000009")])
async def test_nothing_is_agreed_with_somebody_unknown(
    host: HostInProcess, terminal: UnionPayTerminal, scope: Scope
) -> None:
    with pytest.raises(Refused) as refused:
        await terms_of(host).policies.put(ADMIN, scope, {})

    assert 404 == refused.value.status


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
async def test_only_an_admin_agrees_terms(host: HostInProcess, role: str) -> None:
    terms = terms_of(host)
    for agreements in (terms.policies, terms.fee_schedules):
        with pytest.raises(Forbidden):
            await agreements.put(Actor("eve", role), Scope(), {})


async def test_a_fee_schedule_holds_from_its_day_on(host: HostInProcess, terminal: UnionPayTerminal) -> None:
    terms, mid = terms_of(host), terminal.ids[42]
    await terms.fee_schedules.put(ADMIN, Scope(mid), CREDIT_055, "2026-03-04")
    await terms.fee_schedules.put(ADMIN, Scope(mid, terminal.ids[41]), CREDIT_050, "2026-03-05")

    def fee_minor(day: int, terminal_id: str = "") -> int:
        sale = Sale("credit", "", 10_000_00, "CNY", date(2026, 3, day))
        return quote(terms.schedule_of(mid, sale.day, terminal_id), sale).fee_minor

    assert [60_00, 55_00, 55_00] == [fee_minor(day) for day in (3, 4, 5)]
    assert [60_00, 55_00, 50_00] == [fee_minor(day, terminal.ids[41]) for day in (3, 4, 5)]


async def test_a_schedule_begins_with_the_business_day_of_its_merchant(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    schedules, scope = terms_of(host).fee_schedules, merchant_of(terminal)
    await schedules.put(ADMIN, scope, CREDIT_055, "2026-03-03")

    await host.office.advance_clock("PT2H59M")
    assert "planned" == schedules.history(scope)[0]["state"]
    await host.office.advance_clock("PT2M")
    assert "in_force" == schedules.history(scope)[0]["state"]
    assert "fee_schedule.changed" in events(host)


async def test_an_inherited_schedule_is_shown_whole_and_reads_as_itself(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    schedules, scope = terms_of(host).fee_schedules, merchant_of(terminal)
    charge = {"name": "rent", "amount_minor": 50_00, "currency": "CNY", "day_of_month": 1}
    await schedules.put(ADMIN, scope, {**CREDIT_055, "charge": [charge], "remove": ["qr"]})
    shown = schedules.view(scope, START_MS)["effective"]

    assert [charge] == shown["charge"]
    assert "0.55" == next(rule["rate_percent"] for rule in shown["rule"] if rule["name"] == "credit")
    assert "qr" not in [rule["name"] for rule in shown["rule"]]
    await schedules.put(ADMIN, Scope(), shown, "2026-04-01")


@pytest.mark.parametrize(
    ("values", "valid_from", "text"),
    [
        ({"rule": [{"name": "credit"}]}, None, "products: is missing"),
        ({"remove": ["nothing"]}, None, "no schedule above has a rule"),
        ({"rules": []}, None, "is not a key of a fee schedule"),
        ({}, "2026-03-01", "is past"),
        ({}, "3 March", "is not a day"),
        ({}, "9999-12-31", "after the year 9000"),
    ],
)
async def test_a_wrong_schedule_is_refused(
    host: HostInProcess, values: dict[str, Any], valid_from: str | None, text: str
) -> None:
    with pytest.raises(Refused, match=text):
        await terms_of(host).fee_schedules.put(ADMIN, Scope(), values, valid_from)


async def test_terms_are_the_same_after_a_restart(host: HostInProcess, terminal: UnionPayTerminal) -> None:
    await terms_of(host).policies.put(ADMIN, itself(terminal), {"max_transactions": 9})
    await terms_of(host).fee_schedules.put(ADMIN, merchant_of(terminal), CREDIT_055)

    again = host.twin()

    book, mid = again.book(terminal.ids[41]), terminal.ids[42]
    assert 9 == terms_of(again).policy_of(book).max_transactions
    assert book.policy is terms_of(again).policy_of(book)
    day = date(2026, 3, 2)
    assert terms_of(host).schedule_of(mid, day) == terms_of(again).schedule_of(mid, day)


async def test_a_terminal_that_enrols_later_comes_under_its_merchants_policy(
    host: HostInProcess, terminal: UnionPayTerminal
) -> None:
    await terms_of(host).policies.put(ADMIN, merchant_of(terminal), {"max_transactions": 9})
    await UnionPayTerminal(host, "T0000077").sign_in()

    assert 9 == host.book("T0000077").policy.max_transactions


def judged_days(host: HostInProcess) -> list[str]:
    """The business days that the host ended itself, in order."""
    told = [json.loads(item.entry.detail) for item in host.memory.entries if item.entry.kind == "host_settlement"]
    return [detail["business_day"] for detail in told]
