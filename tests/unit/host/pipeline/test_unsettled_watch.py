"""A terminal that forgets to settle, lived through on a manual clock. The shipped policy: cut-off at 23:00,
due half an hour before, overdue an hour after, forgotten a day after."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import START_MS, HostInProcess
from tests.unit.host.pipeline.proofs import Logs, proven
from tests.unit.host.pipeline.terminals import HypercomTerminal, Iso87Terminal, UnionPayTerminal, debit_credit

from pos_host.ledger.entry import FlagRow
from pos_host.office import NotPossible
from pos_host.settlement.policy import load_policy
from pos_specs.totals import Side

SHANGHAI = timezone(timedelta(hours=8))


def at(text: str) -> int:
    """UTC milliseconds of a local time such as "02 22:30" of March 2026."""
    return int(datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI).timestamp() * 1000)


async def until(host: HostInProcess, text: str) -> None:
    """Move the clock to a local time, through the office."""
    minutes = (at(text) - host.clock.now_ms()) // 60_000
    await host.office.advance_clock(f"PT{minutes}M")


def climbs(host: HostInProcess) -> list[tuple[str, str | None]]:
    """The events so far: when, and how bad."""
    told = [stored.entry for stored in host.memory.entries if stored.entry.kind == "unsettled"]
    local = [datetime.fromtimestamp(entry.at_ms / 1000, UTC).astimezone(SHANGHAI) for entry in told]
    return [
        (f"{moment:%d %H:%M}", json.loads(entry.detail)["severity"]) for moment, entry in zip(local, told, strict=True)
    ]


def flags(host: HostInProcess) -> list[str]:
    return [terminal["unsettled"]["severity"] for terminal in host.office.unsettled(100, 0)["items"]]


async def settle(terminal: Terminal, sales: Side) -> None:
    if isinstance(terminal, UnionPayTerminal):
        await terminal.settle(debit_credit(sales))
        terminal.batch = f"{int(terminal.batch) + 1:06d}"
    else:
        await terminal.settle({"sales" if isinstance(terminal, HypercomTerminal) else "debits": sales})


async def test_a_batch_with_money_climbs_at_its_times(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)

    seen = []
    for text in ("02 22:29", "02 22:30", "02 23:59", "03 00:00", "03 22:59", "03 23:00"):
        await until(host, text)
        seen.append(flags(host))

    assert [[], ["due"], ["due"], ["overdue"], ["overdue"], ["forgotten"]] == seen


async def test_one_long_step_lives_through_every_climb_at_its_own_time(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)

    await host.office.advance_clock("PT30H")

    assert [("02 22:30", "due"), ("03 00:00", "overdue"), ("03 23:00", "forgotten")] == climbs(host)
    assert START_MS + 30 * 3_600_000 == host.clock.now_ms()


async def test_each_climb_is_one_log_line_one_event_one_reminder_and_one_row(
    unionpay: UnionPayTerminal, host: HostInProcess, logs: Logs
) -> None:
    reminded: list[tuple[str, dict[str, Any]]] = []
    host.watch.remind = lambda book, command: reminded.append((book.terminal_id, command))
    await unionpay.purchase(12_34)

    await until(host, "02 22:30")

    assert ["unsettled", "reminded"] == [stored.entry.kind for stored in host.memory.entries[-2:]]
    (line,) = [line for line in logs if line["event"] == "terminal_unsettled"]
    told = {
        "severity": "due",
        "since": "2026-03-02T14:30:00.000Z",
        "due_at": "2026-03-02T15:00:00.000Z",
        "reasons": ["past_cutoff"],
        "clears": "settle the batch",
        "batch_number": "000001",
        "debit_amount_minor": 12_34,
        "credit_amount_minor": 0,
        "currency": "156",
        "impact": {"not_paid_minor": 12_34, "currency": "156", "days_late": 0, "cardholders": 1},
    }
    assert told.items() <= line.items()
    assert told == json.loads(host.memory.entries[-2].entry.detail)
    sequence = host.memory.entries[-2].sequence
    command = {
        "command": "settle_now",
        "id": f"reminder-{sequence}",
        "expires_at": "2026-03-02T15:30:00.000Z",
        "reason": "due",
    }
    assert [("T0000001", command)] == reminded
    assert "due" == host.memory.table(FlagRow)[1].severity


async def test_looking_again_says_nothing_again(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 22:30")
    entries = len(host.memory.entries)

    for _ in range(5):
        await host.watch.settle()
    await until(host, "02 23:30")

    assert entries == len(host.memory.entries)


async def test_looking_again_before_the_commit_tells_once(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await host.watch.settle()
    host.clock.move_to(at("02 22:30"))

    for _ in range(3):
        host.watch.look()
    await host.durable()
    await host.watch.settle()

    assert [("02 22:30", "due")] == climbs(host)


async def test_a_new_sale_does_not_move_a_flag(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 22:30")
    since = host.book(terminal.ids[41]).flag.since_ms

    await terminal.purchase(1_00)
    await host.watch.settle()

    assert since == host.book(terminal.ids[41]).flag.since_ms
    assert [("02 22:30", "due")] == climbs(host)


async def test_settling_clears_the_flag(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "03 00:30")
    assert ["overdue"] == flags(host)

    await settle(terminal, Side(1, 12_34))
    await host.watch.settle()

    assert [] == flags(host)
    assert [("02 22:30", "due"), ("03 00:00", "overdue"), ("03 00:30", None)] == climbs(host)
    assert "" == host.memory.table(FlagRow)[1].severity
    assert None is host.office.terminal(terminal.ids[41], None)["unsettled"]


async def test_a_terminal_that_settles_in_time_is_never_flagged(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 22:00")
    await settle(terminal, Side(1, 12_34))

    await host.office.advance_clock("P5D")

    assert [] == climbs(host)


async def test_nothing_is_flagged_while_no_money_is_in_the_batch(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(0)
    await terminal.reverse((await terminal.purchase(12_34)).request)

    await host.office.advance_clock("P5D")

    assert [] == climbs(host)


async def test_the_reversal_of_the_only_sale_clears_the_flag(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(12_34)
    await until(host, "02 22:30")

    await terminal.reverse(sale.request)
    await host.watch.settle()

    assert [] == flags(host)


async def test_after_all_money_went_the_next_sale_is_the_first(terminal: Terminal, host: HostInProcess) -> None:
    """A batch whose only sale was reversed days ago is not forgotten by its next one."""
    await terminal.reverse((await terminal.purchase(12_34)).request)
    await host.office.advance_clock("P3D")

    await terminal.purchase(1_00)
    await host.watch.settle()

    assert [] == flags(host)
    await until(host, "05 22:30")
    assert [("05 22:30", "due")] == climbs(host)


async def test_a_sale_after_the_cut_off_belongs_to_the_next_one(terminal: Terminal, host: HostInProcess) -> None:
    await until(host, "02 23:10")
    await terminal.purchase(1_00)

    await until(host, "03 23:30")

    assert [("03 22:30", "due")] == climbs(host)


async def test_a_batch_of_two_days_is_too_old_as_well(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1_00)

    await host.office.advance_clock("P2D")

    assert ["past_cutoff", "too_old"] == json.loads(host.book(terminal.ids[41]).flag.reasons)


async def test_terminals_climb_in_the_order_of_their_times(host: HostInProcess) -> None:
    late, early = UnionPayTerminal(host, "T0000002"), UnionPayTerminal(host, "T0000001")
    await early.purchase(1_00)
    await until(host, "02 23:30")
    await late.purchase(2_00)

    await host.office.advance_clock("P2D")

    events = [stored.entry for stored in host.memory.entries if stored.entry.kind == "unsettled"]
    assert sorted(entry.at_ms for entry in events) == [entry.at_ms for entry in events]
    assert {1: ["due", "overdue", "forgotten"], 2: ["due", "overdue", "forgotten"]} == {
        number: [
            severity
            for severity in (json.loads(entry.detail)["severity"] for entry in events if entry.terminal_no == number)
        ][:3]
        for number in (1, 2)
    }


async def test_terminals_due_at_the_same_time_are_told_in_the_order_of_enrolment(host: HostInProcess) -> None:
    terminals = [UnionPayTerminal(host, f"T{number:07d}") for number in range(9, 0, -1)]
    for terminal in terminals:
        await terminal.purchase(1_00)

    await until(host, "02 22:30")

    assert list(range(1, 10)) == [
        stored.entry.terminal_no for stored in host.memory.entries if stored.entry.kind == "unsettled"
    ]


async def test_the_worst_come_first_and_in_pages(host: HostInProcess) -> None:
    early = [UnionPayTerminal(host, f"E{number:07d}") for number in range(3)]
    for terminal in early:
        await terminal.purchase(1_00)
    await until(host, "02 23:10")
    late = UnionPayTerminal(host, "L0000001")
    await late.purchase(1_00)
    await until(host, "03 22:45")

    first = host.office.unsettled(2, 0)
    second = host.office.unsettled(2, int(first["next_cursor"]))

    shown = [*first["items"], *second["items"]]
    assert ["overdue", "overdue", "overdue", "due"] == [terminal["unsettled"]["severity"] for terminal in shown]
    assert "L0000001" == shown[-1]["terminal_id"]
    assert second["next_cursor"] is None


async def test_a_restart_keeps_the_flag_and_repeats_nothing(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 22:45")
    again = host.twin()
    async with proven(again):
        await again.watch.settle()
        assert ["due"] == flags(again)
        assert climbs(host) == climbs(again)

        await until(again, "03 00:00")

        assert [("02 22:30", "due"), ("03 00:00", "overdue")] == climbs(again)


async def test_what_fell_due_while_the_host_was_down_is_told_at_its_start(
    terminal: Terminal, host: HostInProcess
) -> None:
    await terminal.purchase(12_34)
    again = host.twin()
    async with proven(again):
        again.clock.move_to(at("03 08:00"))
        await again.watch.settle()

        assert [("03 08:00", "overdue")] == climbs(again)


async def test_a_flag_whose_commit_failed_is_told_at_the_next_look(
    terminal: Terminal, host: HostInProcess, logs: Logs
) -> None:
    await terminal.purchase(12_34)
    await until(host, "02 22:29")
    host.memory.fail_next = 1
    await until(host, "02 22:30")
    assert [] == [line for line in logs if line["event"] == "terminal_unsettled"]

    await host.watch.settle()

    assert ["due"] == flags(host)
    assert 1 == len([line for line in logs if line["event"] == "terminal_unsettled"])


async def test_an_upload_left_in_the_middle_is_overdue_after_the_grace(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    sale = await unionpay.purchase(12_34)
    await unionpay.settle(debit_credit((2, 20_00)))
    await until(host, "02 20:59")
    assert [] == flags(host)

    await until(host, "02 21:00")
    assert ["out_of_balance", "upload_incomplete"] == json.loads(host.book("T0000001").flag.reasons)
    assert ["overdue"] == flags(host)

    await unionpay.upload((sale.stan, sale.request.fields[2], 12_34))
    await unionpay.end_upload(1)
    await host.watch.settle()
    assert [] == flags(host)


async def test_during_a_hypercom_upload_the_old_batch_is_watched(
    hypercom: HypercomTerminal, host: HostInProcess
) -> None:
    await hypercom.purchase(12_34)
    await hypercom.settle({"sales": Side(2, 20_00)})
    await hypercom.purchase(1_00)

    await until(host, "02 21:00")

    (told,) = [json.loads(stored.entry.detail) for stored in host.memory.entries if stored.entry.kind == "unsettled"]
    assert ("000001", 12_34) == (told["batch_number"], told["debit_amount_minor"])


async def test_an_answer_nobody_took_is_overdue_after_the_grace_until_its_reversal(
    unionpay: UnionPayTerminal, host: HostInProcess
) -> None:
    await unionpay.purchase(1_00)
    lost = unionpay.purchase_message(2_00)
    unionpay.line.feed(unionpay.line.bytes_of(lost))
    unionpay.line.hang_up()
    await host.quiet()
    await until(host, "02 21:00")
    assert ["answer_undelivered"] == json.loads(host.book("T0000001").flag.reasons)

    unionpay.line = host.connect("unionpay")
    await unionpay.reverse(lost)
    await host.watch.settle()

    assert [] == flags(host)


async def test_limits_of_the_policy_flag_at_once() -> None:
    policy = dataclasses.replace(load_policy(None), max_transactions=2, max_amount_minor=10_00)
    host = HostInProcess(policy=policy)
    async with proven(host):
        terminal = UnionPayTerminal(host)
        for expected in (None, None, ["over_count"]):
            await terminal.purchase(3_00)
            await host.watch.settle()
            flag = host.book("T0000001").flag
            assert expected == (flag and json.loads(flag.reasons))
        await terminal.purchase(3_00)
        await host.watch.settle()
        assert ["over_amount", "over_count"] == json.loads(host.book("T0000001").flag.reasons)


@pytest.mark.parametrize("sign_of_life", ["repeat", "echo", "sign_in"])
async def test_a_silent_terminal_is_cleared_by_any_message_from_it(sign_of_life: str) -> None:
    policy = dataclasses.replace(load_policy(None), silent_after_ms=3_600_000)
    host = HostInProcess(policy=policy)
    async with proven(host):
        terminal = UnionPayTerminal(host)
        sale = await terminal.purchase(3_00)
        await until(host, "02 20:59")
        assert [] == flags(host)
        await until(host, "02 21:00")
        assert ["silent"] == json.loads(host.book("T0000001").flag.reasons)

        await (terminal.again(sale) if sign_of_life == "repeat" else getattr(terminal, sign_of_life)())
        await host.watch.settle()

        assert [] == flags(host)
        await until(host, "02 22:00")
        assert ["silent"] == json.loads(host.book("T0000001").flag.reasons)


async def test_the_office_moves_only_a_manual_clock_and_at_most_a_year(host: HostInProcess) -> None:
    assert {"now": "2026-03-02T12:00:00.000Z", "clock": "manual"} == host.office.clock()
    assert {"now": "2026-03-02T12:30:00.000Z"} == await host.office.advance_clock("PT30M")
    for wrong in ("P400D", "tomorrow", "-PT1H"):
        with pytest.raises(ValueError, match="P"):
            await host.office.advance_clock(wrong)
    host.office._clock = object()  # type: ignore[assignment]
    with pytest.raises(NotPossible, match="--clock manual"):
        await host.office.advance_clock("PT1M")


async def test_iso87_is_watched_like_the_others_between_its_batches(iso87: Iso87Terminal, host: HostInProcess) -> None:
    await iso87.purchase(1_00)
    await iso87.settle({"debits": Side(1, 9_99)})

    await host.office.advance_clock("P3D")

    assert [] == climbs(host)
