"""A terminal that somebody added to a merchant: its first message enrols it, also where others are refused."""

from __future__ import annotations

from urllib.parse import quote

ADDED_TERMINAL = "added_terminal"
"""Kind of its record."""


def added_terminal_id(merchant_id: str, terminal_id: str) -> str:
    """The id of its record; both ids encoded, so that a slash in one is not taken for the one between them."""
    return f"{quote(merchant_id, safe='')}/{quote(terminal_id, safe='')}"
