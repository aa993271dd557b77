"""The paths of the daily look-back and of the risk view."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from fastapi.responses import PlainTextResponse, Response

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.application_models import Reason
from pos_host.admin.look_back_models import LookBack, Pattern
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice
from pos_host.merchants.forgotten.look_back_table import settlements_csv

router = api_router("reports")

Json = dict[str, Any]
PatternId = Annotated[str, Path(pattern="^[0-9]{1,18}$", description="`id` of a pattern", examples=["1"])]
DayQuery = Annotated[
    date | None, Query(alias="date", description="the business day; by default the latest", examples=["2026-03-02"])
]


@router.get("/reports/look-back", response_model=LookBack)
async def look_back(
    office: TheOffice,
    day: DayQuery = None,
    form: Annotated[
        Literal["json", "csv"], Query(alias="format", description="csv: a row for each settlement")
    ] = "json",
) -> Any:
    """What a business day came to: settled how, late and why, beside payouts and dry runs; 404 before it is made."""
    if form == "csv":
        name, rows = await office.forgotten.look_back.settlements(day)
        return _csv(settlements_csv(name, rows), f"look-back-{name}.csv")
    return await office.forgotten.look_back.report(day)


@router.get("/reports/patterns", response_model=Page[Pattern])
async def patterns(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    merchant_id: Merchant = None,
    state: Annotated[Literal["flagged", "reviewed"] | None, Query(description="only those in this state")] = None,
) -> Json:
    """Patterns of sales for the risk view, in the order they were found; the cursor is a position."""
    return page_of(office.forgotten.patterns.all(merchant_id, state), limit, cursor)


@router.post("/reports/patterns/{pattern_id}/review", response_model=Pattern)
async def review(office: TheOffice, actor: TheActor, pattern_id: PatternId, finding: Reason) -> Json:
    """Note that somebody looked at a pattern, and what came of it."""
    return await office.forgotten.patterns.review(actor, pattern_id, finding.why)


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type="text/csv", headers=headers)
