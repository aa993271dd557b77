"""The verbs of `pos-terminal` that are many terminals': day, load, fleet."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pos_specs.language import open_language
from pos_terminal.addresses import Address, ReadyFile, parse_address
from pos_terminal.cli_options import (
    DEFAULT_MERCHANT,
    CardOption,
    CurrencyOption,
    DialectOption,
    HostOption,
    JsonOption,
    MerchantOption,
    NoMacOption,
    PrefixOption,
    ReadyFileOption,
    SchemeOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
    TlsOption,
    TmkOption,
    UsageError,
    check_fleet,
    check_timeout,
    first_letter,
    read_currency,
    read_pad,
    read_ready,
    read_tls,
    resolve_address,
)
from pos_terminal.host_books import HostBooks
from pos_terminal.pin_pad import SCHEME

MOST_LOST_PERCENT = 80.0
"""With more lost answers a day would not end: reversals and settlements need one that arrives."""

SeedOption = Annotated[int, typer.Option("--seed", help="The same seed gives the same plan.")]


def add_fleet_verbs(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command("day")(day)
    app.command("load")(load)
    app.command("fleet")(fleet)


def day(
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
    merchant_id: MerchantOption = DEFAULT_MERCHANT,
    terminal_prefix: PrefixOption = None,
    currency: CurrencyOption = "CNY",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer, at most 1.")] = 1.0,
    ready_file: ReadyFileOption = None,
    admin: Annotated[str | None, typer.Option("--admin", metavar="URL", help="The host's admin API.")] = None,
    token: Annotated[str | None, typer.Option("--token", help="The token for --admin.")] = None,
    as_json: JsonOption = False,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tmk: TmkOption = None,
    scheme: SchemeOption = SCHEME,
    no_mac: NoMacOption = False,
) -> int:
    """Live one business day of a fleet, and compare its books with the host's."""
    from rich.console import Console

    from pos_terminal.day import DaySettings, live_day
    from pos_terminal.day_plan import plan_day

    terminal_prefix = terminal_prefix or first_letter(dialect)
    check_fleet(terminals, merchant_id, terminal_prefix)
    check_timeout(timeout)
    if transactions < 1 or disagree < 0 or forget < 0:
        raise UsageError("--transactions must be 1 or more, --disagree and --forget-settlement 0 or more")
    if not 0 <= lose_replies <= MOST_LOST_PERCENT:
        raise UsageError(f"--lose-replies {lose_replies:g}: from 0 to {MOST_LOST_PERCENT:g} per cent")
    ready = read_ready(ready_file)
    language = open_language(dialect)
    money = read_currency(currency)
    settings = DaySettings(
        address=resolve_address(host, language.name, ready),
        language=language,
        merchant_id=merchant_id,
        currency=money.number,
        lose_percent=lose_replies,
        timeout_s=timeout,
        clock=datetime.now,
        tls=read_tls(tls, tls_ca, tls_cert, tls_key),
        pad=read_pad(tmk, scheme, no_mac=no_mac),
    )
    try:
        plan = plan_day(
            seed=seed,
            terminals=terminals,
            transactions=transactions,
            disagree=disagree,
            forget=forget,
            prefix=terminal_prefix,
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


def load(
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
    merchant_id: MerchantOption = DEFAULT_MERCHANT,
    terminal_prefix: PrefixOption = None,
    card: CardOption = "unionpay",
    mac: Annotated[bool, typer.Option("--mac", help="Sign each purchase under the keys of the sign-in.")] = False,
    ready_file: ReadyFileOption = None,
    as_json: JsonOption = False,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
) -> int:
    """Fire purchases; print rate, response codes and latencies."""
    from rich.console import Console

    from pos_terminal.cards import find_card
    from pos_terminal.load import CannotFire, Target, run_load

    terminal_prefix = terminal_prefix or f"L{first_letter(dialect)}"
    check_fleet(terminals, merchant_id, terminal_prefix)
    if seconds <= 0 or warm_up < 0 or (rate is not None and rate <= 0):
        raise UsageError("--seconds and --rate must be more than 0, --warm-up not less than 0")
    language = open_language(dialect)
    ready = read_ready(ready_file)
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
            merchant_id=merchant_id,
            terminal_prefix=terminal_prefix,
            card=find_card(card),
            mac=mac,
            tls=read_tls(tls, tls_ca, tls_cert, tls_key),
        )
    except CannotFire as error:
        raise UsageError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        Console().print(report.table())
    return 0 if report.messages else 1


def fleet(
    host: HostOption = None,
    dialect: Annotated[
        list[str] | None,
        typer.Option("--dialect", help="Repeatable; by default all listeners of the ready file."),
    ] = None,
    terminals: Annotated[int, typer.Option("--terminals", help="How many terminals.")] = 6,
    forget: Annotated[int, typer.Option("--forget", help="Terminals that never settle.")] = 1,
    pace: Annotated[float, typer.Option("--pace", help="Mean seconds between two transactions.")] = 3.0,
    seed: Annotated[int | None, typer.Option("--seed", help="Default: another one each time.")] = None,
    merchant_id: MerchantOption = DEFAULT_MERCHANT,
    terminal_prefix: PrefixOption = None,
    currency: CurrencyOption = "CNY",
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds to wait for an answer.")] = 10.0,
    state: Annotated[Path | None, typer.Option("--state", help="Folder that keeps their memories.")] = None,
    ready_file: ReadyFileOption = None,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    tmk: TmkOption = None,
    scheme: SchemeOption = SCHEME,
    no_mac: NoMacOption = False,
) -> int:
    """Trade with several terminals at a human pace until Ctrl-C or SIGTERM."""
    from pos_terminal.fleet import FleetCounts, FleetSettings, trade

    terminal_prefix = terminal_prefix or "F"
    check_fleet(terminals, merchant_id, terminal_prefix)
    check_timeout(timeout)
    if forget < 0 or pace <= 0:
        raise UsageError("--forget must be 0 or more, --pace more than 0")
    settings = FleetSettings(
        listeners=_listeners(host, dialect, read_ready(ready_file)),
        terminals=terminals,
        forget=forget,
        merchant_id=merchant_id,
        prefix=terminal_prefix,
        currency=read_currency(currency).number,
        pace_s=pace,
        timeout_s=timeout,
        seed=time.time_ns() if seed is None else seed,
        clock=datetime.now,
        state=state,
        tls=read_tls(tls, tls_ca, tls_cert, tls_key),
        pad=read_pad(tmk, scheme, no_mac=no_mac),
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
