"""What is done about batches that nobody settled, put together."""

from __future__ import annotations

from pos_host.journal import Journal
from pos_host.merchants.agenda import Agenda
from pos_host.merchants.desk import Desk
from pos_host.merchants.forgotten.applications import Applications
from pos_host.merchants.forgotten.escalation import Escalations
from pos_host.merchants.forgotten.look_back import LookBack
from pos_host.merchants.forgotten.patterns import Patterns
from pos_host.merchants.forgotten.reminders import Reminders
from pos_host.settlement.policy import Policy
from pos_host.settlement.settler import Settler
from pos_host.settlement.watch import Watch


class ForgottenSettlements:
    """The services around forgotten batches; what of them falls due is on the agenda."""

    def __init__(
        self, desk: Desk, journal: Journal, settler: Settler, watch: Watch, agenda: Agenda, policy: Policy
    ) -> None:
        self.applications = Applications(desk, journal, settler)
        self.reminders = Reminders(desk, watch)
        self.escalations = Escalations(desk, watch)
        self.patterns = Patterns(desk, watch)
        self.look_back = LookBack(desk, journal, policy)
        for source in (self.escalations, self.patterns, self.look_back):
            agenda.add(source)
