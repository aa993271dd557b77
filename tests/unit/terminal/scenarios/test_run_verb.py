"""`pos-terminal run`, as its caller sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.unit.terminal.fake_api import TOKEN, api
from tests.unit.terminal.scenarios.stories import HEAD
from tests.unit.terminal.scripted_host import ScriptedHost
from tests.unit.terminal.tcp_host import TcpHost, serving

from pos_terminal.cli import run
from pos_terminal.scenarios.models import ScenarioFile, ScenarioSchema


@pytest.fixture
def tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TcpHost]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    with serving(ScriptedHost("unionpay")) as served:
        yield served


def write(steps: str, more: str = "", name: str = "story.yaml") -> str:
    Path(name).write_text(f"{HEAD}{more}steps:\n{steps}\n")
    return name


def test_scenarios_that_pass_end_with_0(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["run", write("  - echo:"), "--host", tcp.address])

    out, err = capsys.readouterr()
    assert (0, "") == (code, err)
    assert out.startswith("passed  A story (0.")
    assert out.endswith("1 scenarios: 1 passed, 0 failed, 0 skipped\n")


def test_a_scenario_that_fails_ends_with_1_and_says_where(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.host.will("echo", {39: "96"})

    assert 1 == run(["run", write("  - echo:"), "--host", tcp.address])
    assert "        story.yaml:4: echo\n          an approval was expected, 96 " in capsys.readouterr().out


def test_a_file_with_a_mistake_ends_with_2_and_one_line(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["run", write("  - ecko:"), "--host", tcp.address])
    assert "pos-terminal: story.yaml:4: steps[1].ecko: no such key here\n" == capsys.readouterr().err


def test_without_a_file_the_usage_is_wrong(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["run", "--host", tcp.address])
    assert "pos-terminal: name scenario files, or a folder of them, or say --shipped\n" == capsys.readouterr().err


def test_what_the_host_lacks_is_skipped_with_the_reason(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        write("  - check: {status: active}", name="api.yaml"),
        write("  - echo:", "needs: {dialect: hypercom}\n", name="dialect.yaml"),
        write("  - echo:", "needs: {host: {mac: require}}\n", name="mac.yaml"),
    ]

    assert 0 == run(["run", *files, "--host", tcp.address, "--json"])
    *documents, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [
        "needs the host's admin API (--ready-file, or --admin and --token)",
        "the host speaks no hypercom",
        "needs a private host, started with --mac require --enrol open",
    ] == [document["reason"] for document in documents]
    assert {"scenarios": 3, "passed": 0, "failed": 0, "skipped": 3} == last


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--host", "127.0.0.1:1=klingon"], "klingon: no such dialect"),
        (["--host", "127.0.0.1:1", "--dialect", "klingon"], "klingon: no such dialect"),
        (
            ["--host", "127.0.0.1:1", "--admin", "zz", "--token", "t"],
            "--admin zz: must be a URL such as http://127.0.0.1:8580",
        ),
    ],
)
def test_a_host_that_is_misspelled_ends_with_2_and_skips_nothing(
    tcp: TcpHost, capsys: pytest.CaptureFixture[str], options: list[str], complaint: str
) -> None:
    code = run(["run", write("  - echo:"), *options])

    out, err = capsys.readouterr()
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert err.startswith(f"pos-terminal: {complaint}")


def test_an_outcome_that_does_not_exist_is_said_to(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["run", write("  - echo:\n    expect: {outcome: nonsense}"), "--host", tcp.address])
    assert "outcome nonsense (no such outcome) was expected" in capsys.readouterr().out


def test_a_file_without_steps_is_told_so(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.yaml").write_text(f"{HEAD}steps: []\n")

    assert 2 == run(["run", "empty.yaml"])
    assert capsys.readouterr().err.endswith(": steps: is empty\n")


def test_a_host_whose_clock_runs_by_itself_is_not_moved(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    with api({"/clock": {"now": "2026-03-02T12:00:00.000Z", "clock": "system"}}) as base:
        code = run(["run", write("  - advance: PT1H"), "--host", tcp.address, "--admin", base, "--token", TOKEN])

    assert 0 == code
    assert "skipped A story: needs a host with a manual clock (--clock manual)" in capsys.readouterr().out


def test_checks_are_passed_over_where_the_scenario_can_do_without(tcp: TcpHost) -> None:
    file = write("  - echo:\n  - check: {status: closed}", "needs: {admin: optional}\n")

    assert 0 == run(["run", file, "--host", tcp.address])


def test_listing_tells_of_scenarios_and_lives_none(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", write("  - echo:", "tags: [line]\n"), "--list"])
    assert "story.yaml: A story (line)\n" == capsys.readouterr().out
    assert [] == tcp.host.requests


def test_a_tag_chooses(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        write("  - echo:", "tags: [line]\n", name="a.yaml"),
        write("  - sign_in:", "tags: [keys]\n", name="b.yaml"),
    ]

    assert 0 == run(["run", *files, "--tag", "keys", "--list"])
    assert "b.yaml: A story (keys)\n" == capsys.readouterr().out
    assert 2 == run(["run", *files, "--tag", "nothing", "--list"])


def test_reports_are_written_where_they_are_wanted(tcp: TcpHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    options = ["--junitxml", "out/junit.xml", "--summary", "summary.md"]

    assert 0 == run(["run", write("  - echo:"), "--host", tcp.address, *options])
    assert "1" == ElementTree.parse("out/junit.xml").getroot().get("tests")
    assert "1 scenarios: 1 passed" in Path("summary.md").read_text()
    assert Path("summary.md").read_text() == Path("step.md").read_text()


def test_on_github_a_failure_is_an_annotation(
    tcp: TcpHost, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    tcp.host.will("echo", {39: "96"})

    assert 1 == run(["run", write("  - echo:"), "--host", tcp.address])
    assert "::error file=story.yaml,line=4,title=A story::echo: an approval was expected, 96" in capsys.readouterr().out


def test_the_schema_knows_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["run", "--schema"])

    schema = json.loads(capsys.readouterr().out)
    assert set(ScenarioFile.model_fields) == set(schema["properties"])
    assert ScenarioSchema.model_json_schema() == schema
    assert "purchase" in schema["$defs"]["Step"]["properties"]


def test_a_ready_file_names_listeners_api_and_token(tcp: TcpHost, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = {"status": "active", "batch": None, "unsettled": None}
    answers = {
        "/clock": {"now": "2026-03-02T12:00:00.000Z", "clock": "manual"},
        "/events": {"items": [], "next_cursor": None},
        "/terminals/T0000042": terminal,
    }
    with api(answers) as base:
        listener = {"dialect": "unionpay", "host": "127.0.0.1", "port": tcp.port}
        Path("r.json").write_text(json.dumps({"listeners": [listener], "http": base, "admin_token": TOKEN}))
        file = write("  - check: {status: active, unsettled: 'no'}", "terminals: {till: {terminal_id: T0000042}}\n")

        assert 0 == run(["run", file, "--ready-file", "r.json"]), capsys.readouterr().out


def test_terminals_that_were_named_are_used_and_more_than_those_are_skipped(
    tcp: TcpHost, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        write("  - purchase: {amount: '1.00'}", name="one.yaml"),
        write("  - echo:", "terminals: {here: {}, there: {}}\n", name="two.yaml"),
    ]

    assert 0 == run(["run", *files, "--host", tcp.address, "--terminal-id", "T0000042", "--seed", "3"])
    assert "skipped A story: needs 2 terminals, and --terminal-id names 1" in capsys.readouterr().out
    [request] = tcp.host.requests
    assert "T0000042" == request.fields[41]
    assert "000001" != request.fields[11]  # an earlier run may have used it
