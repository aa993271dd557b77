"""The directory of merchants: who they are and which terminals they may use; opened by hand or by open enrolment."""

from __future__ import annotations

import re
from typing import Any

from pos_host.clock import iso_utc
from pos_host.ledger.added_terminal import ADDED_TERMINAL, added_terminal_id
from pos_host.ledger.merchant import MERCHANT
from pos_host.ledger.merchant_rows import RecordRow
from pos_host.ledger.records import body_of, record
from pos_host.merchants.actors import Actor
from pos_host.merchants.desk import Desk, Refused, Subject, Told, Written

PARTICULARS = ("name", "legal_name", "licence_number", "category_code", "contact")
"""What a merchant's record says of it beside its number and its state."""

MERCHANT_ID = re.compile(r"[!-~]([ -~]{0,13}[!-~])?")
"""What DE42 can carry: 15 printable characters, padded with spaces."""

TERMINAL_ID = re.compile(r"[!-~]([ -~]{0,14}[!-~])?")
"""What DE41 can carry: 8 printable characters, in BASE24 16, padded with spaces."""

TRADING = ("active", "suspended")
"""States of a merchant that terminals may be added to."""


class Directory:
    """Merchants and the terminals added to them. Raises Refused for what is not there or cannot be."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(
        self, actor: Actor, merchant_id: str, particulars: dict[str, str], why: str = ""
    ) -> dict[str, Any]:
        """Put a merchant on record; gives it. One that is known already is refused."""

        def decide(now_ms: int) -> Written:
            _check(MERCHANT_ID, "merchant_id", merchant_id, "1 to 15 printable ASCII characters")
            if self._desk.registry.knows_merchant(merchant_id):
                raise Refused("merchant_exists", f"merchant {merchant_id} is on record already")
            body = {"created_at_ms": now_ms, "created_by": actor.name, **particulars}
            row = record(MERCHANT, merchant_id, merchant_id, "active", now_ms, body)
            view = self._view(row)
            return Written((row,), (Told("merchant.created", 0, particulars),), None, view, view)

        return await self._act(actor, "merchant.create", merchant_id, decide, why)

    async def change(
        self, actor: Actor, merchant_id: str, particulars: dict[str, str], why: str = ""
    ) -> dict[str, Any]:
        """Change what is said of a merchant; what is not among `particulars` stays. Gives the merchant."""

        def decide(now_ms: int) -> Written:
            before = self._row(merchant_id)
            body = body_of(before)
            if particulars.items() <= body.items():
                return Written(answer=self._view(before))
            after = record(MERCHANT, merchant_id, merchant_id, before.state, now_ms, {**body, **particulars})
            view = self._view(after)
            told = Told("merchant.changed", 0, particulars)
            return Written((after,), (told,), self._view(before), view, view)

        return await self._act(actor, "merchant.change", merchant_id, decide, why)

    async def add_terminal(self, actor: Actor, merchant_id: str, terminal_id: str, why: str = "") -> dict[str, Any]:
        """Let a terminal enrol at its first message, whatever `--enrol` says; gives it."""

        def decide(now_ms: int) -> Written:
            _check(TERMINAL_ID, "terminal_id", terminal_id, "1 to 16 printable ASCII characters")
            merchant = self._row(merchant_id)
            if merchant.state not in TRADING:
                raise Refused("merchant_not_active", f"merchant {merchant_id} is {merchant.state}: it adds no terminal")
            if self._desk.registry.knows_terminal(merchant_id, terminal_id):
                raise Refused("terminal_exists", f"terminal {terminal_id} of merchant {merchant_id} is known already")
            record_id = added_terminal_id(merchant_id, terminal_id)
            body = {"terminal_id": terminal_id, "added_at_ms": now_ms, "added_by": actor.name}
            row = record(ADDED_TERMINAL, record_id, merchant_id, "added", now_ms, body)
            view = self._terminal_view(merchant_id, terminal_id)
            view |= {"added_at": iso_utc(now_ms), "added_by": actor.name}
            told = Told("terminal.added", 0, {"terminal_id": terminal_id})
            return Written((row,), (told,), None, view, view)

        return await self._act(actor, "terminal.add", merchant_id, decide, why)

    def merchant(self, merchant_id: str) -> dict[str, Any]:
        """One merchant."""
        return self._view(self._row(merchant_id))

    def merchants(self, merchant_id: str | None = None) -> list[dict[str, Any]]:
        """Every merchant in the order they came, or one of them alone."""
        return [self._view(row) for row in self._desk.records.of_kind(MERCHANT, merchant_id)]

    def terminals(self, merchant_id: str) -> list[dict[str, Any]]:
        """A merchant's terminals: the enrolled ones in that order, then those that never spoke."""
        self._row(merchant_id)
        enrolled = [book.terminal_id for book in self._desk.registry.of_merchant(merchant_id)]
        rows = self._desk.records.of_kind(ADDED_TERMINAL, merchant_id)
        added = [str(body_of(row)["terminal_id"]) for row in rows]
        return [self._terminal_view(merchant_id, tid) for tid in dict.fromkeys((*enrolled, *added))]

    async def _act(self, actor: Actor, action: str, merchant_id: str, decide: Any, why: str) -> dict[str, Any]:
        known = merchant_id if MERCHANT_ID.fullmatch(merchant_id) else ""  # else it may be anything, a card's number
        subject = Subject(f"merchant {known or '(not a number)'}", known)
        answer: dict[str, Any] = await self._desk.act(actor, action, subject, decide, why)
        return answer

    def _row(self, merchant_id: str) -> RecordRow:
        row = self._desk.records.find(MERCHANT, merchant_id)
        if row is None:
            raise Refused("unknown_merchant", f"merchant {merchant_id} is not known", status=404)
        return row

    def _view(self, row: RecordRow) -> dict[str, Any]:
        body = body_of(row)
        return {
            "merchant_id": row.record_id,
            "status": row.state,
            **{name: body.get(name, "") for name in PARTICULARS},
            "created_at": iso_utc(body.get("created_at_ms", row.changed_at_ms)),
            "created_by": body.get("created_by", "enrolment"),
            "terminals": len(self._desk.registry.of_merchant(row.record_id)),
        }

    def _terminal_view(self, merchant_id: str, terminal_id: str) -> dict[str, Any]:
        registry = self._desk.registry
        row = self._desk.records.find(ADDED_TERMINAL, added_terminal_id(merchant_id, terminal_id))
        body = {} if row is None else body_of(row)
        book = registry.find(merchant_id, terminal_id)
        enrolled = book is not None and book.enrolled
        return {
            "merchant_id": merchant_id,
            "terminal_id": terminal_id,
            "enrolled": enrolled,
            "status": book.status if book is not None and enrolled else "active",
            "added_at": iso_utc(body.get("added_at_ms", 0)) or None,
            "added_by": body.get("added_by"),
        }


def _check(pattern: re.Pattern[str], field: str, text: str, otherwise: str) -> None:
    """Raises Refused (422), without what was given: a mistyped number may be a card's."""
    if pattern.fullmatch(text) is None:
        raise Refused("id_not_valid", f"{field} must be {otherwise}, not beginning or ending with a space", status=422)
