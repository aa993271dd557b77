"""How much of the loop's time publishing may take from the payments that it shares the loop with."""

from __future__ import annotations

BUSY_PAUSE_PER_WORK = 9
"""One part of work, nine of rest: a tenth of the time, which costs a saturated host a tenth of its rate."""

LONGEST_PAUSE_S = 1.0
"""Work that took longer than a ninth of this waited for a slow broker and did not use the loop."""


def pause_s(work_s: float, *, busy: bool) -> float:
    """How long to rest after `work_s` seconds of work, in seconds; not at all while nobody else is busy.

    Work is measured from begin to acknowledgement, with whatever else the loop did meanwhile: more than
    its own time, so that the share errs on the payments' side.
    """
    return min(work_s * BUSY_PAUSE_PER_WORK, LONGEST_PAUSE_S) if busy else 0.0
