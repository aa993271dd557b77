"""Terminals and batches as the API shows them."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel
from tests.unit.host.admin.small_office import DIFFERENCES, MERCHANT, OTHER_MERCHANT, SHARED_ID, api_of, open_office

from pos_host.admin.answers import Batch, Discrepancy, Event, Terminal


async def test_a_terminal_is_shown_with_its_batch_and_without_a_flag_before_the_cut_off() -> None:
    async with api_of(await open_office()) as api:
        terminal = (await api.get("/api/v1/terminals/T0000001")).json()

    assert ("T0000001", MERCHANT, "unionpay", "active") == tuple(
        terminal[name] for name in ("terminal_id", "merchant_id", "dialect", "status")
    )
    assert "open" == terminal["batch"]["state"]
    assert {"count": 1, "amount_minor": 5000} == terminal["batch"]["debit"]
    assert terminal["unsettled"] is None
    assert terminal["connected"] is False


async def test_an_id_under_two_merchants_needs_the_merchant() -> None:
    async with api_of(await open_office()) as api:
        path = f"/api/v1/terminals/{SHARED_ID}"
        ambiguous = [await api.get(path), await api.get(f"{path}/batches")]
        picked = (await api.get(path, params={"merchant_id": OTHER_MERCHANT})).json()
        batches = (await api.get(f"{path}/batches", params={"merchant_id": OTHER_MERCHANT})).json()

    for answer in ambiguous:
        assert 409 == answer.status_code
        assert [MERCHANT, OTHER_MERCHANT] == answer.json()["merchants"]
        assert "urn:pos-host:problem:ambiguous-terminal" == answer.json()["type"]
    assert OTHER_MERCHANT == picked["merchant_id"]
    assert [OTHER_MERCHANT] == [batch["merchant_id"] for batch in batches["items"]]


async def test_a_terminal_id_may_hold_a_slash_a_space_and_a_hash() -> None:
    async with api_of(await open_office()) as api:
        terminal = (await api.get("/api/v1/terminals/A%2FB%20%231")).json()
        batches = (await api.get("/api/v1/terminals/A%2FB%20%231/batches")).json()

    assert "A/B #1" == terminal["terminal_id"]
    assert [terminal["batch"]["id"]] == [batch["id"] for batch in batches["items"]]


async def test_a_batch_is_shown_with_the_totals_of_both_sides() -> None:
    async with api_of(await open_office()) as api:
        batch = (await api.get("/api/v1/batches/100005")).json()
        before = (await api.get("/api/v1/batches/100004")).json()

    assert ("settled", "out_of_balance", len(DIFFERENCES)) == (
        batch["state"],
        batch["result"],
        batch["discrepancies"],
    )
    assert {"count": 5, "amount_minor": 25_000} == batch["debit"]
    assert {"count": 5, "amount_minor": 25_500} == batch["terminal_debit"]
    assert before["terminal_totals"] is None


async def test_discrepancies_are_those_kept_with_the_batch() -> None:
    async with api_of(await open_office()) as api:
        found = (await api.get("/api/v1/batches/100005/discrepancies")).json()
        none = (await api.get("/api/v1/batches/100004/discrepancies")).json()

    assert {"items": DIFFERENCES, "next_cursor": None} == found
    assert {"items": [], "next_cursor": None} == none


@pytest.mark.parametrize("path", ["/terminals/T9", "/terminals/T9/batches", "/batches/7", "/batches/7/discrepancies"])
async def test_what_does_not_exist_is_a_404_that_names_it(path: str) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.get(f"/api/v1{path}")

    assert 404 == answer.status_code
    assert path.split("/")[2] in answer.json()["detail"]


@pytest.mark.parametrize("batch_id", ["x", "0", "-1", "1.5", 2**63])
async def test_a_batch_id_that_is_no_number_is_refused_by_name(batch_id: object) -> None:
    async with api_of(await open_office()) as api:
        answer = await api.get(f"/api/v1/batches/{batch_id}")

    assert 422 == answer.status_code
    assert ["path.batch_id"] == [error["field"] for error in answer.json()["errors"]]


async def test_every_field_that_is_answered_is_documented() -> None:
    async with api_of(await open_office()) as api:
        await api.post("/api/v1/clock", json={"advance": "PT10H"})
        terminal = (await api.get("/api/v1/unsettled")).json()["items"][0]
        batch = (await api.get("/api/v1/batches/100005")).json()
        difference = (await api.get("/api/v1/batches/100005/discrepancies")).json()["items"][0]
        event = (await api.get("/api/v1/events")).json()["items"][0]

    for model, answer in ((Terminal, terminal), (Batch, batch), (Discrepancy, difference), (Event, event)):
        assert [] == undocumented(model.model_validate(answer))


def undocumented(answer: BaseModel) -> list[str]:
    """Fields of `answer`, however deep, that its model does not name."""
    found = list(answer.model_extra or {})
    for value in dict(answer).values():
        inner: list[Any] = list(value.values()) if isinstance(value, Mapping) else [value]
        found += [name for item in inner if isinstance(item, BaseModel) for name in undocumented(item)]
    return found


async def test_the_host_settles_a_terminal_at_an_operators_word_once() -> None:
    async with api_of(await open_office()) as api:
        done = await api.post("/api/v1/terminals/T0000001/settle")
        again = await api.post("/api/v1/terminals/T0000001/settle")
        shown = (await api.get("/api/v1/terminals/T0000001")).json()

    assert (200, "settled_by_host", {"count": 1, "amount_minor": 5000}) == (
        done.status_code,
        done.json()["result"],
        done.json()["debit"],
    )
    assert None is done.json()["terminal_totals"]
    assert (409, "urn:pos-host:problem:nothing-to-settle") == (again.status_code, again.json()["type"])
    assert "T0000001" in again.json()["detail"]
    assert ("000007", "open") == (shown["batch"]["number"], shown["batch"]["state"])


async def test_an_upload_is_not_cut_short() -> None:
    office = await open_office()
    book = office._registry.of_terminal("T0000001")[0]
    book.batches[-1].state = "uploading"
    async with api_of(office) as api:
        refused = await api.post("/api/v1/terminals/T0000001/settle")

    assert (409, "urn:pos-host:problem:upload-running") == (refused.status_code, refused.json()["type"])


async def test_a_settlement_that_cannot_be_stored_is_told_as_not_done() -> None:
    office = await open_office()
    office._journal.fail_next = 1  # type: ignore[attr-defined]
    async with api_of(office) as api:
        failed = await api.post("/api/v1/terminals/T0000001/settle")

    assert (503, "urn:pos-host:problem:not-stored") == (failed.status_code, failed.json()["type"])
