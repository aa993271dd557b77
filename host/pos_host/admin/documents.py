"""The paths of papers that merchants hand in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field

from pos_host.admin.account_models import Asked, DocumentId
from pos_host.admin.answers import Answer, Instant, MerchantId, Page
from pos_host.admin.api_router import api_router
from pos_host.admin.merchants import Mid
from pos_host.admin.pages import page_of
from pos_host.admin.queries import PAGE, Cursor, Limit, TheActor, TheOffice
from pos_host.merchants.accounts.documents import DOCUMENT_MOST_BYTES, NAME_MOST

router = api_router("documents")

Json = dict[str, Any]
DOCUMENTS = "/merchants/{mid:path}/documents"
Kind = Literal[
    "business_licence",
    "identity_document",
    "proof_of_account",
    "authorisation",
    "proof_of_position",
    "contract",
    "loss_report",
    "other",
]
BASE64_MOST = DOCUMENT_MOST_BYTES * 2
"""Characters of base64 that are read at all; the paper itself is measured once it is decoded."""


class DocumentGiven(Asked):
    """A paper."""

    kind: Kind
    name: str = Field(min_length=1, max_length=NAME_MOST, examples=["licence.pdf"])
    content_base64: str = Field(
        max_length=BASE64_MOST, description=f"at most {DOCUMENT_MOST_BYTES} bytes", examples=["JVBERi0xLjcK"]
    )


class Document(Answer):
    """A paper that was handed in; without its content."""

    document_id: DocumentId
    merchant_id: MerchantId
    kind: Kind
    name: str = Field(examples=["licence.pdf"])
    size_bytes: int = Field(examples=[9])
    kept_at: Instant
    handed_in_by: str = Field(examples=["li.na"])


class DocumentContent(Document):
    """A paper and what is on it."""

    content_base64: str = Field(examples=["JVBERi0xLjcK"])


@router.get(DOCUMENTS, response_model=Page[Document])
async def documents(office: TheOffice, mid: Mid, cursor: Cursor, limit: Limit = PAGE) -> Json:
    """What a merchant handed in, the oldest first."""
    return page_of(office.parts.details.documents.of_merchant(mid), limit, cursor)


@router.post(DOCUMENTS, response_model=Document)
async def keep(office: TheOffice, actor: TheActor, mid: Mid, given: DocumentGiven) -> Json:
    """Hand in a paper; it is stored encrypted, and its id is its SHA-256. The same one again changes nothing."""
    return await office.parts.details.documents.keep(actor, mid, given.kind, given.name, given.content_base64)


@router.get(DOCUMENTS + "/{document_id}", response_model=DocumentContent)
async def content(
    office: TheOffice,
    actor: TheActor,
    mid: Mid,
    document_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="its SHA-256", examples=["9f" * 32])],
) -> Json:
    """A paper with its content, for reviewers; every reading is audited."""
    return await office.parts.details.documents.content(actor, mid, document_id)
