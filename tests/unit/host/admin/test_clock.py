"""The clock in the API: it moves where it is manual, and all that falls due has happened when it answers."""

import asyncio

import pytest
from tests.unit.host.admin.small_office import TERMINALS, api_of, open_office, system_clock


async def test_the_manual_clock_tells_its_time_and_moves() -> None:
    async with api_of(await open_office()) as api:
        before = (await api.get("/api/v1/clock")).json()
        moved = await api.post("/api/v1/clock", json={"advance": "PT10H"})
        after = (await api.get("/api/v1/clock")).json()

    assert {"now": "2026-03-02T12:00:00.000Z", "clock": "manual"} == before
    assert (200, {"now": "2026-03-02T22:00:00.000Z"}) == (moved.status_code, moved.json())
    assert {"now": "2026-03-02T22:00:00.000Z", "clock": "manual"} == after


async def test_flags_have_climbed_when_the_moved_clock_answers() -> None:
    async with api_of(await open_office()) as api:
        severities = []
        for _ in range(3):
            await api.post("/api/v1/clock", json={"advance": "PT10H"})
            flagged = (await api.get("/api/v1/unsettled")).json()["items"]
            severities.append({item["unsettled"]["severity"] for item in flagged})

    assert len(TERMINALS) == len(flagged)
    assert [{"overdue"}, {"overdue"}, {"forgotten"}] == severities


async def test_two_who_move_the_clock_at_once_move_it_twice() -> None:
    async with api_of(await open_office()) as api:
        await asyncio.gather(*(api.post("/api/v1/clock", json={"advance": "PT1H"}) for _ in range(2)))
        after = (await api.get("/api/v1/clock")).json()

    assert "2026-03-02T14:00:00.000Z" == after["now"]


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "application/json", None])
async def test_the_body_is_json_whatever_curl_calls_it(media_type: str | None) -> None:
    async with api_of(await open_office()) as api:
        headers = {} if media_type is None else {"Content-Type": media_type}
        answer = await api.post("/api/v1/clock", content=b'{"advance":"PT4H"}', headers=headers)

    assert (200, {"now": "2026-03-02T16:00:00.000Z"}) == (answer.status_code, answer.json())


async def test_the_system_clock_tells_its_time_and_cannot_be_moved() -> None:
    async with api_of(await open_office(system_clock())) as api:
        told = (await api.get("/api/v1/clock")).json()
        answer = await api.post("/api/v1/clock", json={"advance": "PT1H"})

    assert "system" == told["clock"]
    assert (409, "urn:pos-host:problem:not-possible") == (answer.status_code, answer.json()["type"])
    assert "--clock manual" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"advance": "10 hours"}, "body.advance"),
        ({"advance": "-PT1H"}, "body.advance"),
        ({"advance": "P400D"}, "body.advance"),
        ({"advance": "9" * 65}, "body.advance"),
        ({"advance": 3600}, "body.advance"),
        ({}, "body.advance"),
        ({"advance": "PT1H", "to": "noon"}, "body.to"),
        (["PT1H"], "body"),
    ],
)
async def test_a_move_that_makes_no_sense_is_refused_by_field(body: object, field: str) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.post("/api/v1/clock", json=body)
        after = (await api.get("/api/v1/clock")).json()

    assert 422 == answer.status_code
    assert [field] == [error["field"] for error in answer.json()["errors"]]
    assert "2026-03-02T12:00:00.000Z" == after["now"]
