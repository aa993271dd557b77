"""Instants in questions, as the host counts them."""

from __future__ import annotations

from datetime import datetime


def utc_ms(instant: datetime | None) -> int | None:
    """UTC milliseconds of an instant with an offset."""
    return None if instant is None else round(instant.timestamp() * 1000)
