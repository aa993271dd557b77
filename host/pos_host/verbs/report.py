"""`pos-host report`: the reports on the merchants' money, as a table, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pos_host.options import UsageError
from pos_host.reports import discrepancy_report, settlement_report, unsettled_report
from pos_host.reports.csv_table import csv_table
from pos_host.verbs.asking import needs_a_host
from pos_host.verbs.listing import show
from pos_host.verbs.office_client import OfficeClient

report_app = typer.Typer(name="report", help="Reports on the merchants' money.", no_args_is_help=True)

DayOption = Annotated[str | None, typer.Option("--date", help="The business day, YYYY-MM-DD or today; without it all.")]
MerchantOption = Annotated[str | None, typer.Option("--merchant-id", help="Only this merchant.")]
ReportJsonOption = Annotated[bool, typer.Option("--json", help="The whole report as one JSON document.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="The lines as CSV.")]


@report_app.command("settlement")
@needs_a_host
def settlement_command(
    host: OfficeClient,
    by: Annotated[str, typer.Option("--by", help=f"{', '.join(settlement_report.BY)}.")] = "day",
    day: DayOption = None,
    merchant_id: MerchantOption = None,
    as_json: ReportJsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Gross, fees, net, and what of it was paid, waits, is held, was carried over or returned."""
    if by not in settlement_report.BY:
        raise UsageError(f"--by {by}: must be one of {', '.join(settlement_report.BY)}")
    wanted = {"by": by, "date": day, "merchant_id": merchant_id}
    report = host.get("/reports/settlement", **wanted)
    sums = ("payouts", *settlement_report.AMOUNTS, *settlement_report.ENDS)
    columns = (*settlement_report.KEYS[by], "currency", *sums)
    _show(report, columns, "settlement lines", as_json=as_json, as_csv=as_csv)
    if not (as_json or as_csv):
        show(report["totals"], _columns(("currency", *sums)), "totals", as_json=False)


@report_app.command("discrepancies")
@needs_a_host
def discrepancies_command(
    host: OfficeClient,
    day: DayOption = None,
    merchant_id: MerchantOption = None,
    as_json: ReportJsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Every record on which a terminal and the host differ, and by how much."""
    wanted = {"date": day, "merchant_id": merchant_id}
    report = host.get("/reports/discrepancies", **wanted)
    _show(report, discrepancy_report.COLUMNS, "discrepancies", as_json=as_json, as_csv=as_csv)


@report_app.command("unsettled")
@needs_a_host
def unsettled_command(
    host: OfficeClient, merchant_id: MerchantOption = None, as_json: ReportJsonOption = False, as_csv: CsvOption = False
) -> None:
    """What is unsettled now, and how everything that was settled late ended."""
    report = host.get("/reports/unsettled", merchant_id=merchant_id)
    _show(report, unsettled_report.COLUMNS, "batches", as_json=as_json, as_csv=as_csv)


def _show(report: dict[str, Any], columns: Sequence[str], what: str, *, as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise UsageError("--json and --csv: choose one")
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    elif as_csv:
        print(csv_table(columns, report["items"]), end="")
    else:
        show(report["items"], _columns(columns), what, as_json=False)


def _columns(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.removesuffix("_minor").replace("_", " "), name) for name in names)
