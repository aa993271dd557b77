"""The host's parts put together, whatever store, clock and sockets it is given: books, line, back office."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pos_host.clock import Clock
from pos_host.journal import Journal
from pos_host.ledger.recovery import recover
from pos_host.merchants.accounts.number_vault import NumberVault
from pos_host.merchants.agenda import Agenda
from pos_host.merchants.closing.terminal_states import holds_payouts
from pos_host.merchants.desk import Desk
from pos_host.merchants.directory import Directory
from pos_host.merchants.terms import Terms
from pos_host.merchants.users import Users
from pos_host.money.charges import Charges
from pos_host.money.late_differences import LateDifferences
from pos_host.money.payout_at_close import PayoutsAtClose
from pos_host.money.payouts import Payouts
from pos_host.office import Office
from pos_host.pipeline import Pipeline
from pos_host.secrets_file import new_token
from pos_host.security.guard import Guard
from pos_host.settlement.policy import Policy
from pos_host.settlement.settler import Settler
from pos_host.settlement.watch import Watch
from pos_host.transaction.request import CardReader

if TYPE_CHECKING:
    from pos_host.expectations.expectation import Expectations
    from pos_host.merchants.accounts.settlement_details import SettlementDetails
    from pos_host.merchants.closing.endings import Endings
    from pos_host.merchants.forgotten.forgotten_settlements import ForgottenSettlements
    from pos_host.reports.reports import Reports
    from pos_host.rules.rule_changes import RuleChanges
    from pos_host.rules.rulebook import Rulebook

EventsAfter = Callable[[int, int], Awaitable[list[dict[str, Any]]]]
EventsOfMerchant = Callable[[str, int, int], Awaitable[tuple[list[dict[str, Any]], int | None]]]


class Assembly:
    """A host without its sockets. Making it reads the journal; raises BooksDamaged when that contradicts itself.

    `start_over` makes a clean host of the one that these parts are of, None where that is not possible.
    With `wire_only` it serves terminals, and the rest of the merchant's side comes with `complete`, which must be
    called before anybody looks at what falls due: so that a host accepts terminals before it has loaded all that.
    """

    details: SettlementDetails
    forgotten: ForgottenSettlements

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        policy: Policy,
        cards: CardReader,
        *,
        enrol: str = "open",
        guard: Guard | None = None,
        vault: NumberVault | None = None,
        new_token: Callable[[], str] = new_token,
        wire_only: bool = False,
    ) -> None:
        snapshot = journal.load()
        self.journal = journal
        self.clock = clock
        self.policy = policy
        self.registry = recover(snapshot)
        self.pipeline = Pipeline(
            self.registry, journal, clock, cards, enrol=enrol, guard=guard, at_close=lambda *made: closing.added(*made)
        )
        self.settler = Settler(self.pipeline, clock)
        self.desk = Desk(self.registry, journal, clock, self.pipeline, snapshot.audited)
        self.agenda = Agenda(clock)
        self.terms = Terms(self.desk, policy)
        self.agenda.add(self.terms.policies)
        self.agenda.add(self.terms.fee_schedules)
        self.agenda.add(self.terms.calendars)
        self.directory = Directory(self.desk)
        self.users = Users(self.desk, new_token)
        closing = PayoutsAtClose(self.terms, self.registry.records)
        self.agenda.add(Charges(self.desk, journal, self.terms, partial(self.terms.calendar_at, "")))
        self.agenda.add(LateDifferences(self.desk, journal))
        self.payouts = Payouts(self.desk, journal, self.terms.calendar_at)
        self.agenda.add(self.payouts)
        self.start_over: Callable[[], Awaitable[None]] | None = None
        self.watch = Watch(self.registry, journal, clock, self.settler, agenda=self.agenda)
        self.payouts.holds = lambda book: holds_payouts(self.registry, book)
        self._vault = vault
        if not wire_only:
            self.complete()

    def complete(self) -> None:
        """Have also what no message of a terminal asks for; once is enough."""
        if hasattr(self, "details"):
            return
        from pos_host.merchants.accounts.settlement_details import SettlementDetails
        from pos_host.merchants.forgotten.forgotten_settlements import ForgottenSettlements

        desk, journal, agenda = self.desk, self.journal, self.agenda
        self.details = SettlementDetails(desk, journal, self.terms.policy_of_merchant, self._vault, agenda)
        self.payouts.accounts = self.details.accounts
        self.details.accounts.judge_again = self.payouts.judge_again
        self.details.holder_changes.users = self.users
        self.details.account_changes.command = lambda book, command: self.watch.remind(book, command)
        self.forgotten = ForgottenSettlements(desk, journal, self.settler, self.watch, agenda, self.policy)

    @cached_property
    def endings(self) -> Endings:
        """What pauses, ends and begins the work of terminals; loaded with the first thing of it that is asked for."""
        from pos_host.merchants.closing.endings import Endings

        return Endings(self.desk, self.journal, self.watch, self.payouts, self.pipeline.enrol)

    @cached_property
    def rulebook(self) -> Rulebook:
        """The scenario rules, none at first; loaded with the first thing that is asked of them."""
        from pos_host.rules.rulebook import Rulebook

        return Rulebook(self._ask_rules)

    @cached_property
    def rule_changes(self) -> RuleChanges:
        """The scenario rules as the API changes and shows them."""
        from pos_host.rules.rule_changes import RuleChanges

        return RuleChanges(self.desk, self.rulebook)

    @cached_property
    def expectations(self) -> Expectations:
        """What tests expect the host to receive; loaded with the first thing of it that is asked for."""
        from pos_host.expectations.expectation import Expectations

        return Expectations(self.pipeline.exchanges)

    def follow(self, before: Assembly) -> None:
        """Take the place of parts that were, in a host that starts over: who watches the wire goes on watching."""
        if "expectations" in before.__dict__:
            before.expectations.clear()
        self.pipeline.exchanges.succeed(before.pipeline.exchanges)

    def _ask_rules(self, rulebook: Rulebook | None) -> None:
        self.pipeline.rulebook = rulebook

    @property
    def reports(self) -> Reports:
        """The reports on the merchants' money; loaded with the first one that is asked for."""
        from pos_host.reports.reports import Reports

        return Reports(self.registry, self.journal)

    def office(self, events_after: EventsAfter, events_of_merchant: EventsOfMerchant) -> Office:
        """The back office over these parts."""
        self.complete()
        office = Office(
            self.registry,
            self.journal,
            self.clock,
            self.watch,
            events_after,
            events_of_merchant,
            self.settler,
            self.desk,
            self.forgotten,
        )
        office.parts = self
        return office
