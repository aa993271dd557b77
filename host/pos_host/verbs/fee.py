"""`pos-host fees`: what a transaction costs its merchant, and whether a fee schedule is a good one."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pos_host.money.business_calendar import shipped_calendar
from pos_host.money.fee_schedule import (
    ENTRIES,
    FEE_PRODUCTS,
    FeeSchedule,
    Sale,
    effective_schedule,
    read_schedule,
    shipped_schedule,
)
from pos_host.money.fees import FeeQuote, NoFeeRule, quote
from pos_host.options import UsageError
from pos_specs.currencies import Currency, MoneyError, find_currency, parse_amount, show_amount
from pos_specs.errors import DialectError

fees_app = typer.Typer(name="fees", help="What transactions cost their merchant.", no_args_is_help=True)

USUAL_ENTRY = {"qr": "qr", "cloud_quickpass": "contactless"}
"""How a product's payments come to the terminal where `--entry` does not say; others are priced without it."""


@fees_app.command("quote")
def quote_command(
    product: Annotated[str, typer.Option("--product", help=", ".join(FEE_PRODUCTS) + ".")],
    amount: Annotated[str, typer.Option("--amount", help="As people write it, such as 10000.00.")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217, letters or number.")] = "CNY",
    entry: Annotated[
        str | None,
        typer.Option("--entry", help=f"{', '.join(ENTRIES)}; without it contactless for cloud_quickpass."),
    ] = None,
    schedule: Annotated[
        list[Path] | None,
        typer.Option("--schedule", help="Fee schedule (TOML) over the shipped one; repeatable, the last one wins."),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", help="YYYY-MM-DD; without it today, in the calendar's zone.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Work out the fee of one transaction."""
    known = _currency(currency)
    sale = Sale(
        product=_one_of("--product", product, FEE_PRODUCTS),
        entry=_entry(product, entry),
        amount_minor=_amount(amount, known),
        currency=known.code,
        day=_day(day),
    )
    try:
        quoted = quote(_schedule(schedule or []), sale)
    except NoFeeRule as error:
        typer.echo(f"pos-host: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(_document(sale, quoted)))
    else:
        _show(sale, quoted, known)


@fees_app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A fee schedule (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check a fee schedule, alone and over the shipped one."""
    own = _read(file)
    _merge(own)
    if as_json:
        counts = {"rules": len(own.rules), "charges": len(own.charges), "removed": len(own.remove)}
        typer.echo(json.dumps({"file": own.file, **counts}))
    else:
        shown = f"rules {len(own.rules)}, charges {len(own.charges)}, removed {len(own.remove)}"
        typer.echo(f"{own.file}: {shown}: good")


def _schedule(files: list[Path]) -> FeeSchedule:
    return _merge(*(_read(file) for file in files))


def _read(file: Path) -> FeeSchedule:
    try:
        return read_schedule(file)
    except DialectError as error:
        raise UsageError(str(error)) from None


def _merge(*own: FeeSchedule) -> FeeSchedule:
    try:
        return effective_schedule(shipped_schedule(), *own)
    except DialectError as error:
        raise UsageError(str(error)) from None


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UsageError(f"{option} {value}: must be one of {', '.join(allowed)}")
    return value


def _entry(product: str, entry: str | None) -> str:
    if entry is None:
        return USUAL_ENTRY.get(product, "")
    _one_of("--entry", entry, ENTRIES)
    if product == "qr" and entry != "qr":
        raise UsageError(f"--entry {entry}: the product qr is paid by QR code")
    return entry


def _currency(text: str) -> Currency:
    try:
        return find_currency(text)
    except MoneyError as error:
        raise UsageError(f"--currency: {error}") from None


def _amount(text: str, currency: Currency) -> int:
    try:
        return parse_amount(text, currency)
    except MoneyError as error:
        raise UsageError(f"--amount: {error}") from None


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(shipped_calendar().time_zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date {text}: must be a day such as 2026-03-02") from None


def _document(sale: Sale, quoted: FeeQuote) -> dict[str, Any]:
    return {
        "product": sale.product,
        "entry": sale.entry or None,
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "date": sale.day.isoformat(),
        "fee_minor": quoted.fee_minor,
        "net_minor": quoted.net_minor,
        "rule": quoted.rule.name,
        "rate_percent": str(quoted.rule.rate_percent),
        "minimum_minor": quoted.rule.minimum_minor,
        "minimum_applied": quoted.minimum_applied,
        "cap_minor": quoted.rule.cap_minor,
        "cap_applied": quoted.cap_applied,
    }


def _show(sale: Sale, quoted: FeeQuote, currency: Currency) -> None:
    bound = " at the cap" if quoted.cap_applied else " at the minimum" if quoted.minimum_applied else ""
    rows = (
        ("amount", show_amount(sale.amount_minor, currency)),
        ("fee", show_amount(quoted.fee_minor, currency)),
        ("net", show_amount(quoted.net_minor, currency)),
    )
    width = max(len(shown) for _, shown in rows)
    for name, shown in rows:
        typer.echo(f"{name:<8}{shown:>{width}} {currency.code}")
    typer.echo(f"{'rule':<8}{quoted.rule.name}: {quoted.rule.rate_percent} %{bound}")
