"""Loggers that load structlog with their first line.

structlog is slow to import, because it looks for rich; a host is ready before that.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_least = LEVELS["debug"]
_set_up: Callable[[], None] | None = None
_loading = threading.Lock()


def log_from(level: str, set_up: Callable[[], None]) -> None:
    """Log from `level` on; `set_up` configures structlog before the first line, or when `load` is called."""
    global _least, _set_up
    _least = LEVELS[level]
    _set_up = set_up


def load() -> None:
    """Load and configure structlog now; a thread may do it, so that the first line does not stop the loop."""
    global _set_up
    with _loading:  # who logs meanwhile waits: an unconfigured line would go to standard output, unmasked
        if _set_up is not None:
            _set_up()
            _set_up = None


class Logger:
    """A structlog logger by name; `log.warning("what_happened", key=value)`."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if LEVELS[method] < _least:
            return _nothing
        if _set_up is not None:
            load()
        return getattr(importlib.import_module("structlog").get_logger(part=self._name), method)


def _nothing(event: str, **values: Any) -> None:
    """What is below the level."""
