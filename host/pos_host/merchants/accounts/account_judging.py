"""What stands against a change of a merchant's account, gathered for the one who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.accounts import Accounts
from pos_host.merchants.accounts.blockers import Proposal, Situation, blockers_of, is_of_another
from pos_host.merchants.accounts.change_rules import ChangeRules, shipped_change_rules
from pos_host.merchants.accounts.documents import DOCUMENT, cited
from pos_host.merchants.accounts.given_account import GivenAccount
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused
from pos_host.settlement.business_day import local_datetime
from pos_host.settlement.policy import Policy

PolicyOf = Callable[[str], Policy]
"""The settlement policy of a merchant, by its number, as it holds now: its time zone is the merchant's."""

APPLY, APPLY_FOR_HOLDER = "account_change.apply", "holder_change.apply"


class AccountJudge:
    """Looks at a merchant, with or without an application. `policy_of` says which day it is there."""

    def __init__(self, desk: Desk, accounts: Accounts, policy_of: PolicyOf, changes: ChangeRules | None = None) -> None:
        self._desk = desk
        self._accounts = accounts
        self._policy_of = policy_of
        self._changes = changes

    @property
    def changes(self) -> ChangeRules:
        """Limits, times and papers of changes."""
        return self._changes or shipped_change_rules()

    def of_merchant(self, actor: Actor, merchant_id: str) -> list[dict[str, Any]]:
        """Every reason that lies with the merchant; papers count that are on record."""
        on_record = self._desk.records.of_kind(DOCUMENT, merchant_id)
        papers = frozenset(str(body_of(row)["kind"]) for row in on_record)
        return blockers_of(self._situation(actor, merchant_id, None, papers, ""))

    def of_application(
        self, actor: Actor, merchant_id: str, given: GivenAccount, asked: AccountApplication
    ) -> list[dict[str, Any]]:
        """Every reason that lies with the merchant or with the account that is wanted."""
        if asked.role not in ("active", "standby"):
            raise Refused("invalid_application", "role: must be active or standby", status=422)
        papers = frozenset(str(p["kind"]) for p in cited(self._desk.records, merchant_id, asked.documents))
        proposal = Proposal(
            print=self._accounts.print_of(given.number),
            number_fault=self._accounts.rules.number_fault(given.number, given.account_type),
            bank=given.bank,
            account_type=given.account_type,
            holder=given.holder,
            expires_on=given.expires_on,
        )
        return blockers_of(self._situation(actor, merchant_id, proposal, papers, ""))

    def again(self, actor: Actor, change: RecordRow, account: RecordRow) -> list[dict[str, Any]]:
        """What came up since an application was taken, of the reasons that are looked at again."""
        body = body_of(account)
        proposal = Proposal(
            body["number_print"], "", body["bank"], body["account_type"], body["holder"], body["expires_on"]
        )
        but = f"{change.kind} {change.record_id}"
        return blockers_of(self._situation(actor, change.merchant_id, proposal, frozenset(), but), again=True)

    def of_holder_change(self, actor: Actor, merchant_id: str, documents: Iterable[str]) -> list[dict[str, Any]]:
        """Every reason against a change of the merchant's settlement holder."""
        papers = frozenset(str(p["kind"]) for p in cited(self._desk.records, merchant_id, documents))
        situation = self._situation(actor, merchant_id, None, papers, "")._replace(
            allowed=self._desk.allows(actor, APPLY_FOR_HOLDER, merchant_id),
            needed_papers=self.changes.documents_of_holder_change,
        )
        return blockers_of(situation, of_holder=True)

    def _situation(
        self, actor: Actor, merchant_id: str, proposal: Proposal | None, papers: frozenset[str], but: str
    ) -> Situation:
        registry, now_ms = self._desk.registry, self._desk.clock.now_ms()
        if not registry.knows_merchant(merchant_id):
            raise Refused("no_such_merchant", f"merchant {merchant_id} is not known", status=404)
        needed = self.changes.documents_of_account_change
        if proposal is not None and is_of_another(registry, merchant_id, proposal.holder):
            needed = (*needed, *self.changes.documents_of_another)
        return Situation(
            registry=registry,
            merchant_id=merchant_id,
            now_ms=now_ms,
            today=local_datetime(self._policy_of(merchant_id), now_ms).date(),
            allowed=self._desk.allows(actor, APPLY, merchant_id),
            accounts=self._accounts.rules,
            changes=self.changes,
            proposal=proposal,
            papers=papers,
            needed_papers=needed,
            but=but,
        )
