"""The verbs of `pos-terminal` that move no card's money: the line, the keys, the parameters, the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pos_specs.language import Language
from pos_terminal import batch_log
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import StanOption, UsageError, read_stan
from pos_terminal.cli_terminal_options import TerminalOptions
from pos_terminal.commands import Command, Forward, Manage, Reverse, Settle, Sign
from pos_terminal.downloads import DOWNLOADS, downloading
from pos_terminal.memory import Memory
from pos_terminal.signatures import BLANK_PICTURE, read_picture
from pos_terminal.terminal_session import run_command, run_dialogue


def add_management_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("sign-in")(sign_in)
    app.command("sign-off")(sign_off)
    app.command("echo")(echo)
    app.command("parameters")(parameters)
    app.command("download")(download)
    app.command("status")(status)
    app.command("reversal")(reversal)
    app.command("forward")(forward)
    app.command("script-result")(script_result)
    app.command("signature")(signature)
    app.command("settle")(settle)


@grouped_options
def sign_in(options: TerminalOptions) -> int:
    """Sign in; the host gives working keys, and in UnionPay the batch number."""
    return run_command(options, lambda memory, language: Manage("sign_in"))


@grouped_options
def sign_off(options: TerminalOptions) -> int:
    """Sign off."""
    return run_command(options, lambda memory, language: Manage("sign_off"))


@grouped_options
def echo(options: TerminalOptions) -> int:
    """Test the line."""
    return run_command(options, lambda memory, language: Manage("echo"))


@grouped_options
def parameters(options: TerminalOptions) -> int:
    """Ask for the terminal's parameters."""
    return run_command(options, lambda memory, language: Manage("parameters"))


@grouped_options
def download(
    *,
    what: Annotated[str, typer.Argument(metavar="parameters|ca-keys|applications", help="What is wanted.")],
    options: TerminalOptions,
) -> int:
    """Download parameters, the keys of the schemes, or chip applications: the list, each item, the end."""
    if what not in DOWNLOADS:
        raise UsageError(f"download {what!r}: one of {', '.join(DOWNLOADS)}")
    return run_dialogue(options, lambda language, application: downloading(language, application, what))


@grouped_options
def signature(
    *,
    stan: StanOption = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="The signature, at most 999 bytes; by default a blank one.")
    ] = None,
    options: TerminalOptions,
) -> int:
    """Send the cardholder's signature for the transaction of --stan, else for the last one."""
    drawn = BLANK_PICTURE if picture is None else read_picture(picture)
    return run_command(options, lambda memory, language: Sign(read_stan(stan), drawn))


@grouped_options
def status(options: TerminalOptions) -> int:
    """Tell the host how the terminal is."""
    return run_command(options, lambda memory, language: Manage("status"))


@grouped_options
def reversal(*, stan: StanOption = None, options: TerminalOptions) -> int:
    """Send the pending reversal now; with --stan, undo that transaction of the batch."""
    return run_command(options, lambda memory, language: Reverse(read_stan(stan)))


@grouped_options
def forward(options: TerminalOptions) -> int:
    """Tell the host now of offline sales, adjusts and notices that are stored."""
    return run_command(options, lambda memory, language: Forward())


@grouped_options
def script_result(options: TerminalOptions) -> int:
    """Tell the host now what became of its scripts for chip cards."""
    return run_command(options, lambda memory, language: Forward())


@grouped_options
def settle(
    *,
    leave_out: Annotated[
        str | None, typer.Option("--leave-out", help="STAN of a record to leave out of the totals.")
    ] = None,
    options: TerminalOptions,
) -> int:
    """Settle the batch, uploading it when the host disagrees; goes on where it was cut off."""

    def make(memory: Memory, language: Language) -> Command:
        if leave_out is None:
            return Settle()
        return Settle(leave_out=batch_log.find(memory.log, read_stan(leave_out)).stan)

    return run_command(options, make)
