"""`pos-terminal load --mac` at a host that requires MACs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.host.cli.test_serve import Host

from pos_terminal.cli import run


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[dict[str, list[str]]]:
    """By dialect, the options that lead to a host which requires MACs."""
    host = Host(tmp_path, "--listen", "127.0.0.1:0=hypercom", "--listen", "127.0.0.1:0=iso87-ascii", "--mac", "require")
    yield {
        listener["dialect"]: ["--dialect", listener["dialect"], "--host", f"127.0.0.1:{listener['port']}"]
        for listener in host.ready["listeners"]
    }
    host.end()


@pytest.mark.parametrize("rate", [[], ["--rate", "50"]])
@pytest.mark.parametrize(("dialect", "refusal"), [("unionpay", "A0"), ("hypercom", "96")])
def test_each_purchase_of_a_load_has_its_own_mac(
    dialect: str, refusal: str, rate: list[str], strict: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    fire = ["load", "--terminals", "2", "--seconds", "1", "--json", *rate, *strict[dialect]]

    assert 0 == run([*fire, "--mac"])
    signed = json.loads(capsys.readouterr().out)
    run(fire)
    unsigned = json.loads(capsys.readouterr().out)

    assert ({"00"}, 0) == (set(signed["codes"]), signed["wrong"])
    assert signed["codes"]["00"] > 2, "no terminal fired a second purchase"
    assert {refusal} == set(unsigned["codes"])


def test_a_load_cannot_sign_where_no_key_travels(
    strict: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(["load", "--terminals", "1", "--seconds", "0.2", "--mac", *strict["iso87-ascii"]])
    assert "iso87-ascii: the sign-in brought no MAC key" in capsys.readouterr().err
