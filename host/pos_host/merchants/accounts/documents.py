"""Papers that are handed in: typed, hashed, sealed in the store, shown to reviewers only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Any

from pos_host.clock import iso_utc
from pos_host.journal import Journal, Question
from pos_host.ledger.merchant_rows import DocumentRow, RecordRow
from pos_host.ledger.records import Records, body_of, record
from pos_host.merchants.accounts.number_vault import NumberVault, needed
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written
from pos_host.merchants.free_text import plain_text
from pos_specs.security.errors import SealBroken

DOCUMENT = "document"
"""Kind of the record that says what a paper is; its id is the merchant's number, a slash and the paper's hash."""

DOCUMENT_KINDS = (
    "business_licence",
    "identity_document",
    "proof_of_account",
    "authorisation",
    "proof_of_position",
    "contract",
    "loss_report",
    "other",
)

DOCUMENT_MOST_BYTES = 524_288
"""Half a mebibyte: in base64 it still fits into the body of one request, and a scanned page needs less."""

DOCUMENTS_MOST = 1000
"""Papers of one merchant: a store is no archive, and whoever sends more has a loop in a program."""

NAME_MOST = 200
"""Characters of a paper's name, which is shown in lists."""


_HASH = re.compile(r"[0-9a-f]{64}")


class Documents:
    """The papers of all merchants. Their content is in the store alone."""

    def __init__(self, desk: Desk, journal: Journal, vault: NumberVault | None) -> None:
        self._desk = desk
        self._journal = journal
        self._vault = vault

    async def keep(self, actor: Actor, merchant_id: str, kind: str, name: str, content_base64: str) -> dict[str, Any]:
        """Store a paper and give its view; the same paper again gets the same.

        Raises Refused for what is no base64, empty, too large, of no known kind, or known as of another kind.
        """
        content = _content(content_base64)
        document_id = hashlib.sha256(content).hexdigest()
        subject = Subject(f"document {document_id}", merchant_id)

        def decide(now_ms: int) -> Written:
            vault, records = needed(self._vault), self._desk.records
            shown_name = _checked_name(kind, name)
            known = find_document(records, merchant_id, document_id)
            if known is not None:
                if known["kind"] != kind:
                    text = f"the same paper was handed in as {known['kind']}; a paper is of one kind"
                    raise Refused("document_kind_differs", text)
                return Written(answer=known)
            if len(records.of_kind(DOCUMENT, merchant_id)) >= DOCUMENTS_MOST:
                raise Refused("too_many_documents", f"a merchant has at most {DOCUMENTS_MOST} papers")
            sealed = vault.seal(content, _identity(merchant_id, document_id)).hex()
            row = DocumentRow(document_id, merchant_id, kind, shown_name, len(content), now_ms, sealed)
            body = {"kind": kind, "name": shown_name, "size_bytes": len(content), "handed_in_by": actor.name}
            told = {"document_id": document_id, "kind": kind, "size_bytes": len(content)}
            noted = record(DOCUMENT, f"{merchant_id}/{document_id}", merchant_id, "kept", now_ms, body)
            view = document_view(noted)
            return Written((row, noted), (Told("document.kept", 0, told),), after=view, answer=view)

        view: dict[str, Any] = await self._desk.act(actor, "document.keep", subject, decide)
        return view

    async def content(self, actor: Actor, merchant_id: str, document_id: str) -> dict[str, Any]:
        """A paper's view with its content in base64; every reading is audited.

        Raises Refused (404) for a paper that is not there, and where it does not open any more.
        """
        rows = await self._journal.select(
            Question(DocumentRow, {"document_id": document_id, "merchant_id": merchant_id}, limit=1)
        )

        def decide(now_ms: int) -> Written:
            view = find_document(self._desk.records, merchant_id, document_id)
            if view is None or not rows:
                raise Refused("no_such_document", f"merchant {merchant_id} has no paper {document_id}", status=404)
            try:
                identity = _identity(merchant_id, document_id)
                content = needed(self._vault).unseal(bytes.fromhex(rows[0].sealed), identity)
            except SealBroken as error:
                raise Refused("document_sealed", f"the paper does not open: {error}") from None
            shown = {**view, "content_base64": base64.b64encode(content).decode()}
            return Written((), (Told("document.read", 0, {"document_id": document_id}),), answer=shown)

        subject = Subject(f"document {document_id}", merchant_id)
        shown: dict[str, Any] = await self._desk.act(actor, "document.read", subject, decide)
        return shown

    def of_merchant(self, merchant_id: str) -> list[dict[str, Any]]:
        """What a merchant handed in, the oldest first."""
        return [document_view(row) for row in self._desk.records.of_kind(DOCUMENT, merchant_id)]


def find_document(records: Records, merchant_id: str, document_id: str) -> dict[str, Any] | None:
    """The view of a merchant's paper."""
    row = records.find(DOCUMENT, f"{merchant_id}/{document_id}")
    return None if row is None else document_view(row)


def cited(records: Records, merchant_id: str, document_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The papers that an application names; raises Refused (422) for one that this merchant did not hand in."""
    found = []
    for document_id in document_ids:
        view = find_document(records, merchant_id, document_id)
        if view is None:
            named = document_id if _HASH.fullmatch(document_id) else "of that name: a paper is named by its SHA-256"
            text = f"documents: merchant {merchant_id} handed in no paper {named}"
            raise Refused("no_such_document", text, status=422)
        found.append(view)
    return found


def document_view(row: RecordRow) -> dict[str, Any]:
    """A paper as everybody may see it who may see the merchant: not its content."""
    body = body_of(row)
    return {
        "document_id": row.record_id.rpartition("/")[2],
        "merchant_id": row.merchant_id,
        "kind": body["kind"],
        "name": body["name"],
        "size_bytes": body["size_bytes"],
        "kept_at": iso_utc(row.changed_at_ms),
        "handed_in_by": body["handed_in_by"],
    }


def _content(content_base64: str) -> bytes:
    try:
        content = base64.b64decode(content_base64, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("not_base64", "content_base64: must be base64", status=422) from None
    if not content:
        raise Refused("empty_document", "content_base64: the paper is empty", status=422)
    if len(content) > DOCUMENT_MOST_BYTES:
        text = f"content_base64: the paper has {len(content)} bytes; {DOCUMENT_MOST_BYTES} are the most"
        raise Refused("document_too_large", text, status=422)
    return content


def _checked_name(kind: str, name: str) -> str:
    if kind not in DOCUMENT_KINDS:
        raise Refused("unknown_document_kind", f"kind: must be one of {', '.join(DOCUMENT_KINDS)}", status=422)
    if len(name) > NAME_MOST:
        raise Refused("invalid_text", f"name: must be at most {NAME_MOST} characters", status=422)
    return plain_text("name", name)


def _identity(merchant_id: str, document_id: str) -> str:
    return f"document {merchant_id} {document_id}"
