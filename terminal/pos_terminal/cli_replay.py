"""`pos-terminal replay`: a recording played again against a host, and what it answers otherwise."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pos_specs.language import Language, open_language
from pos_specs.recording import RecordingError, read_recording
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import (
    HostOption,
    JsonOption,
    ReadyFileOption,
    UsageError,
    check_timeout,
    read_ready,
    resolve_address,
)
from pos_terminal.cli_security_options import NoMacOption, PadOptions, TlsOptions, TmkOption, WorkingKeyOptions
from pos_terminal.pin import Pin

if TYPE_CHECKING:
    from pos_terminal.replay import Played

LARGEST_ELEMENT = 128
MOST_SPEED = 1_000_000.0
"""Times faster than recorded: past a day in a tenth of a second, `max` is meant."""


def add_replay_verb(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("replay")(replay)


@grouped_options
def replay(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of serve, proxy or record import.")],
    host: HostOption = None,
    ready_file: ReadyFileOption = None,
    dialect: Annotated[
        str | None, typer.Option("--dialect", help="Instead of those the recording names: ./mybank.toml.")
    ] = None,
    speed: Annotated[
        str, typer.Option("--speed", metavar="original|max|N", help="N: so many times faster than recorded.")
    ] = "max",
    ignore: Annotated[
        list[int] | None, typer.Option("--ignore", metavar="N", help="An element not to compare, repeatable.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")] = 10.0,
    pin: Annotated[str, typer.Option("--pin", help="Behind every PIN block; recordings hold none.")] = "123456",
    as_json: JsonOption = False,
    tls: TlsOptions,
    tmk: TmkOption = None,
    no_mac: NoMacOption = False,
    keys: WorkingKeyOptions,
) -> int:
    """Send a recording's requests again and compare the answers, but for times and the host's own numbers."""
    from pos_terminal.replay import ReplaySettings, play
    from pos_terminal.replay_allowances import shipped_allowances
    from pos_terminal.replay_comparison import Comparison
    from pos_terminal.replay_plan import plan_replay

    check_timeout(timeout)
    ready = read_ready(ready_file)
    try:
        frames = read_recording(file)
    except RecordingError as error:
        raise UsageError(str(error)) from None
    allowances = shipped_allowances()
    settings = ReplaySettings(
        address_of=lambda name: resolve_address(host, name, ready),
        timeout_s=timeout,
        speed=_speed(speed),
        pad=keys.loaded_into(PadOptions(tmk=tmk, no_mac=no_mac).settings()),
        pin=Pin(pin),
        allowances=allowances,
        comparison=Comparison(allowances, _elements(ignore)),
        random=os.urandom,
        tls=tls.context(),
    )
    lanes = plan_replay(frames, _speaker(dialect))
    if not lanes:
        raise UsageError(f"{file}: holds no request")
    for step in {step.language.name: step for lane in lanes for step in lane}.values():
        settings.address_of(step.language.name)
    played: list[Played] = []

    def tell(one: Played) -> None:
        played.append(one)
        if as_json:
            typer.echo(json.dumps(one.to_json()))
        elif one.verdict != "same":
            _show(one)

    asyncio.run(play(lanes, settings, tell))
    return _sum_up(played, as_json=as_json)


def _show(one: Played) -> None:
    step = one.step
    stan = step.message.fields.get(11, "-")
    head = f"{step.number}: {step.function or step.message.mti or 'message'} of {step.terminal[2] or '?'}, STAN {stan}"
    typer.echo(f"{head}: {one.verdict.replace('_', ' ')}{f' ({one.reason})' if one.reason else ''}")
    for difference in one.differences:
        typer.echo(f"    {difference.element} {difference.name}: {difference.recorded} -> {difference.answered}")


def _sum_up(played: list[Played], *, as_json: bool) -> int:
    verdicts = ("same", "differs", "no_answer", "not_answered_then", "not_sent")
    counts = {verdict: sum(one.verdict == verdict for one in played) for verdict in verdicts}
    differences = sum(len(one.differences) for one in played) + counts["no_answer"]
    if as_json:
        typer.echo(json.dumps({"requests": len(played), **counts, "differences": differences}))
    else:
        told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items() if count)
        typer.echo(f"{len(played)} requests: {told}; {differences} differences")
    return 0 if all(one.good for one in played) else 1


def _speaker(dialect: str | None) -> Callable[[str], Language]:
    return lambda name: open_language(dialect or name)


def _speed(text: str) -> float | None:
    if text in ("original", "max"):
        return 1.0 if text == "original" else None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= MOST_SPEED:
        raise UsageError(f"--speed {text}: must be original, max or a number over 0 and up to {MOST_SPEED:g}")
    return speed


def _elements(numbers: list[int] | None) -> frozenset[int]:
    for number in numbers or ():
        if not 2 <= number <= LARGEST_ELEMENT:
            raise UsageError(f"--ignore {number}: elements have numbers from 2 to {LARGEST_ELEMENT}")
    return frozenset(numbers or ())
