"""The verbs that ask a running host: what they do, show and complain of; against a host in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.cli.test_serve import Host

from pos_host.cli import run_command
from pos_host.options import NotDone, UsageError
from pos_host.verbs.asking import office_at
from pos_host.verbs.office_client import OfficeClient

MID = "898310000000001"
Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    running = Host(tmp_path_factory.mktemp("office"), "--http", "127.0.0.1:0", "--enrol", "strict")
    yield running
    running.end()


@pytest.fixture
def run(host: Host, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb that must succeed; gives its JSON lines."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        code = run_command([*arguments, "--ready-file", str(host.ready_file), "--json"])
        out, err = capsys.readouterr()
        assert (0, "") == (code, err)
        return [json.loads(line) for line in out.splitlines()]

    return run


@pytest.fixture
def fail(host: Host, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a verb that must not; gives its exit code and its one line."""

    def fail(*arguments: str) -> tuple[int, str]:
        code = run_command([*arguments, "--ready-file", str(host.ready_file)])
        out, err = capsys.readouterr()
        assert ("", 1) == (out, err.count("\n"))
        return code, err

    return fail


@pytest.fixture
def merchant(run: Run) -> str:
    """A merchant of which nothing is said; on record once for all tests of this module."""
    if not any(one["merchant_id"] == MID for one in run("merchants", "list")):
        run("merchants", "create", MID)
    return MID


def test_a_merchant_is_created_changed_listed_and_shown(run: Run) -> None:
    run("merchants", "create", "M/1 #2", "--name", "Noodles", "--category", "5812")
    changed = run("merchants", "change", "M/1 #2", "--contact", "gate@noodles.example", "--why", "moved")

    assert changed == run("merchants", "show", "M/1 #2")
    assert ("Noodles", "gate@noodles.example") == (changed[0]["name"], changed[0]["contact"])
    assert "M/1 #2" in [one["merchant_id"] for one in run("merchants", "list")]


def test_a_terminal_that_was_added_is_listed_until_it_speaks(run: Run, merchant: str) -> None:
    run("terminals", "add", merchant, "T0000001")

    assert [("T0000001", False)] == [(t["terminal_id"], t["enrolled"]) for t in run("merchants", "terminals", merchant)]


def test_policies_are_set_key_by_key_put_back_and_listed(run: Run, merchant: str) -> None:
    mine = ("--merchant-id", merchant)
    first = run("policies", "set", "cutoff=22:00", "max_transactions=9", *mine)[0]
    run("policies", "set", "max_transactions=", "grace=PT2H", *mine)

    (shown,) = run("policies", "show", *mine)
    assert {"cutoff": "22:00", "grace": "PT2H"} == shown["values"]
    assert ("22:00", "off", "Asia/Shanghai") == tuple(
        shown["effective"][key] for key in ("cutoff", "max_transactions", "time_zone")
    )
    run("policies", "restore", "--version", str(first["version"]), *mine, "--why", "a mistake")
    history = run("policies", "history", *mine)
    assert [first["version"], None, None] == [version["restores"] for version in history]


def test_a_planned_policy_is_withdrawn(run: Run, merchant: str) -> None:
    mine = ("--merchant-id", merchant)
    planned = run("policies", "set", "grace=PT3H", "--valid-from", "2030-01-01T00:00:00Z", *mine)[0]

    assert "withdrawn" == run("policies", "withdraw", "--version", str(planned["version"]), *mine)[0]["state"]


def test_a_fee_schedule_of_a_file_holds_for_its_merchant(run: Run, merchant: str, tmp_path: Path) -> None:
    file = tmp_path / "agreed.toml"
    file.write_text(
        '[[rule]]\nname = "credit"\nproducts = ["credit"]\nrate_percent = "0.55"\nvalid_until = 2030-12-31\n'
    )
    made = run("fees", "set", str(file), "--merchant-id", merchant)[0]

    rules = run("fees", "show", "--merchant-id", merchant)[0]["effective"]["rule"]
    assert ("0.55", "2030-12-31") == (rules[0]["rate_percent"], rules[0]["valid_until"])
    assert [made["version"]] == [version["version"] for version in run("fees", "history", "--merchant-id", merchant)]
    restored = run("fees", "restore", "--version", str(made["version"]), "--merchant-id", merchant)
    assert made["values"] == restored[0]["values"]


def test_a_users_token_does_what_its_role_may_and_the_trail_tells(
    run: Run, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    (made,) = run("users", "create", "li.wei", "--role", "viewer")
    asked = ("--admin", host.ready["http"], "--token", made["token"])

    assert 0 == run_command(["merchants", "list", "--json", *asked])
    assert 1 == run_command(["merchants", "create", "M9", *asked])
    assert "pos-host: merchant.create needs the role admin; li.wei is viewer\n" == capsys.readouterr().err
    assert ["refused"] == [row["result"] for row in run("audit", "--actor", "li.wei")]
    (again,) = run("users", "rotate", "li.wei")
    assert made["token"] != again["token"]
    assert "revoked" == run("users", "revoke", "li.wei", "--why", "left")[0]["state"]
    assert 2 == run_command(["merchants", "list", "--token", again["token"], "--admin", host.ready["http"]])


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("merchants", "show", "unknown"), 1, "merchant unknown is not known"),
        (("merchants", "create", "x" * 16), 2, "merchant_id must be"),
        (("policies", "set", "cutof=1"), 2, "cutof: is not known here"),
        (("policies", "set", "cutoff"), 2, "must be KEY=VALUE"),
        (("policies", "show", "--terminal-id", "T1"), 2, "goes with --merchant-id"),
        (("fees", "set", "gone.toml"), 2, "gone.toml"),
        (("users", "create", "li", "--role", "king"), 2, "body.role"),
        (("audit", "--since", "yesterday"), 2, "query.since"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    fail: Callable[..., tuple[int, str]], arguments: tuple[str, ...], code: int, text: str
) -> None:
    assert code == fail(*arguments)[0]
    assert text in fail(*arguments)[1]


@pytest.mark.parametrize(
    "group", ["merchants list", "merchants show {mid}", "policies show", "fees show", "users list", "audit"]
)
def test_for_people_there_is_a_table(host: Host, merchant: str, capsys: pytest.CaptureFixture[str], group: str) -> None:
    arguments = group.format(mid=merchant).split()
    capsys.readouterr()

    assert 0 == run_command([*arguments, "--ready-file", str(host.ready_file)])
    assert "{" not in capsys.readouterr().out


def answering(status: int, body: bytes) -> OfficeClient:
    return OfficeClient("http://host", "token", lambda *asked: (status, body))


@pytest.mark.parametrize("status", [400, 401, 422])
def test_bad_input_is_told_from_what_is_refused(status: int) -> None:
    with pytest.raises(UsageError, match="because"):
        answering(status, b'{"detail": "because"}').get("/x")
    with pytest.raises(NotDone, match="because"):
        answering(409, b'{"detail": "because"}').get("/x")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff"])
def test_an_answer_that_is_none_of_ours_is_one_line(body: bytes) -> None:
    with pytest.raises(NotDone, match="the host answered 502"):
        answering(502, body).get("/x")


def test_a_host_that_does_not_answer_is_named() -> None:
    def silent(*asked: Any) -> tuple[int, bytes]:
        raise ConnectionRefusedError("refused")

    with pytest.raises(UsageError, match=r"no host answers at http://host: refused"):
        OfficeClient("http://host/", "token", silent).get("/x")


def test_a_list_is_followed_over_its_pages_up_to_what_is_asked() -> None:
    def three_a_page(method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
        first = int(url.partition("cursor=")[2] or 0)
        return 200, json.dumps({"items": list(range(first, first + 3)), "next_cursor": str(first + 3)}).encode()

    assert [0, 1, 2, 3, 4, 5] == list(OfficeClient("http://host", "token", three_a_page).items("/x", 6))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "No such file"),
        ("{}", "is no ready file"),
        ("[]", "is no ready file"),
        ('{"http": null, "admin_token": "t"}', "runs without --http"),
    ],
)
def test_a_ready_file_that_is_none_is_one_line(tmp_path: Path, content: str | None, text: str) -> None:
    file = tmp_path / "ready.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=text):
        office_at(None, None, file)


def test_without_a_token_it_says_where_one_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"--token or --ready-file .*admin-token"):
        office_at(None, None, None)
    with pytest.raises(UsageError, match="must be a URL"):
        office_at("127.0.0.1:8580", "t", None)
