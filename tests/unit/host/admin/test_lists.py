"""Lists of the API: complete, in order, without repeats."""

import pytest
from tests.unit.host.admin.small_office import (
    AUTHORISED,
    DIFFERENCES,
    MERCHANT,
    OTHER_MERCHANT,
    SETTLED_BATCHES,
    TERMINALS,
    api_of,
    open_office,
)

LISTS = {
    "/terminals": len(TERMINALS),
    "/terminals/T0000001/batches": SETTLED_BATCHES + 1,
    "/batches/100005/discrepancies": len(DIFFERENCES),
    "/unsettled": len(TERMINALS),
    "/authorisations": len(AUTHORISED),
}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("path", LISTS)
async def test_the_pages_of_a_list_hold_every_item_once(path: str, limit: int) -> None:
    seen, cursor = [], "0"
    async with api_of(await open_office()) as api:
        await api.post("/api/v1/clock", json={"advance": "PT10H"})
        while cursor is not None:
            page = (await api.get(f"/api/v1{path}", params={"limit": limit, "cursor": cursor})).json()
            assert limit >= len(page["items"]) > 0
            seen += page["items"]
            cursor = page["next_cursor"]
        whole = (await api.get(f"/api/v1{path}")).json()

    assert LISTS[path] == len(seen)
    assert whole == {"items": seen, "next_cursor": None}


@pytest.mark.parametrize("name", ["cursor", "after"])
@pytest.mark.parametrize("limit", [1, 3, 4])
async def test_events_can_be_followed_by_cursor_and_by_sequence_without_a_gap(name: str, limit: int) -> None:
    seen, following = [], "0"
    async with api_of(await open_office()) as api:
        await api.post("/api/v1/clock", json={"advance": "PT10H"})
        while following is not None:
            page = (await api.get("/api/v1/events", params={"limit": limit, name: following})).json()
            seen += [event["sequence"] for event in page["items"]]
            following = page["next_cursor"]

    assert list(range(1, len(seen) + 1)) == seen
    assert len(TERMINALS) < len(seen)


async def test_events_after_the_last_sequence_are_an_empty_list() -> None:
    async with api_of(await open_office()) as api:
        page = (await api.get("/api/v1/events", params={"after": 2**63 - 1})).json()

    assert {"items": [], "next_cursor": None} == page


async def test_terminals_can_be_picked_by_merchant() -> None:
    async with api_of(await open_office()) as api:
        page = (await api.get("/api/v1/terminals", params={"merchant_id": OTHER_MERCHANT})).json()
        none = (await api.get("/api/v1/terminals", params={"merchant_id": "nobody"})).json()

    assert [terminal for merchant, terminal in TERMINALS if merchant != MERCHANT] == [
        item["terminal_id"] for item in page["items"]
    ]
    assert {"items": [], "next_cursor": None} == none


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=1e3", f"cursor={10**30}"])
async def test_a_limit_or_cursor_that_makes_no_sense_is_refused_by_name(query: str) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.get(f"/api/v1/terminals?{query}")

    assert 422 == answer.status_code
    assert [f"query.{query.partition('=')[0]}"] == [error["field"] for error in answer.json()["errors"]]


async def test_an_authorisation_says_what_became_of_it() -> None:
    async with api_of(await open_office()) as api:
        first, second, *_ = (await api.get("/api/v1/authorisations")).json()["items"]

    assert {
        "merchant_id": MERCHANT,
        "terminal_id": "T0000001",
        "state": "open",
        "approval_code": "000011",
        "rrn": "000001000011",
        "card": "622202******0005",
        "currency": "156",
        "amount_minor": 50_000,
        "completed_minor": None,
        "authorised_at": "2026-03-02T12:00:00.000Z",
        "expires_at": "2026-03-02T13:00:00.000Z",
    } == first
    assert ("completed", 48_000) == (second["state"], second["completed_minor"])


async def test_authorisations_can_be_picked_by_merchant_and_state_and_expire_with_the_clock() -> None:
    async with api_of(await open_office()) as api:

        async def listed(**query: str) -> list[tuple[str, str]]:
            items = (await api.get("/api/v1/authorisations", params=query)).json()["items"]
            return [(item["merchant_id"], item["state"]) for item in items]

        assert [(OTHER_MERCHANT, "open"), (OTHER_MERCHANT, "voided")] == await listed(merchant_id=OTHER_MERCHANT)
        assert [(MERCHANT, "open"), (OTHER_MERCHANT, "open")] == await listed(state="open")
        await api.post("/api/v1/clock", json={"advance": "PT1H"})
        assert [] == await listed(state="open")
        assert [(MERCHANT, "expired"), (OTHER_MERCHANT, "expired")] == await listed(state="expired")
        assert 422 == (await api.get("/api/v1/authorisations", params={"state": "asleep"})).status_code
