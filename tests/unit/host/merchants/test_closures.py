"""Closing a terminal or a merchant: what is unfinished, step by step, withdrawn, suspended, restarted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.host.merchants.closing_up import (
    OPERATOR,
    REVIEWER,
    apply,
    close,
    days_later,
    endings,
    take,
    terminal,
    told,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import MERCHANT, Iso87Terminal, UnionPayTerminal, debit_credit

from pos_host.ledger.book import Book
from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.closing.closures import Application
from pos_host.merchants.closing.terminal_states import Whom
from pos_host.merchants.desk import Forbidden, NotKept, Refused
from pos_host.merchants.lives import NotNow


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture
async def shop(host: HostInProcess) -> UnionPayTerminal:
    shop = UnionPayTerminal(host)
    await shop.sign_in()
    return shop


def kinds(answer: dict[str, Any]) -> list[str]:
    return sorted(thing["kind"] for thing in answer["unfinished"])


def step_states(answer: dict[str, Any]) -> dict[str, str]:
    return {step["step"]: step["state"] for step in answer["steps"]}


async def test_the_application_lists_everything_that_is_open(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(100_00)
    await shop.settle(debit_credit((1, 100_00)))
    await shop.sign_in()
    await shop.auth(80_00)
    await shop.purchase(30_00)

    answer = await apply(host, terminal(host))

    assert ["authorisation_open", "batch_unsettled", "payout_open"] == kinds(answer)
    assert ("closing", "closing") == (answer["state"], answer["status"])
    assert [30_00] == [t["amount_minor"] for t in answer["unfinished"] if t["kind"] == "batch_unsettled"]
    assert {"unfinished_business": "waiting", "final_settlement": "waiting"}.items() <= step_states(answer).items()
    assert "622848******" in str(answer)


async def test_an_answer_that_did_not_arrive_is_unfinished_until_somebody_takes_it_over(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    message = shop.purchase_message(100_00)
    shop.line.feed(shop.line.bytes_of(message))
    shop.line.hang_up()
    await host.quiet()
    await host.durable()
    answer = await apply(host, terminal(host))
    undelivered = next(thing for thing in answer["unfinished"] if thing["kind"] == "answer_undelivered")

    with pytest.raises(Refused, match="did not arrive"):
        await take(host, terminal(host), "unfinished_business")
    with pytest.raises(Refused, match="taken_over_by"):
        await take(host, terminal(host), "unfinished_business", handed_over=[undelivered["id"]])
    done = await take(
        host, terminal(host), "unfinished_business", handed_over=[undelivered["id"]], taken_over_by="Wang Fang"
    )

    assert "done" == step_states(done)["unfinished_business"]
    assert [("Wang Fang", undelivered["id"])] == [(thing["to"], thing["id"]) for thing in done["handed_over"]]


async def test_money_is_never_handed_over(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(100_00)
    batch = (await apply(host, terminal(host)))["unfinished"][0]

    with pytest.raises(Refused) as refused:
        await take(host, terminal(host), "unfinished_business", handed_over=[batch["id"]], taken_over_by="Wang Fang")

    assert ("not_to_hand_over", 422) == (refused.value.kind, refused.value.status)


async def test_a_closure_goes_step_by_step_to_its_end(host: HostInProcess, shop: UnionPayTerminal) -> None:
    commands: list[dict[str, Any]] = []
    host.watch.remind = lambda book, command: commands.append(command)
    await shop.purchase(100_00)
    whom = terminal(host)
    await apply(host, whom)
    await take(host, whom, "unfinished_business")
    with pytest.raises(Refused, match="batch 000001") as refused:
        await take(host, whom, "final_settlement")
    assert "unfinished_business" == refused.value.kind
    with pytest.raises(Refused, match="comes after final_settlement"):
        await take(host, whom, "equipment_returned")

    await shop.settle(debit_credit((1, 100_00)))
    await take(host, whom, "final_settlement")
    with pytest.raises(Refused, match="payout"):
        await take(host, whom, "final_payout")
    await take(host, whom, "equipment_returned", note="received in the depot")
    await take(host, whom, "data_wiped")
    await days_later(host)
    answer = await take(host, whom, "final_payout")

    assert ("closed", "closed", []) == (answer["state"], answer["status"], answer["unfinished"])
    assert ["closing", "closed"] == [notice["notice"] for notice in answer["notices"]]
    assert ["closed"] == [command["command"] for command in commands if command["command"] == "closed"]
    assert ["closure.begun", *["closure.step_taken"] * 5, "terminal.closed"] == told(
        host, "closure.begun", "closure.step_taken", "terminal.closed"
    )
    assert "closed" == host.office.terminal("T0000001", MERCHANT)["status"]


async def test_what_comes_in_after_a_step_stands_against_the_end(host: HostInProcess, shop: UnionPayTerminal) -> None:
    whom = terminal(host)
    sale = await shop.purchase(100_00)
    await apply(host, whom)
    await shop.settle(debit_credit((1, 100_00)))
    await days_later(host)
    for step in ("unfinished_business", "final_settlement", "final_payout", "equipment_returned"):
        await take(host, whom, step)
    await shop.sign_in()
    assert "00" == (await shop.refund(sale, 40_00)).code

    with pytest.raises(Refused, match="0 debits, 1 credits"):
        await take(host, whom, "data_wiped")

    assert "closing" == host.book("T0000001").status


async def test_a_step_is_taken_once_and_only_if_there_is_one(host: HostInProcess, shop: UnionPayTerminal) -> None:
    whom = terminal(host)
    with pytest.raises(Refused, match="is not to be closed"):
        await take(host, whom, "unfinished_business")
    await apply(host, whom)
    await take(host, whom, "unfinished_business")

    with pytest.raises(Refused, match="was taken at 2026"):
        await take(host, whom, "unfinished_business")
    with pytest.raises(Refused, match="no step paint_it"):
        await take(host, whom, "paint_it")


async def test_a_closed_terminal_can_only_be_reopened(host: HostInProcess, shop: UnionPayTerminal) -> None:
    whom = terminal(host)
    await close(host, whom)

    with pytest.raises(NotNow, match="possible is reopen"):
        await apply(host, whom)
    with pytest.raises(NotNow):
        await endings(host).closures.withdraw(OPERATOR, whom, "too late")
    with pytest.raises(NotNow, match="possible is reopen"):
        await endings(host).suspensions.suspend(OPERATOR, whom, "violation", "too late")


async def test_a_withdrawn_closure_lets_the_terminal_sell_again(host: HostInProcess, shop: UnionPayTerminal) -> None:
    whom = terminal(host)
    await apply(host, whom)
    with pytest.raises(Refused, match="closing already"):
        await apply(host, whom)

    answer = await endings(host).closures.withdraw(OPERATOR, whom, "stays after all")

    assert ("withdrawn", "active") == (answer["state"], answer["status"])
    assert "00" == (await shop.purchase(10_00)).code
    assert "2" == (await apply(host, whom))["id"]


async def test_papers_that_do_not_fit_are_refused_without_repeating_them(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    await host.parts.directory.change(ADMIN, MERCHANT, {"licence_number": "91310000MA1K3"})
    closures = endings(host).closures
    for application, kind in (
        (Application("merchant_request", "898310000009999", "91310000MA1K3"), "merchant_differs"),
        (Application("merchant_request", MERCHANT, "00000"), "licence_differs"),
        (Application("boredom", MERCHANT, "91310000MA1K3"), "invalid_reason"),
    ):
        with pytest.raises(Refused) as refused:
            await closures.apply(OPERATOR, terminal(host), application)
        assert (kind, 422) == (refused.value.kind, refused.value.status)
        assert "898310000009999" not in str(refused.value)

    assert "closing" == (await apply(host, terminal(host), licence="91310000MA1K3"))["state"]


async def test_a_violation_suspends_at_once_and_holds_the_payouts(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(100_00)
    await shop.settle(debit_credit((1, 100_00)))
    whom = terminal(host)

    answer = await apply(host, whom, "violation")

    assert ("closing", "suspended") == (answer["state"], answer["status"])
    assert [("held", '["terminal_suspended"]')] == [(p.state, p.reasons) for p in host.registry.payouts.values()]
    await days_later(host)
    assert ["held"] == [payout.state for payout in host.registry.payouts.values()]
    resumed = await endings(host).suspensions.resume(REVIEWER, whom, "looked into, pay it out")
    assert "closing" == resumed["status"]
    await days_later(host)
    assert {} == host.registry.payouts


async def test_a_suspension_for_a_fault_holds_no_payout(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.purchase(100_00)
    await shop.settle(debit_credit((1, 100_00)))
    await endings(host).suspensions.suspend(OPERATOR, terminal(host), "fault", "printer broken")

    await days_later(host)

    assert {} == host.registry.payouts


async def test_a_suspended_merchants_payouts_are_held_until_it_is_resumed(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    await shop.purchase(100_00)
    await shop.settle(debit_credit((1, 100_00)))
    await endings(host).suspensions.suspend(REVIEWER, Whom(MERCHANT), "violation", "sold what it may not")
    held = [payout.reasons for payout in host.registry.payouts.values()]
    status = host.office.terminal("T0000001", MERCHANT)["status"]

    await endings(host).suspensions.resume(REVIEWER, Whom(MERCHANT), "cleared")

    assert (['["merchant_suspended"]'], "suspended") == (held, status)
    assert ["released"] == [payout.state for payout in host.registry.payouts.values()]
    assert "active" == host.book("T0000001").status


async def test_a_merchant_closes_with_all_its_terminals(host: HostInProcess, shop: UnionPayTerminal) -> None:
    other = Iso87Terminal(host)
    await other.sign_in()
    await other.purchase(20_00)
    await apply(host, terminal(host), "contract_end")
    merchant = Whom(MERCHANT)
    await apply(host, merchant, "contract_end")
    assert "58" == (await other.purchase(10_00)).code
    await take(host, merchant, "unfinished_business")
    with pytest.raises(Refused, match="1 debits"):
        await take(host, merchant, "final_settlement")
    await host.office.settle("I0000001", MERCHANT, OPERATOR)
    await days_later(host)

    for step in ("final_settlement", "final_payout", "equipment_returned", "data_wiped"):
        answer = await take(host, merchant, step)

    assert ("merchant", "closed", "closed") == (answer["scope"], answer["state"], answer["status"])
    assert ["closed", "closed"] == [book.status for book in host.registry.of_merchant(MERCHANT)]
    assert ["closed", "closed"] == [closure["state"] for closure in endings(host).closures.all(MERCHANT)]
    assert ["03", "03"] == [(await shop.purchase(10_00)).code, (await other.purchase(10_00)).code]
    assert ["terminal.closed", "terminal.closed", "merchant.closed"] == told(host, "terminal.closed", "merchant.closed")


async def test_a_withdrawn_closure_of_a_merchant_closes_no_terminal(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    merchant = Whom(MERCHANT)
    await apply(host, merchant)
    for step in ("unfinished_business", "final_settlement", "final_payout", "equipment_returned"):
        await take(host, merchant, step)
    await endings(host).closures.withdraw(OPERATOR, merchant, "stays after all")
    await endings(host).suspensions.suspend(OPERATOR, terminal(host), "fault", "printer broken")

    with pytest.raises(NotNow, match="a closure that is withdrawn"):
        await take(host, merchant, "data_wiped")

    assert "suspended" == host.book("T0000001").status


async def test_a_merchants_last_step_goes_on_where_it_stopped(host: HostInProcess, shop: UnionPayTerminal) -> None:
    other = Iso87Terminal(host)
    await other.sign_in()
    merchant = Whom(MERCHANT)
    await apply(host, merchant)
    for step in ("unfinished_business", "final_settlement", "final_payout", "equipment_returned"):
        await take(host, merchant, step)
    host.watch.remind = lambda book, command: setattr(host.memory, "fail_next", 1)  # the first terminal is told, then
    with pytest.raises(NotKept):
        await take(host, merchant, "data_wiped")
    between = [book.status for book in host.registry.of_merchant(MERCHANT)]
    host.watch.remind = lambda book, command: None

    answer = await take(host, merchant, "data_wiped")

    assert (["closed", "active"], "closed") == (between, answer["state"])
    assert ["closed", "closed"] == [book.status for book in host.registry.of_merchant(MERCHANT)]


async def test_a_merchants_last_step_that_is_refused_closes_no_terminal(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    other = UnionPayTerminal(host, "T0000002")
    await other.sign_in()
    merchant = Whom(MERCHANT)
    await apply(host, merchant)
    for step in ("unfinished_business", "final_settlement", "final_payout", "equipment_returned"):
        await take(host, merchant, step)
    assert "00" == (await other.offline_purchase(30_00)).code

    with pytest.raises(Refused, match="1 debits"):
        await take(host, merchant, "data_wiped")

    assert ["active", "active"] == [book.status for book in host.registry.of_merchant(MERCHANT)]


@pytest.mark.parametrize("role", ["merchant", "viewer"])
async def test_who_only_looks_closes_nothing(host: HostInProcess, shop: UnionPayTerminal, role: str) -> None:
    actor = Actor("eve", role, MERCHANT if role == "merchant" else "")
    with pytest.raises(Forbidden):
        await endings(host).closures.apply(actor, terminal(host), Application("merchant_request", MERCHANT))
    with pytest.raises(Forbidden):
        await endings(host).suspensions.suspend(actor, terminal(host), "violation", "out of spite")

    assert "active" == host.book("T0000001").status


async def test_only_a_reviewer_resumes(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await endings(host).suspensions.suspend(OPERATOR, terminal(host), "violation", "sold to itself")
    with pytest.raises(Forbidden):
        await endings(host).suspensions.resume(OPERATOR, terminal(host), "never mind")


@pytest.mark.parametrize("status", ["active", "suspended", "closing", "closed"])
async def test_a_restart_finds_every_state_as_it_was(host: HostInProcess, shop: UnionPayTerminal, status: str) -> None:
    whom = terminal(host)
    if status == "suspended":
        await endings(host).suspensions.suspend(OPERATOR, whom, "violation", "sold to itself")
    elif status == "closing":
        await apply(host, whom)
        await take(host, whom, "unfinished_business")
    elif status == "closed":
        await close(host, whom)

    again = host.twin()

    assert status == again.book("T0000001").status
    assert endings(host).closures.all() == endings(again).closures.all()
    book: Book = again.book("T0000001")
    assert ("terminal_suspended" if status == "suspended" else "") == again.parts.payouts.holds(book)
    if status == "closing":
        assert "final_settlement" in [
            s["step"] for s in (await take(again, terminal(again), "final_settlement"))["steps"]
        ]


async def test_a_failed_commit_changes_nothing(host: HostInProcess, shop: UnionPayTerminal) -> None:
    host.memory.fail_next = 1
    with pytest.raises(NotKept):
        await apply(host, terminal(host))

    assert ("active", []) == (host.book("T0000001").status, endings(host).closures.all())
    assert "00" == (await shop.purchase(10_00)).code
