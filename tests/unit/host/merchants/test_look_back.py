"""After each business day: what was settled how, what was late and why, and whether books and payouts agree.
Cut-off at 23:00; the look-back is made at 05:00."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.desk import Refused
from pos_host.merchants.forgotten.late_causes import Circumstances, cause_of
from pos_host.settlement.policy import Policy, load_policy
from pos_specs.totals import Side

SHANGHAI = timezone(timedelta(hours=8))
AUTOMATIC = dataclasses.replace(load_policy(None), auto_settle=time(23, 30))
DRY = dataclasses.replace(AUTOMATIC, auto_settle_mode="dry_run")
FIRST = date(2026, 3, 2)


def at(text: str) -> int:
    moment = datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)


async def until(host: HostInProcess, text: str) -> None:
    await host.office.advance_clock(f"PT{(at(text) - host.clock.now_ms()) // 1000}S")


async def report(host: HostInProcess, day: date | None = None) -> dict[str, Any]:
    found: dict[str, Any] = await host.parts.forgotten.look_back.report(day)
    return found


def host_of(policy: Policy | None = None) -> HostInProcess:
    return HostInProcess(policy=policy)


async def test_it_is_made_six_hours_after_the_cutoff_and_says_what_was_settled_how() -> None:
    host = host_of(AUTOMATIC)
    own, forgets = UnionPayTerminal(host), HypercomTerminal(host)
    await own.purchase(12_34)
    await own.settle(debit_credit((1, 12_34)))
    await forgets.purchase(100_00)

    await until(host, "03 04:59")
    with pytest.raises(Refused, match="no look-back; the next is made at 2026-03-02T21:00"):
        await report(host)
    await until(host, "03 05:00")

    made = await report(host)
    assert ("2026-03-02", "2026-03-02T21:00:00.000Z") == (made["date"], made["made_at"])
    assert [
        {"by": "schedule", "result": "settled_by_host", "currency": "156", "batches": 1, "net_minor": 100_00},
        {"by": "terminal", "result": "balanced", "currency": "156", "batches": 1, "net_minor": 12_34},
    ] == made["settled"]
    assert ([], {}) == (made["late"], made["causes"])
    events = [event_of(stored, host.registry) for stored in host.memory.entries]
    (told,) = [event for event in events if event.type == "look_back.made"]
    assert {"date": "2026-03-02", "late": 0, "still_flagged": 0}.items() <= told.data["detail"].items()


async def test_each_business_day_has_one_also_after_restarts() -> None:
    host = host_of()
    await UnionPayTerminal(host).purchase(12_34)
    await until(host, "03 05:00")

    again = host.twin()
    await until(again, "05 12:00")

    assert ["2026-03-04", "2026-03-03", "2026-03-02"] == again.parts.forgotten.look_back.days()
    assert 3 == sum(event_of(stored, again.registry).type == "look_back.made" for stored in again.memory.entries)


async def test_a_report_reads_the_same_whenever_it_is_asked_for() -> None:
    host = host_of(AUTOMATIC)
    terminal = HypercomTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "03 05:00")
    first = await report(host, FIRST)

    await terminal.purchase(1_00)
    await until(host, "05 12:00")

    assert first == await report(host, FIRST)


async def test_a_settlement_after_overdue_is_late_and_its_terminal_was_on_line() -> None:
    host = host_of()
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "03 00:05")
    await terminal.echo()
    await terminal.purchase(1_00)
    await until(host, "03 01:00")
    await terminal.settle(debit_credit((2, 13_34)))
    await until(host, "03 05:00")

    (late,) = (await report(host))["late"]

    assert ("overdue", "operator", "terminal") == (late["late"], late["cause"], late["by"])


async def test_a_terminal_that_came_back_only_to_settle_was_never_connected() -> None:
    host = host_of()
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "03 01:00")
    await terminal.sign_in()
    await terminal.settle(debit_credit((1, 12_34)))
    await until(host, "03 05:00")

    made = await report(host)

    assert ["never_connected"] == [late["cause"] for late in made["late"]]
    assert {"never_connected": 1} == made["causes"]


async def test_a_broken_upload_is_named_as_the_cause() -> None:
    host = host_of(AUTOMATIC)
    terminal = HypercomTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "02 23:10")
    await terminal.settle({"sales": Side(1, 1)})
    await until(host, "03 05:00")

    (late,) = (await report(host))["late"]

    assert ("upload_broken", "schedule") == (late["cause"], late["by"])


@pytest.mark.parametrize(
    ("reasons", "heard", "faulty", "cause"),
    [
        ({"past_cutoff"}, True, False, "operator"),
        ({"past_cutoff"}, False, False, "never_connected"),
        ({"past_cutoff"}, True, True, "terminal_fault"),
        ({"past_cutoff", "answer_undelivered"}, True, False, "system"),
        ({"past_cutoff", "upload_incomplete"}, False, True, "upload_broken"),
        ({"past_cutoff", "out_of_balance"}, True, False, "upload_broken"),
    ],
)
def test_each_cause_has_its_circumstances(reasons: set[str], heard: bool, faulty: bool, cause: str) -> None:
    assert cause == cause_of(Circumstances(frozenset(reasons), heard, faulty))


async def test_what_is_still_flagged_is_named_and_goes_on_into_the_next_day() -> None:
    host = host_of()
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)

    await until(host, "04 04:00")
    await terminal.settle(debit_credit((1, 12_34)))
    await until(host, "04 05:00")

    (flagged,) = (await report(host, FIRST))["still_flagged"]
    assert ("T0000001", "overdue", ["past_cutoff"]) == (
        flagged["terminal_id"],
        flagged["severity"],
        flagged["reasons"],
    )
    (late,) = (await report(host, FIRST + timedelta(days=1)))["late"]
    assert ("forgotten", 12_34) == (late["late"], late["net_minor"])


async def test_who_was_late_three_times_is_a_repeat_offender() -> None:
    host = host_of()
    terminal = UnionPayTerminal(host)
    for day in ("03", "04", "05"):
        await terminal.purchase(1_00)
        await until(host, f"{day} 01:00")
        await terminal.settle(debit_credit((1, 1_00)))
        await terminal.sign_in()
        terminal.batch = host.book("T0000001").batches[-1].number
        await until(host, f"{day} 05:00")

    found = [(await report(host, FIRST + timedelta(days=days)))["repeat_offenders"] for days in range(3)]

    assert [[], []] == found[:2]
    assert [("T0000001", 3)] == [(one["terminal_id"], one["times_late"]) for one in found[2]]


async def test_books_and_payouts_are_compared() -> None:
    host = host_of()
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    await terminal.void(sale)
    await terminal.purchase(5_00)
    await terminal.settle(debit_credit((2, 17_34), (1, 12_34)))
    await until(host, "03 05:00")
    assert {"checked": 1, "differences": []} == (await report(host))["payouts"]

    payouts = host.memory.table(PayoutRow)
    payouts[100_001] = payouts[100_001]._replace(captured_minor=4_99)

    (difference,) = (await report(host))["payouts"]["differences"]
    assert (100_001, 5_00, 4_99) == (
        difference["batch_id"],
        difference["books_minor"],
        difference["payout_minor"],
    )


async def test_a_dry_run_is_compared_with_reality_once_that_is_known() -> None:
    host = host_of(DRY)
    same, more = HypercomTerminal(host), HypercomTerminal(host, "H0000002")
    await same.purchase(10_00)
    await more.purchase(20_00)
    await until(host, "02 23:45")
    await more.purchase(1_00)
    await more.settle({"sales": Side(2, 21_00)})
    await until(host, "03 06:00")
    await same.settle({"sales": Side(1, 10_00)})
    await until(host, "04 05:00")

    by_terminal = {run["terminal_id"]: run for run in (await report(host, FIRST))["dry_run"]}
    assert (20_00, 21_00, False) == tuple(
        by_terminal["H0000002"][name] for name in ("would_settle_minor", "settled_minor", "same")
    )
    (again,) = (await report(host, FIRST + timedelta(days=1)))["dry_run"]
    assert ("H0000001", 10_00, True, "balanced") == tuple(
        again[name] for name in ("terminal_id", "settled_minor", "same", "result")
    )


async def test_a_day_nobody_looked_back_on_is_not_there() -> None:
    host = host_of()
    await UnionPayTerminal(host).purchase(12_34)
    await until(host, "03 05:00")

    with pytest.raises(Refused, match="no look-back of 2026-03-09") as refused:
        await report(host, date(2026, 3, 9))
    assert 404 == refused.value.status


async def test_a_host_without_terminals_has_nothing_to_look_back_on() -> None:
    host = host_of()

    await until(host, "05 12:00")

    assert [] == host.parts.forgotten.look_back.days()
    assert [] == host.memory.entries
