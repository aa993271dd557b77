"""In how many processes tests run, what of them is measured, that a busy machine fails none, and what none leaves
behind.

Slow tests are not measured, nor is a test with its further parameters: measuring doubles the time it takes, and what
these reach is reached by quicker ones, or by the test with its first parameters.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog
from coverage import Coverage
from hypothesis import HealthCheck, settings

from pos_host import logs

SUBPROCESSES = "COVERAGE_PROCESS_CONFIG"
"""By this variable the processes that a test starts know that they are measured."""

MOST_MEASURED = 2
"""So often each test is measured in each process of pytest, however many parameters it has."""

MOST_PROCESSES = 4
"""Each takes a third of a gigabyte."""

if settings.get_current_profile_name() == "default":  # hypothesis brings a profile for CI, of the same kind
    settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("desk")  # a machine that is busy with other things is no finding

_measuring = Coverage.current()
_measured: Counter[str] = Counter()
_kept: dict[str, str | None] = {}
"""The variable, while nothing is measured."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for sockets and for other processes."""
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Start or stop measuring where it is not as this test wants it: each costs as much as a small test."""
    if _measuring is None or _is_worth_it(item) != bool(_kept):
        return
    if _kept:
        config = _kept.pop(SUBPROCESSES)
        if config is not None:
            os.environ[SUBPROCESSES] = config
        _measuring.start()
    else:
        _measuring.stop()
        _kept[SUBPROCESSES] = os.environ.pop(SUBPROCESSES, None)


def _is_worth_it(item: pytest.Item) -> bool:
    if item.get_closest_marker("slow") is not None:
        return False
    test = item.nodeid.partition("[")[0]
    _measured[test] += 1
    return _measured[test] <= MOST_MEASURED


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a test says about logging, or a command that it calls in its own process, ends with the test."""
    level, waiting, settings = logs._least, logs._set_up, structlog.get_config()
    yield
    logs._least, logs._set_up = level, waiting
    structlog.configure(**settings)
