"""What a terminal makes of its answers: those it must take as they are, declines, and those that come together."""

from __future__ import annotations

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story


class _Taken(Check):
    """An answer that the terminal has to take: it neither asks again nor reverses."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def meant(self, story: Story, seen: Observed) -> bool:
        """Whether the answer is one of those that the rule speaks of."""
        raise NotImplementedError

    def see(self, story: Story, seen: Observed) -> None:
        opened = self._open
        if opened is not None and not seen.is_aside:
            same = seen.stan == opened.stan
            if seen.is_reversal and same:
                self.suspect(f"{opened.function} {opened.stan} was answered, and reversed", opened, seen)
            elif seen.again is not None and same:
                self.suspect(f"{opened.function} {opened.stan} was answered, and asked again", opened, seen)
            else:
                self.pass_(f"the answer to {opened.function} {opened.stan} was taken", opened, seen)
            self._open = None
        if self.meant(story, seen):
            self._open = seen


class Taken(_Taken):
    """An answer with one of `faults`, which do it no harm, is taken."""

    TAKES = frozenset({"faults"})

    def meant(self, story: Story, seen: Observed) -> bool:
        return seen.exchange.fault in self.parameters.faults and seen.is_trade


class DeclineTaken(_Taken):
    """What was declined is not reversed: the answer came, whatever it said."""

    def meant(self, story: Story, seen: Observed) -> bool:
        return seen.declined and seen.function in story.reversible and not seen.exchange.fault


class CarriesOn(Check):
    """After an answer with one of `faults` the terminal goes on, by a reversal or without."""

    TAKES = frozenset({"faults"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if self._open is not None:
            self.pass_(f"{seen.function} came after it", self._open, seen)
            self._open = None
        if seen.exchange.fault in self.parameters.faults:
            self._open = seen


class AnswersApart(Check):
    """An answer that comes late, in one segment with that to its reversal, is not taken for the reversal's: that is
    answered, and does not come again."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._late: Observed | None = None
        self._reversal: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        late, reversal = self._late, self._reversal
        if late is not None and reversal is not None and not seen.is_aside:
            if seen.is_reversal and seen.stan == late.stan:
                self.suspect("the reversal was answered behind the late answer, and came again", late, reversal, seen)
            else:
                self.pass_("the answer to the reversal was told from the late one", late, reversal, seen)
            self._late = self._reversal = None
        elif late is not None and seen.is_reversal and seen.stan == late.stan:
            self._reversal = seen
        if seen.exchange.fault == "coalesce" and seen.is_trade:
            self._late, self._reversal = seen, None


class AdviceRepeated(Check):
    """What is not reversed (`functions`) is sent again with its STAN when no answer came; its message type may say
    that it is a repeat (the last digit 1)."""

    TAKES = frozenset({"functions"})

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._open: dict[tuple[str, str | None], Observed] = {}

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function not in self.parameters.functions:
            return
        key = (seen.function, seen.fields.get(4))
        opened = self._open.pop(key, None)
        if opened is not None:
            self._judge(opened, seen)
        if seen.heard != "yes":
            self._open[key] = seen

    def _judge(self, opened: Observed, seen: Observed) -> None:
        types = {opened.mti, f"{opened.mti[:3]}{int(opened.mti[3]) | 1}"}
        if seen.stan != opened.stan:
            self.fail(f"{opened.function} {opened.stan} came again as {seen.stan}", opened, seen)
        elif seen.mti not in types:
            self.fail(f"{opened.function} {opened.stan} came again as {seen.mti}", opened, seen)
        else:
            self.pass_(f"{opened.function} {opened.stan} came again as {seen.mti}", opened, seen)


CHECKS: dict[str, type[Check]] = {
    "taken": Taken,
    "decline_taken": DeclineTaken,
    "carries_on": CarriesOn,
    "answers_apart": AnswersApart,
    "advice_repeated": AdviceRepeated,
}
