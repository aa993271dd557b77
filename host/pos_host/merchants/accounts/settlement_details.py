"""Who a merchant's money goes to, with all that changes it, put together: accounts, holders, papers, complaints."""

from __future__ import annotations

from pos_host.journal import Journal
from pos_host.merchants.accounts.account_changes import AccountChanges
from pos_host.merchants.accounts.account_judging import AccountJudge, PolicyOf
from pos_host.merchants.accounts.accounts import Accounts
from pos_host.merchants.accounts.complaints import Complaints
from pos_host.merchants.accounts.documents import Documents
from pos_host.merchants.accounts.holder_changes import HolderChanges
from pos_host.merchants.accounts.holders import Holders
from pos_host.merchants.accounts.number_vault import NumberVault
from pos_host.merchants.accounts.right_requests import RightRequests
from pos_host.merchants.accounts.usage_rules import UsageRules
from pos_host.merchants.agenda import Agenda
from pos_host.merchants.desk import Desk


class SettlementDetails:
    """The services, over one desk. Without a `vault` no number and no paper is taken."""

    def __init__(
        self, desk: Desk, journal: Journal, policy_of: PolicyOf, vault: NumberVault | None, agenda: Agenda
    ) -> None:
        self.documents = Documents(desk, journal, vault)
        self.accounts = Accounts(desk, vault)
        self.usage_rules = UsageRules(desk, self.accounts.judged)
        judge = AccountJudge(desk, self.accounts, policy_of)
        self.account_changes = AccountChanges(desk, journal, self.accounts, judge)
        self.holders = Holders(desk, vault)
        self.holder_changes = HolderChanges(desk, journal, self.holders, judge, policy_of)
        self.complaints = Complaints(desk, self.account_changes, self.holder_changes)
        self.right_requests = RightRequests(desk)
        for source in (self.account_changes, self.holder_changes, self.right_requests):
            agenda.add(source)
