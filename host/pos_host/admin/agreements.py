"""The paths of settlement policies and fee schedules, by scope: acquirer, merchant, terminal."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from pos_host.admin.agreement_models import (
    Agreement,
    Level,
    NewPolicy,
    NewSchedule,
    RestorePolicy,
    RestoreSchedule,
    Version,
    Withdrawal,
)
from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.own_rows import refuse_to_show
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.merchants.desk import Refused
from pos_host.merchants.versions import Scope

router = api_router()

Json = dict[str, Any]
POLICIES: list[str | Enum] = ["settlement policies"]
SCHEDULES: list[str | Enum] = ["fee schedules"]


async def _scope(
    request: Request,
    office: TheOffice,
    actor: TheActor,
    scope: Level,
    merchant_id: Annotated[str | None, Query(description="for the scopes merchant and terminal")] = None,
    terminal_id: Annotated[str | None, Query(description="for the scope terminal")] = None,
) -> Scope:
    """What the path and the query name together; raises Refused where they do not fit."""
    if scope == "acquirer":
        if actor.role == "merchant":
            await refuse_to_show(request, actor, office, f"{actor.name} sees merchant {actor.merchant_id} only")
        return Scope()
    if not merchant_id or (scope == "terminal") != bool(terminal_id):
        needed = "merchant_id and terminal_id" if scope == "terminal" else "merchant_id and no terminal_id"
        raise Refused("scope_not_whole", f"the scope {scope} needs {needed}", status=422)
    return Scope(merchant_id, terminal_id or "")


TheScope = Annotated[Scope, Depends(_scope)]


@router.get("/policies/{scope}", response_model=Agreement, tags=POLICIES)
async def policy(office: TheOffice, scope: TheScope) -> Json:
    """The settlement policy of a scope: its own keys, and all of them with what is inherited."""
    return office.parts.terms.policies.view(scope, office.now_ms())


@router.put("/policies/{scope}", response_model=Version, tags=POLICIES)
async def set_policy(office: TheOffice, actor: TheActor, scope: TheScope, new: NewPolicy) -> Json:
    """Give a scope keys of its own, now or from an instant on; nothing that was closed before changes."""
    return await office.parts.terms.policies.put(actor, scope, new.values, new.valid_from, new.why)


@router.get("/policies/{scope}/history", response_model=Page[Version], tags=POLICIES)
async def policy_history(office: TheOffice, scope: TheScope, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every version of a scope's policy, the latest first."""
    return page_of(office.parts.terms.policies.history(scope), limit, cursor)


@router.post("/policies/{scope}/restore", response_model=Version, tags=POLICIES)
async def restore_policy(office: TheOffice, actor: TheActor, scope: TheScope, earlier: RestorePolicy) -> Json:
    """Bring back an earlier version; it becomes a new one."""
    return await office.parts.terms.policies.restore(actor, scope, earlier.version, earlier.valid_from, earlier.why)


@router.post("/policies/{scope}/withdraw", response_model=Version, tags=POLICIES)
async def withdraw_policy(office: TheOffice, actor: TheActor, scope: TheScope, planned: Withdrawal) -> Json:
    """Take back a version that has not begun."""
    return await office.parts.terms.policies.withdraw(actor, scope, planned.version, planned.why)


@router.get("/fee-schedules/{scope}", response_model=Agreement, tags=SCHEDULES)
async def schedule(office: TheOffice, scope: TheScope) -> Json:
    """The fee schedule of a scope: its own rules, and all that apply with what is inherited."""
    return office.parts.terms.fee_schedules.view(scope, office.now_ms())


@router.put("/fee-schedules/{scope}", response_model=Version, tags=SCHEDULES)
async def set_schedule(office: TheOffice, actor: TheActor, scope: TheScope, new: NewSchedule) -> Json:
    """Give a scope rules of its own, from today's business day or a later one on."""
    return await office.parts.terms.fee_schedules.put(actor, scope, new.values, new.valid_from, new.why)


@router.get("/fee-schedules/{scope}/history", response_model=Page[Version], tags=SCHEDULES)
async def schedule_history(office: TheOffice, scope: TheScope, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every version of a scope's fee schedule, the latest first."""
    return page_of(office.parts.terms.fee_schedules.history(scope), limit, cursor)


@router.post("/fee-schedules/{scope}/restore", response_model=Version, tags=SCHEDULES)
async def restore_schedule(office: TheOffice, actor: TheActor, scope: TheScope, earlier: RestoreSchedule) -> Json:
    """Bring back an earlier version; it becomes a new one."""
    terms = office.parts.terms.fee_schedules
    return await terms.restore(actor, scope, earlier.version, earlier.valid_from, earlier.why)


@router.post("/fee-schedules/{scope}/withdraw", response_model=Version, tags=SCHEDULES)
async def withdraw_schedule(office: TheOffice, actor: TheActor, scope: TheScope, planned: Withdrawal) -> Json:
    """Take back a version that has not begun."""
    return await office.parts.terms.fee_schedules.withdraw(actor, scope, planned.version, planned.why)
