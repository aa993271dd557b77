"""Reopening: applied for by one, reviewed by another, begun with a sign-in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.unit.host.merchants.closing_up import (
    DAY_MS,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    close,
    endings,
    reopen,
    terminal,
    told,
)
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import MERCHANT, HypercomTerminal, UnionPayTerminal, debit_credit

from pos_host.merchants.actors import ADMIN, Actor
from pos_host.merchants.closing.terminal_states import Whom
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.lives import NotNow
from pos_specs.totals import Side


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture
async def closed(host: HostInProcess) -> UnionPayTerminal:
    shop = UnionPayTerminal(host)
    await shop.sign_in()
    await close(host, terminal(host))
    return shop


@pytest.mark.parametrize("actor", [REVIEWER, ADMIN, Actor("ZHAO ", "admin")], ids=["reviewer", "admin", "alias"])
async def test_who_applied_cannot_review_whatever_the_role(
    host: HostInProcess, closed: UnionPayTerminal, actor: Actor
) -> None:
    applicant = actor if actor is ADMIN else REVIEWER
    await endings(host).reopenings.request(applicant, terminal(host), "the shop opens again")

    for act in (endings(host).reopenings.approve, endings(host).reopenings.reject):
        with pytest.raises(Forbidden, match="somebody else"):
            await act(actor, terminal(host), "I say so")

    assert "closed" == host.book("T0000001").status
    assert "approved" == (await endings(host).reopenings.approve(OTHER_REVIEWER, terminal(host)))["state"]


async def test_an_operator_cannot_review(host: HostInProcess, closed: UnionPayTerminal) -> None:
    await endings(host).reopenings.request(REVIEWER, terminal(host), "the shop opens again")

    with pytest.raises(Forbidden, match="role reviewer"):
        await endings(host).reopenings.approve(OPERATOR, terminal(host))


async def test_a_rejected_one_leaves_it_closed_and_can_be_applied_for_again(
    host: HostInProcess, closed: UnionPayTerminal
) -> None:
    reopenings, whom = endings(host).reopenings, terminal(host)
    await reopenings.request(OPERATOR, whom, "the shop opens again")
    with pytest.raises(Refused, match="waits for its review"):
        await reopenings.request(OPERATOR, whom, "please")
    rejected = await reopenings.reject(REVIEWER, whom, "the contract has ended")

    assert ("rejected", []) == (rejected["state"], rejected["possible"])
    assert "97" == (await closed.sign_in()).code
    with pytest.raises(NotNow):
        await reopenings.approve(OTHER_REVIEWER, whom)
    await reopenings.request(OPERATOR, whom, "there is a new contract")
    assert "withdrawn" == (await reopenings.withdraw(OPERATOR, whom))["state"]


async def test_a_terminal_that_is_not_closed_is_not_reopened(host: HostInProcess) -> None:
    await UnionPayTerminal(host).sign_in()
    with pytest.raises(NotNow, match="possible is suspend or begin_closing or replace"):
        await endings(host).reopenings.request(OPERATOR, terminal(host), "why not")
    with pytest.raises(Refused, match="nobody applied"):
        await endings(host).reopenings.approve(REVIEWER, terminal(host))


async def test_it_waits_for_its_sign_in_across_a_restart(host: HostInProcess, closed: UnionPayTerminal) -> None:
    answer = await reopen(host, terminal(host))
    again = host.twin()

    assert ("approved", "000002") == (answer["state"], answer["batch_number"])
    assert again.book("T0000001").sign_in_due == host.book("T0000001").sign_in_due is not None
    await closed.sign_in()
    assert "signed_in" == endings(host).reopenings.latest(terminal(host))["state"]
    assert host.twin().book("T0000001").sign_in_due is None
    assert ["reopening.requested", "reopening.approved", "terminal.reopened"] == told(
        host, "reopening.requested", "reopening.approved", "terminal.reopened"
    )


async def test_it_trades_and_settles_and_may_be_closed_again(host: HostInProcess, closed: UnionPayTerminal) -> None:
    await reopen(host, terminal(host))
    await closed.sign_in()
    await closed.purchase(10_00)

    settled = await closed.settle(debit_credit((1, 10_00)))
    await host.watch.advance(host.clock, host.clock.now_ms() + 5 * DAY_MS)
    await closed.sign_in()

    assert "1" == settled.answer.fields[48][30]
    assert "000003" == closed.batch
    assert ("2", "closed") == ((answer := await close(host, terminal(host)))["id"], answer["state"])


async def test_a_reopened_hypercom_terminal_goes_on_with_its_own_number(host: HostInProcess) -> None:
    shop = HypercomTerminal(host)
    await shop.sign_in()
    whom = Whom(MERCHANT, host.book("H0000001"))
    await close(host, whom)
    await reopen(host, whom)
    await shop.sign_in()
    shop.batch = "000007"
    await shop.purchase(10_00)

    assert "00" == (await shop.settle({"sales": Side(1, 10_00)})).code


async def test_a_merchants_reopening_opens_no_terminal(host: HostInProcess) -> None:
    shop = UnionPayTerminal(host)
    await shop.sign_in()
    await close(host, Whom(MERCHANT))
    with pytest.raises(Refused, match="reopen that first"):
        await endings(host).reopenings.request(OPERATOR, terminal(host), "it is needed")

    await reopen(host, Whom(MERCHANT))
    still = await shop.sign_in()
    await reopen(host, terminal(host))

    assert ("97", "00") == (still.code, (await shop.sign_in()).code)
    assert "active" == host.registry.merchant(MERCHANT).status
