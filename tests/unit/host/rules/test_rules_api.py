"""Rules over the API: changed by those who may, shown with what they did, told of as events."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.host.admin.small_office import api_of
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import UnionPayTerminal

NO_FUNDS = {"id": "no-funds", "when": {"function": "purchase"}, "reply": {"response_code": "51"}}


async def asked(host: HostInProcess, method: str, path: str, body: Any = None) -> httpx.Response:
    async with api_of(host.office) as api:
        return await api.request(method, f"/api/v1{path}", json=body)


async def test_a_rule_is_added_acts_is_shown_with_its_hits_and_goes(
    host: HostInProcess, unionpay: UnionPayTerminal
) -> None:
    added = await asked(host, "POST", "/rules", NO_FUNDS)
    sale = await unionpay.purchase(1000)
    (shown,) = (await asked(host, "GET", "/rules")).json()["items"]
    hits = (await asked(host, "GET", "/rules/no-funds/hits")).json()["items"]
    gone = await asked(host, "DELETE", "/rules/no-funds")

    assert ("51", 200, {**NO_FUNDS, "enabled": True}) == (
        sale.code,
        added.status_code,
        {key: value for key, value in added.json().items() if key in (*NO_FUNDS, "enabled")},
    )
    assert (1, 1, "2026-03-02T12:00:00.000Z") == (shown["matched"], shown["acted"], shown["last_hit_at"])
    hit = {
        "at": "2026-03-02T12:00:00.000Z",
        "merchant_id": "898310000000001",
        "terminal_id": "T0000001",
        "stan": sale.stan,
        "function": "purchase",
        "replied": True,
        "fault": None,
    }
    assert [hit] == hits
    assert (200, "00") == (gone.status_code, (await unionpay.purchase(1000)).code)


async def test_all_rules_are_replaced_and_cleared_at_once(host: HostInProcess, unionpay: UnionPayTerminal) -> None:
    put = await asked(host, "PUT", "/rules", {"rules": [NO_FUNDS, {"fault": "wrong_stan"}], "seed": 7})
    assert (["no-funds", "rule-1"], 7) == ([rule["id"] for rule in put.json()["items"]], put.json()["seed"])
    assert [] == (await asked(host, "DELETE", "/rules")).json()["items"]
    assert "00" == (await unionpay.purchase(1000)).code


async def test_a_rule_is_disabled_and_enabled(host: HostInProcess, unionpay: UnionPayTerminal) -> None:
    await asked(host, "POST", "/rules", NO_FUNDS)
    codes = []
    for change in ("disable", "enable"):
        await asked(host, "POST", f"/rules/no-funds/{change}")
        codes.append((await unionpay.purchase(1000)).code)
    assert ["00", "51"] == codes


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/rules", {"fault": "slow"}, 422, "rules[1].fault.kind: must be one of delay"),
        ("POST", "/rules", NO_FUNDS, 422, "rules[1].id: there is another rule no-funds"),
        ("PUT", "/rules", {"rules": [NO_FUNDS, {}]}, 422, "rules[2]: does nothing"),
        ("PUT", "/rules", {"rules": [], "seed": -1}, 422, "seed: must be a whole number from 0 to 2**63 - 1"),
        ("PUT", "/rules", {"rules": [], "seed": True}, 422, "body.seed: "),
        ("PUT", "/rules", {"rules": [5]}, 422, "body.rules.0"),
        ("DELETE", "/rules/other", None, 404, "there is no rule other"),
        ("POST", "/rules/other/enable", None, 404, "there is no rule other"),
        ("GET", "/rules/other/hits", None, 404, "there is no rule other"),
    ],
)
async def test_what_is_wrong_is_told_and_changes_nothing(
    host: HostInProcess, method: str, path: str, body: Any, status: int, told: str
) -> None:
    await asked(host, "POST", "/rules", NO_FUNDS)
    answer = await asked(host, method, path, body)
    assert status == answer.status_code
    assert told in answer.json()["detail"]
    assert ["no-funds"] == [rule["id"] for rule in (await asked(host, "GET", "/rules")).json()["items"]]


async def test_a_change_is_audited_and_told(host: HostInProcess) -> None:
    await asked(host, "POST", "/rules", NO_FUNDS)
    (row,) = (await asked(host, "GET", "/audit?action=rules.change")).json()["items"]
    assert ("rules.change", "rules", "done") == (row["action"], row["subject"], row["result"])
    events = (await asked(host, "GET", "/events")).json()["items"]
    assert ["add"] == [e["data"]["detail"]["change"] for e in events if e["type"] == "rules.changed"]
