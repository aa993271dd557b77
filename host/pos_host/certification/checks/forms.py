"""The form of messages: that they can be read, of single elements, and what a message says of an earlier one."""

from __future__ import annotations

from pos_host.certification.checks.check import Check, Finding
from pos_host.certification.observed import Observed
from pos_host.certification.story import Story
from pos_host.exchanges import Exchange

VOIDS = ("purchase_void", "refund_void", "completion_void", "auth_void")
UNKNOWN = ("original_not_found", "original_differs", "original_settled")
"""Outcomes of what names no original that there is, or not as it is."""


class Readable(Check):
    """Every message can be read and has the elements that its function needs."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.exchange.outcome == "format_error" and not seen.exchange.rules:
            self.fail(seen.exchange.reason or "it was answered with a format error", seen)
        else:
            self.pass_(f"{seen.mti} was read", seen)

    def see_unreadable(self, exchange: Exchange) -> None:
        self._add(Finding(False, exchange.reason or "it cannot be read", (exchange,)))


class ElementForm(Check):
    """`element` of `functions` fits `pattern`; with `needed` it must be there."""

    TAKES = frozenset({"element", "functions", "pattern"})
    MAY_TAKE = frozenset({"needed"})

    def see(self, story: Story, seen: Observed) -> None:
        number, pattern = self.parameters.element, self.parameters.pattern
        if seen.function not in self.parameters.functions or pattern is None:
            return
        value = seen.fields.get(number)
        if value is None:
            if self.parameters.needed:
                self.fail(f"element {number} of {seen.function} is missing", seen)
        elif pattern.fullmatch(value):
            self.pass_(f"element {number} of {seen.function} has its form", seen)
        else:
            self.fail(f"element {number} of {seen.function} has another form", seen)


class BatchNumberUsed(Check):
    """Transactions name the batch that the host has given."""

    def see(self, story: Story, seen: Observed) -> None:
        if not (seen.is_trade or seen.is_advice) or seen.exchange.rules:
            return
        if seen.exchange.outcome == "wrong_batch":
            self.fail("the batch number is not the one that the host has given", seen)
        else:
            self.pass_("the batch is the host's", seen)


class VoidNamesOriginal(Check):
    """A void names a transaction that there is, with its amount."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function not in VOIDS or seen.again is not None or seen.exchange.rules:
            return
        if seen.exchange.outcome in UNKNOWN:
            self.fail(seen.exchange.reason or "the original is not known", seen)
        elif seen.approved:
            self.pass_("the host has found the original", seen)


class RefundWithinOriginal(Check):
    """A refund is not more than what is left of the purchase that it names: the terminal refuses it itself."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "refund" or seen.again is not None or seen.exchange.rules:
            return
        if seen.exchange.outcome == "original_differs":
            self.fail("the refund is more than what is left of the purchase", seen)
        elif seen.approved:
            self.pass_("the refund is within the purchase", seen)


CHECKS: dict[str, type[Check]] = {
    "readable": Readable,
    "element_form": ElementForm,
    "batch_number_used": BatchNumberUsed,
    "void_names_original": VoidNamesOriginal,
    "refund_within_original": RefundWithinOriginal,
}
