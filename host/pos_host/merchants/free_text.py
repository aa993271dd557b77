"""What people write in their own words: kept and shown without the numbers that nobody may see."""

from __future__ import annotations

from pos_host.merchants.desk import Refused
from pos_host.merchants.long_numbers import without_long_numbers

TEXT_MOST = 2000
"""Characters of a reason, a complaint, an answer: a page."""


def plain_text(key: str, text: str, *, needed: bool = True) -> str:
    """`text` in one piece, long numbers hidden; raises Refused (422) for one that is empty or too long."""
    kept = " ".join(text.split())
    if (needed and not kept) or len(kept) > TEXT_MOST or not kept.isprintable():
        least = 1 if needed else 0
        raise Refused("invalid_text", f"{key}: must be {least} to {TEXT_MOST} characters of text", status=422)
    return without_long_numbers(kept)
