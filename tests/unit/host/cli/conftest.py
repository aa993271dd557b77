from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from pos_host import logs


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a command of a test says about logging ends with the test."""
    before, level, waiting = structlog.get_config(), logs._least, logs._set_up
    yield
    logs._least, logs._set_up = level, waiting
    structlog.configure(**before)
