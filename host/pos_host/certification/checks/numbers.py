"""STANs: their range, that each is new, that they go forward, and how they begin again."""

from __future__ import annotations

from pos_host.certification.checks.check import Check
from pos_host.certification.observed import MANAGEMENT, Observed
from pos_host.certification.parameters import Parameters
from pos_host.certification.story import Story

LAST_STAN = 999_999

MOST_LEFT_OUT = 9
"""STANs that may be missing where they begin again: stored advices take some, and messages that never arrived."""


class StanRange(Check):
    """Every STAN is 000001 to 999999."""

    def see(self, story: Story, seen: Observed) -> None:
        if 11 not in seen.fields:
            return
        if _in_range(seen.stan):
            self.pass_(f"STAN {seen.stan}", seen)
        else:
            self.fail(f"STAN {seen.stan} is outside 000001 to 999999", seen)


class StanUnused(Check):
    """A new transaction has a STAN that none of the same batch has."""

    def see(self, story: Story, seen: Observed) -> None:
        if not (seen.is_trade or seen.is_advice) or seen.again is not None:
            return
        known = story.requests.get(seen.stan)
        if known is not None:
            self.fail(f"STAN {seen.stan} was used in this batch for another {known.function}", known, seen)
        elif story.requests:
            self.pass_(f"STAN {seen.stan} is new in the batch", seen)


class StanForward(Check):
    """The STANs of what is asked online go forward; behind 999999 they begin again. Some may be left out: sign-ins
    and stored advices take numbers too."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._last: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if not seen.is_trade or seen.again is not None or not _in_range(seen.stan):
            return
        last, self._last = self._last, seen
        if last is None or last.stan == seen.stan:
            return
        if (int(seen.stan) - int(last.stan)) % LAST_STAN <= LAST_STAN // 2:
            self.pass_(f"{seen.stan} follows {last.stan}", last, seen)
        else:
            self.fail(f"{seen.stan} comes after {last.stan}", last, seen)


class StanWraps(Check):
    """Behind 999999 the STANs begin again with 000001: 000000 is none, and none of them is left out for good. A batch
    upload is passed over, since its records may take many."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._last: Observed | None = None

    def see(self, story: Story, seen: Observed) -> None:
        if seen.function in ("batch_upload", "batch_upload_end"):
            self._last = None
        asked = seen.is_trade or seen.function in MANAGEMENT or seen.function == "settlement"
        if not asked or seen.again is not None or not seen.stan.isdigit():
            return
        last, self._last = self._last, seen
        if last is None or int(last.stan) - int(seen.stan) <= LAST_STAN // 2:
            return
        left_out = LAST_STAN - int(last.stan) + int(seen.stan) - 1
        if 0 <= left_out <= MOST_LEFT_OUT and int(seen.stan) > 0:
            self.pass_(f"{seen.stan} follows {last.stan}", last, seen)
        else:
            self.fail(f"{seen.stan} follows {last.stan}, where the STANs begin again", last, seen)


def _in_range(stan: str) -> bool:
    return stan.isdigit() and 1 <= int(stan) <= LAST_STAN


CHECKS: dict[str, type[Check]] = {
    "stan_range": StanRange,
    "stan_unused": StanUnused,
    "stan_forward": StanForward,
    "stan_wraps": StanWraps,
}
