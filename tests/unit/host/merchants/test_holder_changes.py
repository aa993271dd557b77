"""The settlement holder changes: with notice, training, an effective date, a watch, and an archive."""

from __future__ import annotations

import json

import pytest
from tests.unit.host.merchants.settlement_people import (
    ADMIN,
    HOLDER,
    IDENTITY,
    OPERATOR,
    OTHER_REVIEWER,
    REVIEWER,
    enrolled,
    holder_application,
    pass_time,
)
from tests.unit.host.pipeline.host_in_process import START_MS, HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT

from pos_host.ledger.merchant_rows import PayoutRow
from pos_host.merchants.accounts.first_settlements import unlike
from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Forbidden, Refused
from pos_host.merchants.versions import Scope

DAY_MS = 86_400_000
AUCKLAND_MS = START_MS + 6 * DAY_MS + 23 * 3_600_000
"""The beginning of 2026-03-10 in Auckland, thirteen hours ahead of UTC."""

EFFECTIVE_MS = START_MS + 7 * DAY_MS + 4 * 3_600_000
"""2026-03-10 00:00 in Shanghai."""


@pytest.fixture
async def host() -> HostInProcess:
    made = HostInProcess()
    await enrolled(made)
    return made


async def applied(host: HostInProcess) -> str:
    view = await host.parts.details.holder_changes.apply(OPERATOR, MERCHANT, await holder_application(host))
    return str(view["change_id"])


async def in_effect(host: HostInProcess) -> str:
    """A change whose day has come."""
    changes = host.parts.details.holder_changes
    number = await applied(host)
    await changes.approve(REVIEWER, MERCHANT, number)
    await changes.confirm_training(OPERATOR, MERCHANT, number)
    await pass_time(host, EFFECTIVE_MS - host.clock.now_ms())
    return number


def states(host: HostInProcess) -> dict[str, str]:
    return {view["name"]: view["state"] for view in host.parts.details.holders.of_merchant(MERCHANT)}


async def events(host: HostInProcess) -> list[str]:
    return [event["type"] for event in (await host.office.events(0, 1000))["items"]]


async def test_a_change_goes_all_the_way(host: HostInProcess) -> None:
    details = host.parts.details
    await details.holders.record_first(ADMIN, MERCHANT, GivenHolder(HOLDER, IDENTITY))
    number = await applied(host)
    approved = await details.holder_changes.approve(REVIEWER, MERCHANT, number)
    assert (HOLDER, "2026-03-10") == (approved["notices"][0]["to"], approved["notices"][0]["effective_on"])
    assert "settlement_holder.notice" in await events(host)
    await details.holder_changes.confirm_training(OPERATOR, MERCHANT, number)
    await pass_time(host, EFFECTIVE_MS - 1 - host.clock.now_ms())
    assert {HOLDER: "active", "Li Si": "proposed"} == states(host)

    await pass_time(host, 1)
    assert {HOLDER: "former", "Li Si": "active"} == states(host)
    watching = details.holder_changes.show(MERCHANT, number)
    assert ("watching", "02") == (watching["state"], watching["holder"]["operator_number"])
    assert "settlement_holder.changed" in await events(host)

    await pass_time(host, 14 * DAY_MS)
    assert "watched" == details.holder_changes.show(MERCHANT, number)["state"]
    archived = await details.holder_changes.evaluate(OTHER_REVIEWER, MERCHANT, number, "all goes on as before")
    assert ("archived", 3) == (archived["state"], len(archived["documents"]))


async def test_a_change_without_training_waits_for_it(host: HostInProcess) -> None:
    changes = host.parts.details.holder_changes
    number = await applied(host)
    await changes.approve(REVIEWER, MERCHANT, number)
    await pass_time(host, EFFECTIVE_MS + 3_600_000 - host.clock.now_ms())
    shown = changes.show(MERCHANT, number)
    assert ("approved", ["training"]) == (shown["state"], shown["waits_for"])

    await changes.confirm_training(OPERATOR, MERCHANT, number)
    await pass_time(host, 0)

    assert "watching" == changes.show(MERCHANT, number)["state"]


async def test_a_change_leaves_time_to_hand_over(host: HostInProcess) -> None:
    changes = host.parts.details.holder_changes
    asked = await holder_application(host, effective_on="2026-03-03")
    number = (await changes.apply(OPERATOR, MERCHANT, asked))["change_id"]
    approved = await changes.approve(REVIEWER, MERCHANT, number)

    assert "2026-03-06" == approved["effective_on"]


async def test_the_days_of_a_change_are_those_of_its_merchant(host: HostInProcess) -> None:
    """Where the next day has begun when it is evening at the acquirer."""
    changes = host.parts.details.holder_changes
    await host.parts.terms.policies.put(ADMIN, Scope(MERCHANT), {"time_zone": "Pacific/Auckland"})
    with pytest.raises(Refused) as refused:
        await changes.apply(OPERATOR, MERCHANT, await holder_application(host, effective_on="2026-03-02"))
    assert "from 2026-03-03" in str(refused.value)
    number = await applied(host)
    assert "2026-03-10" == (await changes.approve(REVIEWER, MERCHANT, number))["effective_on"]
    await changes.confirm_training(OPERATOR, MERCHANT, number)

    await pass_time(host, AUCKLAND_MS - 1 - host.clock.now_ms())
    assert "approved" == changes.show(MERCHANT, number)["state"]
    await pass_time(host, 1)
    assert "watching" == changes.show(MERCHANT, number)["state"]


@pytest.mark.parametrize("effective_on", ["2026-03-01", "2028-01-01", "tomorrow", "2026-02-30"])
async def test_an_effective_date_that_makes_no_sense_is_refused(host: HostInProcess, effective_on: str) -> None:
    with pytest.raises(Refused) as refused:
        await host.parts.details.holder_changes.apply(
            OPERATOR, MERCHANT, await holder_application(host, effective_on=effective_on)
        )
    assert 422 == refused.value.status


async def test_nobody_makes_themselves_the_holder(host: HostInProcess) -> None:
    number = await applied(host)
    changes = host.parts.details.holder_changes
    for same in (Actor("LI.NA", "admin"), Actor("li si", "reviewer")):
        with pytest.raises(Forbidden):
            await changes.approve(same, MERCHANT, number)

    assert "submitted" == changes.show(MERCHANT, number)["state"]


async def test_papers_that_are_missing_are_named(host: HostInProcess) -> None:
    with pytest.raises(Refused) as refused:
        await host.parts.details.holder_changes.apply(OPERATOR, MERCHANT, await holder_application(host, documents=()))

    assert [["identity_document", "proof_of_position", "contract"]] == [
        blocker["concerns"] for blocker in refused.value.more["blockers"]
    ]


async def test_the_outgoing_holders_token_ends_on_the_day_and_the_incoming_holder_gets_one(host: HostInProcess) -> None:
    users, changes = host.parts.users, host.parts.details.holder_changes
    old = await users.create(ADMIN, "zhang.san", "merchant", MERCHANT)
    await host.parts.details.holders.record_first(ADMIN, MERCHANT, GivenHolder(HOLDER, IDENTITY, "zhang.san"))
    asked = await holder_application(host, holder=GivenHolder("Li Si", "44030819990101001X", "li.si"))
    number = (await changes.apply(OPERATOR, MERCHANT, asked))["change_id"]
    await changes.approve(REVIEWER, MERCHANT, number)
    await changes.confirm_training(OPERATOR, MERCHANT, number)
    assert users.actor_of(old["token"]) is not None

    await pass_time(host, EFFECTIVE_MS - host.clock.now_ms())
    assert users.actor_of(old["token"]) is None
    told = await changes.issue_token(ADMIN, MERCHANT, number)

    assert Actor("li.si", "merchant", MERCHANT, (ADMIN.name,)) == users.actor_of(told["token"])
    with pytest.raises(Refused):
        await changes.issue_token(ADMIN, MERCHANT, number)
    stored = [row.body for row in host.parts.registry.records.of_kind("holder_change")]
    assert not any(told["token"] in body for body in stored)


async def test_a_change_is_rolled_back_to_the_holder_before(host: HostInProcess) -> None:
    await host.parts.details.holders.record_first(ADMIN, MERCHANT, GivenHolder(HOLDER, IDENTITY))
    number = await in_effect(host)
    view = await host.parts.details.holder_changes.roll_back(REVIEWER, MERCHANT, number, "he never came")

    assert "rolled_back" == view["state"]
    assert {HOLDER: "active", "Li Si": "former"} == states(host)


async def test_a_change_takes_effect_after_a_restart_as_well(host: HostInProcess) -> None:
    changes = host.parts.details.holder_changes
    number = await applied(host)
    await changes.approve(REVIEWER, MERCHANT, number)
    await changes.confirm_training(OPERATOR, MERCHANT, number)
    twin = host.twin()
    await pass_time(twin, EFFECTIVE_MS - twin.clock.now_ms())

    assert "watching" == twin.parts.details.holder_changes.show(MERCHANT, number)["state"]


def payout(number: int, captured_minor: int, sales: int = 10, refunded_minor: int = 0) -> PayoutRow:
    line = {"product": "credit", "sales": sales, "refunds": 0}
    amounts = (captured_minor, refunded_minor, 0, 0, captured_minor - refunded_minor)
    days = ("2026-03-09", "2026-03-10", 0)
    return PayoutRow(number, 1, MERCHANT, "made", "156", *days, *amounts, "1", 0, "[]", json.dumps([line]))


BEFORE = [payout(number, 10_000, refunded_minor=300) for number in range(1, 6)]


@pytest.mark.parametrize(
    ("since", "what"),
    [
        (payout(9, 30_000), []),
        (payout(9, 30_001), ["captured"]),
        (payout(9, 3_333), ["captured"]),
        (payout(9, 3_334), []),
        (payout(9, 10_000, sales=31), ["sales"]),
        (payout(9, 10_000, sales=3), ["sales"]),
        (payout(9, 10_000, refunded_minor=901), ["refunded"]),
        (payout(9, 10_000, refunded_minor=0), []),
        (payout(9, 50_000, sales=90, refunded_minor=5_000), ["captured", "sales", "refunded"]),
    ],
)
def test_a_settlement_three_times_as_large_or_as_small_as_before_is_flagged(since: PayoutRow, what: list[str]) -> None:
    assert what == [flag["what"] for flag in unlike(BEFORE, [since], 3)]


def test_there_is_nothing_to_compare_with_after_a_few_settlements() -> None:
    assert [] == unlike(BEFORE[:2], [payout(9, 1_000_000)], 3)


async def test_an_unlike_settlement_is_flagged_while_it_is_watched(host: HostInProcess) -> None:
    number = await in_effect(host)
    rows = [p._replace(business_day=f"2026-03-0{p.payout_id + 1}") for p in BEFORE]
    odd = payout(9, 90_000)._replace(business_day="2026-03-10")
    host.memory.rows[PayoutRow] |= {row.payout_id: row for row in (*rows, odd)}
    await pass_time(host, DAY_MS)

    flags = host.parts.details.holder_changes.show(MERCHANT, number)["flags"]
    assert [{"payout_id": 9, "what": "captured", "is": 90_000, "mean_before": 10_000}] == flags
    assert 1 == (await events(host)).count("settlement_holder.unlike_before")
    await pass_time(host, DAY_MS)
    assert 1 == (await events(host)).count("settlement_holder.unlike_before")
