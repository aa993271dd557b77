"""The business day that a list or a report is asked for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query

from pos_host.admin.queries import TheOffice
from pos_host.settlement.business_day import business_date


def _asked_day(
    office: TheOffice,
    day: Annotated[
        date | Literal["today"] | None,
        Query(
            alias="date",
            description="the business day, or `today`, the acquirer's; without it all of them",
            examples=["2026-03-02"],
        ),
    ] = None,
) -> date | None:
    if day == "today":
        return business_date(office.parts.terms.policy_of_merchant(""), office.now_ms())
    return day


AskedDay = Annotated[date | None, Depends(_asked_day)]
"""None for every day; `today` turns at the cut-off of the acquirer's policy."""
