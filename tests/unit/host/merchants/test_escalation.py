"""Somebody answers for each terminal that does not settle; where nobody does, the next one is told.
Cut-off at 23:00, overdue at 00:00, forgotten at 23:00 of the day after."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal, debit_credit

from pos_host.event_log import event_of
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.forgotten.escalation_ladder import read_ladder, shipped_ladder, written
from pos_host.merchants.lives import NotNow

SHANGHAI = timezone(timedelta(hours=8))
WANG, ADMIN = Actor("wang", "operator"), Actor("admin", "admin")
SCOPES = ["acquirer", "898310000000001", "898310000000001/T0000001"]


def step(responsible: str, within: str = "PT1H", **more: str) -> dict[str, str]:
    return {"responsible": responsible, "tell": "event", "address": "", "acknowledge_within": within, **more}


def at(text: str) -> int:
    moment = datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)


async def until(host: HostInProcess, text: str) -> None:
    await host.office.advance_clock(f"PT{(at(text) - host.clock.now_ms()) // 1000}S")


async def sold(host: HostInProcess) -> UnionPayTerminal:
    terminal = UnionPayTerminal(host)
    await terminal.purchase(12_34)
    return terminal


def told(host: HostInProcess) -> list[tuple[str, str, str]]:
    """The escalations' events: type, who, severity."""
    events = [event_of(stored, host.registry) for stored in host.memory.entries]
    details = [(event.type, event.data["detail"]) for event in events if event.type.startswith("escalation.")]
    return [(type_, detail["responsible"], detail["severity"]) for type_, detail in details]


async def test_an_overdue_terminal_is_told_to_whoever_answers_for_it_with_its_impact() -> None:
    host = HostInProcess()
    await sold(host)

    await until(host, "02 23:59")
    assert [] == host.parts.forgotten.escalations.all()
    await until(host, "03 00:00")

    (raised,) = host.parts.forgotten.escalations.all()
    assert ("raised", "overdue", "settlement desk") == (raised["state"], raised["severity"], raised["responsible"])
    assert {"not_paid_minor": 12_34, "currency": "156", "days_late": 1, "cardholders": 1} == raised["impact"]
    assert "2026-03-02T18:00:00.000Z" == raised["acknowledge_by"]


async def test_an_escalation_that_nobody_acknowledges_climbs_to_the_top_and_stays_there() -> None:
    host = HostInProcess()
    await sold(host)

    await until(host, "03 22:00")

    assert [
        ("escalation.raised", "settlement desk", "overdue"),
        ("escalation.raised", "head of settlement", "overdue"),
        ("escalation.unanswered", "head of settlement", "overdue"),
    ] == told(host)


async def test_one_that_is_acknowledged_does_not_climb_until_the_flag_gets_worse() -> None:
    host = HostInProcess()
    await sold(host)
    await until(host, "03 01:00")

    acknowledged = await host.parts.forgotten.escalations.acknowledge(WANG, "1", "I am on it")
    await until(host, "03 22:59")
    assert ("acknowledged", "wang", []) == (
        acknowledged["state"],
        acknowledged["acknowledged_by"],
        acknowledged["possible"],
    )
    assert 2 == len(told(host))
    with pytest.raises(NotNow):
        await host.parts.forgotten.escalations.acknowledge(WANG, "1")

    await until(host, "03 23:00")
    assert ("escalation.raised", "head of settlement", "forgotten") == told(host)[-1]
    assert 2 == host.parts.forgotten.escalations.one("1")["impact"]["days_late"] + 1


async def test_it_ends_when_the_terminal_settles() -> None:
    host = HostInProcess()
    terminal = await sold(host)
    await until(host, "03 01:00")

    await terminal.settle(debit_credit((1, 12_34)))
    await until(host, "05 12:00")

    assert "ended" == host.parts.forgotten.escalations.one("1")["state"]
    assert ["escalation.raised", "escalation.ended"] == [type_ for type_, _, _ in told(host)]


async def test_a_restart_keeps_the_deadline() -> None:
    host = HostInProcess()
    await sold(host)
    await until(host, "03 01:59")

    again = host.twin()
    await until(again, "03 02:00")

    assert [("overdue", "head of settlement")] == [
        (one["severity"], one["responsible"]) for one in again.parts.forgotten.escalations.all()
    ]


async def test_a_flag_that_was_committed_before_a_crash_is_escalated_after_it() -> None:
    host = HostInProcess()
    await sold(host)
    await until(host, "02 23:59")
    host.clock.move_to(at("03 00:00"))
    host.watch.look()
    await host.durable()

    again = host.twin()
    assert again.book("T0000001").flag.severity == "overdue"
    await again.watch.settle()

    assert 1 == len(again.parts.forgotten.escalations.all())


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_ladder_of_ones_own_holds_for_its_scope(scope: str) -> None:
    host = HostInProcess()
    await sold(host)
    mail = step("Ms Li", tell="e-mail", address="li@example.com")
    escalations = host.parts.forgotten.escalations

    await escalations.set_ladder(ADMIN, scope, {"due": [mail]})
    await until(host, "02 22:30")

    (raised,) = escalations.all()
    assert ("Ms Li", "e-mail", "li@example.com") == (raised["responsible"], raised["tell"], raised["address"])
    assert {"scope": scope, "own": True, "ladder": {"due": [mail], "overdue": [], "forgotten": []}} == (
        escalations.ladder(scope)
    )
    await escalations.set_ladder(ADMIN, scope, None)
    assert not escalations.ladder(scope)["own"]
    assert shipped_ladder() == escalations.ladder_of(host.book("T0000001"))


async def test_the_narrowest_ladder_wins() -> None:
    host = HostInProcess()
    await sold(host)
    escalations = host.parts.forgotten.escalations
    for scope in SCOPES:
        await escalations.set_ladder(ADMIN, scope, {"due": [step(scope)]})

    assert SCOPES[-1] == escalations.ladder_of(host.book("T0000001"))["due"][0].responsible


async def test_only_an_admin_sets_ladders() -> None:
    host = HostInProcess()

    with pytest.raises(Forbidden):
        await host.parts.forgotten.escalations.set_ladder(WANG, "acquirer", {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"late": []}, "late: is not a severity"),
        ({"due": {}}, "due: must be a list"),
        ({"due": [{"responsible": "x"}]}, "due: step 1: must have the texts"),
        ({"due": [step("")]}, "step 1: responsible"),
        ({"due": [step("x"), step("x", tell="pigeon")]}, "step 2: tell: must be one of"),
        ({"due": [step("x", tell="e-mail", address="nobody")]}, "step 1: address: does not fit tell = e-mail"),
        ({"due": [step("x", within="soon")]}, "step 1: acknowledge_within: 'soon' is not a duration"),
        ({"due": [step("x", within="PT0S")]}, "step 1: acknowledge_within: must be longer"),
    ],
)
async def test_a_wrong_ladder_is_refused_with_its_place(given: dict[str, Any], said: str) -> None:
    host = HostInProcess()

    with pytest.raises(Refused, match=said) as refused:
        await host.parts.forgotten.escalations.set_ladder(ADMIN, "acquirer", given)
    assert 422 == refused.value.status


def test_the_shipped_ladder_reads_back_as_it_is_shown() -> None:
    assert shipped_ladder() == read_ladder(written(shipped_ladder()))


@pytest.mark.parametrize("scope", ["104110070110814", "6222021234567890005", "104110070110814/T0000001", "a/b"])
async def test_a_ladder_is_set_only_for_somebody_the_host_knows(scope: str) -> None:
    host = HostInProcess()
    with pytest.raises(Refused, match="of those the host knows") as refused:
        await host.parts.forgotten.escalations.set_ladder(ADMIN, scope, None)

    assert (404, "unknown_scope") == (refused.value.status, refused.value.kind)
    assert scope not in repr(host.memory.entries)
    with pytest.raises(Refused):
        host.parts.forgotten.escalations.ladder(scope)
