"""A payout's life: pending → made, or held on the way, and then released or returned."""

from __future__ import annotations

from pos_host.merchants.lives import Life

PAYOUT = Life(
    "payout",
    "pending",
    {
        # worked out from a settled batch or a fixed charge, waits for its day; below zero it waits on
        "pending": {"make": "made", "hold": "held", "carry_over": "pending"},
        # something is wrong with the account, the batch or the terminal
        # one more reason may be put beside, and a reviewer takes an operator's away while others stand
        "held": {"release": "released", "return": "returned", "hold": "held", "lift": "held"},
        # free again and waiting to be made; it may be held anew
        "released": {"make": "made", "hold": "held", "carry_over": "released"},
        # on the merchant's account: final
        "made": {},
        # not paid to this merchant: final
        "returned": {},
    },
)
