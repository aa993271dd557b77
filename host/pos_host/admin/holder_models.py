"""The shapes of settlement holders and their changes, asked and answered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr

from pos_host.admin.account_models import CITED_MOST, Asked, Day, DocumentId, HistoryLine, StepPromise, Text
from pos_host.admin.answers import Answer, Instant, MerchantId
from pos_host.merchants.accounts.given_account import HOLDER_MOST, IDENTITY_MOST
from pos_host.merchants.accounts.holder_application import HolderApplication
from pos_host.merchants.accounts.holder_changes import HOLDER_CHANGE_LIFE
from pos_host.merchants.accounts.holders import GivenHolder


class HolderGiven(Asked):
    """Who is to hold the settlement; the identity number is masked from here on."""

    name: str = Field(min_length=1, max_length=HOLDER_MOST, examples=["Li Si"])
    identity: SecretStr = Field(min_length=1, max_length=IDENTITY_MOST, examples=["11010519491231002X"])
    user: str = Field("", max_length=HOLDER_MOST, description="the name their user of this host has, or gets")

    def given(self) -> GivenHolder:
        """The same for the service."""
        return GivenHolder(self.name, self.identity.get_secret_value(), self.user)


class HolderChangeAsked(Asked):
    """An application for a new settlement holder."""

    holder: HolderGiven
    reason: Literal["left", "replaced", "business_change"]
    effective_on: Day
    documents: list[DocumentId] = Field(default_factory=list, max_length=CITED_MOST)
    applicant: str = Field("", max_length=HOLDER_MOST, description="who applies, where not who asks")

    def asked(self) -> HolderApplication:
        """The same for the service."""
        return HolderApplication(
            self.holder.given(), self.reason, self.effective_on, tuple(self.documents), self.applicant
        )


class Evaluation(Asked):
    """How a change went."""

    evaluation: Text = Field(examples=["settlements go on as before"])


class Holder(Answer):
    """A settlement holder."""

    holder_id: str = Field(examples=["1"])
    merchant_id: MerchantId
    state: str = Field(description="proposed, active, former, discarded", examples=["active"])
    name: str = Field(examples=["Li Si"])
    identity: str = Field(description="masked whole", examples=["******************"])
    user: str | None = Field(examples=["li.si"])
    operator_number: str = Field(description="by which the holder is known at the terminal", examples=["02"])
    changed_at: Instant


class HolderChange(Answer):
    """A change of the settlement holder."""

    change_id: str = Field(examples=["1"])
    merchant_id: MerchantId
    state: str = Field(description=", ".join(HOLDER_CHANGE_LIFE.table), examples=["submitted"])
    possible: list[str] = Field(description="what can be done with it now", examples=[["approve", "reject"]])
    reason: str = Field(examples=["replaced"])
    effective_on: str = Field(description="from the beginning of which day it holds", examples=["2026-03-10"])
    holder: Holder
    outgoing: Holder | None
    submitted_by: str = Field(examples=["li.na"])
    applicant: str = Field(examples=["li.na"])
    reviewed_by: str | None = Field(examples=[None])
    reasons: list[str] = Field(description="why it was rejected", examples=[[]])
    training: dict[str, str] | None = Field(description="by whom and when it was confirmed", examples=[None])
    waits_for: list[str] = Field(description="what is missing on the day it should take effect", examples=[[]])
    notices: list[dict[str, str]] = Field(description="what the outgoing holder was told", examples=[[]])
    watch_until: str | None = Field(examples=[None])
    flags: list[dict[str, Any]] = Field(description="first settlements unlike those before", examples=[[]])
    evaluation: str | None = Field(examples=[None])
    documents: list[DocumentId]
    history: list[HistoryLine]
    steps: list[StepPromise] = Field(description="expected time and cost of each step")
    changed_at: Instant


class HolderToken(HolderChange):
    """A change, and the token of the incoming holder's user."""

    token: str = Field(description="told this once", examples=["kept by who was told it"])
