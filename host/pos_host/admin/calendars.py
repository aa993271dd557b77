"""The paths of the calendars of payouts, by scope: acquirer, merchant."""

from __future__ import annotations

from typing import Any

from pos_host.admin.agreement_models import Agreement, NewCalendar, RestoreSchedule, Version, Withdrawal
from pos_host.admin.agreements import TheScope
from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice

router = api_router("calendars")

Json = dict[str, Any]


@router.get("/calendars/{scope}", response_model=Agreement)
async def calendar(office: TheOffice, scope: TheScope) -> Json:
    """On which days a scope is paid: its own keys, and all of them with what is inherited."""
    return office.parts.terms.calendars.view(scope, office.now_ms())


@router.put("/calendars/{scope}", response_model=Version)
async def set_calendar(office: TheOffice, actor: TheActor, scope: TheScope, new: NewCalendar) -> Json:
    """Give a scope keys of its own, from today's business day or a later one on; what is due stays due."""
    return await office.parts.terms.calendars.put(actor, scope, new.values, new.valid_from, new.why)


@router.get("/calendars/{scope}/history", response_model=Page[Version])
async def calendar_history(office: TheOffice, scope: TheScope, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every version of a scope's calendar, the latest first."""
    return page_of(office.parts.terms.calendars.history(scope), limit, cursor)


@router.post("/calendars/{scope}/restore", response_model=Version)
async def restore_calendar(office: TheOffice, actor: TheActor, scope: TheScope, earlier: RestoreSchedule) -> Json:
    """Bring back an earlier version; it becomes a new one."""
    terms = office.parts.terms.calendars
    return await terms.restore(actor, scope, earlier.version, earlier.valid_from, earlier.why)


@router.post("/calendars/{scope}/withdraw", response_model=Version)
async def withdraw_calendar(office: TheOffice, actor: TheActor, scope: TheScope, planned: Withdrawal) -> Json:
    """Take back a version that has not begun."""
    return await office.parts.terms.calendars.withdraw(actor, scope, planned.version, planned.why)
