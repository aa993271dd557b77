"""Plays the steps of a suite: to whom which fault, one at a time for each terminal, in the order of the suite.

It stands where the host's rulebook stands and asks a rulebook of its own for each step. A terminal to which a step is
played gets no other until the rules that the step shows were judged for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pos_host.certification.observed import MANAGEMENT, SETTLING, Observed
from pos_host.certification.suite import Step, Suite
from pos_host.clock import Instant
from pos_host.ledger.book import Book
from pos_host.rules.rulebook import Rulebook
from pos_host.rules.ruling import NO_RULING, Ruling
from pos_host.transaction.request import Request

PATIENCE_MESSAGES = 6
"""Messages after which a terminal that has shown nothing of a step is free for the next one; those of a settlement,
which may be hundreds, and of line and keys do not count."""

IN_TIME_PERCENT, TOO_LATE_PERCENT = 25, 120
"""When an answer comes that is slow, and one that is too late, as shares of the time that the terminal waits."""

Whom = tuple[str, str]


class Play:
    """A step and what became of it: `waiting` to be played, `played` to `whom`, `done`."""

    def __init__(self, step: Step, timeout_s: float, seed: int) -> None:
        self.step = step
        self.state = "waiting"
        self.tries = 0
        self.whom: Whom | None = None
        self.messages = 0
        self._documents = [_timed(document, timeout_s) for document in step.play]
        self._seed = seed
        self.rulebook = self._new_rulebook()

    def opens_with(self, function: str) -> bool:
        """Whether the step begins with a request of that function: that of its first rule. The others wait for what
        follows, such as the reversal of a sale."""
        if not self._documents:
            return False
        functions = self._documents[0].get("when", {}).get("function", function)
        return function in ([functions] if isinstance(functions, str) else functions)

    def begin(self, whom: Whom) -> None:
        """It is played to a terminal."""
        self.state, self.whom, self.messages = "played", whom, 0
        self.tries += 1

    def end(self, *, again: bool) -> None:
        """It was judged, or is to be played once more where it may."""
        self.whom = None
        if again and self.tries < self.step.tries:
            self.state, self.rulebook = "waiting", self._new_rulebook()
        else:
            self.state = "done"

    def _new_rulebook(self) -> Rulebook:
        rulebook = Rulebook(lambda asked: None, self._seed)
        rulebook.replace(self._documents)
        return rulebook


class Conductor(Rulebook):
    """The rulebook of a host that certifies. `judged` counts the judgements of a rule for a terminal, and `suspicious`
    says whether the last one is to be tried again; `ask_sign_in` has the header of a terminal's answers ask for it."""

    def __init__(
        self,
        suite: Suite,
        judged: Callable[[Whom, str], int],
        suspicious: Callable[[Whom, str], bool],
        ask_sign_in: Callable[[Whom], None],
        *,
        timeout_s: float,
        seed: int,
    ) -> None:
        super().__init__(lambda asked: None, seed)
        self.plays = [Play(step, timeout_s, seed) for step in suite.steps]
        self._judged, self._suspicious, self._ask_sign_in = judged, suspicious, ask_sign_in
        self._playing: dict[Whom, Play] = {}
        self._before: dict[Whom, int] = {}

    def rule_on(self, request: Request, book: Book | None, now: Instant) -> Ruling:
        """What is to be done to a request: what the terminal's step says, or the first step that waits for such one."""
        whom = (request.merchant_id, request.terminal_id)
        playing = self._playing.get(whom)
        if playing is not None:
            return playing.rulebook.rule_on(request, book, now)
        for play in self.plays:
            if play.state != "waiting" or not play.opens_with(request.function):
                continue
            ruling = play.rulebook.rule_on(request, book, now)
            if ruling.rules:
                self._begin(play, whom)
                return ruling
        return NO_RULING

    def seen(self, seen: Observed) -> None:
        """A message was answered and judged: end the step that it has shown, or have a sign-in asked for."""
        whom = (seen.exchange.merchant_id, seen.exchange.terminal_id)
        play = self._playing.get(whom)
        if play is None:
            self._perhaps_ask(whom, seen)
            return
        play.messages += seen.function not in SETTLING | MANAGEMENT
        shown = self._count(play.step, whom) > self._before[whom]
        if shown or play.messages > PATIENCE_MESSAGES:
            del self._playing[whom]
            play.end(again=any(self._suspicious(whom, id_) for id_ in play.step.shows))

    def current(self, seen_rules: Callable[[str], bool]) -> Step | None:
        """What the operator is to do next; `seen_rules` says whether a rule has a verdict. None when all is done.

        What was left out comes again at the end: a terminal that makes no MAC never comes to the step of a wrong one.
        Where only optional steps are left out, all is done.
        """
        places = [place for place, play in enumerate(self.plays) if play.state != "waiting"]
        after = places[-1] if places else 0
        for play in (*self.plays[after:], *(play for play in self.plays[:after] if not play.step.optional)):
            if play.step.play or play.step.ask_sign_in:
                if play.state != "done":
                    return play.step
            elif not all(seen_rules(id_) for id_ in play.step.shows):
                return play.step
        return None

    @property
    def unanswered(self) -> list[Step]:
        """The steps that were played to a terminal which has shown nothing of them since."""
        return [play.step for play in self._playing.values()]

    def _begin(self, play: Play, whom: Whom) -> None:
        play.begin(whom)
        self._playing[whom] = play
        self._before[whom] = self._count(play.step, whom)

    def _perhaps_ask(self, whom: Whom, seen: Observed) -> None:
        """After an approval that was heard, where the first step not yet played asks for a sign-in."""
        waiting = next((play for play in self.plays if play.state == "waiting" and play.step.ask_sign_in), None)
        if waiting is None or not seen.is_trade or not seen.approved or seen.heard != "yes":
            return
        self._begin(waiting, whom)
        self._ask_sign_in(whom)

    def _count(self, step: Step, whom: Whom) -> int:
        """How many judgements there were of the first rule that the step shows."""
        return self._judged(whom, step.shows[0]) if step.shows else 0


def _timed(document: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    """A slow answer comes in time, a late one too late for the terminal that is certified."""
    fault = document.get("fault")
    kind = fault["kind"] if isinstance(fault, dict) else fault
    share = {"delay": IN_TIME_PERCENT, "late_reply": TOO_LATE_PERCENT}.get(str(kind))
    if share is None:
        return dict(document)
    return {**document, "fault": {"kind": kind, "seconds": timeout_s * share / 100}}
