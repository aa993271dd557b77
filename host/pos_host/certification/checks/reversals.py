"""Reversals: that they come, before what, with which content, again, and not for ever."""

from __future__ import annotations

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import MANAGEMENT, NOTICES, Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story

REASON = 39
"""The element of a request's reversal that says why (UnionPay)."""


class ReversedBefore(Check):
    """What was answered with one of `faults` is reversed before the terminal asks for anything else."""

    TAKES = frozenset({"faults"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None:
            if seen.is_reversal:
                self.pass_(f"{opened.function} {opened.stan} was reversed", opened, seen)
                self._open = None
            elif seen.again is not None and seen.stan == opened.stan:
                self._open = None if seen.heard == "yes" else opened
            elif not seen.is_aside:
                self.fail(f"{seen.function} came before the reversal of {opened.function} {opened.stan}", opened, seen)
                self._open = None
        fault = seen.exchange.fault
        if fault in self.parameters.faults and seen.heard != "yes" and seen.function in story.reversible:
            self._open = seen


class ReversalNamesOriginal(Check):
    """A reversal has the STAN of the request that it undoes."""

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.is_reversal:
            return
        unheard = story.unheard
        if unheard is not None and seen.stan != unheard.stan:
            reason = f"the reversal has STAN {seen.stan}, the request without an answer {unheard.stan}"
            self.fail(reason, unheard, seen)
        elif seen.stan in story.stans:
            evidence = (unheard, seen) if unheard is not None else (seen,)
            self.pass_(f"the reversal repeats STAN {seen.stan}", *evidence)


class ReversalSameElements(Check):
    """A reversal has the same `elements` as the request that it undoes."""

    TAKES = frozenset({"elements"})

    def see(self, story: Story, seen: Observed) -> None:
        original = story.requests.get(seen.stan) if seen.is_reversal else None
        if original is None:
            return
        differing = [
            number for number in self.parameters.elements if seen.fields.get(number) != original.fields.get(number)
        ]
        if differing:
            self.fail(f"element {differing[0]} is not that of the original", original, seen)
        else:
            self.pass_("it has the original's elements", original, seen)


class ReversalWithout(Check):
    """A reversal has none of `elements`."""

    TAKES = frozenset({"elements"})

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.is_reversal:
            return
        present = [number for number in self.parameters.elements if number in seen.fields]
        if present:
            self.fail(f"the reversal carries element {present[0]}", seen)
        else:
            self.pass_("the reversal carries none of them", seen)


class ReversalReason(Check):
    """A reversal says why: one of `codes`, and A0 where the MAC of the answer was wrong, and only there."""

    TAKES = frozenset({"codes"})

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.is_reversal:
            return
        reason, unheard = seen.fields.get(REASON, ""), story.unheard
        evidence = (unheard, seen) if unheard is not None and unheard.stan == seen.stan else (seen,)
        mac_was_wrong = unheard is not None and unheard.exchange.fault == "bad_mac"
        if reason not in self.parameters.codes:
            self.fail(f"element 39 is {reason or 'missing'}", *evidence)
        elif reason == "A0" and unheard is not None and not mac_was_wrong:
            self.fail("element 39 says that a MAC was wrong, and none was", *evidence)
        else:
            self.pass_(f"element 39 is {reason}", *evidence)


class ReversalRepeated(Check):
    """A reversal that was not answered is sent again before anything else."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None:
            if seen.is_reversal:
                self.pass_(f"the reversal of {opened.stan} came again", opened, seen)
                self._open = None
            elif seen.function not in MANAGEMENT | NOTICES:
                self.fail(f"{seen.function} came, and not the reversal of {opened.stan} again", opened, seen)
                self._open = None
        if seen.is_reversal and seen.heard != "yes":
            self._open = seen


class ReversalEnds(Check):
    """One reversal is sent `most` times at the most, however it is answered.

    Where the transaction's own answer was slow, those of its reversals stood behind it, and nothing is judged.
    """

    TAKES = frozenset({"most"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._sent: list[Observed] = []
        self._slow: set[str] = set()

    def see(self, story: Story, seen: Observed) -> None:
        sent = self._sent
        if seen.is_reversal:
            if seen.stan in self._slow:
                return
            sent = self._sent = [*sent, seen] if sent and sent[-1].stan == seen.stan else [seen]
            if len(sent) == self.parameters.most + 1:
                self.fail(f"the reversal of {seen.stan} came {len(sent)} times", sent[0], seen)
        elif sent and not seen.is_aside:
            if len(sent) <= self.parameters.most:
                self.pass_(f"the reversals of {sent[-1].stan} have ended", *sent[-2:], seen)
            self._sent = []
        if not seen.is_reversal:
            (self._slow.add if seen.exchange.fault == "delay" else self._slow.discard)(seen.stan)


CHECKS: dict[str, type[Check]] = {
    "reversed_before": ReversedBefore,
    "reversal_names_original": ReversalNamesOriginal,
    "reversal_same_elements": ReversalSameElements,
    "reversal_without": ReversalWithout,
    "reversal_reason": ReversalReason,
    "reversal_repeated": ReversalRepeated,
    "reversal_ends": ReversalEnds,
}
