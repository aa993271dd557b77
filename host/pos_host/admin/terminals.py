"""The paths of terminals and their batches."""

from __future__ import annotations

from typing import Any

from pos_host.admin.answers import Batch, Discrepancy, Page, Terminal
from pos_host.admin.api_router import api_router
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, BatchId, Cursor, Limit, Merchant, Of, TheActor, TheOffice, Tid

router = api_router("terminals and batches")

Json = dict[str, Any]


@router.get("/terminals", response_model=Page[Terminal])
async def terminals(office: TheOffice, cursor: Cursor, limit: Limit = PAGE, merchant_id: Merchant = None) -> Json:
    """Every terminal, in the order of enrolment."""
    return office.terminals(limit, cursor, merchant_id)


# A terminal id is any eight characters, a slash among them: `path` takes it, and the longer path comes first.
@router.get("/terminals/{tid:path}/batches", response_model=Page[Batch])
async def batches(
    office: TheOffice, tid: Tid, cursor: Cursor, limit: Limit = PAGE, merchant_id: Merchant = None
) -> Json:
    """A terminal's batches, newest first."""
    return await office.batches(tid, merchant_id, limit, cursor)


@router.post("/terminals/{tid:path}/settle", response_model=Batch)
async def settle(office: TheOffice, actor: TheActor, tid: Tid, merchant_id: Merchant = None) -> Json:
    """Close a terminal's batch from the host's own books, now; 409 with nothing to settle or during an upload."""
    return await office.settle(tid, merchant_id, actor)


@router.get("/terminals/{tid:path}", response_model=Terminal)
async def terminal(office: TheOffice, tid: Tid, merchant_id: Merchant = None) -> Json:
    """One terminal; 409 names the merchants when several have that terminal id."""
    return office.terminal(tid, merchant_id)


@router.get("/batches/{batch_id}", response_model=Batch)
async def batch(office: TheOffice, batch_id: BatchId, merchant_id: Of = None) -> Json:
    """One batch, the terminal's totals beside the host's."""
    return await office.batch(batch_id, merchant_id)


@router.get("/batches/{batch_id}/discrepancies", response_model=Page[Discrepancy])
async def discrepancies(
    office: TheOffice, batch_id: BatchId, cursor: Cursor, limit: Limit = PAGE, merchant_id: Of = None
) -> Json:
    """Where terminal and host differ in a batch; the cursor is a position."""
    return page_of((await office.discrepancies(batch_id, merchant_id))["items"], limit, cursor)


@router.get("/unsettled", response_model=Page[Terminal])
async def unsettled(office: TheOffice, cursor: Cursor, limit: Limit = PAGE, merchant_id: Of = None) -> Json:
    """Flagged terminals, worst first."""
    return office.unsettled(limit, cursor, merchant_id)
