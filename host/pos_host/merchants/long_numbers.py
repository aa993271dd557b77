"""Long numbers in texts: hidden where somebody may have written a card, an account or an identity number."""

from __future__ import annotations

import re

_LONG = re.compile(r"[0-9](?:[ .-]?[0-9]){7,}[Xx]?")
"""Eight digits and more, also in groups: an account number, a card, somebody's identity, a telephone."""

_LONGER_THAN_OURS = re.compile(r"[0-9](?:[ .-]?[0-9]){15,}[Xx]?")
"""Sixteen digits and more: longer than a merchant's number (DE42), which our own sentences have to name."""


def without_long_numbers(text: str) -> str:
    """What somebody wrote in their own words, long numbers starred."""
    return _LONG.sub(_stars, text)


def without_foreign_numbers(text: str) -> str:
    """A sentence of the host's that quotes what it was asked for, numbers starred that cannot be an id of ours."""
    return _LONGER_THAN_OURS.sub(_stars, text)


def _stars(found: re.Match[str]) -> str:
    return "*" * len(found[0])
