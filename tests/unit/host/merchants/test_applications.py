"""A batch that its terminal cannot settle is settled by application, once, and by somebody else than who applied."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven, verified
from tests.unit.host.pipeline.terminals import Exchange, HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.journal import Posting
from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.merchant_rows import AuditRow, DocumentRow, PayoutRow
from pos_host.ledger.records import record
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, NotKept, Refused
from pos_host.merchants.forgotten.applications import HandedIn
from pos_host.merchants.lives import NotNow
from pos_specs.totals import Side

LI, CHEN = Actor("li", "operator"), Actor("chen", "reviewer")
MERCHANT_ID = "898310000000001"


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


def voucher(sale: Exchange, **changes: Any) -> dict[str, Any]:
    return {"receipt": sale.stan, "rrn": sale.rrn, "amount_minor": sale.amount_minor, "date": "2026-03-02", **changes}


def handed_in(*sales: Exchange, **more: Any) -> HandedIn:
    return HandedIn([voucher(sale) for sale in sales], **more)


async def submitted(host: HostInProcess, terminal_id: str, *sales: Exchange, **more: Any) -> dict[str, Any]:
    return await applications(host).submit(LI, host.book(terminal_id), handed_in(*sales, **more))


def applications(host: HostInProcess) -> Any:
    return host.parts.forgotten.applications


def batches(host: HostInProcess, terminal_id: str) -> list[tuple[str, str, str]]:
    return [(batch.number, batch.state, batch.result) for batch in host.book(terminal_id).batches]


def events(host: HostInProcess) -> list[str]:
    return [event_of(stored, host.registry).type for stored in host.memory.entries]


async def test_an_approved_application_settles_the_batch_and_confirms_it(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    application = await submitted(host, "T0000001", sale)
    assert ("submitted", True) == (application["state"], application["checked"]["complete"])
    assert [("000001", "open", "")] == batches(host, "T0000001")

    approved = await applications(host).approve(CHEN, host.book("T0000001"), application["id"])

    assert [("000001", "settled", "settled_by_host"), ("000002", "open", "")] == batches(host, "T0000001")
    confirmation = approved["confirmation"]
    assert ("100001-1", 12_34) == (confirmation["number"], confirmation["debit"]["amount_minor"])
    assert {"by": "chen"}.items() <= approved["review"].items()
    told = events(host)
    assert "settlement_application.submitted" in told
    after = told[told.index("settlement_application.approved") :]
    assert {"terminal.settled_by_host", "batch.settled", "batch.opened"} <= set(after)


async def test_what_is_settled_by_application_is_paid_out_once(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host)
    sale = await terminal.purchase(100_00)
    application = await submitted(host, "H0000001", sale)

    await applications(host).approve(CHEN, host.book("H0000001"), application["id"])
    assert "00" == (await terminal.settle({"sales": Side(1, 100_00)})).code

    assert [100_00] == [row.captured_minor for row in host.memory.table(PayoutRow).values()]


async def test_an_application_is_approved_once_whoever_asks_at_the_same_moment(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))
    asked = [applications(host).approve(CHEN, host.book("T0000001"), application["id"]) for _ in range(3)]

    done = await asyncio.gather(*asked, return_exceptions=True)

    assert 1 == sum(isinstance(one, dict) for one in done)
    assert 2 == sum(isinstance(one, NotNow) for one in done)
    assert 1 == events(host).count("terminal.settled_by_host")


async def test_a_voucher_that_is_missing_or_does_not_match_is_named_and_stands_in_the_way(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    first, second = await terminal.purchase(1_00), await terminal.purchase(2_00)
    given = HandedIn([voucher(first, amount_minor=99)])
    application = await applications(host).submit(LI, host.book("T0000001"), given)
    book, number = host.book("T0000001"), application["id"]

    with pytest.raises(Refused, match="2 vouchers are missing and 1 do not match") as refused:
        await applications(host).approve(CHEN, book, number)
    assert "vouchers_incomplete" == refused.value.kind
    rejected = await applications(host).reject(CHEN, book, number, "see the list")
    assert [first.rrn, second.rrn] == [missing["rrn"] for missing in rejected["checked"]["missing"]]
    assert [(1, ["amount_differs"])] == [(m["voucher"], m["reasons"]) for m in rejected["checked"]["mismatched"]]

    again = await applications(host).resubmit(LI, book, number, handed_in(first, second))
    assert (2, "submitted", True) == (again["handed_in_times"], again["state"], again["checked"]["complete"])
    approved = await applications(host).approve(CHEN, book, number)
    assert "approved" == approved["state"]


@pytest.mark.parametrize("reviewer", [Actor("li", "reviewer"), Actor("Li ", "admin"), Actor("wang", "admin")])
async def test_who_applied_reviews_nothing_under_whatever_token(host: HostInProcess, reviewer: Actor) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    application = await submitted(host, "T0000001", sale, applicant="Wang")
    book = host.book("T0000001")

    with pytest.raises(Forbidden):
        await applications(host).approve(reviewer, book, application["id"])
    with pytest.raises(Forbidden):
        await applications(host).reject(reviewer, book, application["id"], "no")

    assert [("000001", "open", "")] == batches(host, "T0000001")
    assert 2 == [row.result for row in host.memory.all_rows(AuditRow)].count("refused")


@pytest.mark.parametrize("role", ["merchant", "viewer", "operator"])
async def test_a_review_needs_a_reviewer(host: HostInProcess, role: str) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))

    with pytest.raises(Forbidden, match="needs the role reviewer"):
        await applications(host).approve(Actor("x", role, MERCHANT_ID), host.book("T0000001"), application["id"])


async def test_what_the_terminal_settled_itself_meanwhile_is_not_settled_again(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))
    await terminal.settle(debit_credit((1, 12_34)))
    book = host.book("T0000001")

    with pytest.raises(Refused, match="is settled already: balanced") as refused:
        await applications(host).approve(CHEN, book, application["id"])

    assert "batch_settled" == refused.value.kind
    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host, "T0000001")
    withdrawn = await applications(host).withdraw(LI, book, application["id"])
    assert ("withdrawn", []) == (withdrawn["state"], withdrawn["possible"])


async def test_a_terminal_that_settles_at_the_same_moment_and_the_approval_have_one_winner(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))
    own = asyncio.create_task(terminal.settle(debit_credit((1, 12_34))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert host.book("T0000001").busy

    with pytest.raises(Refused, match="is settled already"):
        await applications(host).approve(CHEN, host.book("T0000001"), application["id"])
    await own

    assert [("000001", "settled", "balanced"), ("000002", "open", "")] == batches(host, "T0000001")


async def test_an_account_in_arrears_is_named_before_anything_else(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    owes = record(MERCHANT, MERCHANT_ID, MERCHANT_ID, "active", 0, {"arrears": "rent of two months"})
    host.registry.apply([owes])
    host.memory.post(Posting((), (owes,), lambda first: None))
    await host.durable()

    with pytest.raises(Refused, match="in arrears: rent of two months") as refused:
        await applications(host).submit(LI, host.book("T0000001"), HandedIn([], agent={"name": "a"}))
    assert "account_in_arrears" == refused.value.kind

    paid = record(MERCHANT, MERCHANT_ID, MERCHANT_ID, "active", 0, {})
    host.registry.apply([paid])
    host.memory.post(Posting((), (paid,), lambda first: None))
    await host.durable()
    assert "submitted" == (await submitted(host, "T0000001", sale))["state"]


async def test_an_agent_needs_the_authorisation_and_both_identities(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    papers = {"authorisation": "a" * 64, "merchant_identity": "b" * 64, "agent_identity": "c" * 64}
    kept = [DocumentRow(paper, MERCHANT_ID, "x", "x", 1, 0, "00") for paper in ("a" * 64, "b" * 64)]
    host.memory.post(Posting((), (*kept, DocumentRow("c" * 64, "another", "x", "x", 1, 0, "00")), lambda first: None))
    await host.durable()

    with pytest.raises(Refused, match="agent_identity") as refused:
        await submitted(host, "T0000001", sale, agent={"name": "Zhao", **papers})

    assert ["agent_identity"] == refused.value.more["missing"]
    host.memory.post(Posting((), (kept[0]._replace(document_id="c" * 64),), lambda first: None))
    await host.durable()
    accepted = await submitted(host, "T0000001", sale, agent={"name": "Zhao", **papers})
    assert {"name": "Zhao", **papers} == accepted["agent"]
    with pytest.raises(Forbidden):
        await applications(host).approve(Actor("zhao", "reviewer"), host.book("T0000001"), accepted["id"])


async def test_a_batch_has_one_open_application(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    first = await submitted(host, "T0000001", sale)

    with pytest.raises(Refused, match="application 1 for batch 000001 is submitted already"):
        await submitted(host, "T0000001", sale)

    await applications(host).withdraw(LI, host.book("T0000001"), first["id"])
    assert "2" == (await submitted(host, "T0000001", sale))["id"]


async def test_a_terminal_without_money_has_nothing_to_apply_for(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    await terminal.reverse(sale.request)

    with pytest.raises(Refused, match="has no batch with money"):
        await submitted(host, "T0000001", sale)


async def test_a_batch_whose_upload_broke_off_can_be_applied_for_once_it_was_idle(host: HostInProcess) -> None:
    terminal = HypercomTerminal(host)
    sale = await terminal.purchase(12_34)
    await terminal.settle({"sales": Side(1, 1)})
    application = await submitted(host, "H0000001", sale)
    book = host.book("H0000001")

    with pytest.raises(Refused, match="is uploading batch 000001"):
        await applications(host).approve(CHEN, book, application["id"])
    host.clock.move_to(host.clock.now_ms() + host.policy.grace_ms)
    await applications(host).approve(CHEN, book, application["id"])

    assert ("000001", "settled", "settled_by_host") == batches(host, "H0000001")[0]


async def test_an_approval_that_cannot_be_stored_did_not_happen(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))
    host.memory.fail_next = 1

    with pytest.raises(NotKept):
        await applications(host).approve(CHEN, host.book("T0000001"), application["id"])

    assert "submitted" == applications(host).one(application["id"])["state"]
    assert [("000001", "open", "")] == batches(host, "T0000001")


async def test_a_restart_knows_the_application(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    application = await submitted(host, "T0000001", await terminal.purchase(12_34))

    again = host.twin()
    approved = await applications(again).approve(CHEN, again.book("T0000001"), application["id"])

    assert "approved" == approved["state"]
    assert 0 == verified(again)["differences"], verified(again)["details"]


async def test_no_identity_or_card_number_that_people_write_is_kept(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    sale = await terminal.purchase(12_34)
    identity = "110105194912310025"
    application = await submitted(host, "T0000001", sale, applicant=f"Li {identity}")
    book = host.book("T0000001")
    await applications(host).reject(CHEN, book, application["id"], f"{identity} is not on the slip")

    stored = json.dumps([host.memory.entries, [list(rows.values()) for rows in host.memory.rows.values()]])
    assert identity not in stored
    assert identity not in json.dumps(applications(host).all())


async def test_an_application_of_another_terminal_is_not_there(host: HostInProcess) -> None:
    first, other = UnionPayTerminal(host), UnionPayTerminal(host, "T0000002")
    application = await submitted(host, "T0000001", await first.purchase(12_34))
    await other.purchase(12_34)

    with pytest.raises(Refused, match="no settlement application 1") as refused:
        await applications(host).approve(CHEN, host.book("T0000002"), application["id"])
    assert 404 == refused.value.status
