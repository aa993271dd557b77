"""What the API takes and answers about users, with examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pos_host.admin.answers import Answer, Instant, MerchantId
from pos_host.admin.merchant_models import Why

UserName = Annotated[str, Field(max_length=64, description="letters, digits and . _ @ -", examples=["li.wei"])]
Expiry = Annotated[
    AwareDatetime | None,
    Field(description="when the token ends; ISO 8601 with an offset", examples=["2030-01-01T00:00:00Z"]),
]
Role = Literal["merchant", "viewer", "operator", "reviewer", "admin"]


class NewUser(BaseModel):
    """A user to put on record."""

    model_config = ConfigDict(extra="forbid")

    name: UserName
    role: Role = Field(examples=["operator"])
    merchant_id: MerchantId | None = Field(None, description="for the role merchant, and for no other")
    expires_at: Expiry = None
    why: Why = ""


class Rotation(BaseModel):
    """A new token."""

    model_config = ConfigDict(extra="forbid")

    expires_at: Expiry = None
    why: Why = ""


class Reason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    why: Why = ""


class User(Answer):
    """A user; the token is never told again."""

    name: UserName
    role: Role
    merchant_id: MerchantId | None
    state: Literal["active", "revoked"]
    created_at: Instant
    token_issued_at: Instant
    token_issued_by: str | None = Field(None, description="who made the token, and so may know it")
    expires_at: Instant | None = Field(description="when the token ends; null for never")
    last_used_at: Instant | None = Field(None, description="to the minute; null before the first use")


class UserWithToken(User):
    """A user with the token that was just made: only its digest is kept."""

    token: str = Field(examples=["jUQ0mO5cU3bPq0bq9m6kq1yqfD4hB5Zt"])
