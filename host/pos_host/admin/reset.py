"""The path that makes a clean host between tests."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from pos_host.admin.api_router import api_router
from pos_host.admin.exchange_models import CleanHost
from pos_host.admin.queries import TheActor, TheOffice
from pos_host.clock import iso_utc
from pos_host.merchants.desk import Subject, Written
from pos_host.office import NotPossible, Office

router = api_router("tests")


@router.post("/reset", response_model=CleanHost)
async def reset(office: TheOffice, actor: TheActor, request: Request) -> dict[str, Any]:
    """Make the host what it was at its start: no terminals, batches, payouts, records, users or expectations, the rules
    of its rule files, a manual clock at its first time. Terminals' connections are closed. Only with a memory store."""
    await office.desk.act(actor, "host.reset", Subject("host"), lambda now_ms: Written())
    start_over = office.parts.start_over
    if start_over is None:
        raise NotPossible(
            "only a host with --store memory: can be reset, and with --mqtt off or its own broker, and no --connect"
        )
    await start_over()
    clean: Office = request.app.state.office
    return {"now": iso_utc(clean.parts.clock.now_ms()), "mark": clean.parts.pipeline.exchanges.count}
