"""A certification under way: watches every exchange of a host, has the suite's steps played, keeps the verdicts."""

from __future__ import annotations

from collections.abc import Callable

from pos_host.assembly import Assembly
from pos_host.certification.checks.check import Check
from pos_host.certification.conductor import Conductor, Whom
from pos_host.certification.observed import Observed
from pos_host.certification.story import Story
from pos_host.certification.suite import Step, Suite
from pos_host.certification.verdicts import Judgement, judge
from pos_host.exchanges import Exchange
from pos_host.ledger.book import Book
from pos_host.ledger.entry import Entry, Row
from pos_host.settlement.watch import reminded_entry

SEVERITY = "none"
"""Severity of the reminder by which the header asks for a sign-in: the terminal is late with nothing."""

Tell = Callable[[Exchange, Step | None], None]
"""Told of each exchange as it was judged, and of what the operator is to do next, None when all is done."""


class Certification:
    """One suite held against every terminal that speaks to a host. Runs on the host's loop.

    `timeout_s` is how long the terminals wait for an answer; `messages` counts what was watched.
    """

    def __init__(self, suite: Suite, parts: Assembly, *, timeout_s: float, seed: int, tell: Tell) -> None:
        self.suite = suite
        self.messages = 0
        self._parts = parts
        self._tell = tell
        self._stories: dict[Whom, Story] = {}
        self._checks: dict[Whom, dict[str, Check]] = {}
        self._last_whom: dict[str, Whom] = {}
        self._with_verdict: set[str] = set()
        self.conductor = Conductor(
            suite, self._judged, self._suspicious, self._ask_sign_in, timeout_s=timeout_s, seed=seed
        )
        parts.pipeline.rulebook = self.conductor
        parts.pipeline.exchanges.watchers.append(self.see)

    def stop(self) -> None:
        """Watch and play no more."""
        self._parts.pipeline.rulebook = None
        self._parts.pipeline.exchanges.watchers.remove(self.see)

    def see(self, exchange: Exchange) -> None:
        """Take an exchange: judge it by every rule, and tell."""
        self.messages += 1
        if exchange.request is None or not exchange.terminal_id:
            self._see_unreadable(exchange)
        else:
            whom = (exchange.merchant_id, exchange.terminal_id)
            self._last_whom[exchange.peer] = whom
            self._see(whom, Observed(exchange, exchange.request))
        self._tell(exchange, self.next_step)

    @property
    def next_step(self) -> Step | None:
        """What the operator is to do next; None when every step was shown."""
        return self.conductor.current(self._with_verdict.__contains__)

    @property
    def complete(self) -> bool:
        """Whether every step was played and every rule has a verdict, but for what is optional."""
        needed = {rule.id for rule in self.suite.rules if not rule.optional}
        return self.next_step is None and needed <= self._with_verdict

    def judgements(self) -> list[Judgement]:
        """The verdict of every rule so far."""
        checks = {rule.id: [of[rule.id] for of in self._checks.values()] for rule in self.suite.rules}
        silent = {id_ for step in self.conductor.unanswered for id_ in step.shows}
        return judge(self.suite, checks, silent)

    def _see(self, whom: Whom, seen: Observed) -> None:
        story = self._story(whom)
        story.place(seen)
        for id_, check in self._checks[whom].items():
            check.see(story, seen)
            if check.findings:
                self._with_verdict.add(id_)
        story.remember(seen)
        self.conductor.seen(seen)

    def _see_unreadable(self, exchange: Exchange) -> None:
        """A frame that could not be read, or that names nobody and should, is that of who spoke last on its
        connection."""
        if exchange.request is not None and exchange.outcome != "format_error":
            return
        whom = self._last_whom.get(exchange.peer, ("", ""))
        self._story(whom)
        for id_, check in self._checks[whom].items():
            check.see_unreadable(exchange)
            if check.findings:
                self._with_verdict.add(id_)

    def _story(self, whom: Whom) -> Story:
        story = self._stories.get(whom)
        if story is None:
            story = self._stories[whom] = Story(*whom, self._parts.registry.find, self.suite.reversible)
            self._checks[whom] = {rule.id: rule.check(rule.parameters) for rule in self.suite.rules}
        return story

    # -- what the conductor asks

    def _judged(self, whom: Whom, id_: str) -> int:
        self._story(whom)
        return self._checks[whom][id_].judged

    def _suspicious(self, whom: Whom, id_: str) -> bool:
        self._story(whom)
        return self._checks[whom][id_].suspicious

    def _ask_sign_in(self, whom: Whom) -> None:
        """In the terminal's next turn remind it to settle: the header of its answers asks for a sign-in then."""
        book = self._parts.registry.find(*whom)
        if book is not None:
            self._parts.pipeline.take_turn(book, _reminded, lambda kept: None)


def _reminded(book: Book, now_ms: int) -> tuple[tuple[Entry, ...], tuple[Row, ...]] | None:
    batch = book.current
    return None if batch is None else ((reminded_entry(book, batch, SEVERITY, now_ms),), ())
