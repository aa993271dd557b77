"""What somebody asks for who wants the settlement account changed."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.merchants.accounts.given_account import GivenAccount


class AccountApplication(NamedTuple):
    """What somebody asks for: `role` active or standby, `documents` hashes of papers that were handed in before,
    `applicant` the person for whom the actor hands it in ("": the actor)."""

    account: GivenAccount
    documents: tuple[str, ...]
    role: str = "active"
    reason: str = ""
    applicant: str = ""
