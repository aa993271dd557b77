"""What a stretch of the journal says of settlements: which batches closed how, which late, and what a dry run said.
Pure: entries in, findings out."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from pos_host.journal import StoredEntry
from pos_host.ledger.entry import SETTLED_BY_HOST, Entry
from pos_host.ledger.host_settlement import JUDGED
from pos_host.merchants.forgotten.late_causes import Circumstances, cause_of

LATE = ("overdue", "forgotten")
"""Severities of a flag at which a settlement is late."""

SETTLING_TAKES_MS = 600_000
"""A terminal that comes back on line, signs in and settles is done by then: it was not there to be settled before."""

TERMINAL = "terminal"
"""Who settled where nobody else did."""


class Closing(NamedTuple):
    """A batch that closed: by whom (terminal, schedule, operator, application), with which result, how late (severity
    of its flag, "" in time) and why ("" in time)."""

    sequence: int
    terminal_no: int
    batch_id: int
    number: str
    at_ms: int
    by: str
    result: str
    late: str
    cause: str
    differences: int


class DryRun(NamedTuple):
    """What the host would have settled, net in minor units."""

    terminal_no: int
    batch_id: int
    number: str
    business_day: str
    net_minor: int


class Flagged(NamedTuple):
    """A terminal that is flagged, and what was seen since, as it goes from one look-back to the next; `heard_at_ms` is
    its first message after the cut-off, 0 before there is one."""

    severity: str
    due_at: str
    since: str
    reasons: tuple[str, ...]
    heard_at_ms: int
    faulty: bool


class JournalReading:
    """Takes the entries of a stretch of the journal in order. `flagged` are the terminals flagged before it, by
    number, and after the last entry those that are flagged then."""

    def __init__(self, flagged: dict[int, Flagged]) -> None:
        self.flagged = dict(flagged)
        self.closings: list[Closing] = []
        self.dry_runs: list[DryRun] = []
        self.not_settled: dict[str, int] = {}
        self.reminders = 0
        self.late_totals = 0
        self.through = 0
        self._judged_by: dict[int, str] = {}

    def take(self, stored: StoredEntry) -> None:
        """The next entry."""
        sequence, entry = stored
        self.through = sequence
        if entry.kind == "unsettled":
            self._take_flag(entry)
        elif entry.kind == JUDGED:
            self._take_judgement(entry)
        elif entry.kind == "batch_closed":
            self._take_closing(entry, sequence)
        elif entry.kind == "reminded":
            self.reminders += 1
        elif entry.kind == "late_totals":
            self.late_totals += 1
        elif entry.mti and entry.terminal_no in self.flagged:
            self._take_sign_of_life(entry)

    def _take_flag(self, entry: Entry) -> None:
        told = json.loads(entry.detail)
        before = self.flagged.pop(entry.terminal_no, None)
        if told["severity"] is None:
            return
        reasons = tuple(dict.fromkeys((*(before.reasons if before else ()), *told["reasons"])))
        self.flagged[entry.terminal_no] = Flagged(
            told["severity"],
            told["due_at"],
            told["since"],
            reasons,
            before.heard_at_ms if before else 0,
            before.faulty if before else False,
        )

    def _take_sign_of_life(self, entry: Entry) -> None:
        flag = self.flagged[entry.terminal_no]
        faulty = flag.faulty or (entry.kind == "status" and _tells_of_a_fault(entry))
        heard_at_ms = flag.heard_at_ms or (entry.at_ms if entry.at_ms > _ms_of(flag.due_at) else 0)
        self.flagged[entry.terminal_no] = flag._replace(heard_at_ms=heard_at_ms, faulty=faulty)

    def _take_judgement(self, entry: Entry) -> None:
        told = json.loads(entry.detail)
        result = told["result"]
        if result == "settled":
            self._judged_by[entry.batch_id] = told["by"]
            return
        self.not_settled[result] = self.not_settled.get(result, 0) + 1
        if result == "dry_run":
            net_minor = told["debit_amount_minor"] - told["credit_amount_minor"]
            number, day = told["batch_number"], told["business_day"]
            self.dry_runs.append(DryRun(entry.terminal_no, entry.batch_id, number, day, net_minor))

    def _take_closing(self, entry: Entry, sequence: int) -> None:
        told = json.loads(entry.detail)
        flag = self.flagged.get(entry.terminal_no)
        late = flag.severity if flag is not None and flag.severity in LATE else ""
        by = self._judged_by.pop(entry.batch_id, TERMINAL) if told["result"] == SETTLED_BY_HOST else TERMINAL
        cause = ""
        if flag is not None and late:
            heard = 0 < flag.heard_at_ms < entry.at_ms - (SETTLING_TAKES_MS if by == TERMINAL else 0)
            cause = cause_of(Circumstances(frozenset(flag.reasons), heard, flag.faulty))
        number, result, differences = told["number"], told["result"], told["differences"]
        no, batch_id, at_ms = entry.terminal_no, entry.batch_id, entry.at_ms
        self.closings.append(Closing(sequence, no, batch_id, number, at_ms, by, result, late, cause, differences))


def _tells_of_a_fault(entry: Entry) -> bool:
    """Whether a device's state is anything but 0; `line_statistics` is none."""
    states = json.loads(entry.detail) if entry.detail else {}
    return any(name.endswith("_state") and value.strip("0") for name, value in states.items())


def _ms_of(instant: str) -> int:
    """UTC milliseconds of an instant as events have it."""
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
