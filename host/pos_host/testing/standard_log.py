"""The host's log lines in the standard library's logging, where pytest shows them beside a test that failed.

The project that is tested may have set structlog up for itself, so structlog's own settings are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pos_host import logs
from pos_host.logs import LEVELS


@contextmanager
def standard_log() -> Iterator[None]:
    """Within the context the host's lines go to the standard library's logging."""
    before = logs.write_to(write_standard)
    try:
        yield
    finally:
        logs.write_to(before)


def write_standard(logger: str, method: str, event: str, /, **values: Any) -> None:
    """Write a line at its level, card numbers masked."""
    log = logging.getLogger(logger)
    if not log.isEnabledFor(LEVELS[method]):
        return
    from pos_host.log_setup import mask_cards, name_error

    line = mask_cards(log, method, name_error(log, method, {"event": event, **values}))
    log.log(
        LEVELS[method],
        "%s",
        " ".join(f"{key}={value}" if key != "event" else str(value) for key, value in line.items()),
    )
