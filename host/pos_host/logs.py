"""Loggers that load structlog with their first line.

structlog is slow to import, because it looks for rich; a host is ready before that.
"""

from __future__ import annotations

import importlib
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Line(NamedTuple):
    """A line that came while logging was being loaded."""

    logger: str
    method: str
    event: str
    values: dict[str, Any]


Write = Callable[..., None]
"""Takes a line as logger, method, event and its values by name."""

_least = LEVELS["debug"]
_write: Write | None = None
_set_up: Callable[[], None] | None = None
_loading = threading.Lock()
_kept: deque[Line] = deque()


def log_from(level: str, set_up: Callable[[], None]) -> None:
    """Log from `level` on; `set_up` configures structlog before the first line, or when `load` is called."""
    global _least, _set_up
    _least = LEVELS[level]
    _set_up = set_up


def write_to(write: Write | None) -> Write | None:
    """Give every line to `write`, past structlog, or to structlog for None; gives what it was before."""
    global _write
    before, _write = _write, write
    return before


def load() -> None:
    """Load and configure structlog now; a thread may do it, so that the first line does not stop the loop."""
    global _set_up
    if not _loading.acquire(blocking=False):
        return  # somebody is at it
    try:
        if _set_up is not None:
            _set_up()
            _set_up = None
    finally:
        _loading.release()
    _write_kept()


class Logger:
    """A structlog logger by name; `log.warning("what_happened", key=value)`."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if _write is not None:
            return partial(_write, self._name, method)
        if LEVELS[method] < _least:
            return _nothing
        if _set_up is not None:
            if _loading.locked():
                return partial(_keep, self._name, method)
            load()
        return _method(self._name, method)


def _method(name: str, method: str) -> Any:
    return getattr(importlib.import_module("structlog").get_logger(part=name), method)


def _keep(name: str, method: str, event: str, /, **values: Any) -> None:
    """Written once logging is loaded. Unconfigured it would go to standard output, unmasked; and the loop must not
    wait for the thread that loads."""
    _kept.append(Line(name, method, event, values))
    if _set_up is None:  # meanwhile it is
        _write_kept()


def _write_kept() -> None:
    while _set_up is None and _kept:
        try:
            line = _kept.popleft()
        except IndexError:  # another thread took the last one
            return
        _method(line.logger, line.method)(line.event, **line.values)


def _nothing(event: str, /, **values: Any) -> None:
    """What is below the level."""
