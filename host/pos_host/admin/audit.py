"""The path of the audit trail."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field

from pos_host.admin.answers import Answer, Instant, MerchantId, Page
from pos_host.admin.api_router import api_router
from pos_host.admin.instants import utc_ms
from pos_host.admin.queries import PAGE, Cursor, Limit, TheOffice

router = api_router("audit")

Result = Literal["done", "refused"]


class AuditEntry(Answer):
    """Who did or tried what. Each row's digest is over the row and the digest before it."""

    audit_no: int = Field(examples=[17])
    at: Instant
    actor: str = Field(examples=["li.wei"])
    role: str = Field(examples=["operator"])
    action: str = Field(examples=["terminal.settle"])
    subject: str = Field(examples=["terminal T0000001"])
    merchant_id: MerchantId | None
    result: Result
    reason: str = Field(description="what the actor gave, or why it was refused", examples=["shop closed early"])
    before: dict[str, Any] | None = Field(examples=[{"status": "active"}])
    after: dict[str, Any] | None = Field(examples=[{"status": "suspended"}])
    digest: str = Field(description="SHA-256, hexadecimal", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"])


# The merchant is `merchant` here and not `merchant_id`: what the acquirer's people did is not for its own token.
@router.get("/audit", response_model=Page[AuditEntry])
async def audit(
    office: TheOffice,
    cursor: Cursor,
    limit: Limit = PAGE,
    actor: Annotated[str | None, Query(description="only what this user did or tried")] = None,
    action: Annotated[str | None, Query(description="only this action", examples=["terminal.settle"])] = None,
    subject: Annotated[str | None, Query(description="only about this", examples=["terminal T0000001"])] = None,
    merchant: Annotated[str | None, Query(description="only about this merchant")] = None,
    result: Annotated[Result | None, Query(description="only what was done, or refused")] = None,
    since: Annotated[AwareDatetime | None, Query(description="not before; ISO 8601 with an offset")] = None,
    until: Annotated[AwareDatetime | None, Query(description="not after; ISO 8601 with an offset")] = None,
) -> dict[str, Any]:
    """The audit trail, the latest first; the cursor is a row's number."""
    named = {"actor": actor, "action": action, "subject": subject, "merchant_id": merchant, "result": result}
    return await office.audit(limit, cursor, named, utc_ms(since), utc_ms(until))
