"""Payouts on a running host: born with the close of their batch, made when they are due, held, released, returned."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.host.pipeline.conftest import Terminal
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import Logs, verified
from tests.unit.host.pipeline.terminals import (
    VISA_CARD,
    HypercomTerminal,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.event_log import event_of
from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, NotKept, Refused
from pos_host.merchants.lives import NotNow
from pos_host.money.business_calendar import shipped_calendar
from pos_host.money.payouts import Payouts
from pos_host.settlement.policy import load_policy
from pos_specs.totals import Side

SHANGHAI = timezone(timedelta(hours=8))
OPERATOR, REVIEWER = Actor("olga", "operator"), Actor("rosa", "reviewer")


def at(text: str) -> int:
    """UTC milliseconds of a local time such as "03 09:00" of March 2026, whose 2nd is a Monday."""
    return int(datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI).timestamp() * 1000)


async def until(host: HostInProcess, text: str) -> None:
    await host.office.advance_clock(f"PT{(at(text) - host.clock.now_ms()) // 1000}S")


def payouts_of(host: HostInProcess) -> list[PayoutRow]:
    return host.memory.all_rows(PayoutRow)


def only_payout(host: HostInProcess) -> PayoutRow:
    found = payouts_of(host)
    assert 1 == len(found), f"{len(found)} payouts"
    return found[0]


def payout_events(host: HostInProcess) -> list[str]:
    types = [event_of(stored, host.registry).type for stored in host.memory.entries]
    return [name for name in types if name.startswith("payout.")]


async def settle(terminal: Terminal, count: int, amount_minor: int) -> None:
    """Settle with the right totals, or wrong ones."""
    if isinstance(terminal, UnionPayTerminal):
        await terminal.settle(debit_credit((count, amount_minor)))
        return
    name = "sales" if isinstance(terminal, HypercomTerminal) else "debits"
    await terminal.settle({name: Side(count, amount_minor)})


class Held:
    """An account that is not paid to, as long as there is a reason."""

    def __init__(self, *reasons: str) -> None:
        self.account_id, self.masked = "7", "******1234"
        self.hold_reasons = reasons

    def payout_account(self, merchant_id: str, product: str, day: Any, amount_minor: int) -> Held:
        return self


async def sold_and_settled(host: HostInProcess, *amounts: int, terminal_id: str = "T0000001") -> UnionPayTerminal:
    terminal = UnionPayTerminal(host, terminal_id)
    for amount_minor in amounts:
        await terminal.purchase(amount_minor)
    await settle(terminal, len(amounts), sum(amounts))
    return terminal


# -- from the batch


async def test_a_settled_batch_makes_a_payout_in_the_same_commit(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1000_00, VISA_CARD)
    await terminal.purchase(500_00, VISA_CARD)
    await settle(terminal, 2, 1500_00)

    row = only_payout(host)
    expected = ("pending", 1500_00, 0, 9_00, 0, 1491_00)
    assert expected == (
        row.state,
        row.captured_minor,
        row.refunded_minor,
        row.fees_minor,
        row.charges_minor,
        row.net_minor,
    )
    assert ("2026-03-02", "2026-03-03", at("03 09:00")) == (row.business_day, row.due_day, row.due_at_ms)
    assert ["payout.pending"] == payout_events(host)
    assert {row.payout_id: row} == host.registry.payouts


async def test_a_batch_in_which_nothing_stands_makes_none(terminal: Terminal, host: HostInProcess) -> None:
    sale = await terminal.purchase(1000_00)
    await terminal.reverse(sale.request)
    await settle(terminal, 0, 0)

    assert [] == payouts_of(host)


async def test_each_sale_is_charged_by_its_card_and_entry_mode(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    await unionpay.purchase(1000_00, f22="072")
    await unionpay.purchase(1000_01, f22="072")
    await settle(unionpay, 2, 2000_01)

    products = [item.entry.product for item in host.memory.entries if item.entry.kind == "purchase"]
    assert ["cloud_quickpass/contactless"] * 2 == products
    assert 3_80 + 6_00 == only_payout(host).fees_minor


async def test_a_refund_of_a_settled_sale_gives_its_fee_back(unionpay: UnionPayTerminal, host: HostInProcess) -> None:
    sale = await unionpay.purchase(1000_00, VISA_CARD)
    await settle(unionpay, 1, 1000_00)
    await unionpay.sign_in()
    await unionpay.refund(sale, 300_00)
    await unionpay.refund(sale, 700_00)
    await unionpay.settle({"foreign_credit": Side(2, 1000_00)})

    first, second = payouts_of(host)
    assert (6_00, -6_00) == (first.fees_minor, second.fees_minor)
    assert -994_00 == second.net_minor


async def test_an_out_of_balance_batch_is_held_until_somebody_reviewed_it(iso87: Any, host: HostInProcess) -> None:
    await iso87.purchase(1000_00)
    await settle(iso87, 1, 999_00)

    row = only_payout(host)
    assert ("held", ["out_of_balance"]) == (row.state, json.loads(row.reasons))
    await until(host, "04 09:00")
    assert "held" == only_payout(host).state
    await host.parts.payouts.release(REVIEWER, row.payout_id, "their slip is missing, ours is right")
    await until(host, "04 09:01")
    assert "made" == only_payout(host).state
    assert ["payout.held", "payout.released", "payout.made"] == payout_events(host)


async def test_a_batch_outside_the_amount_range_is_held() -> None:
    policy = dataclasses.replace(load_policy(None), min_amount_minor=1_00, max_amount_minor=100_00)
    host = HostInProcess(policy=policy)
    terminal = await sold_and_settled(host, 100_01)
    await terminal.sign_in()
    await terminal.purchase(99)
    await settle(terminal, 1, 99)

    reasons = [(row.state, json.loads(row.reasons)) for row in payouts_of(host)]
    assert [("held", ["amount_above_maximum"]), ("held", ["amount_below_minimum"])] == reasons
    assert 0 == verified(host)["differences"]


async def test_what_an_operator_settles_is_paid_too(terminal: Terminal, host: HostInProcess) -> None:
    await terminal.purchase(1000_00, VISA_CARD)
    await host.office.settle(terminal.ids[41], None)

    assert (1000_00, 6_00) == (only_payout(host).captured_minor, only_payout(host).fees_minor)


# -- when it is due


async def test_a_payout_is_made_once_at_its_time(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    host.parts.payouts.accounts = Held()
    await until(host, "03 08:59")
    assert "pending" == only_payout(host).state
    await until(host, "06 12:00")

    row = only_payout(host)
    assert ("made", "7", at("03 09:00")) == (row.state, row.account_id, row.changed_at_ms)
    assert ["payout.pending", "payout.made"] == payout_events(host)
    assert {} == host.registry.payouts


async def test_a_payout_is_made_by_the_host_that_was_started_after_its_time(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await host.durable()
    twin = host.twin()
    twin.clock.move_to(at("05 10:00"))
    await twin.watch.settle()

    assert "made" == only_payout(twin).state
    assert 0 == verified(twin)["differences"]


async def test_a_failing_commit_makes_nothing_and_is_tried_again(host: HostInProcess, logs: Logs) -> None:
    await sold_and_settled(host, 1000_00)
    host.clock.move_to(at("03 09:00"))
    host.memory.fail_next = 1
    await host.watch.settle()
    assert "pending" == only_payout(host).state
    assert "pending" == next(iter(host.registry.payouts.values())).state
    assert ["due_failed"] == [line["event"] for line in logs if line.get("exc_info")]
    logs.clear()
    await until(host, "03 09:02")

    assert ["payout.pending", "payout.made"] == payout_events(host)


async def test_a_friday_is_paid_on_monday(host: HostInProcess) -> None:
    await until(host, "06 12:00")
    await sold_and_settled(host, 1000_00)

    assert ("2026-03-06", "2026-03-09") == (only_payout(host).business_day, only_payout(host).due_day)


async def test_refunds_that_outweigh_sales_wait_for_what_is_due_next(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(1000_00, VISA_CARD)
    await settle(terminal, 1, 1000_00)
    await until(host, "03 12:00")
    await terminal.sign_in()
    await terminal.refund(sale, 1000_00)
    await terminal.settle({"foreign_credit": Side(1, 1000_00)})
    await until(host, "04 12:00")
    waiting = payouts_of(host)[1]
    assert ("pending", ["net_below_zero"], "2026-03-05") == (
        waiting.state,
        json.loads(waiting.reasons),
        waiting.due_day,
    )
    await terminal.sign_in()
    await terminal.purchase(500_00, VISA_CARD)
    await settle(terminal, 1, 500_00)
    await until(host, "05 12:00")
    assert ["made", "pending", "pending"] == [row.state for row in payouts_of(host)]
    await terminal.sign_in()
    await terminal.purchase(600_00, VISA_CARD)
    await settle(terminal, 1, 600_00)
    await until(host, "06 12:00")

    assert ["made"] * 4 == [row.state for row in payouts_of(host)]


async def test_what_is_owed_is_taken_from_a_payout_released_between_two_payout_days(host: HostInProcess) -> None:
    held = Iso87Terminal(host)
    await held.purchase(1000_00, VISA_CARD)
    await settle(held, 1, 999_00)
    owing = Iso87Terminal(host, "I0000002")
    await owing.refund(None, 995_00, VISA_CARD)
    await owing.settle({"credits": Side(1, 995_00)})
    await until(host, "03 12:00")
    await host.parts.payouts.release(REVIEWER, payouts_of(host)[0].payout_id, "their slip is missing")
    await until(host, "03 12:01")

    found = [(row.state, row.net_minor, row.due_day) for row in payouts_of(host)]
    assert [("released", 994_00, "2026-03-04"), ("pending", -995_00, "2026-03-04")] == found


async def test_what_is_below_zero_waits_one_business_day_where_payouts_wait_for_more(host: HostInProcess) -> None:
    host.parts.payouts.calendar = lambda merchant_id, now_ms: dataclasses.replace(shipped_calendar(), days_after=3)
    terminal = Iso87Terminal(host)
    await terminal.refund(None, 995_00, VISA_CARD)
    await terminal.settle({"credits": Side(1, 995_00)})
    await until(host, "03 12:00")

    assert "2026-03-04" == only_payout(host).due_day


# -- held


async def test_an_account_that_is_not_paid_to_holds_what_is_due(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    host.parts.payouts.accounts = Held("account_frozen")
    await until(host, "03 09:00")

    assert ("held", ["account_frozen"]) == (only_payout(host).state, json.loads(only_payout(host).reasons))


async def test_judged_again_a_payout_is_free_when_nothing_holds_it_any_more(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts: Payouts = host.parts.payouts
    merchant_id = only_payout(host).merchant_id
    payouts.accounts = Held("account_frozen")
    await payouts.judge_again(merchant_id)
    assert "held" == only_payout(host).state
    payouts.accounts = Held()
    await payouts.judge_again(merchant_id)
    await payouts.judge_again(merchant_id)

    assert "released" == only_payout(host).state
    assert ["payout.pending", "payout.held", "payout.released"] == payout_events(host)


async def test_a_host_that_ended_before_it_judged_again_does_so_when_it_is_back(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    host.parts.payouts.accounts = Held("account_frozen")
    await host.parts.payouts.judge_again(only_payout(host).merchant_id)
    twin = host.twin()
    twin.parts.payouts.accounts = Held()
    await twin.watch.settle()

    assert "released" == only_payout(twin).state
    assert 0 == verified(twin)["differences"]


async def test_what_a_person_held_only_a_person_releases(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    await payouts.hold(OPERATOR, number, "asked by the risk desk")
    await payouts.judge_again(only_payout(host).merchant_id)
    assert "held" == only_payout(host).state
    with pytest.raises(Forbidden):
        await payouts.release(OPERATOR, number, "")
    view = await payouts.release(REVIEWER, number, "cleared")

    assert ("released", []) == (view["state"], view["reasons"])


async def test_a_release_names_what_still_holds_the_payout(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, row = host.parts.payouts, only_payout(host)
    payouts.accounts = Held("account_frozen")
    await payouts.judge_again(row.merchant_id)
    with pytest.raises(Refused, match="account_frozen"):
        await payouts.release(REVIEWER, row.payout_id, "")

    assert "held" == only_payout(host).state


async def test_an_operator_holds_what_is_held_already_and_a_release_takes_only_that_off(iso87: Any) -> None:
    host: HostInProcess = iso87.host
    await iso87.purchase(1000_00)
    await settle(iso87, 1, 999_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    view = await payouts.hold(OPERATOR, number, "asked by the risk desk")
    assert ("held", ["out_of_balance", "held_by_operator"]) == (view["state"], view["reasons"])
    with pytest.raises(Refused, match="held by an operator already"):
        await payouts.hold(OPERATOR, number, "asked twice")
    view = await payouts.release(REVIEWER, number, "the risk desk is done")
    assert ("held", ["out_of_balance"]) == (view["state"], view["reasons"])
    view = await payouts.release(REVIEWER, number, "their slip is missing")

    assert ("released", []) == (view["state"], view["reasons"])


async def test_what_the_account_holds_stays_held_when_the_operators_hold_is_taken_off(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    await payouts.hold(OPERATOR, number, "")
    payouts.accounts = Held("account_frozen")
    view = await payouts.release(REVIEWER, number, "cleared")
    assert ("held", ["account_frozen"]) == (view["state"], view["reasons"])
    payouts.accounts = Held()
    await payouts.judge_again(only_payout(host).merchant_id)

    assert "released" == only_payout(host).state


async def owing(host: HostInProcess, amount_minor: int, terminal_id: str = "I0000002") -> None:
    """A batch that is worth less than nothing."""
    terminal = Iso87Terminal(host, terminal_id)
    await terminal.refund(None, amount_minor, VISA_CARD)
    await terminal.settle({"credits": Side(1, amount_minor)})


async def test_a_hold_and_its_release_leave_what_was_carried_over_with_what_is_owed(host: HostInProcess) -> None:
    await owing(host, 500_00)
    await until(host, "03 12:00")
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    await payouts.hold(OPERATOR, number, "")
    view = await payouts.release(REVIEWER, number, "")

    assert ("released", ["net_below_zero"]) == (view["state"], view["reasons"])


async def test_what_is_owed_is_netted_whatever_stands_against_the_account(host: HostInProcess) -> None:
    """A frozen account keeps money from being paid, not a debt from being taken."""
    await owing(host, 400_00)
    payouts = host.parts.payouts
    payouts.accounts = Held("account_frozen")
    await payouts.judge_again(only_payout(host).merchant_id)
    assert "pending" == only_payout(host).state
    await until(host, "03 12:00")
    assert ["net_below_zero"] == json.loads(only_payout(host).reasons)
    await sold_and_settled(host, 1000_00)
    payouts.accounts = Held()
    await until(host, "04 12:00")

    assert [("made", "7"), ("made", "7")] == [(row.state, row.account_id) for row in payouts_of(host)]


async def test_a_held_payout_can_be_returned_and_then_nothing_more(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    await payouts.hold(OPERATOR, number, "")
    await payouts.give_back(REVIEWER, number, "the merchant is bankrupt")
    await until(host, "09 12:00")

    assert "returned" == only_payout(host).state
    with pytest.raises(NotNow, match="possible is nothing"):
        await payouts.hold(OPERATOR, number, "")


async def test_a_payout_that_falls_due_while_somebody_holds_it_is_paid_once(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    host.clock.move_to(at("03 09:00"))
    made = payouts.act_on_due(host.clock.now_ms())
    _, refused = await asyncio.gather(made, payouts.hold(OPERATOR, number, ""), return_exceptions=True)

    assert isinstance(refused, Refused)
    assert "changed while this was asked" in str(refused)
    assert ("made", ["payout.pending", "payout.made"]) == (only_payout(host).state, payout_events(host))


async def test_a_payout_is_not_returned_and_released_at_once(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    payouts, number = host.parts.payouts, only_payout(host).payout_id
    await payouts.hold(OPERATOR, number, "")
    returning, releasing = payouts.give_back(REVIEWER, number, ""), payouts.release(REVIEWER, number, "")
    returned, refused = await asyncio.gather(returning, releasing, return_exceptions=True)
    await until(host, "06 12:00")

    assert isinstance(returned, dict)
    assert isinstance(refused, Refused)
    assert "returned" == only_payout(host).state


async def test_a_payout_that_is_not_there_is_named(host: HostInProcess) -> None:
    with pytest.raises(Refused, match="no payout 77"):
        await host.parts.payouts.hold(OPERATOR, 77, "")


async def test_a_suspended_terminals_payouts_are_held(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    host.parts.payouts.holds = lambda book: "terminal_suspended"
    await until(host, "03 09:00")

    assert ["terminal_suspended"] == json.loads(only_payout(host).reasons)


async def test_a_step_whose_commit_failed_was_not_taken(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    host.memory.fail_next = 1
    with pytest.raises(NotKept):
        await host.parts.payouts.hold(OPERATOR, only_payout(host).payout_id, "")

    assert "pending" == host.registry.payouts[only_payout(host).payout_id].state
