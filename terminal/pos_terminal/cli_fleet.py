"""The verbs of `pos-terminal` that are many terminals': day, load, fleet."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pos_specs.language import open_language
from pos_terminal.addresses import Address, ReadyFile, parse_address
from pos_terminal.cli_card_options import CardOption
from pos_terminal.cli_option_groups import grouped_options
from pos_terminal.cli_options import (
    DEFAULT_MERCHANT,
    USUAL_TERMINAL_ID,
    CurrencyOption,
    DialectOption,
    HostOption,
    JsonOption,
    MerchantOption,
    ReadyFileOption,
    UsageError,
    check_identity,
    check_timeout,
    first_letter,
    read_currency,
    read_ready,
    resolve_address,
)
from pos_terminal.cli_security_options import PadOptions, TlsOptions
from pos_terminal.host_books import HostBooks

MOST_LOST_PERCENT = 80.0
"""With more lost answers a day would not end: reversals and settlements need one that arrives."""

SeedOption = Annotated[int, typer.Option("--seed", help="The same seed gives the same plan.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOptions:
    """Whose terminals they are, and where their host is found."""

    merchant_id: MerchantOption = DEFAULT_MERCHANT
    terminal_prefix: Annotated[
        str | None, typer.Option("--terminal-prefix", help="What the terminals' ids begin with; a number follows.")
    ] = None
    ready_file: ReadyFileOption = None
    tls: TlsOptions

    def prefix(self, usual: str, terminals: int) -> str:
        """What the terminals' ids begin with, `usual` unless said; raises UsageError where they cannot be numbered."""
        prefix = self.terminal_prefix or usual
        room = USUAL_TERMINAL_ID - len(prefix)
        if not 0 < room < USUAL_TERMINAL_ID or not prefix.isascii() or not prefix.isprintable():
            raise UsageError(f"--terminal-prefix {prefix!r}: one to seven ASCII characters")
        if not 0 < terminals < 10**room:
            raise UsageError(f"--terminals {terminals}: from 1 to {10**room - 1} with prefix {prefix}")
        check_identity(self.merchant_id, prefix)
        return prefix

    def ready(self) -> ReadyFile | None:
        """The ready file, if one was named; raises AddressError."""
        return read_ready(self.ready_file)


def add_fleet_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("day")(day)
    app.command("load")(load)
    app.command("fleet")(fleet)


@grouped_options
def day(
    *,
    host: HostOption = None,
    dialect: DialectOption = "unionpay",
    terminals: Annotated[int, typer.Option("--terminals", help="How many terminals.")] = 20,
    transactions: Annotated[int, typer.Option("--transactions", help="Per terminal.")] = 30,
    seed: SeedOption = 1,
    lose_replies: Annotated[
        float, typer.Option("--lose-replies", metavar="PCT", help="Share of answers lost at the terminal.")
    ] = 0.0,
    disagree: Annotated[int, typer.Option("--disagree", help="Terminals whose totals lack a record.")] = 0,
    forget: Annotated[int, typer.Option("--forget-settlement", help="Terminals that do not settle.")] = 0,
    currency: CurrencyOption = "CNY",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer, at most 1.")] = 1.0,
    admin: Annotated[str | None, typer.Option("--admin", metavar="URL", help="The host's admin API.")] = None,
    token: Annotated[str | None, typer.Option("--token", help="The token for --admin.")] = None,
    as_json: JsonOption = False,
    group: FleetOptions,
    pad: PadOptions,
) -> int:
    """Live one business day of a fleet, and compare its books with the host's."""
    from rich.console import Console

    from pos_terminal.day import DaySettings, live_day
    from pos_terminal.day_plan import plan_day

    prefix = group.prefix(first_letter(dialect), terminals)
    check_timeout(timeout)
    if transactions < 1 or disagree < 0 or forget < 0:
        raise UsageError("--transactions must be 1 or more, --disagree and --forget-settlement 0 or more")
    if not 0 <= lose_replies <= MOST_LOST_PERCENT:
        raise UsageError(f"--lose-replies {lose_replies:g}: from 0 to {MOST_LOST_PERCENT:g} per cent")
    ready = group.ready()
    language = open_language(dialect)
    money = read_currency(currency)
    settings = DaySettings(
        address=resolve_address(host, language.name, ready),
        language=language,
        merchant_id=group.merchant_id,
        currency=money.number,
        lose_percent=lose_replies,
        timeout_s=timeout,
        clock=datetime.now,
        tls=group.tls.context(),
        pad=pad.settings(),
    )
    try:
        plan = plan_day(
            seed=seed,
            terminals=terminals,
            transactions=transactions,
            disagree=disagree,
            forget=forget,
            prefix=prefix,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    report = asyncio.run(live_day(plan, settings, _books(ready, admin, token)))
    for line in report.complaints():
        typer.echo(line, err=True)
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        Console().print(report.table(money))
    return 0 if report.succeeded else 1


@grouped_options
def load(
    *,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="ADDR:PORT", help="Repeatable: terminals are spread over all."),
    ] = None,
    dialect: DialectOption = "unionpay",
    terminals: Annotated[int, typer.Option("--terminals", help="How many terminals.")] = 200,
    seconds: Annotated[float, typer.Option("--seconds", help="How long.")] = 10.0,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Purchases due per second; without it, a closed loop.")
    ] = None,
    warm_up: Annotated[float, typer.Option("--warm-up", help="Seconds before it counts.")] = 0.0,
    card: CardOption = "unionpay",
    mac: Annotated[bool, typer.Option("--mac", help="Sign each purchase under the keys of the sign-in.")] = False,
    as_json: JsonOption = False,
    group: FleetOptions,
) -> int:
    """Fire purchases; print rate, response codes and latencies."""
    from rich.console import Console

    from pos_terminal.cards import find_card
    from pos_terminal.load import CannotFire, Target, run_load

    prefix = group.prefix(f"L{first_letter(dialect)}", terminals)
    if seconds <= 0 or warm_up < 0 or (rate is not None and rate <= 0):
        raise UsageError("--seconds and --rate must be more than 0, --warm-up not less than 0")
    language = open_language(dialect)
    ready = group.ready()
    addresses = [parse_address(text) for text in host or []]
    if not addresses:
        addresses = [resolve_address(None, language.name, ready)]
    targets = [Target(address.host, address.port, dialect) for address in addresses]
    try:
        report = run_load(
            targets,
            terminals,
            seconds,
            rate,
            warm_up_s=warm_up,
            merchant_id=group.merchant_id,
            terminal_prefix=prefix,
            card=find_card(card),
            mac=mac,
            tls=group.tls.context(),
        )
    except CannotFire as error:
        raise UsageError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        Console().print(report.table())
    return 0 if report.messages else 1


@grouped_options
def fleet(
    *,
    host: HostOption = None,
    dialect: Annotated[
        list[str] | None,
        typer.Option("--dialect", help="Repeatable; by default all listeners of the ready file."),
    ] = None,
    terminals: Annotated[int, typer.Option("--terminals", help="How many terminals.")] = 6,
    forget: Annotated[int, typer.Option("--forget", help="Terminals that never settle.")] = 1,
    pace: Annotated[float, typer.Option("--pace", help="Mean seconds between two transactions.")] = 3.0,
    seed: Annotated[int | None, typer.Option("--seed", help="Default: another one each time.")] = None,
    currency: CurrencyOption = "CNY",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")] = 10.0,
    state: Annotated[Path | None, typer.Option("--state", help="Folder that keeps their memories.")] = None,
    group: FleetOptions,
    pad: PadOptions,
) -> int:
    """Trade with several terminals at a human pace until Ctrl-C or SIGTERM."""
    from pos_terminal.fleet import FleetCounts, FleetSettings, trade

    prefix = group.prefix("F", terminals)
    check_timeout(timeout)
    if forget < 0 or pace <= 0:
        raise UsageError("--forget must be 0 or more, --pace more than 0")
    settings = FleetSettings(
        listeners=_listeners(host, dialect, group.ready()),
        terminals=terminals,
        forget=forget,
        merchant_id=group.merchant_id,
        prefix=prefix,
        currency=read_currency(currency).number,
        pace_s=pace,
        timeout_s=timeout,
        seed=time.time_ns() if seed is None else seed,
        clock=datetime.now,
        state=state,
        tls=group.tls.context(),
        pad=pad.settings(),
    )

    async def until_stopped(tell: Callable[[str], None]) -> FleetCounts:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await trade(settings, stop, tell)

    counts = asyncio.run(until_stopped(lambda line: typer.echo(line)))
    done = ", ".join(f"{count} {name}" for name, count in sorted(counts.approved.items())) or "nothing"
    typer.echo(f"stopped: {done} approved, {sum(counts.declined.values())} declined, {counts.settled} settled")
    return 0


def _books(ready: ReadyFile | None, admin: str | None, token: str | None) -> HostBooks | None:
    """The host's books: from --admin and --token, else from the ready file, else none."""
    if (admin is None) != (token is None):
        raise UsageError("--admin and --token go together")
    if admin is not None and token is not None:
        return HostBooks(admin, token)
    if ready is not None and ready.http and ready.token:
        return HostBooks(ready.http, ready.token)
    return None


def _listeners(host: str | None, dialects: list[str] | None, ready: ReadyFile | None) -> dict[str, Address]:
    """Where each dialect is traded in."""
    if host and dialects and len(dialects) > 1:
        raise UsageError("--host is one listener, which speaks one dialect")
    names = dialects or (sorted(ready.listeners) if ready is not None and not host else ["unionpay"])
    return {name: resolve_address(host, open_language(name).name, ready) for name in names}
