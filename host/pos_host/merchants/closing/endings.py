"""What pauses, ends and begins the work of terminals and merchants, put together: suspension, closure, replacement,
reopening, and how a terminal stands."""

from __future__ import annotations

from pos_host.journal import Journal
from pos_host.merchants.closing.closures import Closures
from pos_host.merchants.closing.diagnosis import Diagnosis
from pos_host.merchants.closing.reopenings import Reopenings
from pos_host.merchants.closing.replacement import Replacements
from pos_host.merchants.closing.suspensions import Suspensions
from pos_host.merchants.closing.terminal_export import TerminalExport
from pos_host.merchants.desk import Desk
from pos_host.money.payouts import Payouts
from pos_host.settlement.watch import Watch


class Endings:
    """The services, over one desk; `payouts` look again where a state holds or frees them."""

    def __init__(self, desk: Desk, journal: Journal, watch: Watch, payouts: Payouts, enrol: str) -> None:
        self.closures = Closures(desk, lambda book, command: watch.remind(book, command), payouts.judge_again)
        self.suspensions = Suspensions(desk, payouts.judge_again)
        self.reopenings = Reopenings(desk)
        self.replacements = Replacements(desk, self.closures)
        self.diagnosis = Diagnosis(desk.registry, journal, desk.clock, enrol)
        self.export = TerminalExport(desk.registry, journal)
