"""Transactions can be found by what people know of them, page by page, masked, and by whose they are."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from tests.unit.host.admin.small_office import CARD, MERCHANT, OTHER_MERCHANT, START_MS, api_of, open_office

from pos_host import entry_walk
from pos_host.journal import Posting
from pos_host.ledger.entry import Entry
from pos_host.office import Office

PAN = "6222021234567890005"


def sale(terminal_no: int, count: int, outcome: str = "approved", **more: Any) -> Entry:
    """The entry of a sale that happened `count` seconds after the start."""
    entry = Entry("purchase", terminal_no, terminal_no * 100_000 + 1, START_MS + count * 1000, outcome, "0200")
    told = {"stan": f"{count:06d}", "rrn": f"{terminal_no:06d}{count:06d}", "card": CARD, "amount_minor": count}
    return entry._replace(**{**told, "currency": "156", **more})


async def sold(*entries: Entry) -> Office:
    """The small office, after more sales."""
    office = await open_office()
    office.parts.journal.post(Posting(entries, (), lambda first: None))
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return office


async def found(api: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get("/api/v1/transactions", params=query)
    assert 200 == answer.status_code, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_transaction_is_shown_whole_and_its_card_masked() -> None:
    office = await sold(sale(1, 11, "insufficient_funds", detail=json.dumps({"reason": "no funds", "card_print": "x"})))
    async with api_of(office) as api:
        (shown,) = await found(api, stan="11")

    assert {
        "sequence": 5,
        "at": "2026-03-02T12:00:11.000Z",
        "merchant_id": MERCHANT,
        "terminal_id": "T0000001",
        "batch_id": 100_001,
        "function": "purchase",
        "mti": "0200",
        "stan": "000011",
        "outcome": "insufficient_funds",
        "response_code": "51",
        "amount_minor": 11,
        "currency": "156",
        "card": CARD,
        "rrn": "000001000011",
        "approval_code": None,
        "reason": "no funds",
    } == shown


@pytest.mark.parametrize(
    ("query", "stans"),
    [
        ({}, ["000014", "000013", "000012", "000011", "000009", "000009", "000009", "000009"]),
        ({"terminal_id": "T0000001"}, ["000012", "000011", "000009"]),
        ({"terminal_id": "T0000002", "merchant_id": OTHER_MERCHANT}, ["000013", "000009"]),
        ({"merchant_id": OTHER_MERCHANT}, ["000014", "000013", "000009", "000009"]),
        ({"merchant_id": "nobody"}, []),
        ({"batch_id": 100_001}, ["000012", "000011"]),
        ({"rrn": "000003000013"}, ["000013"]),
        ({"card": "622848******2134"}, ["000012"]),
        ({"response_code": "51"}, ["000014", "000012"]),
        ({"response_code": "Q7"}, ["000013"]),
        ({"response_code": "99"}, []),
        ({"since": "2026-03-02T20:00:12+08:00", "until": "2026-03-02T12:00:13Z"}, ["000013", "000012"]),
    ],
)
async def test_transactions_are_found_by_each_of_their_marks(query: dict[str, Any], stans: list[str]) -> None:
    short = "insufficient_funds"
    own_code = {"detail": json.dumps({"response_code": "Q7"})}
    office = await sold(
        sale(1, 11),
        sale(1, 12, short, card="622848******2134"),
        sale(3, 13, "declined_by_rule", **own_code),
        sale(4, 14, short),
        Entry("batch_opened", 1, 100_001, START_MS + 15_000),
    )
    async with api_of(office) as api:
        assert stans == [item["stan"] for item in await found(api, **query)]


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_hold_every_transaction_once_the_latest_first(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_walk, "RANGE", 2)
    monkeypatch.setattr(entry_walk, "RANGES_MOST", 3)
    office = await sold(*(sale(1 + count % 2, count) for count in range(20)))
    seen, cursor = [], "0"
    async with api_of(office) as api:
        while cursor is not None:
            query: dict[str, Any] = {"merchant_id": MERCHANT, "terminal_id": "T0000001"}
            query |= {"limit": limit, "cursor": cursor}
            page = (await api.get("/api/v1/transactions", params=query)).json()
            assert limit >= len(page["items"])
            seen += [item["stan"] for item in page["items"]]
            cursor = page["next_cursor"]

    assert [f"{count:06d}" for count in range(18, -1, -2)] + ["000009"] == seen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("card", PAN),
        ("card", "******0005"),
        ("stan", "x"),
        ("rrn", PAN),
        ("response_code", "0"),
        ("batch_id", "0"),
        ("since", "2026-03-02"),
        ("terminal_id", "9" * 17),
    ],
)
async def test_a_mark_that_cannot_be_one_is_refused_by_name_and_not_quoted(name: str, value: str) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.get("/api/v1/transactions", params={name: value})

    assert 422 == answer.status_code
    assert [f"query.{name}"] == [error["field"] for error in answer.json()["errors"]]
    assert PAN not in answer.text


async def test_transactions_of_a_terminal_that_nobody_knows_are_not_there() -> None:
    async with api_of(await open_office()) as api:
        answer = await api.get("/api/v1/transactions", params={"terminal_id": "T9999999"})

    assert (404, "no terminal T9999999") == (answer.status_code, answer.json()["detail"])
