"""Expectations: how often something is to be received, how often it was, and what came nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pos_host.exchanges import Exchange, Exchanges
from pos_host.expectations.wanted import Difference, Wanted, WantedError, differences, wanted_of

NEAREST_KEPT = 3
"""Misses that are told: who reads of more is looking for something else than his mistake."""

MATCHES_KEPT = 100
"""Matches that are remembered of one expectation; they are counted beyond that."""

EXPECTATIONS_MOST = 1000
"""Expectations of one test bench at a time; each is asked about every exchange."""

COUNT_MOST = 1_000_000
"""More is a typing error: no test sends as many."""

OTHER_FUNCTION = 1000
"""What another function weighs: one with the right amount is further away than the right one with another amount."""


class Count(NamedTuple):
    """How often, both ends included; `most` None: any number."""

    least: int
    most: int | None

    def allows(self, number: int) -> bool:
        """Whether it may be left at that."""
        return number >= self.least and (self.most is None or number <= self.most)

    def in_words(self) -> str:
        """`once`, `never`, `at least 2 times`."""
        if self.most == self.least:
            return {0: "never", 1: "once"}.get(self.least, f"{self.least} times")
        if self.most is None:
            return "at least once" if self.least == 1 else f"at least {self.least} times"
        return f"{self.least} to {self.most} times"


class Miss(NamedTuple):
    """An exchange that was not the wanted one, and why; `weight` says how far away it was."""

    weight: int
    exchange: Exchange
    differences: list[Difference]


class Expectation:
    """One expectation, told of every exchange after `since`, which may be waited for until `until_s` of the asker's
    clock. `clear` is whether hidden values are compared too."""

    def __init__(self, id_: str, wanted: Wanted, count: Count, since: int, *, clear: bool) -> None:
        self.id = id_
        self.wanted = wanted
        self.count = count
        self.since = since
        self.until_s = 0.0
        self.matched = 0
        self.matches: list[Exchange] = []
        self.nearest: list[Miss] = []
        self.came: dict[str, int] = {}
        self._clear = clear

    def take(self, exchange: Exchange) -> None:
        """Count an exchange, or remember why it does not count."""
        name = exchange.function or "unreadable message"
        self.came[name] = self.came.get(name, 0) + 1
        found = differences(exchange, self.wanted, clear=self._clear)
        if not found:
            self.matched += 1
            if len(self.matches) < MATCHES_KEPT:
                self.matches.append(exchange)
            return
        weight = len(found) + (OTHER_FUNCTION if any(item.what == "function" for item in found) else 0)
        self.nearest = sorted([*self.nearest, Miss(weight, exchange, found)], key=lambda miss: miss.weight)[
            :NEAREST_KEPT
        ]

    @property
    def is_met(self) -> bool:
        """Whether it would be met if nothing more came."""
        return self.count.allows(self.matched)

    @property
    def is_exceeded(self) -> bool:
        """Whether more came than may."""
        return self.count.most is not None and self.matched > self.count.most

    def is_settled(self, now_s: float) -> bool:
        """Whether nobody need wait for it any more: the time is over, or enough came, or too much."""
        return now_s >= self.until_s or self.is_exceeded or (self.count.least > 0 and self.is_met)


class Expectations:
    """All expectations on what a host receives. The exchanges are watched only while there are any."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._expectations: dict[str, Expectation] = {}
        self._made = 0
        self.changed: list[Callable[[], None]] = []

    def add(self, wanted: Wanted, count: Count, since: int | None = None, *, clear: bool = False) -> Expectation:
        """Expect something from now on, and of what came after `since` (None: after what was forgotten last).

        Raises WantedError for one too many.
        """
        if len(self._expectations) >= EXPECTATIONS_MOST:
            raise WantedError(f"there are {EXPECTATIONS_MOST} expectations already; reset the host between tests")
        self._made += 1
        after = self._exchanges.forgotten if since is None else since
        made = self._expectations[str(self._made)] = Expectation(str(self._made), wanted, count, after, clear=clear)
        for exchange in self._exchanges.since(after):
            made.take(exchange)
        if len(self._expectations) == 1:
            self._exchanges.watchers.append(self._watch)
        return made

    def find(self, id_: str) -> Expectation | None:
        """The expectation of that id."""
        return self._expectations.get(id_)

    def all(self) -> list[Expectation]:
        """Every expectation, in the order in which they were made."""
        return list(self._expectations.values())

    def clear(self) -> None:
        """Expect nothing any more."""
        if self._expectations:
            self._expectations.clear()
            self._exchanges.watchers.remove(self._watch)
        self._tell()

    def _watch(self, exchange: Exchange) -> None:
        for expectation in self._expectations.values():
            expectation.take(exchange)
        self._tell()

    def _tell(self) -> None:
        for tell in list(self.changed):
            tell()


def count_of(document: Any) -> Count:
    """`2`, or `{"at_least": 1, "at_most": 3}`; None is once. Raises WantedError."""
    if document is None:
        return Count(1, 1)
    if isinstance(document, Mapping):
        unknown = document.keys() - {"at_least", "at_most"}
        if unknown or not document:
            raise WantedError("count: must be a number, or at_least and at_most")
        least = _number(document.get("at_least", 0))
        most = None if document.get("at_most") is None else _number(document["at_most"])
        if most is not None and most < least:
            raise WantedError("count: at_most is less than at_least")
        return Count(least, most)
    exactly = _number(document)
    return Count(exactly, exactly)


def expected_of(document: Mapping[str, Any], others: Sequence[str] = ()) -> tuple[Wanted, Count]:
    """What a document of conditions and `count` expects; keys of `others` are the caller's. Raises WantedError."""
    conditions = {name: value for name, value in document.items() if name not in ("count", *others)}
    return wanted_of(conditions), count_of(document.get("count"))


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= COUNT_MOST:
        raise WantedError(f"count: must be a whole number from 0 to {COUNT_MOST}")
    return value
