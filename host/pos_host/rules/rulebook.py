"""The rules at work: which there are, which act on a request, and how often each did."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from pos_host.clock import Instant, iso_utc
from pos_host.ledger.book import Book
from pos_host.logs import Logger
from pos_host.rules.errors import RuleFailed
from pos_host.rules.rule import Rule, rules_of
from pos_host.rules.ruling import NO_RULING, Ruling, log_failure, unfit_code
from pos_host.rules.shown_rule import shown
from pos_host.rules.templates import Scene
from pos_host.transaction.request import Request
from pos_specs.vocabulary import FUNCTIONS

log = Logger("pos_host.rules")

HITS_KEPT = 1000
"""Hits that are remembered of each rule: what a test looks at, in a few hundred kilobytes."""

Whom = tuple[str, str]
"""Merchant and terminal."""


class UnknownRule(Exception):
    """There is no rule of that id; the text says so."""


class Hit(NamedTuple):
    """One request on which a rule acted, and whether by its reply, its fault, or both."""

    at_ms: int
    merchant_id: str
    terminal_id: str
    stan: str
    function: str
    replied: bool
    fault: str


class _State:
    """A rule, whether it is enabled, and what it did so far. `counts` are the requests that matched, by terminal."""

    __slots__ = ("acted", "counts", "enabled", "hits", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.enabled = rule.enabled
        self.start_over()

    def start_over(self) -> None:
        self.acted = 0
        self.counts: dict[Whom, int] = {}
        self.hits: deque[Hit] = deque(maxlen=HITS_KEPT)


class Rulebook:
    """The rules of a host, in the order in which they were given. Changed on the host's loop only.

    `use` is told the rulebook whenever there are rules to ask, and None when there are none. Everything that takes a
    document raises RulesError and then changes nothing; everything that takes an id raises UnknownRule.
    """

    def __init__(self, use: Callable[[Rulebook | None], None], seed: int = 0) -> None:
        self.seed = seed
        self._use = use
        self._states: dict[str, _State] = {}
        self._by_function: Mapping[str, tuple[_State, ...]] = {}
        self._last: dict[Whom, str] = {}

    # -- which rules there are

    def add(self, document: Mapping[str, Any] | Rule) -> str:
        """Put a rule behind the others; gives its id, which is made where the document has none."""
        (rule,) = self._read([document], self._states)
        self._states[rule.id] = _State(rule)
        self._arrange()
        return rule.id

    def replace(self, documents: Sequence[Mapping[str, Any] | Rule]) -> None:
        """Have these rules and no others; all counts begin anew."""
        self._states = {rule.id: _State(rule) for rule in self._read(documents, ())}
        self._last.clear()
        self._arrange()

    def remove(self, id_: str) -> None:
        """Forget a rule."""
        self._state(id_)
        del self._states[id_]
        self._arrange()

    def clear(self) -> None:
        """Forget all rules."""
        self.replace([])

    def start_over(self) -> None:
        """Keep the rules, as they were given, and forget what happened: counts, hits, what each terminal asked last."""
        for state in self._states.values():
            state.enabled = state.rule.enabled
            state.start_over()
        self._last.clear()
        self._arrange()

    def enable(self, id_: str) -> None:
        """Have a rule act; where it had acted as often as it may, its `times` begin anew."""
        state = self._state(id_)
        state.enabled = True
        if state.rule.times and state.acted >= state.rule.times:
            state.acted = 0
        self._arrange()

    def disable(self, id_: str) -> None:
        """Have a rule act no more, and count nothing."""
        self._state(id_).enabled = False
        self._arrange()

    # -- what they did

    def hits(self, id_: str) -> list[Hit]:
        """The latest requests on which a rule acted, oldest first."""
        return list(self._state(id_).hits)

    def hit_views(self, id_: str) -> list[dict[str, Any]]:
        """The same as the API shows them, newest first."""
        views = []
        for hit in reversed(self.hits(id_)):
            view = hit._asdict()
            views.append({"at": iso_utc(view.pop("at_ms")), **view, "fault": hit.fault or None})
        return views

    def view(self, id_: str) -> dict[str, Any]:
        """A rule as the API shows it: its document, whether it is enabled, how often it matched and acted."""
        state = self._state(id_)
        last = state.hits[-1].at_ms if state.hits else 0
        return {
            **shown(state.rule.document),
            "enabled": state.enabled,
            "matched": sum(state.counts.values()),
            "acted": state.acted,
            "last_hit_at": iso_utc(last) or None,
        }

    def views(self) -> list[dict[str, Any]]:
        """Every rule, in order."""
        return [self.view(id_) for id_ in self._states]

    # -- at work

    def rule_on(self, request: Request, book: Book | None, now: Instant) -> Ruling:
        """What is to be done to a request; asked once for each, in the order of its terminal's turns."""
        try:
            return self._rule_on(request, book, now)
        except Exception as error:  # our mistake, and no reason to lose an answer
            log.error("rule_failed", function=request.function, reason=type(error).__name__, exc_info=error)
            return NO_RULING

    def _rule_on(self, request: Request, book: Book | None, now: Instant) -> Ruling:
        whom = (request.merchant_id, request.terminal_id)
        last_function = self._last.get(whom, "")
        self._last[whom] = request.function
        replying: _State | None = None
        failing: _State | None = None
        for state in self._by_function.get(request.function, ()):
            rule = state.rule
            if not self._wants(state, request, now, whom, last_function):
                continue
            replies = rule.reply is not None and replying is None
            fails = rule.fault is not None and failing is None
            if replies or fails:
                replying = state if replies else replying
                failing = state if fails else failing
                _note(state, request, now, replied=replies, failed=fails)
        if replying is None and failing is None:
            return NO_RULING
        return self._ruling(request, book, now, replying, failing)

    def _wants(self, state: _State, request: Request, now: Instant, whom: Whom, last_function: str) -> bool:
        rule = state.rule
        condition = rule.condition
        if not condition.holds(request, now, last_function):
            return False
        count = state.counts[whom] = state.counts.get(whom, 0) + 1
        if not condition.wants(count) or (rule.times and state.acted >= rule.times):
            return False
        return condition.probability >= 1 or Random(self._dice(rule, whom, count)).random() < condition.probability

    def _dice(self, rule: Rule, whom: Whom, count: int) -> str:
        """What chance is drawn from: the same for the same request of the same run."""
        return f"{self.seed}/{rule.id}/{whom[0]}/{whom[1]}/{count}"

    def _ruling(
        self, request: Request, book: Book | None, now: Instant, replying: _State | None, failing: _State | None
    ) -> Ruling:
        acting = tuple(dict.fromkeys(state.rule.id for state in (replying, failing) if state is not None))
        reply = None if replying is None else replying.rule.reply
        code = ""
        try:
            if reply is not None and reply.code is not None:
                code = reply.code.fill(Scene(request, book, now))
                unfit = unfit_code(request.language, code)
                if unfit is not None:
                    raise RuleFailed(unfit)
            if reply is not None and reply.force_upload and request.function == "settlement":
                if request.language.dialect.totals_kind == "iso87":
                    raise RuleFailed("the dialect has no batch upload to force")
                request.upload_forced = True
        except RuleFailed as error:
            log_failure(acting, request, str(error))
            reply, code = None, ""
        fault = None if failing is None else failing.rule.fault
        if failing is None:
            return Ruling(acting, reply, code, None, "")
        whom = (request.merchant_id, request.terminal_id)
        dice = f"{self._dice(failing.rule, whom, failing.counts[whom])}/fault"
        return Ruling(acting, reply, code, fault, dice)

    # -- order

    def _read(self, documents: Sequence[Mapping[str, Any] | Rule], taken: Any) -> list[Rule]:
        """The rules of documents; what was read before is read again, since ids must be unique here."""
        given = [document.document if isinstance(document, Rule) else document for document in documents]
        return rules_of(given, taken)

    def _state(self, id_: str) -> _State:
        state = self._states.get(id_)
        if state is None:
            raise UnknownRule(f"there is no rule {id_}")
        return state

    def _arrange(self) -> None:
        """Look rules up by function: a rule of one costs the others nothing."""
        enabled = [state for state in self._states.values() if state.enabled]
        self._by_function = {
            function: tuple(state for state in enabled if function in (state.rule.condition.functions or (function,)))
            for function in FUNCTIONS
        }
        self._use(self if enabled else None)


def _note(state: _State, request: Request, now: Instant, *, replied: bool, failed: bool) -> None:
    fault = state.rule.fault
    kind = fault.kind.name if failed and fault is not None else ""
    state.acted += 1
    hit = Hit(now.at_ms, request.merchant_id, request.terminal_id, request.stan, request.function, replied, kind)
    state.hits.append(hit)
    if kind:
        log.info(
            "rule_acted",
            rule=state.rule.id,
            fault=kind,
            function=request.function,
            terminal_id=request.terminal_id,
            merchant_id=request.merchant_id,
            stan=request.stan,
        )
