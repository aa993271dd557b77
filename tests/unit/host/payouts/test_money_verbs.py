"""The verbs `payouts` and `report`, asking the API of a host in this process, over no socket."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from tests.unit.host.merchants.test_closure_verbs import AT, Api

from pos_host.cli import run_command
from pos_host.reports.settlement_report import AMOUNTS, ENDS
from pos_host.verbs import office_client

PAYOUT: dict[str, Any] = {"id": 100_001, "merchant_id": "M", "terminal_id": "T0000001", "state": "held", "net_minor": 5}
LINE = {"day": "2026-03-02", "currency": "156", "payouts": 1, **dict.fromkeys((*AMOUNTS, *ENDS), 7)}
REPORT = {"date": None, "by": "day", "items": [LINE], "totals": [{**LINE, "day": None}]}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    steps = {f"/payouts/100001/{step}": PAYOUT for step in ("hold", "release", "return")}
    lists = {"/payouts?": {"items": [PAYOUT], "next_cursor": None}, "/reports/settlement": REPORT}
    nothing = {"date": None, "items": [], "totals": []}
    answering = Api({**steps, **lists, "/payouts/100001": PAYOUT, "/reports/": nothing})
    monkeypatch.setattr(office_client, "send_over_http", answering)
    return answering


def test_payouts_are_listed_as_asked(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["payouts", "list", "--state", "held", "--date", "2026-03-02", "--json", *AT])

    assert [PAYOUT] == [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("GET", "/payouts?limit=100&state=held&date=2026-03-02", None)] == api.asked


@pytest.mark.parametrize("step", ["hold", "release", "return"])
def test_a_step_is_asked_for_with_its_reason(api: Api, step: str) -> None:
    assert 0 == run_command(["payouts", step, "100001", "--why", "reviewed", *AT])

    assert [("POST", f"/payouts/100001/{step}", {"why": "reviewed"})] == api.asked


def test_a_step_without_a_reason_is_refused(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["payouts", "release", "100001", *AT])

    assert "--why" in capsys.readouterr().err
    assert [] == api.asked


def test_a_report_is_printed_as_csv(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["report", "settlement", "--csv", *AT])

    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert {name: str(value) for name, value in LINE.items()} == row


def test_a_report_is_printed_as_json_and_as_a_table(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["report", "settlement", "--json", *AT])
    assert REPORT == json.loads(capsys.readouterr().out)
    assert 0 == run_command(["report", "settlement", *AT])
    assert "2026-03-02" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["discrepancies", "unsettled"])
def test_the_other_reports_are_asked_for(api: Api, name: str) -> None:
    assert 0 == run_command(["report", name, "--merchant-id", "M", "--csv", *AT])

    assert [("GET", f"/reports/{name}?merchant_id=M", None)] == api.asked


@pytest.mark.parametrize("wrong", [["--by", "week"], ["--json", "--csv"]])
def test_what_a_report_cannot_be_is_said(api: Api, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_command(["report", "settlement", *wrong, *AT])
    assert wrong[0] in capsys.readouterr().err
