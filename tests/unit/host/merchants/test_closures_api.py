"""Closures, suspensions, reopenings, replacements, diagnosis and export over HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.unit.host.admin.small_office import client_of
from tests.unit.host.merchants.closing_up import OPERATOR, OTHER_REVIEWER, REVIEWER, days_later
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.proofs import proven
from tests.unit.host.pipeline.terminals import (
    CARDS,
    MERCHANT,
    OTHER_MERCHANT,
    Iso87Terminal,
    UnionPayTerminal,
    debit_credit,
)

from pos_host.admin.api import make_app
from pos_host.merchants.actors import Actor

V1 = "/api/v1"
MERCHANTS_OWN = Actor("shop", "merchant", MERCHANT)
PEOPLE = {actor.name: actor for actor in (OPERATOR, REVIEWER, OTHER_REVIEWER, MERCHANTS_OWN)}
AT, MERCHANT_AT = f"{V1}/terminals/T0000001", f"{V1}/merchants/{MERCHANT}"


@pytest.fixture
async def host() -> AsyncIterator[HostInProcess]:
    host = HostInProcess()
    async with proven(host):
        yield host


@pytest.fixture
async def shop(host: HostInProcess) -> UnionPayTerminal:
    shop = UnionPayTerminal(host)
    await shop.sign_in()
    return shop


def api(host: HostInProcess, actor: Actor = OPERATOR) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    app = _app()
    app.state.office = host.office
    return client_of(app, token=actor.name)


@lru_cache(1)
def _app() -> FastAPI:
    """Made once, since that is the slowest part of these tests; each host's office is put into it."""
    return make_app(HostInProcess().office, PEOPLE.get, "0.1.0")


async def test_a_terminal_is_closed_and_reopened_by_the_contracts_paths(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    await shop.purchase(100_00)
    async with api(host) as client, api(host, REVIEWER) as reviewer:
        begun = await client.post(AT + "/closure", json={"reason": "contract_end", "merchant_id": MERCHANT})
        too_early = await client.post(AT + "/closure/steps/final_settlement")
        await client.post(AT + "/closure/steps/unfinished_business")
        open_batch = await client.post(AT + "/closure/steps/final_settlement")
        await shop.settle(debit_credit((1, 100_00)))
        await days_later(host)
        for step in ("final_settlement", "final_payout", "equipment_returned"):
            assert 200 == (await client.post(f"{AT}/closure/steps/{step}", json={"note": "seen"})).status_code
        closed = (await client.post(AT + "/closure/steps/data_wiped")).json()
        shown = (await client.get(AT)).json()["status"]
        asked = (await client.post(AT + "/reopen", json={"why": "the shop opens again"})).json()
        own = await client.post(AT + "/reopen/approve")
        done = (await reviewer.post(AT + "/reopen/approve")).json()

    assert (200, "closing", "batch_unsettled") == (
        begun.status_code,
        begun.json()["status"],
        begun.json()["unfinished"][0]["kind"],
    )
    assert (409, ["unfinished_business"]) == (too_early.status_code, too_early.json()["waits_for"])
    assert (409, "urn:pos-host:problem:unfinished-business") == (open_batch.status_code, open_batch.json()["type"])
    assert ("closed", "closed", "requested", 403) == (closed["state"], shown, asked["state"], own.status_code)
    assert ("approved", "000003") == (done["state"], done["batch_number"])


async def test_a_merchant_is_suspended_resumed_closed_and_reopened(host: HostInProcess, shop: UnionPayTerminal) -> None:
    async with api(host, REVIEWER) as client, api(host, OTHER_REVIEWER) as other:
        suspended = await client.post(MERCHANT_AT + "/suspend", json={"reason": "violation", "why": "sold what not"})
        shown = (await client.get(AT)).json()["status"]
        resumed = await client.post(MERCHANT_AT + "/resume", json={"why": "cleared"})
        await client.post(MERCHANT_AT + "/closure", json={"reason": "contract_end", "merchant_id": MERCHANT})
        steps = (await client.get(MERCHANT_AT + "/closure")).json()["steps"]
        for step in steps:
            closed = await client.post(f"{MERCHANT_AT}/closure/steps/{step['step']}")
        listed = (await client.get(V1 + "/closures", params={"state": "closed"})).json()["items"]
        await client.post(MERCHANT_AT + "/reopen", json={"why": "a new contract"})
        opened = await other.post(MERCHANT_AT + "/reopen/approve", json={"why": "fine"})

    assert ("suspended", True) == (suspended.json()["status"], suspended.json()["suspension"]["holds_payouts"])
    assert ("suspended", "active") == (shown, resumed.json()["status"])
    assert ("merchant", "closed", None) == tuple(closed.json()[name] for name in ("scope", "state", "terminal_id"))
    assert [closed.json()["id"]] == [item["id"] for item in listed]
    assert "signed_in" != opened.json()["state"] == "approved"


async def test_a_state_that_does_not_allow_it_says_what_is_possible(
    host: HostInProcess, shop: UnionPayTerminal
) -> None:
    async with api(host, REVIEWER) as client:
        problem = (await client.post(AT + "/resume", json={"why": "go on"})).json()

    assert ("urn:pos-host:problem:not-now", 409) == (problem["type"], problem["status"])
    assert ["suspend", "begin_closing", "replace"] == problem["possible"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (AT + "/closure", {"reason": "boredom", "merchant_id": MERCHANT}, 422),
        (AT + "/closure", {"reason": "fault"}, 422),
        (AT + "/closure", {"reason": "fault", "merchant_id": OTHER_MERCHANT}, 422),
        (AT + "/closure", {"reason": "fault", "merchant_id": MERCHANT, "colour": "red"}, 422),
        (AT + "/suspend", {"reason": "violation"}, 422),
        (AT + "/closure/steps/paint_it", {}, 404),
        (f"{V1}/terminals/T0000009/closure", {"reason": "fault", "merchant_id": MERCHANT}, 404),
        (f"{V1}/merchants/898310000009999/closure", {"reason": "fault", "merchant_id": MERCHANT}, 404),
        (AT + "/replacement", {"new_terminal_id": "T0000001"}, 422),
        (AT + "/reopen", {"why": ""}, 422),
    ],
)
async def test_bad_input_gets_one_clear_error_and_changes_nothing(
    host: HostInProcess, shop: UnionPayTerminal, path: str, body: dict[str, Any], status: int
) -> None:
    async with api(host, REVIEWER) as client:
        answer = await client.post(path, json=body)

    assert (status, True) == (answer.status_code, bool(answer.json()["detail"]))
    assert "active" == host.book("T0000001").status


async def test_a_replacement_says_what_was_handed_over(host: HostInProcess, shop: UnionPayTerminal) -> None:
    await shop.auth(80_00)
    await shop.purchase(100_00)
    async with api(host) as client:
        answer = (await client.post(AT + "/replacement", json={"new_terminal_id": "T0000002"})).json()
        listed = (await client.get(V1 + "/replacements")).json()["items"]
        closure = (await client.get(AT + "/closure")).json()

    assert ("fault", "000002", [80_00]) == (
        answer["reason"],
        answer["batch_number"],
        [thing["amount_minor"] for thing in answer["handed_over"]],
    )
    assert [answer] == listed
    assert ("replaced", "T0000002") == (closure["state"], closure["replaced_by"])


async def test_the_diagnosis_says_what_refuses_and_what_to_do(host: HostInProcess, shop: UnionPayTerminal) -> None:
    async with api(host) as client:
        await client.post(AT + "/suspend", json={"reason": "violation", "why": "sold to itself"})
        await shop.purchase(100_00)
        told = (await client.get(AT + "/diagnosis")).json()

    assert (True, "suspended") == (told["known"], told["status"])
    assert ("purchase", "not_allowed_now") == (told["last_message"]["function"], told["last_message"]["outcome"])
    assert (False, "58") == (told["sales"]["allowed"], told["sales"]["response_code"])
    refusing = {finding["code"]: finding for finding in told["findings"] if finding["refuses"]}
    assert {"terminal_suspended", "last_refused"} == refusing.keys()
    assert "violation since 2026-03-02" in refusing["terminal_suspended"]["concerns"]
    assert all(finding["remedy"] for finding in told["findings"])


@pytest.mark.real_time
async def test_numbers_that_nobody_knows_get_the_nearest(host: HostInProcess, shop: UnionPayTerminal) -> None:
    async with api(host) as client:
        mistyped = (await client.get(f"{V1}/terminals/T0000010/diagnosis", params={"merchant_id": MERCHANT})).json()
        elsewhere = (await client.get(AT + "/diagnosis", params={"merchant_id": OTHER_MERCHANT})).json()

    assert (False, None) == (mistyped["known"], mistyped["sales"])
    assert ["unknown_terminal", "would_enrol"] == [finding["code"] for finding in mistyped["findings"]]
    assert [{"merchant_id": MERCHANT, "terminal_id": "T0000001"}] == mistyped["nearest"]
    assert ["under_another_merchant", "unknown_merchant", "would_enrol"] == [f["code"] for f in elsewhere["findings"]]


@pytest.mark.real_time
async def test_a_merchant_sees_its_own_and_closes_nothing(host: HostInProcess, shop: UnionPayTerminal) -> None:
    stranger = UnionPayTerminal(host, "T0000001", OTHER_MERCHANT)
    await stranger.sign_in()
    async with api(host, MERCHANTS_OWN) as client:
        own = await client.get(AT + "/diagnosis")
        others = await client.get(AT + "/diagnosis", params={"merchant_id": OTHER_MERCHANT})
        unknown = (await client.get(f"{V1}/terminals/T0000002/diagnosis")).json()
        closing = await client.post(AT + "/closure", json={"reason": "fault", "merchant_id": MERCHANT})
        exported = await client.get(AT + "/export", params={"merchant_id": OTHER_MERCHANT})

    assert (200, 403, 403, 403) == (own.status_code, others.status_code, closing.status_code, exported.status_code)
    assert OTHER_MERCHANT not in own.text + json.dumps(unknown)


async def test_an_export_has_everything_and_no_card(host: HostInProcess, shop: UnionPayTerminal) -> None:
    other = Iso87Terminal(host)
    await other.purchase(77_00)
    await shop.purchase(100_00)
    await shop.settle(debit_credit((1, 100_00)))
    async with api(host) as client:
        lines = (await client.get(AT + "/export")).text.splitlines()
        table = (await client.get(AT + "/export", params={"format": "csv"})).text

    records = [json.loads(line) for line in lines]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {"terminal": 1, "settlement": 2} == {
        kind: sum(record["record"] == kind for record in records) for kind in ("terminal", "settlement")
    }
    functions = [record["function"] for record in records if record["record"] == "transaction"]
    assert {"terminal_enrolled", "sign_in", "purchase", "batch_closed", "payout"} <= set(functions)
    assert [record["record"] for record in records] == [row["record"] for row in rows]
    assert ["10000"] == [row["amount_minor"] for row in rows if row["function"] == "purchase"]
    assert "7700" not in table
    assert not any(card in table + "".join(lines) for card in CARDS)
    assert "card_print" not in table


async def test_late_messages_are_shown(host: HostInProcess, shop: UnionPayTerminal) -> None:
    sale = await shop.purchase(100_00)
    async with api(host) as client:
        await client.post(AT + "/replacement", json={"new_terminal_id": "T0000002"})
        await shop.reverse(sale.request)
        late = (await client.get(AT + "/late-messages")).json()["items"]

    assert [("reversal", "terminal_closed", 100_00, sale.stan)] == [
        (item["function"], item["outcome"], item["amount_minor"], item["detail"]["original_stan"]) for item in late
    ]
