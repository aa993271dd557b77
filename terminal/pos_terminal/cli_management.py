"""The verbs of `pos-terminal` that move no card's money: the line, the keys, the parameters, the batch."""

from __future__ import annotations

from typing import Annotated

import typer

from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.cli_options import StanOption, TerminalOptions, read_stan, terminal_verb
from pos_terminal.commands import Command, Forward, Manage, Reverse, Settle
from pos_terminal.memory import Memory
from pos_terminal.terminal_session import run_command


def add_management_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("sign-in")(sign_in)
    app.command("sign-off")(sign_off)
    app.command("echo")(echo)
    app.command("parameters")(parameters)
    app.command("status")(status)
    app.command("reversal")(reversal)
    app.command("forward")(forward)
    app.command("script-result")(script_result)
    app.command("settle")(settle)


@terminal_verb
def sign_in(options: TerminalOptions) -> int:
    """Sign in; the host gives working keys, and in UnionPay the batch number."""
    return run_command(options, lambda memory, language: Manage("sign_in"))


@terminal_verb
def sign_off(options: TerminalOptions) -> int:
    """Sign off."""
    return run_command(options, lambda memory, language: Manage("sign_off"))


@terminal_verb
def echo(options: TerminalOptions) -> int:
    """Test the line."""
    return run_command(options, lambda memory, language: Manage("echo"))


@terminal_verb
def parameters(options: TerminalOptions) -> int:
    """Ask for the terminal's parameters."""
    return run_command(options, lambda memory, language: Manage("parameters"))


@terminal_verb
def status(options: TerminalOptions) -> int:
    """Tell the host how the terminal is."""
    return run_command(options, lambda memory, language: Manage("status"))


@terminal_verb
def reversal(options: TerminalOptions, stan: StanOption = None) -> int:
    """Send the pending reversal now; with --stan, undo that transaction of the batch."""
    return run_command(options, lambda memory, language: Reverse(read_stan(stan)))


@terminal_verb
def forward(options: TerminalOptions) -> int:
    """Tell the host now of offline sales, adjusts and notices that are stored."""
    return run_command(options, lambda memory, language: Forward())


@terminal_verb
def script_result(options: TerminalOptions) -> int:
    """Tell the host now what became of its scripts for chip cards."""
    return run_command(options, lambda memory, language: Forward())


@terminal_verb
def settle(
    options: TerminalOptions,
    leave_out: Annotated[
        str | None, typer.Option("--leave-out", help="STAN of a record to leave out of the totals.")
    ] = None,
) -> int:
    """Settle the batch, uploading it when the host disagrees; goes on where it was cut off."""

    def make(memory: Memory, language: Language) -> Command:
        if leave_out is None:
            return Settle()
        return Settle(leave_out=batch_log.find(memory.log, read_stan(leave_out)).stan)

    return run_command(options, make)
