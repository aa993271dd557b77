"""The example that lives a merchant's year, as a newcomer would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

YEAR = Path(__file__).parents[2] / "examples" / "merchant_year.py"
WITHIN_S = 240
"""Many times what it takes alone: the machines of CI are shared."""


@pytest.mark.slow
def test_a_merchants_year_ends_with_no_difference() -> None:
    lived = subprocess.run([sys.executable, str(YEAR)], capture_output=True, text=True, timeout=WITHIN_S, check=False)

    assert 0 == lived.returncode, lived.stdout[-2000:] + lived.stderr[-2000:]
    told = lived.stdout
    for line in (
        "batch 000041 is settled: settled_by_host",
        "applied for and refused for 3 reasons",
        "approving a change needs somebody else",
        "2 test transactions were paid to ************6783: completed",
        "is evaluated: archived",
        "T0000002 goes on with",
        "all steps are taken: closed; a purchase is answered 03",
    ):
        assert line in told
    checked = re.search(r"0 differences; checked (\d+) transactions, (\d+) batches, (\d+) payouts", told)
    assert checked is not None
    transactions, batches, payouts = map(int, checked.groups())
    assert transactions > 600
    assert batches > payouts > 300
