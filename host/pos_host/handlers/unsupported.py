"""A request whose function the host does not serve, or that says too little."""

from __future__ import annotations

import json

from pos_host.clock import Instant
from pos_host.ledger.decision import Decision
from pos_host.ledger.entry import Entry
from pos_specs.message import Message


def refuse(message: Message, terminal_no: int, now: Instant, outcome: str, reason: str) -> Decision:
    """A refusal of something that is no transaction: journalled with its reason, of no batch."""
    entry = Entry(
        kind="unsupported" if outcome == "unsupported_function" else "refused",
        terminal_no=terminal_no,
        batch_id=0,
        at_ms=now.at_ms,
        outcome=outcome,
        mti=message.mti,
        stan=message.fields.get(11, ""),
        detail=json.dumps({"reason": reason}),
    )
    return Decision(outcome, now.at_ms, entries=(entry,), reason=reason)
