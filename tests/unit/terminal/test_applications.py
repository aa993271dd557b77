"""Which dialects the simulated terminal speaks."""

from __future__ import annotations

import pytest

from pos_specs.language import open_language
from pos_specs.loader import shipped_dialects
from pos_terminal.applications import application_for
from pos_terminal.applications.application import NotSpoken
from pos_terminal.cli import run

UNSPOKEN = {"base24-pos": "element 41 has 16 characters", "iso93-ascii": "element 12 has 12 characters"}


@pytest.mark.parametrize("name", [name for name in shipped_dialects() if name not in UNSPOKEN])
def test_a_shipped_dialect_has_an_application(name: str) -> None:
    assert name == application_for(open_language(name)).dialect.name


@pytest.mark.parametrize("name", UNSPOKEN)
def test_a_dialect_with_other_key_elements_is_not_spoken(name: str) -> None:
    with pytest.raises(NotSpoken, match=UNSPOKEN[name]):
        application_for(open_language(name))


@pytest.mark.parametrize("name", UNSPOKEN)
def test_the_command_says_so_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["sign-in", "--dialect", name, "--host", "127.0.0.1:1"])

    assert (2, 1) == (code, len(capsys.readouterr().err.splitlines()))
