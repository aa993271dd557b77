"""What every check is: it sees the messages of one terminal one after the other, and finds."""

from __future__ import annotations

from typing import NamedTuple

from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story
from pos_host.exchanges import Exchange

MOST_KEPT = 3
"""Findings of each verdict that one check keeps: proof enough, and a long run ends with a report one can read."""


class Finding(NamedTuple):
    """One time that a rule could be judged: how, why in words, and the exchanges that prove it."""

    passed: bool
    reason: str
    evidence: tuple[Exchange, ...]


class Check:
    """One rule held against one terminal. `judged` counts how often, `suspicious` says that the last time it was
    against the terminal, but for once could have been the line's fault: it is to be tried again."""

    TAKES: frozenset[str] = frozenset()
    """The parameters that a suite must give."""

    MAY_TAKE: frozenset[str] = frozenset()

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.findings: list[Finding] = []
        self.judged = 0
        self.suspicious = False
        self._suspicion: tuple[Observed, ...] = ()

    def see(self, story: Story, seen: Observed) -> None:
        """Take the next message; `story` is as it was before it."""
        raise NotImplementedError

    def see_unreadable(self, exchange: Exchange) -> None:
        """Take a frame that could not be read, or that names no terminal and should."""

    def pass_(self, reason: str, *evidence: Observed) -> None:
        """The terminal did what the rule asks."""
        self.suspicious, self._suspicion = False, ()
        self._add(Finding(True, reason, tuple(seen.exchange for seen in evidence)))

    def fail(self, reason: str, *evidence: Observed) -> None:
        """It did not."""
        self.suspicious = False
        self._add(Finding(False, reason, tuple(seen.exchange for seen in evidence)))

    def suspect(self, reason: str, *evidence: Observed) -> None:
        """It did not, as far as can be seen: an answer may be lost on its way once. The second time it counts."""
        if self._suspicion:
            self.fail(reason, *self._suspicion, *evidence)
            self._suspicion = ()
            return
        self.suspicious, self._suspicion = True, evidence
        self.judged += 1

    def _add(self, finding: Finding) -> None:
        self.judged += 1
        if sum(known.passed == finding.passed for known in self.findings) < MOST_KEPT:
            self.findings.append(finding)
