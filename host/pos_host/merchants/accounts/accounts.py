"""The accounts a merchant is paid to, and which of them a payout goes to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from pos_host.clock import iso_utc
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.accounts.account_numbers import AccountRules, mask_identity, mask_number, shipped_account_rules
from pos_host.merchants.accounts.change_rules import shipped_change_rules
from pos_host.merchants.accounts.given_account import GivenAccount, checked
from pos_host.merchants.accounts.number_vault import NumberVault, needed
from pos_host.merchants.accounts.usage_rules import account_by_rule
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.four_eyes import check_other_person
from pos_host.merchants.free_text import plain_text
from pos_host.merchants.lives import Life

ACCOUNT = "account"

ACCOUNT_LIFE = Life(
    "settlement_account",
    "proposed",
    {
        "proposed": {"activate": "active", "keep_as_standby": "standby", "discard": "discarded"},
        "active": {"freeze": "frozen", "replace": "former", "close": "closed"},
        "standby": {"freeze": "frozen_standby", "replace": "former", "close": "closed"},
        "frozen": {"release": "active", "replace": "former_frozen", "close": "closed"},
        "frozen_standby": {"release": "standby", "replace": "former_frozen", "close": "closed"},
        "former": {"activate": "active", "keep_as_standby": "standby", "close": "closed"},
        "former_frozen": {"activate": "frozen", "keep_as_standby": "frozen_standby", "close": "closed"},
        "discarded": {},
        "closed": {},
    },
)

IN_PLACE = ("active", "frozen")
"""States of the one account that a merchant has as its own."""

STANDING_BY = ("standby", "frozen_standby")
"""States of the account that is paid where the one in place is frozen, or the bank has closed it."""

KNOWN_TO_BANK = ("active", "standby", "frozen", "frozen_standby")
"""States of accounts that belong to their merchant and to no other."""


class Paying(NamedTuple):
    """Where a payout goes: an account and its masked number, or why it is held. Without either the host knows no
    account of the merchant and pays all the same, as a host does whose merchants nobody entered."""

    account_id: str
    masked: str
    hold_reasons: tuple[str, ...] = ()


class Accounts:
    """All settlement accounts. `judge_again` is told of a merchant whose payouts may be free now, or not any more."""

    def __init__(self, desk: Desk, vault: NumberVault | None, rules: AccountRules | None = None) -> None:
        self._desk = desk
        self._vault = vault
        self._rules = rules
        self.judge_again: Callable[[str], Awaitable[None]] | None = None

    @property
    def rules(self) -> AccountRules:
        """The banks and types of account that this acquirer pays to."""
        return self._rules or shipped_account_rules()

    # -- where the money goes

    def payout_account(self, merchant_id: str, product: str, day: date, amount_minor: int) -> Paying:
        """The account that is paid on `day`, or the reasons why nothing is paid.

        `product` is "" where a payout is of several; `amount_minor` is what would be paid.
        """
        records = self._desk.records
        if not records.of_kind(ACCOUNT, merchant_id):
            return Paying("", "")
        held = _held_by_change(records, merchant_id)
        if held:
            return Paying("", "", held)
        ruled = account_by_rule(records, merchant_id, product, day, amount_minor)
        row = records.find(ACCOUNT, ruled) if ruled else account_in_place(records, merchant_id)
        if row is None or row.state == "frozen":
            row = _standby(records, merchant_id) or row
        if row is None:
            return Paying("", "", ("no_account",))
        reason = _why_not(row, day)
        return Paying("", "", (reason,)) if reason else Paying(row.record_id, body_of(row)["masked"])

    # -- what is done to them

    def proposed(self, account_id: str, merchant_id: str, given: GivenAccount, now_ms: int) -> RecordRow:
        """The row of an account that an application names, sealed. Raises Refused without a sealing key."""
        vault = needed(self._vault)
        number = vault.sealed(given.number, f"account {account_id}")
        identity = vault.sealed(given.holder_identity, f"holder of account {account_id}")
        bank = self.rules.banks.get(given.bank)
        body = {
            "number_sealed": number.sealed,
            "number_print": number.print,
            "masked": mask_number(given.number),
            "bank": given.bank,
            "bank_name": "" if bank is None else bank.name,
            "account_type": given.account_type,
            "holder": given.holder,
            "identity_sealed": identity.sealed,
            "identity_print": identity.print,
            "identity_masked": mask_identity(given.holder_identity),
            "expires_on": given.expires_on,
        }
        return record(ACCOUNT, account_id, merchant_id, ACCOUNT_LIFE.initial, now_ms, body)

    def shown(self, given: GivenAccount) -> dict[str, Any]:
        """What may be seen of an account that is not taken: its number masked, no bank that this acquirer does not
        know (it may be a number in the wrong place)."""
        return {
            "number": mask_number(given.number),
            "bank": given.bank if given.bank in self.rules.banks else "",
            "account_type": given.account_type,
            "holder": given.holder,
            "expires_on": given.expires_on or None,
        }

    def print_of(self, number: str) -> str:
        """By which an account is found again; "" without a sealing key."""
        return "" if self._vault is None else self._vault.print_of(number)

    async def record_first(self, actor: Actor, merchant_id: str, given: GivenAccount) -> dict[str, Any]:
        """Enter the account a merchant begins with; gives its view. Raises Refused where it has one already: then an
        account changes by an application that somebody else approves."""

        def decide(now_ms: int) -> Written:
            records = self._desk.records
            self._check_merchant(merchant_id)
            if records.of_kind(ACCOUNT, merchant_id):
                raise Refused("has_account", f"merchant {merchant_id} has an account: apply for a change of it")
            plain = checked(given, self.rules)
            _check_taken(plain, self.rules)
            made = self.proposed(records.next_id(ACCOUNT), merchant_id, plain, now_ms)
            row = moved_account(made, "activate", now_ms)
            view = account_view(row)
            return Written((row,), (Told("settlement_account.recorded", 0, view),), after=view, answer=view)

        return await self._act(actor, "account.record", Subject("settlement account", merchant_id), decide)

    async def freeze(self, actor: Actor, merchant_id: str, account_id: str, why: str) -> dict[str, Any]:
        """Pay nothing to an account until it is released; gives its view."""
        return await self._move(actor, merchant_id, account_id, "freeze", why, {"frozen_by": actor.name})

    async def release(self, actor: Actor, merchant_id: str, account_id: str, why: str) -> dict[str, Any]:
        """Pay to a frozen account again; somebody else does it than froze it."""
        return await self._move(actor, merchant_id, account_id, "release", why, {"frozen_by": "", "lost": False})

    async def close(self, actor: Actor, merchant_id: str, account_id: str, why: str) -> dict[str, Any]:
        """Note that the bank closed an account: it never comes back."""
        return await self._move(actor, merchant_id, account_id, "close", why, {})

    async def report_loss(self, actor: Actor, merchant_id: str, why: str) -> dict[str, Any]:
        """Freeze the account in place at once, as it was lost or is invalid.

        Gives its view and where payouts go from now on; an application for a new one is not held up by what waits.
        """

        def decide(now_ms: int) -> Written:
            row = account_in_place(self._desk.records, merchant_id)
            if row is None:
                raise Refused("no_account", f"merchant {merchant_id} has no account in place", status=404)
            reason = plain_text("why", why)
            extra = {"frozen_because": reason, "frozen_by": actor.name, "lost": True}
            before = account_view(row)
            lost = moved_account(row, "freeze", now_ms, extra) if row.state == "active" else _with(row, now_ms, extra)
            view = account_view(lost)
            standby = _standby(self._desk.records, merchant_id)
            goes = "held" if standby is None else "standby"
            answer = {
                "account": view,
                "payouts": goes,
                "standby": None if standby is None else account_view(standby),
                "next": f"POST /api/v1/merchants/{merchant_id}/settlement-account-changes",
            }
            told = (Told("settlement_account.lost", 0, {**view, "payouts": goes}),)
            return Written((lost,), told, before=before, after=view, answer=answer)

        return await self._act(actor, "account.report_loss", Subject("settlement account", merchant_id), decide)

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """Views of a merchant's accounts, former ones too, the oldest first."""
        return [account_view(row) for row in self._desk.records.of_kind(ACCOUNT, merchant_id)]

    async def _move(
        self, actor: Actor, merchant_id: str, account_id: str, way: str, why: str, extra: dict[str, Any]
    ) -> dict[str, Any]:
        def decide(now_ms: int) -> Written:
            row = self._desk.records.find(ACCOUNT, account_id)
            if row is None or row.merchant_id != merchant_id:
                raise Refused("no_such_account", f"merchant {merchant_id} has no account {account_id}", status=404)
            reason = plain_text("why", why)
            if way == "release":
                check_other_person(actor, [body_of(row).get("frozen_by", "")], "releasing an account")
            noted = {**extra, "frozen_because": "" if way == "release" else reason}
            moved = moved_account(row, way, now_ms, noted)
            view = account_view(moved)
            told = (Told(f"settlement_account.{_PAST[way]}", 0, view),)
            return Written((moved,), told, before=account_view(row), after=view, answer=view)

        subject = Subject(f"settlement account {account_id}", merchant_id)
        return await self._act(actor, f"account.{way}", subject, decide, why)

    async def _act(
        self, actor: Actor, action: str, subject: Subject, decide: Callable[[int], Written], why: str = ""
    ) -> dict[str, Any]:
        judged = partial(self.judged, subject.merchant_id)
        answer: dict[str, Any] = await self._desk.act(actor, action, subject, decide, _quiet(why), judged)
        return answer

    async def judged(self, merchant_id: str) -> None:
        """Have the merchant's open payouts looked at again."""
        if self.judge_again is not None:
            await self.judge_again(merchant_id)

    def _check_merchant(self, merchant_id: str) -> None:
        if not self._desk.registry.knows_merchant(merchant_id):
            raise Refused("no_such_merchant", f"merchant {merchant_id} is not known", status=404)


def _check_taken(given: GivenAccount, rules: AccountRules) -> None:
    """Raise Refused (422) for an account that this acquirer pays to nobody."""
    if given.bank not in rules.banks:
        reason = f"account.bank: this acquirer does not pay to that bank, but to {', '.join(rules.banks)}"
        raise Refused("bank_not_supported", reason, status=422)
    if not rules.type_allowed(given.account_type, given.bank):
        allowed = ", ".join(rules.types_at(given.bank))
        reason = f"account.account_type: is not one merchants are paid to at that bank; these are: {allowed}"
        raise Refused("account_type_not_allowed", reason, status=422)
    if fault := rules.number_fault(given.number, given.account_type):
        raise Refused("account_number_invalid", f"account.number: {fault}", status=422)


_PAST = {"freeze": "frozen", "release": "released", "close": "closed"}


def account_in_place(records: Records, merchant_id: str) -> RecordRow | None:
    """The account that a merchant has as its own, active or frozen."""
    return next((row for row in records.of_kind(ACCOUNT, merchant_id) if row.state in IN_PLACE), None)


def moved_account(row: RecordRow, way: str, now_ms: int, extra: dict[str, Any] | None = None) -> RecordRow:
    """The account after a step of its life; raises NotNow where the life has no such step."""
    return _with(row, now_ms, extra or {})._replace(state=ACCOUNT_LIFE.after(row.state, way))


def account_view(row: RecordRow) -> dict[str, Any]:
    """An account as everybody may see it who may see the merchant: its numbers masked."""
    body = body_of(row)
    return {
        "account_id": row.record_id,
        "merchant_id": row.merchant_id,
        "state": row.state,
        "number": body["masked"],
        "bank": body["bank"],
        "bank_name": body["bank_name"],
        "account_type": body["account_type"],
        "holder": body["holder"],
        "holder_identity": body["identity_masked"],
        "expires_on": body["expires_on"] or None,
        "frozen_because": body.get("frozen_because") or None,
        "lost": bool(body.get("lost")),
        "changed_at": iso_utc(row.changed_at_ms),
    }


def _with(row: RecordRow, now_ms: int, extra: dict[str, Any]) -> RecordRow:
    body = {**body_of(row), **extra}
    return record(ACCOUNT, row.record_id, row.merchant_id, row.state, now_ms, body, row.due_at_ms)


def _standby(records: Records, merchant_id: str) -> RecordRow | None:
    return next((row for row in records.of_kind(ACCOUNT, merchant_id) if row.state == "standby"), None)


def _held_by_change(records: Records, merchant_id: str) -> tuple[str, ...]:
    """Why payouts wait for a change that is under way."""
    held_in = shipped_change_rules().payouts_held_in
    rows = records.of_kind("account_change", merchant_id)
    return ("account_under_change",) if any(row.state in held_in for row in rows) else ()


def _why_not(row: RecordRow, day: date) -> str:
    """Why an account is not paid to; "" when it is."""
    if row.state not in ("active", "standby"):
        return {"frozen": "account_frozen", "frozen_standby": "account_frozen"}.get(row.state, "account_closed")
    expires_on = body_of(row)["expires_on"]
    return "account_expired" if expires_on and date.fromisoformat(expires_on) < day else ""


def _quiet(why: str) -> str:
    """A reason for the audit trail; what cannot be kept is refused where the action is decided."""
    try:
        return plain_text("why", why, needed=False)
    except Refused:
        return ""
