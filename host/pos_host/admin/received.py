"""The paths of what the host received."""

from __future__ import annotations

from typing import Any

from pos_host.admin.api_router import api_router
from pos_host.admin.exchange_models import Marked, Received, Since, TheWanted
from pos_host.admin.exchange_pages import exchange_page, fitting
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.exchange_views import received_view
from pos_host.merchants.desk import Subject, Written

router = api_router("tests")


@router.get("/received", response_model=Received, response_model_exclude_unset=True)
async def received(
    office: TheOffice, wanted: TheWanted, cursor: Cursor, since: Since = 0, limit: Limit = PAGE
) -> dict[str, Any]:
    """What was received since a mark, or the last DELETE, and fits the conditions, oldest first; a thousand
    exchanges are known."""
    exchanges = office.parts.pipeline.exchanges
    mark = exchanges.count
    return await exchange_page(await fitting(exchanges.since(since), wanted), limit, cursor, received_view, mark)


@router.delete("/received", response_model=Marked)
async def forget(office: TheOffice, actor: TheActor) -> Any:
    """Have `received`, and expectations that are made from now on, begin anew; the books stay as they are."""

    def forget_all(now_ms: int) -> Written:
        return Written(answer={"mark": office.parts.pipeline.exchanges.forget()})

    return await office.desk.act(actor, "received.forget", Subject("received"), forget_all)
