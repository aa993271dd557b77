"""Slow tests are not measured: what they reach is reached by quicker ones, and measuring would double their time."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from coverage import Coverage

SUBPROCESSES = "COVERAGE_PROCESS_CONFIG"
"""By this variable the processes that a test starts know that they are measured."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    measuring = Coverage.current()
    if measuring is None or item.get_closest_marker("slow") is None:
        return (yield)
    measuring.stop()
    config = os.environ.pop(SUBPROCESSES, None)
    try:
        return (yield)
    finally:
        if config is not None:
            os.environ[SUBPROCESSES] = config
        measuring.start()
