"""`pos-host calendars`, asking the API of a host in this process, over no socket; and that API itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.admin.small_office import api_of
from tests.unit.host.merchants.test_closure_verbs import AT, Api
from tests.unit.host.payouts.test_payouts import sold_and_settled
from tests.unit.host.pipeline.host_in_process import HostInProcess
from tests.unit.host.pipeline.terminals import MERCHANT

from pos_host.cli import run_command
from pos_host.verbs import office_client

VERSION: dict[str, Any] = {"version": 1, "state": "in_force", "values": {"days_after": 2}}
CALENDAR: dict[str, Any] = {"values": {"days_after": 2}, "effective": {"days_after": 2, "payout_time": "09:00"}}
OF_MERCHANT = ["--merchant-id", "M"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    steps = {f"/calendars/merchant/{step}": VERSION for step in ("restore", "withdraw")}
    history = {"/calendars/merchant/history": {"items": [VERSION], "next_cursor": None}}
    answering = Api({**steps, **history, "/calendars/merchant": CALENDAR, "/calendars/acquirer": CALENDAR})
    monkeypatch.setattr(office_client, "send_over_http", answering)
    return answering


def test_a_calendar_is_set_from_a_file(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('days_after = 2\nholidays = ["2030-02-04"]\n', "utf-8")

    assert 0 == run_command(["calendars", "set", str(file), "--valid-from", "2030-01-01", *OF_MERCHANT, *AT])
    body = {"values": {"days_after": 2, "holidays": ["2030-02-04"]}, "why": "", "valid_from": "2030-01-01"}
    assert [("PUT", "/calendars/merchant?merchant_id=M", body)] == api.asked


def test_a_calendar_is_shown_with_what_is_its_own(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["calendars", "show", *AT])

    shown = capsys.readouterr().out
    assert "days_after" in shown
    assert "09:00" in shown


@pytest.mark.parametrize("step", ["restore", "withdraw"])
def test_a_version_is_brought_back_or_taken_back(api: Api, step: str) -> None:
    assert 0 == run_command(["calendars", step, "--version", "1", *OF_MERCHANT, *AT])

    assert [("POST", f"/calendars/merchant/{step}?merchant_id=M", {"version": 1, "why": ""})] == api.asked


def test_the_versions_of_a_calendar_are_listed(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["calendars", "history", *OF_MERCHANT, *AT])

    assert "in_force" in capsys.readouterr().out


async def test_a_calendar_is_agreed_shown_planned_and_taken_back_over_the_api(host: HostInProcess) -> None:
    await sold_and_settled(host, 1000_00)
    own, body = {"merchant_id": MERCHANT}, {"values": {"days_after": 2}, "valid_from": "2030-01-01"}
    async with api_of(host.office) as api:
        made = await api.put("/api/v1/calendars/merchant", params=own, json=body)
        shown = (await api.get("/api/v1/calendars/merchant", params=own)).json()
        version = {"version": made.json()["version"]}
        gone = await api.post("/api/v1/calendars/merchant/withdraw", params=own, json=version)
        again = await api.post("/api/v1/calendars/merchant/restore", params=own, json=version)
        history = (await api.get("/api/v1/calendars/merchant/history", params=own)).json()["items"]
        wrong = await api.put("/api/v1/calendars/acquirer", json={"values": {"weekend": ["funday"]}})

    assert (200, "planned", 1) == (made.status_code, made.json()["state"], shown["effective"]["days_after"])
    assert ["withdrawn", "in_force"] == [gone.json()["state"], again.json()["state"]]
    assert [2, 1] == [version["version"] for version in history]
    assert 422 == wrong.status_code
    assert "weekend" in wrong.json()["detail"]
