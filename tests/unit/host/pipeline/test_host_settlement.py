"""The host ends forgotten batches itself: at their time, once, in their terminal's turn, whatever dies meanwhile.
Cut-off at 23:00, settling time 23:30."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime, time, timedelta, timezone
from typing import Any

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, proven, verified
from tests.unit.host.pipeline.terminals import HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.journal import StoredEntry
from pos_host.ledger.entry import BatchRow, HostSettlementRow
from pos_host.merchants.desk import NotKept
from pos_host.settlement.policy import Policy, load_policy
from pos_host.settlement.settler import NothingToSettle, UploadRunning
from pos_host.testing.crashing_journal import CrashingJournal, CrashPoint
from pos_specs.totals import Side

SHANGHAI = timezone(timedelta(hours=8))
AUTOMATIC = dataclasses.replace(load_policy(None), auto_settle=time(23, 30))


def rules(**changes: Any) -> Policy:
    return dataclasses.replace(AUTOMATIC, **changes)


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess(policy=AUTOMATIC)


def at(text: str) -> int:
    """UTC milliseconds of a local time such as "02 22:30" of March 2026."""
    return int(datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI).timestamp() * 1000)


async def until(host: HostInProcess, text: str) -> None:
    await host.office.advance_clock(f"PT{(at(text) - host.clock.now_ms()) // 1000}S")


def batches(host: HostInProcess, terminal: Terminal) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book(terminal.ids[41]).batches]


def events(host: HostInProcess) -> list[str]:
    return [event_of(stored, host.registry).type for stored in host.memory.entries]


def judged(host: HostInProcess) -> list[tuple[str, str]]:
    told = [json.loads(item.entry.detail) for item in host.memory.entries if item.entry.kind == "host_settlement"]
    return [(detail["business_day"], detail["result"]) for detail in told]


SETTLED = [("000001", "settled", "settled_by_host"), ("000002", "open", "")]


async def test_a_forgotten_batch_is_settled_at_its_time(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)

    await until(host, "02 23:29")
    assert [("000001", "open", "")] == batches(host, terminal)
    await until(host, "02 23:30")

    assert SETTLED == batches(host, terminal)
    closed = host.memory.table(BatchRow)[100_001]
    assert at("02 23:30") == closed.closed_at_ms
    assert [("2026-03-02", "settled")] == judged(host)


async def test_the_settlement_is_told_with_its_money_and_clears_the_flag(
    terminal: Terminal, host: HostInProcess, logs: Logs
) -> None:
    await terminal.purchase(12_34)

    await until(host, "03 12:00")

    assert [
        "terminal.unsettled",
        "terminal.reminded",
        "terminal.settled_by_host",
        "batch.settled",
        "batch.opened",
        "terminal.unsettled",
    ] == [told for told in events(host) if told.startswith(("terminal.", "batch."))][-6:]
    told = next(item.entry for item in host.memory.entries if item.entry.kind == "host_settlement")
    assert {"batch_number": "000001", "debit_amount_minor": 12_34, "by": "schedule"}.items() <= json.loads(
        told.detail
    ).items()
    assert None is host.office.terminal(terminal.ids[41], None)["unsettled"]
    (line,) = [line for line in logs if line["event"] == "host_settlement"]
    assert ("settled", 12_34) == (line["result"], line["debit_amount_minor"])


async def test_each_of_three_forgotten_days_is_settled_once(terminal: Terminal, host: HostInProcess) -> None:
    if isinstance(terminal, UnionPayTerminal):
        await terminal.sign_in()
    for day in ("02", "03", "04"):
        await until(host, f"{day} 20:30")
        await terminal.purchase(1_00, **_renumbered(host, terminal))

    await until(host, "07 12:00")

    assert [("2026-03-02", "settled"), ("2026-03-03", "settled"), ("2026-03-04", "settled")] == judged(host)
    assert ["settled_by_host"] * 3 == [result for _, _, result in batches(host, terminal)[:3]]


def _renumbered(host: HostInProcess, terminal: Terminal) -> dict[str, Any]:
    """A UnionPay terminal has taken the host's number with a sign-in."""
    if not isinstance(terminal, UnionPayTerminal) or not host.registry.of_terminal(terminal.ids[41]):
        return {}
    terminal.batch = host.book(terminal.ids[41]).batches[-1].number
    return {}


async def test_an_empty_batch_is_never_settled(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await terminal.reverse(sale.request)

    await until(host, "05 12:00")

    assert [("000001", "open", "")] == batches(host, terminal)


async def test_a_host_without_a_settling_time_settles_nothing(terminal: Terminal) -> None:
    other = HostInProcess()
    mine = type(terminal)(other)
    await mine.purchase(12_34)

    await other.office.advance_clock("P3D")

    assert [("000001", "open", "")] == batches(other, mine)


@pytest.mark.parametrize(
    ("changes", "result", "event"),
    [
        ({"min_amount_minor": 12_35}, "carried_over", "batch.carried_over"),
        ({"max_amount_minor": 12_33}, "held", "batch.held_for_review"),
        ({"auto_settle_mode": "dry_run"}, "dry_run", "batch.would_be_settled"),
    ],
)
async def test_outside_the_range_and_in_a_dry_run_the_batch_stays_and_each_day_tells_once(
    changes: dict[str, Any], result: str, event: str
) -> None:
    host = HostInProcess(policy=rules(**changes))
    async with proven(host):
        terminal = HypercomTerminal(host)
        await terminal.purchase(12_34)

        await until(host, "04 12:00")

        assert [("2026-03-02", result), ("2026-03-03", result)] == judged(host)
        assert 2 == events(host).count(event)
        assert [("000001", "open", "")] == batches(host, terminal)


async def test_what_was_carried_over_is_settled_once_it_is_enough() -> None:
    host = HostInProcess(policy=rules(min_amount_minor=20_00))
    async with proven(host):
        terminal = HypercomTerminal(host)
        await terminal.purchase(12_34)
        await until(host, "03 12:00")
        await terminal.purchase(12_34)

        await until(host, "04 12:00")

        assert [("2026-03-02", "carried_over"), ("2026-03-03", "settled")] == judged(host)
        assert SETTLED == batches(host, terminal)


async def test_a_restart_settles_what_fell_due_meanwhile_and_nothing_again(
    terminal: Terminal, host: HostInProcess
) -> None:
    await terminal.purchase(12_34)
    again = host.twin()
    async with proven(again):
        await until(again, "03 08:00")
        assert [("2026-03-02", "settled")] == judged(again)
        once_more = again.twin()
        await until(once_more, "03 20:00")
        assert [("2026-03-02", "settled")] == judged(once_more)
        assert 0 == verified(once_more)["differences"]


@pytest.mark.parametrize("point", list(CrashPoint))
async def test_a_host_that_dies_in_the_commit_settles_exactly_once(point: CrashPoint) -> None:
    journal = CrashingJournal()
    host = HostInProcess(journal, policy=AUTOMATIC)
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "02 23:20")
    journal.crash_next = point
    host.clock.move_to(at("02 23:30"))
    host.watch.look()
    for _ in range(10):
        await asyncio.sleep(0.001)
    assert journal.dead

    again = HostInProcess(journal.successor(), policy=AUTOMATIC, at_ms=at("02 23:31"))
    await again.office.advance_clock("P2D")

    assert [("2026-03-02", "settled")] == judged(again)
    assert SETTLED == batches(again, terminal)
    assert 0 == verified(again)["differences"], verified(again)["details"]


async def test_a_commit_that_failed_is_tried_again_a_minute_later(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 23:29")
    host.clock.move_to(at("02 23:30"))
    host.memory.fail_next = 1
    await host.watch.settle()
    assert [("000001", "open", "")] == batches(host, terminal)

    await until(host, "02 23:31")

    assert SETTLED == batches(host, terminal)


async def test_the_terminals_own_settlement_before_the_hosts_wins(host: HostInProcess) -> None:
    """Both in the same second: the 0500 has its turn first, and nothing is left for the host."""
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "02 23:29")
    host.clock.move_to(at("02 23:30"))
    asked = asyncio.create_task(terminal.settle(debit_credit((1, 12_34))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert host.book("T0000001").busy

    await host.watch.settle()
    await asked

    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host, terminal)
    assert [] == judged(host)


async def test_the_hosts_settlement_before_the_terminals_own_wins(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "02 23:29")
    host.clock.move_to(at("02 23:30"))
    host.watch.look()
    assert host.book("T0000001").busy

    settled = await terminal.settle(debit_credit((1, 12_34)))

    assert "1" == settled.answer.fields[48][30]
    assert SETTLED == batches(host, terminal)
    assert [("2026-03-02", "settled")] == judged(host)


async def test_what_a_terminal_asked_before_is_answered_before_and_the_rest_after(host: HostInProcess) -> None:
    """Three messages at once and the host's settlement behind the first two: the third finds the next batch."""
    terminal = HypercomTerminal(host)
    await terminal.purchase(1_00)
    messages = [terminal.purchase_message(amount) for amount in (2_00, 3_00, 4_00)]
    data = [terminal.line.bytes_of(message) for message in messages]
    before = len(terminal.line.answers)

    terminal.line.feed(data[0] + data[1])
    await asyncio.sleep(0)
    settling = asyncio.create_task(host.office.settle("H0000001", None))
    await asyncio.sleep(0)
    terminal.line.feed(data[2])
    await terminal.line.wait_for(before + 3)
    closed = await settling

    assert (3, 6_00) == tuple(closed["debit"].values())
    assert {"sales": Side(1, 4_00)} == {name: side for name, side in host.groups("H0000001").items() if side.count}


async def test_an_operator_may_settle_now(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)

    closed = await host.office.settle(terminal.ids[41], None)

    assert ("settled", "settled_by_host", 12_34) == (
        closed["state"],
        closed["result"],
        closed["debit"]["amount_minor"],
    )
    assert SETTLED == batches(host, terminal)
    with pytest.raises(NothingToSettle, match="has no batch with money"):
        await host.office.settle(terminal.ids[41], None)


async def test_an_operator_settles_no_running_upload(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host)
    await terminal.purchase(12_34)
    assert "95" == (await terminal.settle({"sales": Side(1, 1)})).code

    with pytest.raises(UploadRunning, match="is uploading batch 000001"):
        await host.office.settle("H0000001", None)


async def test_an_operators_settlement_that_cannot_be_stored_did_not_happen(
    terminal: Terminal, host: HostInProcess
) -> None:
    await terminal.purchase(12_34)
    host.memory.fail_next = 1

    with pytest.raises(NotKept):
        await host.office.settle(terminal.ids[41], None)

    assert [("000001", "open", "")] == batches(host, terminal)


async def test_an_idle_upload_is_ended_and_one_under_way_is_not(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host)
    await terminal.purchase(12_34)
    await until(host, "02 23:00")
    await terminal.settle({"sales": Side(1, 1)})

    await until(host, "02 23:59")
    assert ("000001", "uploading", "") == batches(host, terminal)[0]
    await until(host, "03 00:00")

    assert SETTLED == batches(host, terminal)


@pytest.mark.parametrize(("when", "blocked_from"), [("overdue", "03 00:00"), ("forgotten", "03 23:00")])
async def test_new_sales_are_blocked_while_flagged_and_all_else_goes_on(when: str, blocked_from: str) -> None:
    host = HostInProcess(policy=dataclasses.replace(load_policy(None), block_sales_when=when))
    async with proven(host):
        terminal = HypercomTerminal(host)
        sale, other = await terminal.purchase(12_34), await terminal.purchase(5_00)
        await host.office.advance_clock(f"PT{(at(blocked_from) - host.clock.now_ms()) // 60_000 - 1}M")
        third = await terminal.purchase(1_00)
        assert "00" == third.code
        await until(host, blocked_from)

        assert "58" == (await terminal.purchase(1_00)).code
        assert "58" == (await terminal.auth(1_00)).code
        assert "58" == (await terminal.cash_advance(1_00)).code
        assert "00" == (await terminal.void(sale)).code
        assert "00" == (await terminal.reverse(other.request)).code
        assert "00" == (await terminal.refund(None, 2_00)).code
        assert "00" == (await terminal.offline_purchase(3_00)).code
        assert "00" == (await terminal.again(third)).code
        totals = {"sales": Side(2, 4_00), "refunds": Side(1, 2_00)}
        assert "00" == (await terminal.settle(totals)).code
        await host.watch.settle()
        assert "00" == (await terminal.purchase(1_00)).code


async def test_verify_sees_a_schedule_that_was_altered_and_a_day_judged_twice() -> None:
    host = HostInProcess(policy=AUTOMATIC)
    await HypercomTerminal(host).purchase(12_34)
    await until(host, "03 00:00")
    assert 0 == verified(host)["differences"]

    memory = host.memory
    memory.table(HostSettlementRow)[1] = memory.table(HostSettlementRow)[1]._replace(business_day="2026-03-05")
    assert ["host settlement"] == [detail["what"] for detail in verified(host)["details"]]

    memory.table(HostSettlementRow)[1] = memory.table(HostSettlementRow)[1]._replace(business_day="2026-03-02")
    again = next(stored.entry for stored in memory.entries if stored.entry.kind == "host_settlement")
    memory.entries.append(StoredEntry(len(memory.entries) + 1, again))
    assert ["business day 2026-03-02 judged twice"] == [detail["text"] for detail in verified(host)["details"]]
