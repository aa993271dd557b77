"""The paths on which somebody asks what is wrong with a terminal, and takes home all that is known of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import StreamingResponse

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.closure_models import Diagnosis, LateMessage
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, Merchant, TheActor, TheOffice, Tid
from pos_host.merchants.closing.terminal_export import as_csv, as_json_lines
from pos_host.office import NotThere

router = api_router("diagnosis and export")

Json = dict[str, Any]
JSON_LINES, CSV = "application/x-ndjson", "text/csv; charset=utf-8"


@router.get("/terminals/{tid:path}/diagnosis", response_model=Diagnosis)
async def diagnosis(office: TheOffice, actor: TheActor, tid: Tid, merchant_id: Merchant = None) -> Json:
    """What a terminal sent last, what the host knows of it, what refuses it and what to do; also of numbers that the
    host does not know."""
    answers = office.parts.endings.diagnosis
    try:
        book = office.book(tid, merchant_id)
    except NotThere:
        return await answers.of_unknown(tid, merchant_id, seen_by=actor.merchant_id)
    return await answers.of(book, seen_by=actor.merchant_id)


@router.get("/terminals/{tid:path}/late-messages", response_model=Page[LateMessage])
async def late_messages(
    office: TheOffice, tid: Tid, cursor: Cursor, limit: Limit = PAGE, merchant_id: Merchant = None
) -> Json:
    """What a terminal sent while it was closed: refused, kept, and left to people."""
    return page_of(await office.parts.endings.export.late_messages(office.book(tid, merchant_id)), limit, cursor)


@router.get(
    "/terminals/{tid:path}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {JSON_LINES: {}, "text/csv": {}}, "description": "a record per line"}},
)
async def export(
    office: TheOffice,
    tid: Tid,
    merchant_id: Merchant = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format", description="JSON lines, or CSV")] = "json",
) -> StreamingResponse:
    """Everything of a terminal, to keep: the terminal, its settlements, vouchers, and its journal in order."""
    records = office.parts.endings.export.records(office.book(tid, merchant_id))
    if form == "csv":
        return StreamingResponse(as_csv(records), media_type=CSV)
    return StreamingResponse(as_json_lines(records), media_type=JSON_LINES)
