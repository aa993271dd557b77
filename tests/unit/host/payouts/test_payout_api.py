"""Payouts through the API."""

from __future__ import annotations

import pytest
from tests.unit.host.admin.small_office import api_of
from tests.unit.host.payouts.test_payouts import sold_and_settled, until
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT

pytestmark = pytest.mark.real_time  # pages of the API are made in threads


async def test_payouts_are_listed_by_what_is_asked(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    await until(host, "03 12:00")
    await sold_and_settled(host, 500_00, terminal_id="T0000002")
    async with api_of(host.office) as api:
        everything = (await api.get("/api/v1/payouts")).json()["items"]
        wanted = {
            "merchant_id": (MERCHANT, 2),
            "terminal_id": ("T0000002", 1),
            "state": ("made", 1),
            "date": ("2026-03-03", 1),
        }
        counted = {
            name: len((await api.get("/api/v1/payouts", params={name: value})).json()["items"])
            for name, (value, _) in wanted.items()
        }

    assert [(100_001, "T0000001", "made"), (200_001, "T0000002", "pending")] == [
        (one["id"], one["terminal_id"], one["state"]) for one in everything
    ]
    assert {name: count for name, (_, count) in wanted.items()} == counted


async def test_today_is_the_acquirers_business_day(host: HostInProcess) -> None:
    """Which turns at its cut-off, 23:00 in Shanghai, and not at midnight."""
    await sold_and_settled(host, 1000_00)
    async with api_of(host.office) as api:
        counted = []
        for moment in ("02 22:59", "02 23:01"):
            await until(host, moment)
            listed = (await api.get("/api/v1/payouts", params={"date": "today"})).json()["items"]
            report = (await api.get("/api/v1/reports/settlement", params={"date": "today"})).json()
            counted.append((len(listed), len(report["items"]), report["date"]))
        wrong = await api.get("/api/v1/payouts", params={"date": "yesterday"})

    assert [(1, 1, "2026-03-02"), (0, 0, "2026-03-03")] == counted
    assert 422 == wrong.status_code


async def test_pages_of_payouts_follow_each_other(host: HostInProcess) -> None:
    for number in range(1, 4):
        await sold_and_settled(host, 1000_00, terminal_id=f"T000000{number}")
    seen, cursor = [], "0"
    async with api_of(host.office) as api:
        while cursor is not None:
            page = (await api.get("/api/v1/payouts", params={"limit": 2, "cursor": cursor})).json()
            seen.append([one["id"] for one in page["items"]])
            cursor = page["next_cursor"]

    assert [[100_001, 200_001], [300_001]] == seen


async def test_a_payout_is_held_released_and_shown(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    async with api_of(host.office) as api:
        held = await api.post("/api/v1/payouts/100001/hold", json={"why": "asked by the risk desk"})
        released = await api.post("/api/v1/payouts/100001/release", json={"why": "cleared"})
        shown = await api.get("/api/v1/payouts/100001")
        silent = await api.post("/api/v1/payouts/100001/hold", json={"why": ""})

    assert [(200, "held"), (200, "released"), (200, "released")] == [
        (answer.status_code, answer.json()["state"]) for answer in (held, released, shown)
    ]
    assert 422 == silent.status_code


async def test_a_step_that_is_not_possible_says_which_are(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    async with api_of(host.office) as api:
        answer = await api.post("/api/v1/payouts/100001/return", json={"why": "wrong"})
        missing = await api.post("/api/v1/payouts/7/hold", json={"why": "wrong"})

    assert (409, "pending", ["make", "hold", "carry_over"]) == (
        answer.status_code,
        answer.json()["state"],
        answer.json()["possible"],
    )
    assert (404, "no payout 7") == (missing.status_code, missing.json()["detail"])


async def test_another_merchants_payout_is_not_there(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    async with api_of(host.office) as api:
        mine = await api.get("/api/v1/payouts/100001", params={"merchant_id": MERCHANT})
        theirs = await api.get("/api/v1/payouts/100001", params={"merchant_id": "898310000000002"})

    assert (200, 404) == (mine.status_code, theirs.status_code)
