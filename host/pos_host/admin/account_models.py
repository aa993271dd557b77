"""The shapes of settlement accounts and their changes, asked and answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pos_host.admin.answers import Answer, Instant, MerchantId
from pos_host.merchants.accounts.account_application import AccountApplication
from pos_host.merchants.accounts.account_changes import ACCOUNT_CHANGE_LIFE
from pos_host.merchants.accounts.account_numbers import NUMBER_MOST
from pos_host.merchants.accounts.given_account import HOLDER_MOST, IDENTITY_MOST, GivenAccount
from pos_host.merchants.accounts.usage_rules import RULES_MOST, UsageRule
from pos_host.merchants.free_text import TEXT_MOST

SPACED_MOST = 2 * NUMBER_MOST
"""Characters of a number as people write it, in groups."""

CITED_MOST = 20
"""Papers that one application names."""

DocumentId = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of a paper handed in before", examples=["9f" * 32])
]
MaskedNumber = Annotated[str, Field(description="all but the last four masked", examples=["***************6789"])]
Number = Annotated[str, Path(pattern="^[0-9]{1,18}$", description="its number, as the list gives it", examples=["1"])]
AccountId = Annotated[str, Field(pattern="^[0-9]{1,18}$", examples=["1"])]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2030-12-31"])]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_MOST)]
OptionalText = Annotated[str, Field(max_length=TEXT_MOST)]


class Asked(BaseModel):
    """A body; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class AccountGiven(Asked):
    """Where to be paid; numbers are masked everywhere from here on."""

    number: SecretStr = Field(min_length=1, max_length=SPACED_MOST, examples=["6217000012345678907"])
    bank: str = Field(min_length=1, max_length=IDENTITY_MOST, description="the bank's code", examples=["102"])
    account_type: str = Field(min_length=1, max_length=IDENTITY_MOST, examples=["personal"])
    holder: str = Field(min_length=1, max_length=HOLDER_MOST, examples=["Zhang San"])
    holder_identity: SecretStr = Field(min_length=1, max_length=IDENTITY_MOST, examples=["11010519491231002X"])
    expires_on: Day | None = None

    def given(self) -> GivenAccount:
        """The same for the service."""
        return GivenAccount(
            number=self.number.get_secret_value(),
            bank=self.bank,
            account_type=self.account_type,
            holder=self.holder,
            holder_identity=self.holder_identity.get_secret_value(),
            expires_on=self.expires_on or "",
        )


class AccountChangeAsked(Asked):
    """An application for a new settlement account."""

    account: AccountGiven
    documents: list[DocumentId] = Field(default_factory=list, max_length=CITED_MOST)
    role: Literal["active", "standby"] = Field("active", description="standby: kept for the day the other is lost")
    reason: OptionalText = Field("", examples=["we changed our bank"])
    applicant: str = Field("", max_length=HOLDER_MOST, description="who applies, where not who asks")

    def asked(self) -> AccountApplication:
        """The same for the service."""
        return AccountApplication(self.account.given(), tuple(self.documents), self.role, self.reason, self.applicant)


class Why(Asked):
    """Why, where it need not be said."""

    why: OptionalText = Field("", examples=["the papers are in order"])


class Because(Asked):
    """Why; it has to be said."""

    why: Text = Field(examples=["the card was stolen"])


class RefusalReasons(Asked):
    """Why something is refused."""

    reasons: list[Text] = Field(min_length=1, max_length=CITED_MOST, examples=[["the licence has expired"]])


class Finding(Asked):
    """What was found."""

    finding: Text = Field(examples=["amounts and account are right"])


class UsageRuleShape(Asked):
    """Pays to an account what fits all that is given."""

    account_id: AccountId
    product: str = Field("", max_length=IDENTITY_MOST, description="any where empty", examples=["credit"])
    weekday: str = Field("", max_length=IDENTITY_MOST, description="any where empty", examples=["monday"])
    min_minor: int = Field(0, ge=0, description="in minor units of the payout's currency", examples=[0])
    max_minor: int = Field(0, ge=0, description="in the same; 0 for no limit", examples=[100000])

    def rule(self) -> UsageRule:
        return UsageRule(**self.model_dump())


class UsageRulesAsked(Asked):
    """Which account gets what, from a day on; no rule at all: the active one gets everything."""

    valid_from: Day
    rules: list[UsageRuleShape] = Field(max_length=RULES_MOST)
    why: OptionalText = ""


class RestoreAsked(Asked):
    """From which day an earlier version holds again."""

    valid_from: Day
    why: OptionalText = ""


class Account(Answer):
    """A settlement account."""

    account_id: AccountId
    merchant_id: MerchantId
    state: str = Field(description="active, standby, frozen, former …", examples=["active"])
    number: MaskedNumber
    bank: str = Field(examples=["102"])
    bank_name: str = Field(examples=["Industrial and Commercial Bank of China"])
    account_type: str = Field(examples=["personal"])
    holder: str = Field(examples=["Zhang San"])
    holder_identity: str = Field(description="masked whole", examples=["******************"])
    expires_on: str | None = Field(examples=[None])
    frozen_because: str | None = Field(examples=[None])
    lost: bool
    changed_at: Instant


class Blocker(Answer):
    """Something that stands in the way."""

    code: str = Field(examples=["batch_unsettled"])
    text: str = Field(examples=["a batch with money in it is not settled"])
    concerns: list[str] = Field(examples=[["terminal T0000001, batch 000001"]])
    remedy: str = Field(examples=["settle the batch at the terminal, or have the host settle it"])
    blocks: bool = Field(description="false: it only warns")


class HistoryLine(Answer):
    """A step of a life."""

    at: Instant
    action: str = Field(examples=["approve"])
    by: str = Field(examples=["wang.wei"])
    state: str = Field(examples=["approved"])
    why: str = Field(examples=[""])


class StepPromise(Answer):
    """What a step takes."""

    step: str = Field(examples=["review"])
    expected: str = Field(description="ISO 8601 duration", examples=["P1D"])
    cost_minor: int = Field(examples=[0])
    currency: str = Field(examples=["156"])


class TerminalTakesOver(Answer):
    """Whether a terminal has taken the change over on its own wire."""

    terminal_id: str = Field(examples=["T0000001"])
    taken: bool


class Trial(Answer):
    """The test transactions: how many are needed, and were paid to the new account."""

    needed: int = Field(examples=[2])
    settled: int = Field(examples=[0])


class AccountChange(Answer):
    """A change of the settlement account."""

    change_id: AccountId
    merchant_id: MerchantId
    state: str = Field(description=", ".join(ACCOUNT_CHANGE_LIFE.table), examples=["submitted"])
    possible: list[str] = Field(description="what can be done with it now", examples=[["approve", "reject"]])
    role: Literal["active", "standby"]
    because_of_loss: bool
    account: Account
    account_before: Account | None
    reason: str = Field(examples=["we changed our bank"])
    submitted_by: str = Field(examples=["li.na"])
    applicant: str = Field(examples=["li.na"])
    reviewed_by: str | None = Field(examples=[None])
    reasons: list[str] = Field(description="why it was rejected", examples=[[]])
    documents: list[DocumentId]
    warnings: list[str] = Field(description="blockers that only warned", examples=[["terminal_offline"]])
    history: list[HistoryLine]
    steps: list[StepPromise] = Field(description="expected time and cost of each step")
    terminals: list[TerminalTakesOver]
    tests: Trial | None = None
    first_payouts: list[dict[str, Any]] = Field(
        default_factory=list,
        description="made to the new account",
        examples=[[{"payout_id": 100001, "business_day": "2026-03-02", "net_minor": 1988, "currency": "156"}]],
    )
    audit_due_at: str | None = Field(examples=[None])
    audit_finding: str | None = Field(examples=[None])
    changed_at: Instant


class LossReported(Answer):
    """What a report of loss has done."""

    account: Account
    payouts: Literal["held", "standby"]
    standby: Account | None
    next: str = Field(
        description="where to apply for a new account",
        examples=["POST /api/v1/merchants/104110070110814/settlement-account-changes"],
    )


class UsageRulesVersion(Answer):
    """One version of a merchant's rules."""

    version: AccountId
    merchant_id: MerchantId
    valid_from: Day
    rules: list[dict[str, Any]] = Field(examples=[[{"account_id": "2", "weekday": "monday"}]])
    set_by: str = Field(examples=["wang.wei"])
    set_at: Instant
    restored_from: str | None = Field(examples=[None])
