"""`pos-host verify` proves payouts; a crash loses none and makes none twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.host.payouts.test_charges import charging
from tests.unit.host.payouts.test_payouts import OPERATOR, only_payout, payouts_of, sold_and_settled, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import verified
from tests.unit.host.pipeline.terminals import VISA_CARD, UnionPayTerminal, debit_credit

from pos_host.journal import StoredEntry
from pos_host.ledger.entry import PAYOUT, BatchRow
from pos_host.ledger.merchant_rows import PayoutRow, RecordRow
from pos_host.money.stored_schedule import CHARGED_SCHEDULE
from pos_host.testing.crashing_journal import CrashingJournal, CrashPoint

Tamper = Callable[[HostInProcess], None]


def texts(host: HostInProcess) -> str:
    return " | ".join(detail["text"] for detail in verified(host)["details"])


def in_row(**changes: Any) -> Tamper:
    def tamper(host: HostInProcess) -> None:
        rows = host.memory.rows[PayoutRow]
        for number, row in rows.items():
            rows[number] = row._replace(**changes)

    return tamper


def in_entry(**changes: Any) -> Tamper:
    """Another story in the entry that tells of the payout."""

    def tamper(host: HostInProcess) -> None:
        entries = host.memory.entries
        for place, (sequence, entry) in enumerate(entries):
            if entry.kind == PAYOUT:
                detail = json.dumps({**json.loads(entry.detail), **changes})
                entries[place] = StoredEntry(sequence, entry._replace(detail=detail))

    return tamper


def without_row(host: HostInProcess) -> None:
    host.memory.rows[PayoutRow].clear()


def without_entry(host: HostInProcess) -> None:
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if entry.kind == PAYOUT:
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(kind="echo", batch_id=0))


def another_product(host: HostInProcess) -> None:
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if entry.kind == "purchase":
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(product="qr"))


def a_cheaper_schedule(host: HostInProcess) -> None:
    rows = host.memory.rows[RecordRow]
    for key, row in rows.items():
        if row.kind == CHARGED_SCHEDULE:
            rows[key] = row._replace(body=row.body.replace('"0.60"', '"0.06"'))


@pytest.mark.parametrize(
    ("tamper", "text"),
    [
        (in_row(net_minor=999_00), "net_minor is not what its entries say"),
        (in_row(fees_minor=1), "fees_minor is not what its entries say"),
        (in_row(state="made"), "state is not what its entries say"),
        (in_row(due_at_ms=1), "due_at_ms is not what its entries say"),
        (in_row(terminal_no=0), "terminal_no is not what its entries say"),
        (in_row(currency="840"), "currency is not what its entries say"),
        (in_row(account_id="8"), "account_id is not what its entries say"),
        (in_row(lines="[]"), "lines is not what its entries say"),
        (in_entry(fees_minor=5_00, net_minor=995_00), "fees_minor is not what the transactions make"),
        (in_entry(payout_id=100_002), "its entry names another batch"),
        (without_row, "the entries have a payout that is not there"),
        (without_entry, "a closed batch with money has none"),
        (another_product, "fees_minor is not what the transactions make"),
        (a_cheaper_schedule, "is not what was charged by"),
    ],
)
async def test_what_was_altered_is_named(tamper: Tamper, text: str) -> None:
    host = HostInProcess()
    terminal = UnionPayTerminal(host)
    await terminal.purchase(1000_00, VISA_CARD)
    await terminal.settle(debit_credit((1, 1000_00), half="foreign"))
    await host.durable()
    assert "" == texts(host)
    tamper(host)

    assert text in texts(host)


async def test_verify_counts_the_payouts(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await sold_and_settled(host, 1000_00, terminal_id="T0000002")

    assert {"transactions": 2, "batches": 4, "payouts": 2} == verified(host)["checked"]


@pytest.mark.parametrize("point", list(CrashPoint))
async def test_a_crash_at_the_close_leaves_both_batch_and_payout_or_neither(point: CrashPoint) -> None:
    journal = CrashingJournal()
    host = HostInProcess(journal)
    terminal = UnionPayTerminal(host)
    await terminal.purchase(1000_00)
    journal.crash_next = point
    terminal.line.feed(_settlement(terminal, 1000_00))
    while not journal.dead:
        await host.memory_turn()
    heir = HostInProcess(journal.successor())

    closed = [row for row in heir.memory.all_rows(BatchRow) if row.state == "settled"]
    assert [row.batch_id for row in closed] == [row.payout_id for row in payouts_of(heir)]
    assert (point is CrashPoint.AFTER_COMMIT) is bool(closed)
    assert {row.payout_id for row in payouts_of(heir)} == set(heir.registry.payouts)
    assert 0 == verified(heir)["differences"]


@pytest.mark.parametrize("point", list(CrashPoint))
async def test_a_crash_when_a_payout_is_made_makes_it_once(point: CrashPoint) -> None:
    journal = CrashingJournal()
    host = HostInProcess(journal)
    await sold_and_settled(host, 1000_00)
    host.clock.move_to(only_payout(host).due_at_ms)
    journal.crash_next = point
    host.watch.look()
    while not journal.dead:
        await host.memory_turn()
    heir = HostInProcess(journal.successor(), at_ms=host.clock.now_ms())
    await until(heir, "04 12:00")

    made = [item.entry for item in heir.memory.entries if '"payout.made"' in item.entry.detail]
    assert ("made", 1) == (only_payout(heir).state, len(made))
    assert 0 == verified(heir)["differences"]


def told_again(host: HostInProcess, event: str, **changes: Any) -> None:
    """The event of that type once more, at the end of the journal."""
    entries = host.memory.entries
    entry = next(item.entry for item in entries if f'"{event}"' in item.entry.detail)
    detail = {name: value for name, value in json.loads(entry.detail).items() if name not in ("audit_no", "digest")}
    again = entry._replace(detail=json.dumps({**detail, **changes}))
    entries.append(StoredEntry(entries[-1].sequence + 1, again))


async def test_a_payout_that_was_made_a_second_time_is_named() -> None:
    host = HostInProcess()
    await sold_and_settled(host, 1000_00)
    await until(host, "04 12:00")
    told_again(host, "payout.made")

    assert "went from made to made, which no step does" == texts(host)


async def test_a_charge_that_was_taken_under_two_numbers_is_named() -> None:
    host = HostInProcess()
    await charging(host)
    await sold_and_settled(host, 1000_00)
    await host.parts.payouts.hold(OPERATOR, only_payout(host).payout_id, "")
    await until(host, "10 08:59")
    await until(host, "10 09:00")
    rent = payouts_of(host)[1]
    told_again(host, "payout.pending", payout_id=rent.payout_id + 1)
    told_again(host, "payout.carried_over", payout_id=rent.payout_id + 1)
    host.memory.rows[PayoutRow][rent.payout_id + 1] = rent._replace(payout_id=rent.payout_id + 1)

    assert "a charge is taken twice" == texts(host)


async def test_a_state_that_no_step_leads_to_is_named() -> None:
    host = HostInProcess()
    await sold_and_settled(host, 1000_00)
    await host.parts.payouts.hold(OPERATOR, only_payout(host).payout_id, "asked")
    for place, (sequence, entry) in enumerate(host.memory.entries):
        if '"payout.held"' in entry.detail:
            detail = entry.detail.replace('"state": "held"', '"state": "returned"')
            host.memory.entries[place] = StoredEntry(sequence, entry._replace(detail=detail))

    assert "went from pending to returned, which no step does" in texts(host)


def _settlement(terminal: UnionPayTerminal, amount_minor: int) -> bytes:
    """The frame of a settlement with the right totals."""
    from pos_specs.totals import write_unionpay

    totals = write_unionpay(debit_credit((1, amount_minor)), ("0", "0"), 62)
    fields: dict[int, str | None] = {11: terminal.next_stan(), 48: totals, 49: "156", 60: f"00{terminal.batch}201"}
    return terminal.line.bytes_of(terminal.message("0500", fields, {}))
