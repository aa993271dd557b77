"""Groups of options: what typer sees in place of one, what the verb is handed, and what their reprs keep to
themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from pos_terminal.cli import app
from pos_terminal.cli_card_options import MoneyOptions, ReadingOptions
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import UsageError
from pos_terminal.cli_originals import UnloggedOptions
from pos_terminal.cli_security_options import PadOptions, TlsOptions, WorkingKeyOptions
from pos_terminal.cli_terminal_options import TerminalOptions

TLS = ["tls", "tls_ca", "tls_cert", "tls_key"]
PAD = ["tmk", "scheme", "no_mac"]
KEYS = ["mac_key", "pin_key", "ksn", "bdk"]
ONE_TERMINAL = [
    *("host", "dialect", "named_id", "merchant_id", "state", "timeout", "totals_digits", "receipt", "expect"),
    *("as_json", *TLS, *PAD, *KEYS),
]
MANY_TERMINALS = ["merchant_id", "terminal_prefix", "ready_file", *TLS]


@dataclass(frozen=True)
class Colour:
    colour: Annotated[str, typer.Option("--colour")] = "red"


@dataclass(frozen=True, kw_only=True)
class Paint:
    layers: Annotated[int, typer.Option("--layers")] = 1
    colour: Colour

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise UsageError("--layers: one at least")


def command_of(verb: Any) -> typer.Typer:
    made = typer.Typer()
    made.command()(verb)
    return made


def run(verb: typer.Typer, *arguments: str) -> None:
    result = CliRunner().invoke(verb, arguments, catch_exceptions=False)
    assert 0 == result.exit_code, result.output


def verbs_of_the_terminal() -> dict[str, list[str]]:
    commands = typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    return {name: [parameter.name for parameter in command.params] for name, command in commands}


def test_a_verb_is_handed_its_groups_and_its_own_options() -> None:
    handed = []

    @command_of
    @grouped_options
    def paint(*, wall: Annotated[str, typer.Argument()], paint: Paint, wet: bool = False) -> int:
        """Paint a wall."""
        handed.append((wall, paint, wet))
        return 0

    run(paint, "north")
    run(paint, "south", "--layers", "2", "--colour", "blue", "--wet")

    assert [
        ("north", Paint(layers=1, colour=Colour("red")), False),
        ("south", Paint(layers=2, colour=Colour("blue")), True),
    ] == handed


def test_the_options_of_a_group_stand_where_the_group_stands() -> None:
    @command_of
    @grouped_options
    def paint(*, first: int = 1, paint: Paint, last: int = 9) -> int:
        return 0

    names = [parameter.name for parameter in typer.main.get_command(paint).params]
    assert ["first", "layers", "colour", "last"] == names[:4]


def test_what_a_group_refuses_the_command_refuses() -> None:
    @command_of
    @grouped_options
    def paint(*, paint: Paint) -> int:
        return 0

    with pytest.raises(UsageError, match="--layers: one at least"):
        run(paint, "--layers", "0")


def test_an_option_in_two_groups_is_found_when_the_verb_is_defined() -> None:
    with pytest.raises(ValueError, match="duplicate parameter name: 'colour'"):

        @grouped_options
        def paint(*, paint: Paint, colour: Colour) -> int:
            return 0


def test_every_verb_of_one_terminal_ends_in_the_same_options() -> None:
    verbs = {name: options for name, options in verbs_of_the_terminal().items() if "named_id" in options}

    assert 20 < len(verbs)
    assert {name: ONE_TERMINAL for name in verbs} == {
        name: options[options.index("host") : -1 if options[-1] == "help" else None] for name, options in verbs.items()
    }


@pytest.mark.parametrize("verb", ["day", "load", "fleet"])
def test_every_verb_of_many_terminals_has_the_same_options_in_one_order(verb: str) -> None:
    options = verbs_of_the_terminal()[verb]
    start = options.index("merchant_id")

    assert MANY_TERMINALS == options[start : start + len(MANY_TERMINALS)]


def test_no_group_shows_a_card_a_pin_or_a_key_in_its_repr() -> None:
    secret = "4761739001010010"
    keys = WorkingKeyOptions(mac_key=secret, pin_key=secret, ksn=secret, bdk=secret)
    terminal = TerminalOptions(tls=TlsOptions(), pad=PadOptions(tmk=secret), keys=keys)

    assert secret not in repr([keys, terminal, UnloggedOptions(card=secret), ReadingOptions(pin=secret)])


def test_a_sum_is_read_once_with_its_currency() -> None:
    assert (1234, "156") == MoneyOptions("12.34").money()
    assert (1234, "392") == MoneyOptions("1234", "JPY").money()
