"""Who applied for a change of a merchant's account or holder, who may review it, and what a review writes down."""

from __future__ import annotations

from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.accounts.blockers import blocking_in_words
from pos_host.merchants.accounts.change_history import history_view, refusal_reasons, step
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Refused
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life


def applied_by(actor: Actor, applicant: str, papers: list[dict[str, Any]]) -> dict[str, Any]:
    """Who handed an application in, for whom, and with which papers: part of a change's record."""
    return {
        "submitted_by": actor.name,
        "applicant": plain_text("applicant", applicant or actor.name),
        "documents": [paper["document_id"] for paper in papers],
    }


def check_reviewer(actor: Actor, row: RecordRow, what: str) -> None:
    """Raise Forbidden when `actor` handed the change in, or applied for it; `what` says what needs somebody else."""
    body = body_of(row)
    check_other_person(actor, (body["submitted_by"], body["applicant"]), what)


def approval(actor: Actor, why: str) -> dict[str, Any]:
    """What an approval adds to a change's record."""
    return {"why": plain_text("why", why, needed=False), "reviewed_by": actor.name}


def rejection(actor: Actor, reasons: list[str]) -> dict[str, Any]:
    """What a rejection adds to a change's record; raises Refused (422) without a reason."""
    told = refusal_reasons(reasons)
    return {"reasons": told, "why": "; ".join(told), "reviewed_by": actor.name}


def refuse_blocked_review(actor: Actor, row: RecordRow, found: list[dict[str, Any]], now_ms: int) -> None:
    """Raise Refused where something blocks the approval; the change's history keeps the try, once for the same person
    and reasons however often it is repeated."""
    codes = ", ".join(blocker["code"] for blocker in found if blocker["blocks"])
    if not codes:
        return
    body = body_of(row)
    tried = step("approve_refused", actor.name, row.state, now_ms, codes)
    known = {**body["history"][-1], "at_ms": now_ms} == tried
    told = {**body, "history": [*body["history"], tried]}
    noted = record(row.kind, row.record_id, row.merchant_id, row.state, now_ms, told, row.due_at_ms)
    text = f"the settlement account cannot be changed: {blocking_in_words(found)}"
    raise Refused("blocked", text, rows=() if known else (noted,), blockers=found)


def review_view(row: RecordRow, life: Life, by_host: frozenset[str]) -> dict[str, Any]:
    """What every change shows of itself; `by_host` are steps of its life that nobody can ask for."""
    body = body_of(row)
    return {
        "change_id": row.record_id,
        "merchant_id": row.merchant_id,
        "state": row.state,
        "possible": [way for way in life.possible(row.state) if way not in by_host],
        "submitted_by": body["submitted_by"],
        "applicant": body["applicant"],
        "reviewed_by": body.get("reviewed_by"),
        "reasons": body.get("reasons", []),
        "documents": body["documents"],
        "history": history_view(body),
        "changed_at": iso_utc(row.changed_at_ms),
    }
