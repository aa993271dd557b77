"""The paths of scenario rules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.admin.rule_models import Hit, Rule, RuleDocument, Rules, RuleSet

router = api_router("rules")

Json = dict[str, Any]
RuleId = Annotated[str, Path(min_length=1, max_length=64, description="the rule's id", examples=["no-funds"])]


@router.get("/rules", response_model=Rules)
async def rules(office: TheOffice, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every rule in the order in which rules are asked, with how often it matched and acted."""
    changes = office.parts.rule_changes
    return {**page_of(changes.rules(), limit, cursor), "seed": changes.seed}


@router.put("/rules", response_model=Rules)
async def replace(office: TheOffice, actor: TheActor, given: RuleSet) -> Json:
    """Have these rules and no others; all counts begin anew."""
    changes = office.parts.rule_changes
    made = await changes.replace(actor, given.rules, given.seed)
    return {"items": made, "next_cursor": None, "seed": changes.seed}


@router.delete("/rules", response_model=Rules)
async def clear(office: TheOffice, actor: TheActor) -> Json:
    """Forget all rules."""
    changes = office.parts.rule_changes
    made = await changes.replace(actor, [], None)
    return {"items": made, "next_cursor": None, "seed": changes.seed}


@router.post("/rules", response_model=Rule)
async def add(office: TheOffice, actor: TheActor, rule: RuleDocument) -> Json:
    """Put a rule behind the others; without an id it gets one."""
    return await office.parts.rule_changes.add(actor, rule)


@router.delete("/rules/{id}", response_model=Rule)
async def remove(office: TheOffice, actor: TheActor, id: RuleId) -> Json:
    """Forget a rule; the answer is what it was."""
    return await office.parts.rule_changes.remove(actor, id)


@router.post("/rules/{id}/enable", response_model=Rule)
async def enable(office: TheOffice, actor: TheActor, id: RuleId) -> Json:
    """Have a rule act; one that had acted as often as it may begins anew."""
    return await office.parts.rule_changes.enable(actor, id, wanted=True)


@router.post("/rules/{id}/disable", response_model=Rule)
async def disable(office: TheOffice, actor: TheActor, id: RuleId) -> Json:
    """Have a rule act no more, and count nothing."""
    return await office.parts.rule_changes.enable(actor, id, wanted=False)


@router.get("/rules/{id}/hits", response_model=Page[Hit])
async def hits(office: TheOffice, id: RuleId, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """The latest requests on which a rule acted, the newest first."""
    return page_of(office.parts.rule_changes.hits(id), limit, cursor)
