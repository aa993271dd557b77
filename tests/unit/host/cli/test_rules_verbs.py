"""`serve --rules` and `pos-host rules`, against a host in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.host.cli.test_serve import Host, sale

from pos_host.cli import run_command
from pos_specs.framing import Frame, join_frame
from pos_specs.language import open_language


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    running = Host(tmp_path_factory.mktemp("rules"), "--http", "127.0.0.1:0", "--rules", "magic-amounts", "--seed", "5")
    yield running
    running.end()


class Verbs:
    """`pos-host rules …` against the host of the test."""

    def __init__(self, host: Host, capsys: pytest.CaptureFixture[str]) -> None:
        self._ready_file, self._capsys = str(host.ready_file), capsys

    def __call__(self, verb: str, *arguments: str, code: int = 0) -> Any:
        """Its JSON lines, or its one line of complaint with another exit code."""
        json_too = [] if verb == "clear" else ["--json"]
        assert code == run_command(["rules", verb, *arguments, *json_too, "--ready-file", self._ready_file])
        out, err = self._capsys.readouterr()
        return err if code else [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def verbs(host: Host, capsys: pytest.CaptureFixture[str]) -> Verbs:
    return Verbs(host, capsys)


def code_of(host: Host, stan: int, amount_minor: int) -> str:
    return host.ask(sale(stan, amount_minor))[0].fields[39]


def test_rules_are_there_from_the_start_and_changed_while_the_host_runs(
    host: Host, verbs: Verbs, tmp_path: Path
) -> None:
    assert ["magic-three-digits", "magic-half", "magic-amounts"] == [rule["id"] for rule in verbs("list")]
    assert "55" == code_of(host, 1, 1055)
    (hit,) = verbs("hits", "magic-amounts")
    assert ("T0000001", "000001", True) == (hit["terminal_id"], hit["stan"], hit["replied"])
    verbs("disable", "magic-amounts")
    assert "00" == code_of(host, 2, 1055)
    verbs("enable", "magic-amounts")
    verbs("clear")
    assert "00" == code_of(host, 3, 1055)

    file = tmp_path / "rules.toml"
    file.write_text('[[rules]]\nid = "mine"\nreply.response_code = "61"\ntimes = 1\n', "utf-8")
    assert ["mine"] == [rule["id"] for rule in verbs("load", str(file))]
    (added,) = verbs("add", "{when: {terminal_id: T0000001}, reply: {response_code: '62'}}")
    assert ["61", "62"] == [code_of(host, stan, 1000) for stan in (4, 5)]
    verbs("remove", added["id"])
    assert "00" == code_of(host, 6, 1000)
    assert "there is no rule none" in verbs("enable", "none", code=1)
    assert "rules[1].fault.kind: must be one of" in verbs("add", "{fault: slow}", code=2)


def test_a_rule_file_is_checked_without_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("rules:\n  - {id: a, fault: no_reply}\n", "utf-8")
    assert 0 == run_command(["rules", "check", str(file), "--json"])
    assert {"rules": 1, "seed": None, "ids": ["a"]} == json.loads(capsys.readouterr().out)
    file.write_text("rules:\n  - id: a\n    fault: slow\n", "utf-8")
    assert 2 == run_command(["rules", "check", str(file)])
    assert f"{file}:3: rules[1].fault.kind: must be one of delay" in capsys.readouterr().err


def test_a_host_with_a_wrong_rule_file_does_not_start_and_leaves_no_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("rules:\n  - {fault: delay, when: {nth: x}}\n", "utf-8")
    store = tmp_path / "host.db"
    arguments = ["serve", "--rules", str(tmp_path / "bad.yaml"), "--store", f"sqlite:///{store}"]
    assert 2 == run_command([*arguments, "--mqtt", "off", "--http", "off", "--listen", "127.0.0.1:0=unionpay"])
    assert "bad.yaml:2: rules[1].when.nth: must be a whole number" in capsys.readouterr().err
    assert not store.exists()


def test_a_host_without_rules_loads_none_of_their_code() -> None:
    code = (
        "import sys, pos_host.app, pos_host.cli\n"
        "print(sorted(name for name in sys.modules if name.startswith(('pos_host.rules', 'yaml'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_a_stopping_host_does_not_wait_for_late_answers(tmp_path: Path) -> None:
    rules = tmp_path / "late.yaml"
    rules.write_text("rules:\n  - fault: late_reply\n", "utf-8")
    host = Host(tmp_path, "--rules", str(rules))
    try:
        with socket.create_connection(("127.0.0.1", host.ready["listeners"][0]["port"])) as line:
            language = open_language("unionpay")
            frame = Frame(bytes.fromhex("6000030000"), bytes.fromhex("603100311001"), language.encode(sale(1)))
            line.sendall(join_frame(language.dialect.framing, frame))
            code, _, err = host.end()  # gives up long before the answer would come
            assert b"" == line.recv(4096)
    finally:
        host.process.kill()
    assert 0 == code, err
