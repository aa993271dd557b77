"""Loggers that load structlog with their first line.

structlog takes a fifth of a second to import, because it looks for rich; a host is ready before that.
"""

from __future__ import annotations

import importlib
from typing import Any


class Logger:
    """A structlog logger by name; `log.warning("what_happened", key=value)`."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        return getattr(importlib.import_module("structlog").get_logger(part=self._name), method)
