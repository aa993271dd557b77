"""The first line of the log, which loads what writes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pos_host import logs


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a test says about logging ends with the test."""
    level, waiting = logs._least, logs._set_up
    yield
    logs._least, logs._set_up = level, waiting


def test_a_line_that_comes_while_logging_is_being_loaded_waits_for_it() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def set_up_slowly() -> None:
        begun.set()
        go_on.wait(5)
        done.append("set up")

    logs.Logger("test").info  # noqa: B018 - structlog is imported, so that nothing but the set-up takes time
    logs.log_from("info", set_up_slowly)
    loading = threading.Thread(target=logs.load)
    loading.start()
    begun.wait(5)
    first_line = threading.Thread(target=lambda: (logs.Logger("test").info, done.append("first line")))
    first_line.start()
    first_line.join(0.05)
    assert [] == done

    go_on.set()
    loading.join(5)
    first_line.join(5)

    assert ["set up", "first line"] == done
