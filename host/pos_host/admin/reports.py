"""The paths of the reports on the merchants' money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import PlainTextResponse, Response

from pos_host.admin.api_router import api_router
from pos_host.admin.business_days import AskedDay
from pos_host.admin.payout_models import DiscrepancyReport, SettlementReport, UnsettledReport
from pos_host.admin.queries import Of, TheOffice
from pos_host.reports import discrepancy_report, settlement_report, unsettled_report
from pos_host.reports.csv_table import csv_table

router = api_router("reports")

By = Annotated[Literal["day", "merchant", "terminal", "product"], Query(description="what a line is")]
Form = Annotated[Literal["json", "csv"], Query(alias="format", description="csv: the lines alone")]


@router.get("/reports/settlement", response_model=SettlementReport, response_model_exclude_none=False)
async def settlement(
    office: TheOffice, day: AskedDay, by: By = "day", merchant_id: Of = None, form: Form = "json"
) -> Any:
    """Captured, refunded, fees, net and what became of it, by day, merchant, terminal or product."""
    report = await office.parts.reports.settlement(by, day, merchant_id)
    if form == "json":
        return report
    names = (*settlement_report.KEYS[by], "currency", "payouts", *settlement_report.AMOUNTS, *settlement_report.ENDS)
    return _csv(names, report, f"settlement-by-{by}")


@router.get("/reports/discrepancies", response_model=DiscrepancyReport)
async def discrepancies(office: TheOffice, day: AskedDay, merchant_id: Of = None, form: Form = "json") -> Any:
    """Every record on which a terminal and the host differ, and by how much."""
    report = await office.parts.reports.discrepancies(day, merchant_id)
    return report if form == "json" else _csv(discrepancy_report.COLUMNS, report, "discrepancies")


@router.get("/reports/unsettled", response_model=UnsettledReport)
async def unsettled(office: TheOffice, merchant_id: Of = None, form: Form = "json") -> Any:
    """What is unsettled now, and how everything that was settled late ended."""
    report = await office.parts.reports.unsettled(merchant_id)
    return report if form == "json" else _csv(unsettled_report.COLUMNS, report, "unsettled")


def _csv(columns: Sequence[str], report: dict[str, Any], name: str) -> Response:
    day = f"-{report['date']}" if report.get("date") else ""
    headers = {"Content-Disposition": f'attachment; filename="{name}{day}.csv"'}
    return PlainTextResponse(csv_table(columns, report["items"]), media_type="text/csv", headers=headers)
