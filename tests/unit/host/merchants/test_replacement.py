"""A broken terminal hands over to another: its batch, its number, its open pre-authorisations."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.host.merchants.closing_up import (
    OPERATOR,
    REVIEWER,
    apply,
    days_later,
    endings,
    take,
    terminal,
    told,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import MERCHANT, HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.merchants.desk import Refused
from pos_host.merchants.lives import NotNow
from pos_specs.totals import Side

NEW = "T0000002"


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture
async def broken(host: HostInProcess) -> UnionPayTerminal:
    broken = UnionPayTerminal(host)
    await broken.sign_in()
    return broken


async def replace(host: HostInProcess, new_id: str = NEW, reason: str = "fault") -> dict[str, object]:
    replacements = endings(host).replacements
    return await replacements.replace(OPERATOR, host.book("T0000001"), new_id, reason, "the reader is dead")


async def test_the_host_settles_the_batch_and_the_new_terminal_goes_on_after_it(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    await broken.purchase(100_00)
    batch_id = host.book("T0000001").batches[-1].batch_id

    answer = await replace(host)
    new = UnionPayTerminal(host, NEW)
    refused = await new.purchase(10_00)
    await new.sign_in()
    sold = await new.purchase(10_00)
    settled = await new.settle(debit_credit((1, 10_00)))

    assert ([batch_id], "000002") == (answer["settled_batches"], answer["batch_number"])
    assert "settled_by_host" == (await host.office.batch(batch_id))["result"]
    assert [batch_id] == [p.payout_id for p in host.registry.payouts.values() if p.terminal_no == 1]
    assert ["77", "00"] == [refused.code, sold.code]
    assert ("000002", "1") == (settled.request.fields[60][2:8], settled.answer.fields[48][30])
    assert ["terminal.replaced", "terminal.closed"] == told(host, "terminal.replaced", "terminal.closed")


async def test_the_old_one_is_closed_and_what_it_sends_is_kept(host: HostInProcess, broken: UnionPayTerminal) -> None:
    sale = await broken.purchase(100_00)
    await replace(host)

    codes = [(await broken.reverse(sale.request)).code, (await broken.settle(debit_credit((1, 100_00)))).code]

    assert ["97", "97"] == codes
    late = await endings(host).export.late_messages(host.book("T0000001"))
    assert ["reversal", "settlement"] == [message["function"] for message in late]
    assert sale.stan == late[0]["detail"]["original_stan"]


async def test_the_new_terminal_completes_what_the_old_one_had_authorised(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    auth, other = await broken.auth(80_00), await broken.auth(60_00)
    answer = await replace(host)
    new = UnionPayTerminal(host, NEW)
    await new.sign_in()

    done = await new.complete(auth, 80_00)
    twin = host.twin()
    undone = await new.reverse(done.request)
    voided = await new.auth_void(other)

    assert 2 == len(answer["handed_over"])  # type: ignore[arg-type]
    assert ["00", "00", "00"] == [done.code, undone.code, voided.code]
    states = {row["approval_code"]: row["state"] for row in host.office.authorisations(10, 0, MERCHANT, None)["items"]}
    assert {auth.answer.fields[38]: "open", other.answer.fields[38]: "voided"} == states
    assert "completed" in [row.state for row in twin.book(NEW).authorisations.values()]


async def test_the_new_terminal_refunds_what_the_old_one_sold_and_no_more(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    sale = await broken.purchase(100_00)
    await replace(host)
    new = UnionPayTerminal(host, NEW)
    await new.sign_in()

    codes = [(await new.refund(sale, amount)).code for amount in (70_00, 40_00, 30_00)]
    await new.settle(debit_credit((0, 0), (2, 100_00)))
    await new.sign_in()

    assert ["00", "64", "00"] == codes
    assert "64" == (await new.refund(sale, 1_00)).code
    stranger = UnionPayTerminal(host, "T0000003")
    await stranger.sign_in()
    assert "25" == (await stranger.refund(sale, 1_00)).code


async def test_a_hypercom_terminal_takes_over_with_the_number_it_names(host: HostInProcess) -> None:
    broken = HypercomTerminal(host, "T0000001")
    await broken.sign_in()
    await broken.purchase(100_00)
    await replace(host, "H0000002")
    new = HypercomTerminal(host, "H0000002")
    await new.purchase(20_00)

    assert "00" == (await new.settle({"sales": Side(1, 20_00)})).code
    assert host.book("H0000002").predecessor is host.book("T0000001")


async def test_a_batch_in_the_middle_of_its_upload_is_settled_too(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    await broken.purchase(100_00)
    await broken.settle(debit_credit((2, 200_00)))
    assert host.book("T0000001").uploading is not None

    answer = await replace(host)

    assert 1 == len(answer["settled_batches"])  # type: ignore[arg-type]
    assert host.book("T0000001").uploading is None


async def test_an_empty_batch_is_taken_over_by_its_number(host: HostInProcess, broken: UnionPayTerminal) -> None:
    await broken.purchase(100_00)
    await broken.settle(debit_credit((1, 100_00)))
    answer = await replace(host)

    assert ("000002", []) == (answer["batch_number"], answer["settled_batches"])


async def test_what_is_left_of_the_old_one_is_its_closure(host: HostInProcess, broken: UnionPayTerminal) -> None:
    await broken.purchase(100_00)
    whom = terminal(host)
    await apply(host, whom, "damage")
    await replace(host, reason="damage")
    with pytest.raises(NotNow, match="take_step or close"):
        await endings(host).closures.withdraw(OPERATOR, whom, "found it again")
    await days_later(host)

    for step in ("final_payout", "equipment_returned", "data_wiped"):
        answer = await take(host, whom, step)

    assert ("closed", NEW) == (answer["state"], answer["replaced_by"])
    assert 1 == len(endings(host).closures.all())
    assert "closed" == host.book("T0000001").status


async def test_a_pre_authorisation_that_was_handed_over_does_not_keep_the_old_one_open(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    held = await broken.auth(300_00)
    await replace(host)

    for step in ("final_payout", "equipment_returned", "data_wiped"):
        answer = await take(host, terminal(host), step)

    assert "closed" == answer["state"]
    assert [("authorisation_open", NEW)] == [(thing["kind"], thing["to"]) for thing in answer["handed_over"]]
    new = UnionPayTerminal(host, NEW)
    await new.sign_in()
    assert "00" == (await new.complete(held, 300_00)).code


async def test_a_replaced_terminal_is_never_reopened(host: HostInProcess, broken: UnionPayTerminal) -> None:
    await replace(host)

    with pytest.raises(Refused, match=f"replaced by {NEW}"):
        await endings(host).reopenings.request(OPERATOR, terminal(host), "it works again")
    with pytest.raises(NotNow):
        await replace(host, "T0000003")


@pytest.mark.parametrize(
    ("new_id", "reason", "kind"),
    [
        ("T0000001", "fault", "id_not_valid"),
        ("TERMINAL-TOO-LONG", "fault", "id_not_valid"),
        ("", "fault", "id_not_valid"),
        (NEW, "violation", "invalid_reason"),
        (NEW, "boredom", "invalid_reason"),
    ],
)
async def test_what_cannot_take_its_place_is_refused(
    host: HostInProcess, broken: UnionPayTerminal, new_id: str, reason: str, kind: str
) -> None:
    with pytest.raises(Refused) as refused:
        await replace(host, new_id, reason)

    assert (kind, 422) == (refused.value.kind, refused.value.status)
    assert "active" == host.book("T0000001").status


async def test_a_terminal_that_trades_takes_no_place_and_a_fresh_one_does(
    host: HostInProcess, broken: UnionPayTerminal
) -> None:
    new = UnionPayTerminal(host, NEW)
    await new.sign_in()
    sale = await new.purchase(10_00)
    with pytest.raises(Refused, match="trades already"):
        await replace(host)
    await new.reverse(sale.request)

    await replace(host)

    assert host.book(NEW).predecessor is host.book("T0000001")
    with pytest.raises(NotNow):
        await endings(host).suspensions.suspend(REVIEWER, terminal(host), "violation", "too late")


async def test_where_terminals_do_not_enrol_by_themselves_the_new_one_may(broken: UnionPayTerminal) -> None:
    twin = broken.host.twin()
    twin.pipeline.enrol = "strict"
    await endings(twin).replacements.replace(OPERATOR, twin.book("T0000001"), NEW, "fault")

    assert "00" == (await UnionPayTerminal(twin, NEW).sign_in()).code
    assert "97" == (await UnionPayTerminal(twin, "T0000003").sign_in()).code


async def test_a_restart_knows_who_came_after_whom(host: HostInProcess, broken: UnionPayTerminal) -> None:
    await broken.purchase(100_00)
    await replace(host)
    before = host.twin()
    new = UnionPayTerminal(before, NEW)
    await new.sign_in()

    assert "000002" == new.batch
    assert before.twin().book(NEW).predecessor is not None
