"""`make simulate`: business days in virtual time, one per seed; a failing seed fails again."""

from __future__ import annotations

import argparse
import sys
import time
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.simulation.simulation import Outcome, Simulation  # noqa: E402


def main() -> int:
    options = _options()
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.seeds)
    began = time.monotonic()
    outcomes = [_run(seed, verbose=options.verbose, stormy=options.stormy) for seed in seeds]
    print(summary(outcomes, time.monotonic() - began))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def summary(outcomes: list[Outcome], took_s: float) -> str:
    """One line of what was lived through."""
    failed = [str(outcome.seed) for outcome in outcomes if outcome.wrong]
    hours = sum(outcome.virtual_s for outcome in outcomes) / 3600
    return (
        f"{len(outcomes)} seeds in {took_s:.1f} s ({len(outcomes) / took_s:.0f} a second), {hours:.0f} virtual hours: "
        f"{sum(o.exchanges for o in outcomes)} exchanges, {sum(o.entries for o in outcomes)} entries, "
        f"{sum(o.crashes for o in outcomes)} crashes, {sum(o.failed_commits for o in outcomes)} failed commits, "
        f"{sum(o.power_cuts for o in outcomes)} power cuts; "
        + (f"FAILED: {', '.join(failed)}" if failed else "all books agree")
        + f"; digest {combined_digest(outcomes)}"
    )


def combined_digest(outcomes: list[Outcome]) -> str:
    """One digest of all journals: the same seeds give the same, in every process."""
    return blake2b(" ".join(outcome.digest for outcome in outcomes).encode(), digest_size=8).hexdigest()


def failure(outcome: Outcome, *, stormy: bool = False) -> str:
    """What is wrong, and how to see it again."""
    lines = "\n".join(f"  {line}" for line in outcome.wrong)
    again = f".venv/bin/python tests/simulation/simulate.py --seed {outcome.seed}{' --stormy' if stormy else ''} -v"
    return f"seed {outcome.seed} failed:\n{lines}\n  again: {again}"


def _run(seed: int, *, verbose: bool, stormy: bool) -> Outcome:
    outcome = Simulation(seed, print if verbose else lambda line: None, stormy=stormy).run()
    if outcome.wrong:
        print(failure(outcome, stormy=stormy), flush=True)
    return outcome


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds to live through (300)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--stormy", action="store_true", help="the worst weather, and terminals in a hurry")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell everything that happens")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
