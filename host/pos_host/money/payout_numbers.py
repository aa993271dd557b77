"""The numbers of payouts: a batch's own id, and above all of those what has no batch of its own."""

from __future__ import annotations

from pos_host.ledger.late_notices import LATE_NOTICES_MOST

CHARGE_NUMBERS = 10**15
"""A charge's payout has this plus its count for a number: above every batch's id."""

LATE_NUMBERS = 2 * 10**15
"""The payout of a late notice has this, plus its batch's id with three digits more for its place among them. All stay
below 2**53, since programs in JavaScript read them."""

_PLACES = LATE_NOTICES_MOST + 1


def charge_payout_id(count: int) -> int:
    """The payout of the charge of that count."""
    return CHARGE_NUMBERS + count


def late_payout_id(batch_id: int, place: int) -> int:
    """The payout of the late notice that comes at `place` among those of its batch, from 1."""
    return LATE_NUMBERS + batch_id * _PLACES + place


def batch_of_payout(payout_id: int) -> int | None:
    """The batch that a payout is of, or beside; None for a charge."""
    if payout_id < CHARGE_NUMBERS:
        return payout_id
    return None if payout_id < LATE_NUMBERS else (payout_id - LATE_NUMBERS) // _PLACES


def is_of_batch(payout_id: int) -> bool:
    """Whether it is what a batch pays, and neither a charge nor what came late."""
    return payout_id < CHARGE_NUMBERS
