"""What the API takes and answers about merchants and their terminals, with examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, Instant, MerchantId, TerminalId
from pos_host.merchants.long_numbers import without_foreign_numbers, without_long_numbers

LONGEST_TEXT = 200
"""Characters of a name or a contact: a line on a letter."""

LONGEST_REASON = 500
"""Characters of a reason: a few sentences in the audit trail, not an attachment."""

MerchantState = Literal["active", "suspended", "closing", "closed"]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(without_foreign_numbers)]
Licence = Annotated[str, Field(max_length=LONGEST_TEXT, description="of the business licence")]
CategoryCode = Annotated[str, Field(pattern="^([0-9]{4})?$", description="ISO 18245", examples=["5812"])]
Why = Annotated[
    str,
    Field(max_length=LONGEST_REASON, description="for the audit trail", examples=["as agreed on the phone"]),
    AfterValidator(without_long_numbers),
]


class Particulars(BaseModel):
    """What is said of a merchant; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(None, examples=["Noodles at the Gate"])
    legal_name: Text | None = Field(None, examples=["Gate Noodles Ltd"])
    licence_number: Licence | None = Field(None, examples=["91310000MA1K3"])
    category_code: CategoryCode | None = None
    contact: Text | None = Field(None, description="where notices go", examples=["gate@noodles.example"])

    def given(self) -> dict[str, str]:
        """What was said, under its name."""
        said: dict[str, str] = self.model_dump(exclude_none=True, exclude={"merchant_id", "why"})
        return said


class NewMerchant(Particulars):
    """A merchant to put on record."""

    merchant_id: MerchantId
    why: Why = ""


class MerchantChange(Particulars):
    """What to change of a merchant."""

    why: Why = ""


class NewTerminal(BaseModel):
    """A terminal that may enrol at its first message."""

    model_config = ConfigDict(extra="forbid")

    terminal_id: TerminalId
    why: Why = ""


class Merchant(Answer):
    """A merchant on record."""

    merchant_id: MerchantId
    status: MerchantState
    name: str = Field(examples=["Noodles at the Gate"])
    legal_name: str = Field(examples=["Gate Noodles Ltd"])
    licence_number: str = Field(examples=["91310000MA1K3"])
    category_code: str = Field(examples=["5812"])
    contact: str = Field(examples=["gate@noodles.example"])
    created_at: Instant
    created_by: str = Field(description="a user, or `enrolment`", examples=["admin"])
    terminals: int = Field(description="how many are enrolled", examples=[2])


class MerchantTerminal(Answer):
    """A terminal of a merchant, whether it has spoken yet or not."""

    merchant_id: MerchantId
    terminal_id: TerminalId
    enrolled: bool
    status: MerchantState
    added_at: Instant | None = Field(description="null where its first message enrolled it unasked")
    added_by: str | None = Field(examples=["admin"])
