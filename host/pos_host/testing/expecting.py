"""`pos_acquirer.expect(…)`: what a test expects the host to receive, checked when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pos_host.exchanges import Exchange, Exchanges
from pos_host.expectations.expectation import Count, Expectation, Expectations, count_of
from pos_host.expectations.wanted import Wanted, differences, wanted_of
from pos_host.expectations.wording import brief, explanation


class ExpectationFailed(AssertionError):
    """Something was expected of the terminals that did not come, or came too often; the text tells the nearest."""


class Expected:
    """An expectation that still has to be told how often: `once`, `times`, `never`, `at_least`. Until then: at least
    once. Each gives itself, so that it can be asked later, and raises WantedError for what is no number."""

    def __init__(self, expectation: Expectation) -> None:
        self._expectation = expectation
        self._expectation.count = Count(1, None)

    def once(self) -> Expected:
        """Exactly once."""
        return self.times(1)

    def times(self, number: int) -> Expected:
        """So often, neither less nor more."""
        return self._counted({"at_least": number, "at_most": number})

    def never(self) -> Expected:
        """Not at all."""
        return self.times(0)

    def at_least(self, number: int) -> Expected:
        """So often or more."""
        return self._counted({"at_least": number})

    def at_most(self, number: int) -> Expected:
        """So often or less, also not at all."""
        return self._counted({"at_most": number})

    @property
    def is_met(self) -> bool:
        """Whether it is met as things are now."""
        return self._expectation.is_met

    @property
    def explanation(self) -> str:
        """What was expected, what came, and the nearest misses, card numbers masked."""
        return explanation(self._expectation)

    def verify(self) -> None:
        """Raise ExpectationFailed where it is not met."""
        __tracebackhide__ = True
        if not self.is_met:
            raise ExpectationFailed(self.explanation)

    def _counted(self, document: dict[str, Any]) -> Expected:
        self._expectation.count = count_of(document)
        return self


class Expecting:
    """All that one test expects. `on_loop` calls a function where the host's exchanges may be looked at."""

    def __init__(self, on_loop: Callable[[Callable[[], Any]], Any]) -> None:
        self._on_loop = on_loop
        self._expected: list[Expected] = []
        self._orders: list[tuple[Wanted, ...]] = []

    def expect(self, expectations: Expectations, conditions: Mapping[str, Any]) -> Expected:
        """Expect something of the whole test, also of what came already; raises WantedError."""
        wanted = wanted_of(conditions)
        made = Expected(self._on_loop(lambda: expectations.add(wanted, Count(1, None), clear=True)))
        self._expected.append(made)
        return made

    def expect_in_order(self, conditions: Sequence[Mapping[str, Any] | str]) -> None:
        """Expect these one after the other, whatever comes between; a text is a function. Raises WantedError."""
        documents = [{"function": one} if isinstance(one, str) else one for one in conditions]
        self._orders.append(tuple(wanted_of(document) for document in documents))

    def unmet(self, exchanges: Exchanges) -> str:
        """All that is not met, in words, "" where everything is; what is told once is not told again."""
        expected, self._expected = self._expected, []
        orders, self._orders = self._orders, []
        if not expected and not orders:
            return ""
        kept: list[Exchange] = self._on_loop(lambda: exchanges.since(0))
        told = [one.explanation for one in expected if not one.is_met]
        return "\n".join(told + [text for order in orders if (text := why_not_in_order(order, kept)) is not None])


def why_not_in_order(order: Sequence[Wanted], exchanges: Sequence[Exchange]) -> str | None:
    """Why exchanges do not have these in this order; None where they do."""
    left = iter(exchanges)
    before: Exchange | None = None
    for place, wanted in enumerate(order, 1):
        found = next((exchange for exchange in left if not differences(exchange, wanted)), None)
        if found is None:
            names = ", ".join(one.in_words() for one in order)
            after = "" if before is None else f" after {brief(before)}"
            came = "\n".join(f"  {brief(exchange)}" for exchange in exchanges) or "  nothing"
            return f"expected in order: {names}; number {place}, {wanted.in_words()}, did not come{after}\n{came}"
        before = found
    return None
