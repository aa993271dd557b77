"""The users of this host that belong to settlement holders: whose token ends and who gets one."""

from __future__ import annotations

from typing import Protocol

from pos_host.ledger.merchant_rows import RecordRow
from pos_host.merchants.actors import Actor


class HolderUsers(Protocol):
    """Who knows the users of this host: `merchants.users`."""

    def of_merchant(self, merchant_id: str) -> list[RecordRow]:
        """The rows of a merchant's own users that are active; a row's id is the user's name."""

    def revoked(self, row: RecordRow, now_ms: int) -> RecordRow:
        """The row of a user whose token ends."""

    def issued(self, actor: Actor, name: str, role: str, merchant_id: str, now_ms: int) -> tuple[RecordRow, str]:
        """The row of a user with a new token, and the token."""
