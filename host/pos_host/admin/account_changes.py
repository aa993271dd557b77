"""The paths of settlement accounts, of what changes them, and of which account gets what."""

from __future__ import annotations

from typing import Any

from pos_host.admin.account_models import (
    Account,
    AccountChange,
    AccountChangeAsked,
    AccountGiven,
    Because,
    Blocker,
    Finding,
    LossReported,
    Number,
    RefusalReasons,
    RestoreAsked,
    UsageRulesAsked,
    UsageRulesVersion,
    Why,
)
from pos_host.admin.answers import Page
from pos_host.admin.api_router import api_router
from pos_host.admin.merchants import Mid
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice

router = api_router("settlement accounts")

Json = dict[str, Any]
ACCOUNTS = "/merchants/{mid:path}/settlement-accounts"
RULES = "/merchants/{mid:path}/settlement-account/usage-rules"
CHANGES = "/merchants/{mid:path}/settlement-account-changes"


@router.get(ACCOUNTS, response_model=Page[Account])
async def accounts(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's accounts, former ones among them, the oldest first."""
    return page_of(office.parts.details.accounts.of_merchant(mid), limit, cursor)


@router.post(ACCOUNTS, response_model=Account)
async def record_account(office: TheOffice, actor: TheActor, mid: Mid, given: AccountGiven) -> Json:
    """Enter the account a merchant begins with; 409 where it has one, which changes by an application."""
    return await office.parts.details.accounts.record_first(actor, mid, given.given())


@router.post(ACCOUNTS + "/{number}/freeze", response_model=Account)
async def freeze(office: TheOffice, actor: TheActor, mid: Mid, number: Number, because: Because) -> Json:
    """Pay nothing to an account until it is released."""
    return await office.parts.details.accounts.freeze(actor, mid, number, because.why)


@router.post(ACCOUNTS + "/{number}/release", response_model=Account)
async def release(office: TheOffice, actor: TheActor, mid: Mid, number: Number, because: Because) -> Json:
    """Pay to a frozen account again; 403 for who froze it."""
    return await office.parts.details.accounts.release(actor, mid, number, because.why)


@router.post(ACCOUNTS + "/{number}/close", response_model=Account)
async def close(office: TheOffice, actor: TheActor, mid: Mid, number: Number, because: Because) -> Json:
    """Note that the bank has closed an account."""
    return await office.parts.details.accounts.close(actor, mid, number, because.why)


@router.post("/merchants/{mid:path}/settlement-account/report-loss", response_model=LossReported)
async def report_loss(office: TheOffice, actor: TheActor, mid: Mid, because: Because) -> Json:
    """Freeze the active account at once: payouts go to the standby, or are held."""
    return await office.parts.details.accounts.report_loss(actor, mid, because.why)


@router.get(RULES, response_model=Page[UsageRulesVersion])
async def usage_rules(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """Every version of which account gets what; the last one whose day has come holds."""
    return page_of(office.parts.details.usage_rules.of_merchant(mid), limit, cursor)


@router.put(RULES, response_model=UsageRulesVersion)
async def set_usage_rules(office: TheOffice, actor: TheActor, mid: Mid, asked: UsageRulesAsked) -> Json:
    """Have new rules hold from a day on."""
    rules = [shape.rule() for shape in asked.rules]
    return await office.parts.details.usage_rules.set(actor, mid, asked.valid_from, rules, asked.why)


@router.post(RULES + "/{number}/restore", response_model=UsageRulesVersion)
async def restore_usage_rules(office: TheOffice, actor: TheActor, mid: Mid, number: Number, asked: RestoreAsked) -> Any:
    """Have an earlier version hold again, as a new one."""
    return await office.parts.details.usage_rules.restore(actor, mid, number, asked.valid_from, asked.why)


@router.get(CHANGES + "/blockers", response_model=Page[Blocker])
async def blockers(office: TheOffice, actor: TheActor, mid: Mid) -> Json:
    """Every reason why the account cannot be changed now, before a new one is named."""
    return {"items": office.parts.details.account_changes.blockers(actor, mid), "next_cursor": None}


@router.post(CHANGES + "/check", response_model=Page[Blocker])
async def check(office: TheOffice, actor: TheActor, mid: Mid, asked: AccountChangeAsked) -> Json:
    """Every reason against an application, which is not handed in by this."""
    return {"items": office.parts.details.account_changes.check(actor, mid, asked.asked()), "next_cursor": None}


@router.get(CHANGES, response_model=Page[AccountChange])
async def changes(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """A merchant's changes, the oldest first."""
    return page_of(office.parts.details.account_changes.of_merchant(mid), limit, cursor)


@router.post(CHANGES, response_model=AccountChange)
async def apply(office: TheOffice, actor: TheActor, mid: Mid, asked: AccountChangeAsked) -> Json:
    """Apply for a new account; 409 `blocked` tells every reason at once in `blockers`."""
    return await office.parts.details.account_changes.apply(actor, mid, asked.asked())


@router.get(CHANGES + "/{number}", response_model=AccountChange)
async def change(office: TheOffice, mid: Mid, number: Number) -> Json:
    """One change, and how its test transactions stand."""
    return await office.parts.details.account_changes.show(mid, number)


@router.post(CHANGES + "/{number}/approve", response_model=AccountChange)
async def approve(office: TheOffice, actor: TheActor, mid: Mid, number: Number, why: Why | None = None) -> Json:
    """Agree to a change; 403 for who applied for it."""
    return await office.parts.details.account_changes.approve(actor, mid, number, _why(why))


@router.post(CHANGES + "/{number}/reject", response_model=AccountChange)
async def reject(office: TheOffice, actor: TheActor, mid: Mid, number: Number, refusal: RefusalReasons) -> Json:
    """Refuse a change, with reasons."""
    return await office.parts.details.account_changes.reject(actor, mid, number, refusal.reasons)


@router.post(CHANGES + "/{number}/withdraw", response_model=AccountChange)
async def withdraw(office: TheOffice, actor: TheActor, mid: Mid, number: Number, why: Why | None = None) -> Json:
    """Take an application back before anything was changed."""
    return await office.parts.details.account_changes.withdraw(actor, mid, number, _why(why))


@router.post(CHANGES + "/{number}/activate", response_model=AccountChange)
async def activate(office: TheOffice, actor: TheActor, mid: Mid, number: Number) -> Json:
    """Put the new account in place; each terminal takes it at its next sign-in or parameter download."""
    return await office.parts.details.account_changes.activate(actor, mid, number)


@router.post(CHANGES + "/{number}/complete", response_model=AccountChange)
async def complete(office: TheOffice, actor: TheActor, mid: Mid, number: Number) -> Json:
    """End a change; 409 until its test transactions were paid to the new account."""
    return await office.parts.details.account_changes.complete(actor, mid, number)


@router.post(CHANGES + "/{number}/roll-back", response_model=AccountChange)
async def roll_back(office: TheOffice, actor: TheActor, mid: Mid, number: Number, because: Because) -> Json:
    """Put the account before back in its place."""
    return await office.parts.details.account_changes.roll_back(actor, mid, number, because.why)


@router.post(CHANGES + "/{number}/audit", response_model=AccountChange)
async def audit(office: TheOffice, actor: TheActor, mid: Mid, number: Number, finding: Finding) -> Json:
    """Note what was found when the first payouts to the new account were looked through."""
    return await office.parts.details.account_changes.audit(actor, mid, number, finding.finding)


def _why(why: Why | None) -> str:
    return "" if why is None else why.why
