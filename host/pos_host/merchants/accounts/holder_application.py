"""What somebody asks for who wants the settlement holder changed."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.merchants.accounts.holders import GivenHolder
from pos_host.merchants.desk import Refused

REASONS = ("left", "replaced", "business_change")


class HolderApplication(NamedTuple):
    """What somebody asks for: `effective_on` an ISO date, `documents` hashes of papers handed in before, `applicant`
    the person for whom the actor hands it in ("": the actor)."""

    holder: GivenHolder
    reason: str
    effective_on: str
    documents: tuple[str, ...]
    applicant: str = ""


def check_reason(reason: str) -> None:
    """Raise Refused (422) for a reason that is none of REASONS."""
    if reason not in REASONS:
        raise Refused("invalid_application", f"reason: must be one of {', '.join(REASONS)}", status=422)
