"""Forgotten settlements over HTTP and by verbs: applications, reminders, escalations, look-back, patterns."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.unit.host.admin.small_office import client_of
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import Exchange, UnionPayTerminal

from pos_host.admin.api import make_app
from pos_host.merchants.actors import Actor
from pos_host.verbs.application import slips_in

API = "/api/v1"
PEOPLE = {name: Actor(name, role) for name, role in (("li", "operator"), ("chen", "reviewer"), ("admin", "admin"))}
ONE = f"{API}/terminals/T0000001/settlement-applications/1"


@asynccontextmanager
async def asking(host: HostInProcess, name: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the host's API, with the token of that person."""
    async with client_of(make_app(host.office, PEOPLE.get, "0.1.0"), token=name) as api:
        yield api


@pytest.fixture
def host() -> HostInProcess:
    return HostInProcess()


def body(*sales: Exchange) -> dict[str, Any]:
    vouchers = [{"rrn": s.rrn, "stan": s.stan, "amount_minor": s.amount_minor, "date": "2026-03-02"} for s in sales]
    return {"vouchers": vouchers, "applicant": "Li Na"}


async def test_an_application_goes_its_way_over_http(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    first, second = await terminal.purchase(12_34), await terminal.purchase(1_00)
    async with asking(host, "li") as li, asking(host, "chen") as chen:
        submitted = await li.post(ONE.removesuffix("/1"), json=body(first))
        assert (200, "submitted") == (submitted.status_code, submitted.json()["state"])
        refused = await chen.post(f"{ONE}/approve")
        assert (409, "urn:pos-host:problem:vouchers-incomplete") == (refused.status_code, refused.json()["type"])
        assert [second.rrn] == [missing["rrn"] for missing in refused.json()["missing"]]
        assert 403 == (await li.post(f"{ONE}/reject", json={"why": "x"})).status_code
        assert 422 == (await chen.post(f"{ONE}/reject", json={"why": ""})).status_code
        assert "rejected" == (await chen.post(f"{ONE}/reject", json={"why": "one is missing"})).json()["state"]
        assert "submitted" == (await li.post(f"{ONE}/resubmit", json=body(first, second))).json()["state"]
        approved = await chen.post(f"{ONE}/approve")
        assert (200, "approved") == (approved.status_code, approved.json()["state"])
        assert (
            approved.json() == (await li.get(ONE)).json() == (await li.get(f"{API}/settlement-applications/1")).json()
        )
        late = await li.post(f"{ONE}/withdraw")
        assert (409, [], "approved") == (late.status_code, late.json()["possible"], late.json()["state"])
        listed = (await li.get(f"{API}/settlement-applications?state=approved")).json()["items"]
        assert ["1"] == [item["id"] for item in listed]
        assert listed == (await li.get(ONE.removesuffix("/1"))).json()["items"]
        assert 404 == (await li.get(f"{ONE}1")).status_code
        batch = (await li.get(f"{API}/batches/100001")).json()
        assert "settled_by_host" == batch["result"]


async def test_what_is_wrong_with_a_voucher_is_named_without_what_it_held(host: HostInProcess) -> None:
    sale = await UnionPayTerminal(host).purchase(12_34)
    wrong = {"vouchers": [{"slip": f"Trace {sale.stan}\nReference 6228483974652130000\nAmount CNY 1.00\nDate 03-02"}]}
    async with asking(host, "li") as li:
        refused = await li.post(ONE.removesuffix("/1"), json=wrong)

    assert (422, 1) == (refused.status_code, refused.json()["voucher"])
    assert "622848" not in refused.text


async def test_an_operator_reminds_with_or_without_a_reason(host: HostInProcess) -> None:
    await UnionPayTerminal(host).purchase(12_34)
    path = f"{API}/terminals/T0000001/reminders"
    async with asking(host, "li") as li:
        for answer in (await li.post(path), await li.post(path, json={"why": "closing early"})):
            assert (200, "settle_now") == (answer.status_code, answer.json()["command"])


async def test_a_flag_says_what_it_does_to_people(host: HostInProcess) -> None:
    await UnionPayTerminal(host).purchase(12_34)
    async with asking(host, "admin") as admin:
        await admin.post(f"{API}/clock", json={"advance": "PT28H"})
        (flagged,) = (await admin.get(f"{API}/unsettled")).json()["items"]

    expected = {"not_paid_minor": 12_34, "currency": "156", "days_late": 2, "cardholders": 1}
    assert expected == flagged["unsettled"]["impact"]


async def test_an_escalation_is_acknowledged_and_a_ladder_set(host: HostInProcess) -> None:
    await UnionPayTerminal(host).purchase(12_34)
    step = {"responsible": "Ms Li", "tell": "webhook", "address": "https://example.com/x", "acknowledge_within": "PT1H"}
    async with asking(host, "admin") as admin, asking(host, "li") as li:
        scope = f"{API}/escalation-ladders/898310000000001/T0000001"
        given = {"ladder": {"due": [], "overdue": [step], "forgotten": []}}
        assert 403 == (await li.put(scope, json=given)).status_code
        assert given["ladder"] == (await admin.put(scope, json=given)).json()["ladder"]
        assert given["ladder"] == (await li.get(scope)).json()["ladder"]
        await admin.post(f"{API}/clock", json={"advance": "PT4H"})
        (raised,) = (await li.get(f"{API}/escalations?state=raised")).json()["items"]
        assert ("Ms Li", "https://example.com/x") == (raised["responsible"], raised["address"])
        acknowledged = await li.post(f"{API}/escalations/1/acknowledge")
        assert "acknowledged" == acknowledged.json()["state"]
        assert acknowledged.json() == (await li.get(f"{API}/escalations/1")).json()


async def test_a_look_back_comes_as_json_and_as_csv_with_the_same_money(host: HostInProcess) -> None:
    await UnionPayTerminal(host).purchase(12_34)
    async with asking(host, "admin") as admin:
        assert 404 == (await admin.get(f"{API}/reports/look-back")).status_code
        await admin.post(f"{API}/terminals/T0000001/settle")
        await admin.post(f"{API}/clock", json={"advance": "PT9H"})
        made = (await admin.get(f"{API}/reports/look-back?date=2026-03-02")).json()
        table = await admin.get(f"{API}/reports/look-back?date=2026-03-02&format=csv")

    assert "text/csv" == table.headers["content-type"].partition(";")[0]
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert ("operator", "settled_by_host", "1234") == (row["by"], row["result"], row["net_minor"])
    assert [12_34] == [way["net_minor"] for way in made["settled"]]


async def test_a_terminal_that_calls_itself_a_formula_is_text_in_a_spreadsheet(host: HostInProcess) -> None:
    await UnionPayTerminal(host, "=1+1+1+1").purchase(12_34)
    async with asking(host, "admin") as admin:
        await admin.post(f"{API}/terminals/%3D1%2B1%2B1%2B1/settle")
        await admin.post(f"{API}/clock", json={"advance": "PT9H"})
        table = await admin.get(f"{API}/reports/look-back?format=csv")

    assert ["'=1+1+1+1"] == [row["terminal_id"] for row in csv.DictReader(io.StringIO(table.text))]


async def test_patterns_are_listed_and_reviewed(host: HostInProcess) -> None:
    terminal = UnionPayTerminal(host)
    for _ in range(10):
        await terminal.purchase(1_00, f22="072")
    await host.watch.settle()
    async with asking(host, "li") as li:
        (found,) = (await li.get(f"{API}/reports/patterns")).json()["items"]
        reviewed = await li.post(f"{API}/reports/patterns/{found['id']}/review", json={"why": "a vending machine"})
        left = (await li.get(f"{API}/reports/patterns?state=flagged")).json()["items"]

    assert ("many_small_contactless", "156", 10_00) == (found["pattern"], found["currency"], found["amount_minor"])
    assert ("reviewed", []) == (reviewed.json()["state"], left)


def test_slips_are_found_in_what_a_terminal_printed() -> None:
    slip = "SALE\nTrace 000001\nReference 000001000001\nDate 03-02\nAmount CNY 1.00\nAnswer 00 Approved"
    printed = f"purchase 000001: 00 Approved\n\n{slip}\n\npurchase 000002: no answer\n\n{slip}\n"

    assert [slip, slip] == [found.strip() for found in slips_in(printed)]
    assert [] == slips_in("nothing here")
