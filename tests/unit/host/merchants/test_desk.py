"""The desk: rights, one commit, the audit trail, and what happens when something fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from tests.patience import HANGING_S
from tests.unit.host.pipeline.host_in_process import HostInProcess

from pos_host.ledger.merchant_rows import AuditRow, RecordRow
from pos_host.ledger.records import record
from pos_host.merchants.actors import ADMIN, HOST, Actor
from pos_host.merchants.audit import broken_links
from pos_host.merchants.desk import Forbidden, NotKept, Refused, Subject, Told, Written
from pos_host.merchants.lives import Life, NotNow

ACTION = "terminal.settle"
"""Any action that needs an operator."""

PAPER = Life("paper", "written", {"written": {"sign": "signed"}, "signed": {}})
M1 = Subject("paper 1", "104110070110814")


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


def signing(host: HostInProcess) -> Callable[[int], Written]:
    """Signs paper 1 of the merchant, by its life."""

    def decide(now_ms: int) -> Written:
        before = host.desk.records.find("paper", "1")
        state = PAPER.after(before.state if before else "written", "sign")
        row = record("paper", "1", M1.merchant_id, state, now_ms, {})
        return Written((row,), (Told("paper.signed", 0, {"number": "1"}),), None, {"state": state}, answer=state)

    return decide


def noting(decide: Callable[[int], Written], posted: asyncio.Event) -> Callable[[int], Written]:
    """The same, noting when; what it writes is posted at once, and committed in a later turn of the loop."""

    def noted(now_ms: int) -> Written:
        posted.set()
        return decide(now_ms)

    return noted


def trail(host: HostInProcess) -> list[AuditRow]:
    return host.memory.all_rows(AuditRow)


async def test_an_action_is_kept_applied_told_and_audited_in_one_commit(host: HostInProcess) -> None:
    answer = await host.desk.act(ADMIN, ACTION, M1, signing(host), "because")

    kept = host.desk.records.find("paper", "1")
    assert ("signed", "signed") == (answer, kept.state if kept else None)
    assert host.memory.all_rows(RecordRow) == [kept]
    row = trail(host)[0]
    assert ("admin", "admin", ACTION, "paper 1", "done", "because") == (*row[2:6], row.result, row.reason)
    assert {"state": "signed"} == json.loads(row.after)
    told = json.loads(host.memory.entries[-1].entry.detail)
    assert ("paper.signed", 1, row.digest) == (told["type"], told["audit_no"], told["digest"])


@pytest.mark.parametrize("role", ["merchant", "viewer"])
async def test_a_role_that_is_not_enough_changes_nothing_and_is_audited(host: HostInProcess, role: str) -> None:
    with pytest.raises(Forbidden, match="needs the role operator"):
        await host.desk.act(Actor("eve", role, M1.merchant_id), ACTION, M1, signing(host))

    assert host.desk.records.find("paper", "1") is None
    assert [("eve", "refused")] == [(row.actor, row.result) for row in trail(host)]


async def test_an_action_nobody_named_is_refused_to_everybody(host: HostInProcess) -> None:
    for actor in (ADMIN, HOST):
        with pytest.raises(Forbidden):
            await host.desk.act(actor, "paper.burn", M1, signing(host))


@pytest.mark.parametrize("refused", [Refused("paper_missing", "there is no paper"), NotNow("paper", "x", "sign", ())])
async def test_a_refusal_is_audited_with_its_reason_and_raised(host: HostInProcess, refused: Exception) -> None:
    def decide(now_ms: int) -> Written:
        raise refused

    with pytest.raises(type(refused)):
        await host.desk.act(ADMIN, ACTION, M1, decide)

    assert [("refused", str(refused))] == [(row.result, row.reason) for row in trail(host)]


async def test_two_at_once_act_one_after_the_other(host: HostInProcess) -> None:
    outcomes = await asyncio.gather(
        *(host.desk.act(ADMIN, ACTION, M1, signing(host)) for _ in range(3)), return_exceptions=True
    )

    assert ["signed", "NotNow", "NotNow"] == [x if isinstance(x, str) else type(x).__name__ for x in outcomes]
    assert ["done", "refused", "refused"] == [row.result for row in trail(host)]


async def test_after_a_failed_commit_nothing_was_done_and_the_trail_goes_on(host: HostInProcess) -> None:
    host.memory.fail_next = 1
    with pytest.raises(NotKept):
        await host.desk.act(ADMIN, ACTION, M1, signing(host))
    assert host.desk.records.find("paper", "1") is None

    assert "signed" == await host.desk.act(ADMIN, ACTION, M1, signing(host))
    assert ([1], []) == ([row.audit_no for row in trail(host)], broken_links(trail(host), {}))


async def test_an_asker_who_goes_away_between_post_and_commit_leaves_nothing_half_done(host: HostInProcess) -> None:
    posted = asyncio.Event()
    asked = asyncio.ensure_future(host.desk.act(ADMIN, ACTION, M1, noting(signing(host), posted)))
    await posted.wait()
    assert [] == host.memory.entries
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(NotNow):  # the next one finds it signed, and the trail in one piece
        await host.desk.act(ADMIN, ACTION, M1, signing(host))

    kept = host.desk.records.find("paper", "1")
    assert "signed" == (kept.state if kept else None)
    assert ["done", "refused"] == [row.result for row in trail(host)]
    assert [] == broken_links(trail(host), {})


async def test_an_asker_who_goes_away_before_its_turn_has_asked_for_nothing(host: HostInProcess) -> None:
    posted = asyncio.Event()
    looking = noting(lambda now_ms: Written(told=(Told("looked"),)), posted)
    first = asyncio.ensure_future(host.desk.act(ADMIN, ACTION, M1, looking))
    second = asyncio.ensure_future(host.desk.act(ADMIN, ACTION, M1, signing(host)))
    await posted.wait()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    assert host.desk.records.find("paper", "1") is None
    assert 1 == len(trail(host))


async def test_what_follows_from_an_action_is_done_though_its_asker_went_away(host: HostInProcess) -> None:
    followed = asyncio.Event()

    async def then() -> None:
        await asyncio.sleep(0)
        followed.set()

    posted = asyncio.Event()
    asked = asyncio.ensure_future(host.desk.act(ADMIN, ACTION, M1, noting(signing(host), posted), then=then))
    await posted.wait()
    asked.cancel()
    async with asyncio.timeout(HANGING_S):
        await followed.wait()

    assert host.desk.records.find("paper", "1") is not None


async def test_our_own_mistake_is_raised_and_the_desk_goes_on(host: HostInProcess) -> None:
    def decide(now_ms: int) -> Written:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await host.desk.act(ADMIN, ACTION, M1, decide)
    assert "signed" == await host.desk.act(ADMIN, ACTION, M1, signing(host))


async def test_an_action_with_nothing_to_do_leaves_no_trace(host: HostInProcess) -> None:
    assert "nothing" == await host.desk.act(ADMIN, ACTION, M1, lambda now_ms: Written(answer="nothing"))
    assert ([], []) == (trail(host), host.memory.entries)


async def test_the_trail_goes_on_after_a_restart(host: HostInProcess) -> None:
    await host.desk.act(ADMIN, ACTION, M1, signing(host))
    again = host.twin()
    with pytest.raises(NotNow):
        await again.desk.act(ADMIN, ACTION, M1, signing(again))

    assert [1, 2] == [row.audit_no for row in trail(again)]
    assert [] == broken_links(trail(again), {})
