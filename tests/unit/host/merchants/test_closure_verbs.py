"""The verbs `closures` and `diagnose` against a host's API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pos_host.cli import run_command
from pos_host.verbs import office_client

AT = ["--admin", "http://host", "--token", "token"]
CLOSURE: dict[str, Any] = {
    "id": "1",
    "merchant_id": "898310000000001",
    "terminal_id": "T0000001",
    "reason": "fault",
    "state": "closing",
    "status": "closing",
    "steps": [{"step": "final_settlement", "state": "waiting", "unfinished": ["batch:100001"]}],
    "unfinished": [{"id": "batch:100001", "concerns": "batch 000001: 1 debits", "remedy": "settle it"}],
}
DIAGNOSIS: dict[str, Any] = {
    "terminal_id": "T0000010",
    "known": False,
    "findings": [{"text": "the host knows no terminal of this number", "concerns": "T0000010", "remedy": "compare"}],
    "nearest": [{"merchant_id": "898310000000001", "terminal_id": "T0000001"}],
}


class Api:
    """Answers by path, and remembers what was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self._answers = answers

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes | None, /) -> tuple[int, bytes]:
        path = url.removeprefix("http://host/api/v1")
        self.asked.append((method, path, None if body is None else json.loads(body)))
        answer = next((value for start, value in self._answers.items() if path.startswith(start)), None)
        if answer is None:
            return 404, json.dumps({"detail": f"there is nothing at {path}"}).encode()
        return 200, answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    answering = Api(
        {
            "/closures": {"items": [CLOSURE], "next_cursor": None},
            "/terminals/T0000001/closure": CLOSURE,
            "/merchants/898310000000001/closure": {**CLOSURE, "terminal_id": None},
            "/terminals/T0000001/reopen": {"id": "1", "state": "requested"},
            "/terminals/T0000001/suspend": {"status": "suspended"},
            "/terminals/T0000001/resume": {"status": "active"},
            "/terminals/T0000001/replacement": {"new_terminal_id": "T0000002"},
            "/terminals/T0000001/late-messages": {"items": [{"function": "reversal"}], "next_cursor": None},
            "/terminals/T0000001/export": '{"record": "terminal"}\n{"record": "transaction"}\n',
            "/terminals/T0000001": {"merchant_id": "898310000000001"},
            "/terminals/T0000010/diagnosis": DIAGNOSIS,
        }
    )
    monkeypatch.setattr(office_client, "send_over_http", answering)
    return answering


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["list", "--state", "closed"], ("GET", "/closures?limit=100&state=closed", None)),
        (["show", "T0000001"], ("GET", "/terminals/T0000001/closure", None)),
        (
            ["apply", "T0000001", "--reason", "fault", "--licence", "L1"],
            (
                "POST",
                "/terminals/T0000001/closure",
                {"reason": "fault", "merchant_id": "898310000000001", "licence": "L1", "why": ""},
            ),
        ),
        (
            ["apply", "898310000000001", "--whole-merchant", "--reason", "contract_end"],
            (
                "POST",
                "/merchants/898310000000001/closure",
                {"reason": "contract_end", "merchant_id": "898310000000001", "licence": "", "why": ""},
            ),
        ),
        (
            ["step", "T0000001", "unfinished_business", "--hand-over", "answer:1:000004", "--to", "Wang Fang"],
            (
                "POST",
                "/terminals/T0000001/closure/steps/unfinished_business",
                {"note": "", "handed_over": ["answer:1:000004"], "taken_over_by": "Wang Fang"},
            ),
        ),
        (
            ["withdraw", "T0000001", "--why", "stays"],
            ("POST", "/terminals/T0000001/closure/withdraw", {"why": "stays"}),
        ),
        (
            ["suspend", "T0000001", "--reason", "violation", "--why", "sold to itself"],
            ("POST", "/terminals/T0000001/suspend", {"reason": "violation", "why": "sold to itself"}),
        ),
        (["resume", "T0000001", "--why", "cleared"], ("POST", "/terminals/T0000001/resume", {"why": "cleared"})),
        (["reopen", "T0000001", "--why", "opens"], ("POST", "/terminals/T0000001/reopen", {"why": "opens"})),
        (["reopen", "T0000001", "approve"], ("POST", "/terminals/T0000001/reopen/approve", {"why": ""})),
        (
            ["replace", "T0000001", "T0000002", "--merchant-id", "898310000000001"],
            (
                "POST",
                "/terminals/T0000001/replacement?merchant_id=898310000000001",
                {"new_terminal_id": "T0000002", "reason": "fault", "why": ""},
            ),
        ),
        (["late", "T0000001"], ("GET", "/terminals/T0000001/late-messages?limit=100", None)),
    ],
)
def test_each_verb_asks_its_path(
    api: Api, capsys: pytest.CaptureFixture[str], arguments: list[str], asked: tuple[str, str, Any]
) -> None:
    for form in ([], ["--json"]):
        assert 0 == run_command(["closures", *arguments, *AT, *form])
        assert asked == api.asked[-1]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_closure_is_shown_with_what_is_unfinished(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["closures", "show", "T0000001", *AT])

    shown = capsys.readouterr().out
    assert "batch 000001: 1 debits" in shown
    assert "final_settlement" in shown


def test_the_diagnosis_names_what_is_near(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_command(["diagnose", "T0000010", "--merchant-id", "898310000000001", *AT])

    shown = capsys.readouterr().out
    assert "the host knows no terminal of this number" in shown
    assert "nearest: terminal T0000001 of merchant 898310000000001" in shown


def test_an_export_goes_to_a_file(api: Api, tmp_path: Path) -> None:
    out = tmp_path / "T0000001.jsonl"
    assert 0 == run_command(["closures", "export", "T0000001", "--out", str(out), *AT])

    assert ["terminal", "transaction"] == [json.loads(line)["record"] for line in out.read_text().splitlines()]
    assert 1 == run_command(["closures", "export", "T0000001", "--out", str(tmp_path), *AT])


def test_what_the_host_refuses_is_one_line(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run_command(["closures", "show", "T0000009", *AT])
    assert 2 == run_command(["closures", "reopen", "T0000001", "burn", *AT])

    lines = capsys.readouterr().err.splitlines()
    assert ["there is nothing at", "must be request, approve"] == [
        next((part for part in ("there is nothing at", "must be request, approve") if part in line), line)
        for line in lines
    ]
