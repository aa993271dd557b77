"""Settlements: totals against the host's books, the same again when unanswered, nothing in between, the next number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story, closes_batch, number_of, totals_in, wants_upload
from pos_host.ledger.book import Batch
from pos_host.ledger.group_totals import totals_of
from pos_host.ledger.reconciliation import hypercom_balanced, unionpay_codes
from pos_specs.totals import BALANCED, Side, Totals

MOST_DECLINES = 12
"""Declined transactions of a batch of which it is tried whether some explain a difference: four thousand sums."""

MOST_PARTS = 8
"""Transactions approved in part of which the same is tried; a suite makes one, test cards a few more."""


class TotalsRight(Check):
    """The totals of a settlement are those of what was approved and not reversed. A difference that is the amount of
    something declined is another rule's."""

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "settlement" or seen.again is not None:
            return
        batch, sent = story.batch_of(seen), totals_in(seen)
        if batch is None or sent is None:
            return
        if agree(batch, sent):
            self.pass_(_words(sent), seen)
        elif not explained(story.declined, batch, sent):
            self.fail(f"the terminal says {_words(sent)}; approved were {_words(totals_of(batch))}", seen)


class DeclinedNotCounted(Check):
    """What was declined with one of `codes` is in no total."""

    TAKES = frozenset({"codes"})

    def see(self, story: Story, seen: Observed) -> None:
        mine = [declined for declined in story.declined if declined.code in self.parameters.codes]
        if seen.function != "settlement" or seen.again is not None or not mine:
            return
        batch, sent = story.batch_of(seen), totals_in(seen)
        if batch is None or sent is None:
            return
        if agree(batch, sent):
            self.pass_(
                f"{mine[0].function} {mine[0].stan}, declined with {mine[0].code}, is not counted", mine[0], seen
            )
            return
        counted = [declined for declined in explained(story.declined, batch, sent) if declined in mine]
        if counted:
            reason = f"{counted[0].function} {counted[0].stan} is counted, though declined with {counted[0].code}"
            self.fail(reason, counted[0], seen)


class PartCounted(Check):
    """Where less was approved than asked for (a code of `codes`, and the part in DE4), the terminal counts that part,
    or reverses it."""

    TAKES = frozenset({"codes"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._parts: dict[str, Observed] = {}

    def see(self, story: Story, seen: Observed) -> None:
        if seen.is_reversal and seen.heard == "yes" and (undone := self._parts.pop(seen.stan, None)) is not None:
            self.pass_(f"{undone.function} {undone.stan}, approved in part, was reversed", undone, seen)
        elif seen.heard == "yes" and seen.code in self.parameters.codes and 0 < _part_of(seen) < seen.amount_minor:
            self._parts[seen.stan] = seen
        elif seen.function == "settlement" and seen.again is None and self._parts:
            self._settled(story, seen)
        if closes_batch(seen):
            self._parts = {}

    def _settled(self, story: Story, seen: Observed) -> None:
        batch, sent = story.batch_of(seen), totals_in(seen)
        if batch is None or sent is None:
            return
        difference = _difference(batch, sent)
        for some in _choices(list(self._parts.values())[:MOST_PARTS]):
            said = f"{some[0].function} {some[0].stan}: {_part_of(some[0])} of {some[0].amount_minor} was approved"
            if difference == (0, 0):
                self.pass_(f"{said}, and is counted", some[0], seen)
            elif difference == (0, sum(one.amount_minor - _part_of(one) for one in some)):
                self.fail(f"{said}, and all of it is counted", some[0], seen)
            elif difference == (-len(some), -sum(_part_of(one) for one in some)):
                self.fail(f"{said}, and nothing is counted, nor was it reversed", some[0], seen)
            else:
                continue
            return


class SettlementRepeated(Check):
    """A settlement whose answer was lost comes again: the same batch, the same totals."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function != "settlement":
            return
        opened = self._open
        if opened is not None and seen.again is not None:
            self.pass_(f"batch {number_of(seen)} came again", opened, seen)
        elif opened is not None:
            self.fail("it came again with another batch number or other totals", opened, seen)
        self._open = seen if seen.heard != "yes" else None


class NothingWhileSettling(Check):
    """From a settlement without an answer, or one that asks for the batch, to its end nothing is sold."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None and seen.is_trade and seen.again is None:
            self.fail(f"{seen.function} came while batch {number_of(opened)} was being settled", opened, seen)
            self._open = None
        elif closes_batch(seen) and opened is not None:
            self.pass_("nothing was sold until the batch was closed", opened, seen)
            self._open = None
        elif seen.function == "settlement" and (seen.heard != "yes" or wants_upload(seen)):
            self._open = seen


class BatchNumberRaised(Check):
    """After a settlement the next batch has the next number."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._closed: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        closed = self._closed
        names = seen.is_trade or seen.is_advice or (seen.function == "settlement" and seen.again is None)
        if closed is not None and names and number_of(seen):
            before, number = number_of(closed), number_of(seen)
            wanted = seen.exchange.language.dialect.batch.after(before)
            if number == wanted:
                self.pass_(f"{number} follows {before}", closed, seen)
            else:
                self.fail(f"{number} follows {before}, and not {wanted}", closed, seen)
            self._closed = None
        if closes_batch(seen):
            self._closed = seen


class SettlementEnds(Check):
    """An end that is answered with the order to send the batch is the end all the same: settlement and end of a batch
    together come `most` times at the most."""

    TAKES = frozenset({"most"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._sent: list[Observed] = []
        self._asked_again: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function in ("settlement", "batch_upload_end"):
            same = bool(self._sent) and number_of(self._sent[-1]) == number_of(seen)
            self._sent = [*self._sent, seen] if same else [seen]
            if len(self._sent) == self.parameters.most + 1:
                self.fail(f"batch {number_of(seen)} came {len(self._sent)} times", self._sent[0], seen)
            if seen.function == "batch_upload_end" and seen.exchange.rules:
                self._asked_again = seen
        elif self._asked_again is not None and not seen.is_aside and len(self._sent) <= self.parameters.most:
            self.pass_("the settlement has ended", self._asked_again, seen)
            self._asked_again = None


def agree(batch: Batch, sent: Totals) -> bool:
    """Whether declared totals are the host's of a batch."""
    if batch.dialect.totals_kind == "hypercom63":
        return hypercom_balanced(batch, sent)
    return unionpay_codes(batch, sent) == (BALANCED, BALANCED)


def explained(declined: Sequence[Observed], batch: Batch, sent: Totals) -> tuple[Observed, ...]:
    """The declined transactions that the terminal has counted, () where they do not explain the difference."""
    count, amount_minor = _difference(batch, sent)
    few = declined[:MOST_DECLINES]
    if not 0 < count <= len(few):
        return ()
    fitting = (some for some in combinations(few, count) if sum(one.amount_minor for one in some) == amount_minor)
    return next(fitting, ())


def _difference(batch: Batch, sent: Totals) -> tuple[int, int]:
    theirs, ours = _sum(sent), _sum(totals_of(batch))
    return theirs.count - ours.count, theirs.amount_minor - ours.amount_minor


def _part_of(seen: Observed) -> int:
    """The amount that the answer says, in minor units; 0 where it says none."""
    text = "" if seen.reply is None else seen.reply.fields.get(4, "")
    return int(text) if text.isdigit() else 0


def _choices(seen: Sequence[Observed]) -> Iterator[tuple[Observed, ...]]:
    """Every choice of at least one, the smaller ones first."""
    return chain.from_iterable(combinations(seen, count) for count in range(1, len(seen) + 1))


def _sum(totals: Totals) -> Side:
    return Side(sum(side.count for side in totals.values()), sum(side.amount_minor for side in totals.values()))


def _words(totals: Totals) -> str:
    shown = [
        f"{name.replace('_', ' ')} {side.count}/{side.amount_minor}" for name, side in totals.items() if side.count
    ]
    return ", ".join(shown) or "nothing"


CHECKS: dict[str, type[Check]] = {
    "totals_right": TotalsRight,
    "declined_not_counted": DeclinedNotCounted,
    "part_counted": PartCounted,
    "settlement_repeated": SettlementRepeated,
    "nothing_while_settling": NothingWhileSettling,
    "batch_number_raised": BatchNumberRaised,
    "settlement_ends": SettlementEnds,
}
